"""Which EPCs are wanted: prefixes in hex, compiled into one test, because it is asked for every read."""

import re
from collections.abc import Callable, Sequence

Wanted = Callable[[bytes], object]


def wanted(include: Sequence[str], exclude: Sequence[str]) -> Wanted | None:
    """A test that is true of an EPC that begins with one of `include`, if there are any, and with none of `exclude`.

    None where every EPC is wanted. A prefix may end within a byte.

    >>> test = wanted(["3034", "E28"], ["303425"])
    >>> [bool(test(bytes.fromhex(epc))) for epc in ("303400aa", "30342500", "e28f", "e290", "31")]
    [True, False, True, False, False]
    """
    if not include and not exclude:
        return None
    begin = b"|".join(map(_pattern, include))
    never = b"(?!" + b"|".join(map(_pattern, exclude)) + b")" if exclude else b""
    return re.compile(never + b"(?:" + begin + b")").match


def _pattern(prefix: str) -> bytes:
    whole = bytes.fromhex(prefix[: len(prefix) // 2 * 2])
    pattern = b"".join(b"\\x%02x" % byte for byte in whole)
    if len(prefix) % 2:
        first = int(prefix[-1], 16) << 4
        pattern += b"[\\x%02x-\\x%02x]" % (first, first | 0xF)
    return pattern
