"""One thing that is logged as one line, whatever it quotes: text for people, or JSON for programs.

What devices, brokers and people send is quoted in logs. A line break or an escape sequence in it must not be able to
forge a line or to steer a terminal, and a secret must not be in it.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import msgspec

LONGEST = 8192
"""Characters of one text; the rest is cut, and said to be."""
FIELDS = ("gateway", "epoch", "device", "seq", "topic")
"""What a line may say of what it is about, beside its message."""
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_PASSWORD_IN_URL = re.compile(r"(\b[a-z][a-z0-9+.-]{0,30}://[^\s:/@]{0,256}:)\S{1,256}@", re.IGNORECASE)
"""Up to the last @: it may have an @ or a slash itself. All is bounded, as what is searched may be anybody's."""
_PASSWORD_IN_QUERY = re.compile(r"([?&](?:ssl)?password=)[^\s&'\"]{1,256}", re.IGNORECASE)
_encoder = msgspec.json.Encoder()


def printable(text: str) -> str:
    r"""Text in one line that a terminal only shows.

    >>> printable("door-1\r\n2026-01-01 INFO all is well \x1b[2J")
    'door-1\\r\\n2026-01-01 INFO all is well \\x1b[2J'
    """
    return _UNPRINTABLE.sub(lambda found: found.group().encode("unicode_escape", "backslashreplace").decode(), text)


def without_secrets(text: str, secrets: Iterable[str] = ()) -> str:
    """Text without these secrets, and without a password that a URL has in it.

    >>> without_secrets("postgresql://stock:s3cret@db/book: refused")
    'postgresql://stock:***@db/book: refused'
    """
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return _PASSWORD_IN_QUERY.sub(r"\1***", _PASSWORD_IN_URL.sub(r"\1***@", text))


def shortened(text: str) -> str:
    """At most LONGEST characters."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text) - LONGEST} more characters)"


def ends(trace: str) -> str:
    """At most LONGEST characters of a traceback, from both ends: the last line says what it was."""
    cut = len(trace) - LONGEST
    half = LONGEST // 2
    return trace if cut <= 0 else f"{trace[:half]}... ({cut} more characters) ...{trace[-half:]}"


def moment(seconds: float) -> str:
    """A Unix time as RFC 3339 with milliseconds.

    >>> moment(0.0625)
    '1970-01-01T00:00:00.062Z'
    """
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def as_text(head: str, message: str, fields: Mapping[str, object], trace: str = "") -> str:
    """A line for people; lines of a traceback follow it, each marked so that none looks like a line of its own."""
    about = "".join(f" {name}={printable(str(value))}" for name, value in fields.items())
    lines = [f"{head} {printable(shortened(message))}{about}"]
    lines += [f"    | {printable(line)}" for line in ends(trace).splitlines()]
    return "\n".join(lines)


def as_json(known: Mapping[str, object], trace: str = "") -> str:
    """A line for programs: a JSON object in ASCII or UTF-8 without control characters."""
    found = {name: shortened(value) if isinstance(value, str) else value for name, value in known.items()}
    if trace:
        found["exception"] = ends(trace)
    clean = {name: _storable(value) if isinstance(value, str) else value for name, value in found.items()}
    return _UNPRINTABLE.sub(lambda each: f"\\u{ord(each.group()):04x}", _encoder.encode(clean).decode())


def _storable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
