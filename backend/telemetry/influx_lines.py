"""InfluxDB's line protocol and the literals of InfluxQL, as texts of our own: what comes back is what went in.

Line protocol has no escape for a newline, nor for a backslash that ends a tag, and servers differ in what they make of
other characters that do not print. So these, and `~`, stand in tags as `~` and two hex digits for each UTF-8 byte; an
empty text is `~`. What is left needs only the escapes that all servers agree on, and can end no literal of InfluxQL.
"""

import math
import re
import sys
from collections.abc import Iterable, Mapping
from functools import lru_cache

from backend.telemetry.slots import NS

EARLIEST, LATEST = -(2**62) // NS, 2**62 // NS
"""Times in microseconds that InfluxDB holds: the years 1823 to 2116."""
_ENCODED = re.compile(rb"~([0-9A-F]{2})")
_SPECIAL = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ "})


VOID = -sys.float_info.max
"""Stands in a field for "no value": nothing is deleted, what is taken back is overwritten. A reading that says just
this is kept as the number next to it."""
IS_VALUE = f"> {VOID:.1f}"
"""The rest of a condition on a field; InfluxQL has no exponents."""


class NotFinite(ValueError):
    """InfluxDB holds no such float."""


@lru_cache(100_000)
def encode(text: str) -> str:
    r"""A tag's value without anything that line protocol or InfluxQL cannot carry.

    >>> encode("crane 2\n~"), decode("crane 2~0A~7E"), encode("")
    ('crane 2~0A~7E', 'crane 2\n~', '~')
    """
    if not text:
        return "~"
    if text.isprintable() and not set(text) & {"~", "\\", "\ufffd"}:
        return text
    return "".join(c if c.isprintable() and c not in "~\\\ufffd" else _hex(c) for c in text)


def _hex(char: str) -> str:
    return "".join(f"~{byte:02X}" for byte in char.encode())


def decode(text: str) -> str:
    """What `encode` was given."""
    if "~" not in text:
        return text
    return "" if text == "~" else _ENCODED.sub(lambda found: bytes([int(found[1], 16)]), text.encode()).decode()


@lru_cache(100_000)
def head(measurement: str, *tags: tuple[str, str]) -> str:
    r"""The part of a line before its fields.

    >>> head("value", ("device", "dock-a/crane, 2"), ("unit", "%"))
    'value,device=dock-a/crane\\,\\ 2,unit=%'
    """
    return measurement + "".join([f",{key}={_escaped(value)}" for key, value in tags])


@lru_cache(100_000)
def _escaped(value: str) -> str:
    return encode(value).translate(_SPECIAL)


def number(value: float) -> str:
    """A float that is read back exactly; -0.0 is 0.0, as other stores have it. Raises NotFinite."""
    if not math.isfinite(value):
        raise NotFinite(str(value))
    return repr(float(value) + 0.0 if value != VOID else math.nextafter(VOID, 0.0))


def text(value: str) -> str:
    """A string field."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def line(start: str, fields: Mapping[str, str], at_ns: int) -> str:
    """One line; fields are texts of `number`, `text`, an integer with `i`, `true` or `false`."""
    return f"{start} {','.join(f'{key}={value}' for key, value in fields.items())} {at_ns}"


def quoted(value: str) -> str:
    r"""A tag's value as a literal of InfluxQL.

    >>> quoted("it's"), quoted("a\\' OR 1=1")
    ("'it\\'s'", "'a~5C\\' OR 1=1'")
    """
    return "'" + encode(value).replace("'", "\\'") + "'"


def name(identifier: str) -> str:
    """An identifier of InfluxQL. Raises ValueError for one that is not printable or has a quote or backslash."""
    if not identifier.isprintable() or set(identifier) & {'"', "\\"}:
        raise ValueError(f"not a name: {identifier!r}")
    return f'"{identifier}"'


def clamp(at: int) -> int:
    """A time in microseconds as nanoseconds, within what InfluxDB holds."""
    return max(EARLIEST, min(LATEST, at)) * NS


def select(columns: str, source: str, *where: str, tail: str = "") -> str:
    """A statement of InfluxQL; conditions are built of `quoted` values and whole numbers only."""
    conditions = f" WHERE {' AND '.join(where)}" if where else ""
    return f"SELECT {columns} FROM {source}{conditions} {tail}".rstrip()  # noqa: S608 - see above


def one_of(tag: str, values: Iterable[str]) -> str:
    """A condition: a tag has one of these values, of which there must be some."""
    told = " OR ".join(f'"{tag}" = {quoted(value)}' for value in values)
    return f"({told})"


def between(since: int, until: int) -> str:
    """A condition: the time is from `since` to before `until`, microseconds."""
    return f"time >= {clamp(since)} AND time < {clamp(until)}"
