r"""NMEA 0183 sentences to what they say: `$GPRMC,...*hh` of any talker, each field checked against a table.

Fields as in NMEA 0183 4.11 and the public descriptions of it (gpsd's "NMEA Revealed", gpsd.io/NMEA.html; u-blox M8
protocol specification, section 31). A sentence of another kind or of a manufacturer (`$P...`) says nothing, and is not
bad.
"""

from datetime import date
from functools import lru_cache

from msgspec import Struct

from edge.driver import BadFrame
from edge.drivers import nmea_fields as fields
from edge.drivers.nmea_fields import position, time_us

MAX_BYTES = 256
"""Of one sentence. The standard says 82; receivers with more digits or more satellites say more."""
KNOT_MPS, KMH_MPS = 1852 / 3600, 1 / 3.6
_FIRST_YEAR = 80
"""Two-digit years are 1980 (GPS time begins) ... 2079."""
_NO_FIX_MODES = frozenset("NMS")
"""None, manual, simulator. Estimated (E) is a fix while the status says so: dead reckoning within its limits."""
_QUALITIES = {"0": False, "6": None, "7": False, "8": False}
"""GGA: none, estimated (RMC's status decides), manual, simulator; all others are fixes."""
_MODES = frozenset("ADPRF")
_CHECKSUMS = {form % byte: byte for byte in range(256) for form in (b"%02X", b"%02x")}
_UNFOLDED_BYTES = 128
_SHOWN = 60


class Said(Struct, frozen=True, gc=False):
    """What one sentence says; what it does not is None. `valid` is None in one that says nothing of it."""

    kind: str
    time_us: int | None = None
    """Since midnight UTC; from 86400 s on a leap second, or 24:00."""
    day: date | None = None
    valid: bool | None = None
    lat: float | None = None
    lon: float | None = None
    altitude_m: float | None = None
    speed_mps: float | None = None
    course_deg: float | None = None
    hdop: float | None = None
    satellites: int | None = None
    accuracy_m: float | None = None


def parse(line: bytes, *, checksum: bool = True) -> Said | None:
    """One sentence from its $, without its end; None if it says nothing of a fix. `checksum`: one is required.

    Raises BadFrame naming the field and what was expected.

    >>> said = parse(b"$GPRMC,235959.5,A,5103.6000,N,00343.8000,E,9.7,90.0,311226,,,A*55")
    >>> said.time_us, str(said.day), said.valid, said.lat, said.lon, said.speed_mps
    (86399500000, '2026-12-31', True, 51.06, 3.73, 4.990111111111111)
    """
    if len(line) > MAX_BYTES or line[:1] != b"$":
        msg = f"sentence: $ and at most {MAX_BYTES} bytes expected, got {line[:_SHOWN]!r}"
        raise BadFrame(msg)
    star = line.rfind(b"*")
    body = line[1:star] if star > 0 else line[1:]
    if star > 0:
        expected = checksum_of(body)
        if _CHECKSUMS.get(line[star + 1 :]) != expected:
            msg = f"checksum: {expected:02X} expected, got {line[star + 1 :][:_SHOWN]!r} in {line[:_SHOWN]!r}"
            raise BadFrame(msg)
    elif checksum:
        msg = f"checksum: *hh expected at the end, got {line[-_SHOWN:]!r}"
        raise BadFrame(msg)
    try:
        text = body.decode("ascii")
    except UnicodeDecodeError:
        msg = f"sentence: ASCII expected, got {line[:_SHOWN]!r}"
        raise BadFrame(msg) from None
    reader = _READERS.get(text[2:6])
    return None if reader is None or text[0] == "P" else reader(text)


def checksum_of(body: bytes) -> int:
    """All bytes between $ and * by exclusive or: of one big number, folded half upon half, which is quick.

    >>> checksum_of(b"PSIWMDID,6Q5161694402B133") == 0x2F
    True
    """
    folded = int.from_bytes(body)
    if len(body) > _UNFOLDED_BYTES:
        folded ^= folded >> 1024
    folded ^= folded >> 512
    folded ^= folded >> 256
    folded ^= folded >> 128
    folded ^= folded >> 64
    folded ^= folded >> 32
    folded ^= folded >> 16
    return (folded ^ folded >> 8) & 0xFF


def _rmc(text: str) -> Said:
    given = fields.RMC.split(text)
    lat, lon = position(given[2:8])
    speed, course, day, mode = given[8:]
    return Said(
        "RMC",
        time_us(given[0]),
        _day(day) if day else None,
        _status(given[1], mode),
        lat,
        lon,
        None,
        float(speed) * KNOT_MPS if speed else None,
        float(course) if course else None,
    )


def _gga(text: str) -> Said:
    given = fields.GGA.split(text)
    quality = given[7]
    return _place("GGA", given, _QUALITIES.get(quality, True) if quality else None)


def _gns(text: str) -> Said:
    given = fields.GNS.split(text)
    modes = given[7]
    valid = not _MODES.isdisjoint(modes) or (None if "E" in modes else False)
    return _place("GNS", given, valid if modes else None)


def _place(kind: str, given: tuple[str, ...], valid: bool | None) -> Said:  # noqa: FBT001 - a field of what is said
    """GGA and GNS have the same fields, but for the seventh."""
    lat, lon = position(given[1:7])
    satellites, hdop, altitude = given[8:]
    return Said(
        kind,
        time_us(given[0]),
        None,
        valid,
        lat,
        lon,
        float(altitude) if altitude else None,
        None,
        None,
        float(hdop) if hdop else None,
        int(satellites) if satellites else None,
    )


def _gll(text: str) -> Said:
    given = fields.GLL.split(text)
    lat, lon = position(given[:6])
    return Said("GLL", time_us(given[6]), None, _status(given[7], given[8]), lat, lon)


def _status(status: str, mode: str) -> bool | None:
    return status in "AD" and mode not in _NO_FIX_MODES if status else None


def _gsa(text: str) -> Said:
    (hdop,) = fields.GSA.split(text)
    return Said("GSA", hdop=float(hdop) if hdop else None)


def _vtg(text: str) -> Said:
    course, knots, kmh, mode = fields.VTG.split(text)
    if mode == "N":
        return Said("VTG")
    speed = float(kmh) * KMH_MPS if kmh else float(knots) * KNOT_MPS if knots else None
    return Said("VTG", speed_mps=speed, course_deg=float(course) if course else None)


def _zda(text: str) -> Said:
    time, day, month, year = fields.ZDA.split(text)
    return Said("ZDA", time_us(time), _date(int(year), int(month), int(day)) if year and month and day else None)


def _gst(text: str) -> Said:
    time, north, east = fields.GST.split(text)
    radius = (float(north) ** 2 + float(east) ** 2) ** 0.5 if north and east else None
    return Said("GST", time_us(time), accuracy_m=radius)


@lru_cache(4)
def _day(text: str) -> date:
    year = int(text[4:])
    return _date(year + (1900 if year >= _FIRST_YEAR else 2000), int(text[2:4]), int(text[:2]))


def _date(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        msg = f"date: a day of the calendar expected, got {year:04}-{month:02}-{day:02}"
        raise BadFrame(msg) from None


_READERS = {
    f"{name},": reader
    for name, reader in (
        ("RMC", _rmc),
        ("GGA", _gga),
        ("GNS", _gns),
        ("GLL", _gll),
        ("GSA", _gsa),
        ("VTG", _vtg),
        ("ZDA", _zda),
        ("GST", _gst),
    )
}
