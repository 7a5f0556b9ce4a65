"""The fields of NMEA sentences as tables: one pattern checks a whole sentence at once, and names a field if it is bad.

What a pattern lets through converts without further questions; only a whole position has a range to check.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from edge.driver import BadFrame

SECOND_US = 1_000_000
MOST_LAT, MOST_LON = 90, 180
_SHOWN = 40
_AS_THEY_ARE = {"unit", "unread", "latitude", "longitude"}
"""Not read, or in parts of their own: degrees and minutes."""

Field = tuple[str, str, str]
"""What it is called, what it must look like, and that in words."""


class Layout:
    """The fields of one kind of sentence, in order. Those after `least` may lack."""

    def __init__(self, *fields: Field, least: int | None = None) -> None:
        self._fields = fields
        self._least = least = len(fields) if least is None else least
        groups = [pattern if name in _AS_THEY_ARE else f"({pattern})" for name, pattern, _ in fields]
        rest = "(?:,.*)?"
        for group in reversed(groups[least:]):
            rest = f"(?:,{group}{rest})?"
        self._match = re.compile(f".{{6}}{','.join(groups[:least])}{rest}", re.ASCII | re.DOTALL).fullmatch

    def split(self, text: str) -> tuple[str, ...]:
        """The fields of a sentence that begins with its address, "" for those that are not there. Raises BadFrame."""
        found = self._match(text)
        if found is None:
            raise self._bad(text)
        return found.groups("")

    def _bad(self, text: str) -> BadFrame:
        """Of the first field that is not as it must be."""
        given = text.split(",")[1:]
        for (name, pattern, words), value in zip(self._fields, given, strict=False):
            if not re.fullmatch(pattern, value, re.ASCII | re.DOTALL):
                return BadFrame(f"{text[:5]} {name}: {words} expected, got {value[:_SHOWN]!r}")
        return BadFrame(f"{text[:5]}: at least {self._least} fields expected, got {len(given)}")


_FRACTION = r"(?:\.\d{0,9})?"
_NUMBER = rf"\d{{1,5}}{_FRACTION}|\.\d{{1,9}}|"
_MINUTES = r"([0-5]\d(?:\.\d{0,12})?)"
_REST = ("unread", "[^,]*", "anything")

_TIME = (
    "time",
    r"(?:(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d|60)|240000)(?:\.\d{0,9})?|",
    "hhmmss[.sss] from 000000 to 240000",
)
_LAT = ("latitude", rf"(?:(\d{{1,2}}){_MINUTES})?", "ddmm.mmm with minutes below 60")
_NS = ("latitude's hemisphere", "[NS]?", "N or S")
_LON = ("longitude", rf"(?:(\d{{1,3}}){_MINUTES})?", "dddmm.mmm with minutes below 60")
_EW = ("longitude's hemisphere", "[EW]?", "E or W")
_POSITION = (_LAT, _NS, _LON, _EW)
_STATUS = ("status", "[A-Z]?", "A or V")
_MODE = ("mode", "[A-Z]?", "a letter")
_QUALITY = ("quality", r"\d?", "a digit")
_MODES = ("modes", "[A-Z]*", "a letter for each system")
_SATELLITES = ("satellites", r"\d{0,3}", "at most three digits")
_SPEED = ("speed", rf"\d{{1,4}}{_FRACTION}|\.\d{{1,9}}|", "a number from 0 and below 10000")
_COURSE = ("course", rf"(?:[0-2]?\d?\d|3[0-5]\d){_FRACTION}|\.\d{{1,9}}|360(?:\.0{{0,9}})?|", "0 ... 360 degrees")
_HDOP = ("HDOP", _NUMBER, "a number from 0 and below 100000")
_ALTITUDE = ("altitude", rf"[+-]?\d{{1,5}}{_FRACTION}|[+-]?\.\d{{1,9}}|", "metres, below 100000")
_DAY = ("date", r"\d{6}|", "ddmmyy")
_ERROR = ("standard deviation", _NUMBER, "metres from 0 and below 100000")


def _letter(unit: str) -> Field:
    return "unit", f"{unit}?", unit


RMC = Layout(_TIME, _STATUS, *_POSITION, _SPEED, _COURSE, _DAY, _REST, _REST, _MODE, least=9)
GGA = Layout(_TIME, *_POSITION, _QUALITY, _SATELLITES, _HDOP, _ALTITUDE, _letter("M"), least=9)
GNS = Layout(_TIME, *_POSITION, _MODES, _SATELLITES, _HDOP, _ALTITUDE)
GLL = Layout(*_POSITION, _TIME, _STATUS, _MODE, least=5)
GSA = Layout(*[_REST] * 15, _HDOP)
VTG = Layout(_COURSE, _letter("T"), _REST, _letter("M"), _SPEED, _letter("N"), _SPEED, _letter("K"), _MODE, least=8)
ZDA = Layout(
    _TIME, ("day", r"\d{1,2}|", "dd"), ("month", r"\d{1,2}|", "mm"), ("year", r"(?:19[89]|2[01]\d)\d|", "1980 ... 2199")
)
GST = Layout(_TIME, *[_REST] * 4, _ERROR, _ERROR)


@lru_cache(8)
def time_us(text: str) -> int | None:
    """Microseconds since midnight of a time that has been checked; kept, as all sentences of an epoch say the same.

    >>> time_us("235960.25"), time_us("")
    (86400250000, None)
    """
    if not text:
        return None
    clock = int(text[:6])
    seconds = clock // 10_000 * 3600 + clock // 100 % 100 * 60 + clock % 100
    return seconds * SECOND_US + round(float(f"0{text[6:]}") * SECOND_US)


def position(parts: Sequence[str]) -> tuple[float | None, float | None]:
    """Latitude and longitude, of each its degrees, minutes and hemisphere; none if they are empty. Raises BadFrame.

    >>> position(("51", "03.6", "S", "003", "43.8", "W"))
    (-51.06, -3.73)
    """
    north, north_minutes, ns, east, east_minutes, ew = parts
    if not north and not east:
        return None, None
    if not (north and ns and east and ew):
        msg = f"position: latitude, N or S, longitude and E or W expected, got {' '.join(parts)}"
        raise BadFrame(msg)
    lat, lon = int(north) + float(north_minutes) / 60, int(east) + float(east_minutes) / 60
    if lat > MOST_LAT or lon > MOST_LON:
        msg = f"position: at most {MOST_LAT} and {MOST_LON} degrees expected, got {' '.join(parts)}"
        raise BadFrame(msg)
    return -lat if ns == "S" else lat, -lon if ew == "W" else lon
