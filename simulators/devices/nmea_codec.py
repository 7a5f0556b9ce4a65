"""NMEA 0183 sentences of a simulated receiver, written from the standard and not from the edge's decoder."""

from dataclasses import dataclass
from datetime import datetime

KNOTS_PER_KMH = 1 / 1.852
NO_FIX_MODE, MODE_3D = 1, 3
MINUTE_DIGITS = 5
GEOID_M = 44.5
SATELLITES_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Position:
    """What a receiver knows at one time. Without a fix only the time counts."""

    at: datetime
    has_fix: bool
    lat: float
    lon: float
    altitude_m: float
    speed_kmh: float
    course_deg: float
    satellites: int
    hdop: float


def sentence(body: str) -> str:
    r"""A body with $, checksum and end.

    >>> sentence("GPGLL,,,,,,V,N")
    '$GPGLL,,,,,,V,N*64\r\n'
    """
    checksum = 0
    for byte in body.encode("ascii"):
        checksum ^= byte
    return f"${body}*{checksum:02X}\r\n"


def told(degrees: float) -> float:
    """A latitude or longitude as the sentences say it: to 1e-5 of a minute, which is 2 cm."""
    whole, minutes = _split(degrees)
    return round((-1 if degrees < 0 else 1) * (whole + float(minutes) / 60), 9)


def burst(position: Position, talker: str = "GP") -> list[str]:
    """All sentences of one time: RMC, VTG, GGA, GSA, GSV, ZDA."""
    at = position.at
    clock = f"{at:%H%M%S}.{at.microsecond // 1000:03}"
    has_fix = position.has_fix
    place = f"{_place(position.lat, 2, 'NS')},{_place(position.lon, 3, 'EW')}" if has_fix else ",,,"
    knots = f"{position.speed_kmh * KNOTS_PER_KMH:.3f}" if has_fix else ""
    kmh = f"{position.speed_kmh:.3f}" if has_fix else ""
    course = f"{position.course_deg:.1f}" if has_fix else ""
    hdop = f"{position.hdop:.1f}" if has_fix else ""
    heights = f"{position.altitude_m:.1f},M,{GEOID_M},M" if has_fix else ",M,,M"
    used = [f"{number:02}" for number in range(1, min(position.satellites, SATELLITES_SHOWN) + 1)] if has_fix else []
    used += [""] * (SATELLITES_SHOWN - len(used))
    return [
        sentence(body)
        for body in (
            f"{talker}RMC,{clock},{'A' if has_fix else 'V'},{place},{knots},{course},{at:%d%m%y},,,{_mode(position)}",
            f"{talker}VTG,{course},T,,M,{knots},N,{kmh},K,{_mode(position)}",
            f"{talker}GGA,{clock},{place},{int(has_fix)},{position.satellites:02},{hdop},{heights},,",
            f"{talker}GSA,A,{MODE_3D if has_fix else NO_FIX_MODE},{','.join(used)},{hdop},{hdop},{hdop}",
            *_in_view(talker, position.satellites),
            f"{talker}ZDA,{clock},{at:%d,%m,%Y},00,00",
        )
    ]


def _in_view(talker: str, number: int) -> list[str]:
    """GSV: the satellites, spread evenly over the sky, four to a sentence."""
    sky = [f"{each:02},{20 + each * 3 % 60:02},{each * 25 % 360:03},{30 + each % 15}" for each in range(1, number + 1)]
    parts = [sky[first : first + 4] for first in range(0, number, 4)] or [[]]
    head = f"{talker}GSV,{len(parts)}"
    return [",".join([head, str(part), f"{number:02}", *some]) for part, some in enumerate(parts, 1)]


def _mode(position: Position) -> str:
    return "A" if position.has_fix else "N"


def _split(degrees: float) -> tuple[int, str]:
    """Whole degrees, and minutes with their digits; never 60 of them."""
    units = round(abs(degrees) * 60 * 10**MINUTE_DIGITS)
    whole, rest = divmod(units, 60 * 10**MINUTE_DIGITS)
    return whole, f"{rest / 10**MINUTE_DIGITS:0{MINUTE_DIGITS + 3}.{MINUTE_DIGITS}f}"


def _place(degrees: float, digits: int, hemispheres: str) -> str:
    whole, minutes = _split(degrees)
    return f"{whole:0{digits}}{minutes},{hemispheres[degrees < 0]}"
