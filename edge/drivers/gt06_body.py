"""What GT06's packets are made of: numbers, a time, a place, the cell that the modem is in.

After Concox's protocol documents and traccar/traccar, protocol/Gt06ProtocolDecoder.java.
"""

from datetime import UTC, datetime, timedelta

from msgspec import Struct, field

from edge.driver import BadFrame

DEGREE = 1_800_000
_TWO_BYTE_MNC = 0x8000
_NORTH, _WEST, _POSITIONED, _HAS_ACC, _ACC, _COURSE = 1 << 10, 1 << 11, 1 << 12, 1 << 14, 1 << 15, 0x3FF
_DAY_HOURS, _HOUR_MINUTES, _MOST_SECONDS = 24, 60, 60  # a leap second is second 60


class Place(Struct, frozen=True):
    """Where a receiver says that it is, or was last. Absent is None."""

    lat: float
    lon: float
    valid: bool
    course_deg: int
    satellites: int | None = None
    speed_kmh: int | None = None


class Said(Struct):
    """What one packet says. Values that it does not name are not in it."""

    at: datetime | None = None
    """The tracker's own time; local if the tracker's clock is, and None where the packet has none."""
    is_utc: bool = False
    """`at` is UTC, whatever zone the tracker's clock has."""
    place: Place | None = None
    is_lost: bool = False
    """It says that it could not find its place."""
    inputs: dict[str, bool] = field(default_factory=dict[str, bool])
    meters: dict[str, tuple[float, str]] = field(default_factory=dict[str, tuple[float, str]])
    """Value and UCUM unit."""
    signals: dict[str, tuple[float, str]] = field(default_factory=dict[str, tuple[float, str]])
    events: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Name and detail."""
    altitude_m: float | None = None
    hdop: float | None = None
    accuracy_m: float | None = None


class Body:
    """A packet's content, read from the front. Every method raises BadFrame if there is not so much."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._at = 0

    @property
    def left(self) -> int:
        """How many bytes are not read yet."""
        return len(self.data) - self._at

    def take(self, size: int) -> bytes:
        """The next bytes."""
        if self.left < size:
            msg = f"content: {size} bytes expected at {self._at}, got {self.left}"
            raise BadFrame(msg)
        self._at += size
        return self.data[self._at - size : self._at]

    def number(self, size: int) -> int:
        """The next bytes as an unsigned number.

        >>> Body(bytes.fromhex("027ac818")).number(4)
        41601048
        """
        return int.from_bytes(self.take(size))

    def text(self, size: int) -> str:
        """The next bytes as ASCII, with nothing in it that a terminal would obey."""
        return "".join(chr(byte) if 32 <= byte < 127 else " " for byte in self.take(size)).strip()  # noqa: PLR2004 - ASCII


def time(body: Body) -> datetime | None:
    """Six bytes, year to second, as if they were UTC; None if all are 0: the tracker's clock was never set.

    >>> time(Body(bytes.fromhex("0f0c1d023305"))).isoformat()
    '2015-12-29T02:51:05+00:00'
    """
    raw = body.take(6)
    if not any(raw):
        return None
    return clock(*raw)


def clock(*parts: int) -> datetime:
    """Year of the century, month, day, hour, minute, second. Raises BadFrame."""
    year, month, day, hour, minute, second = parts
    try:
        midnight = datetime(2000 + year, month, day, tzinfo=UTC)
    except ValueError as error:
        msg = f"time: a date expected, got {parts[:3]}"
        raise BadFrame(msg) from error
    if hour >= _DAY_HOURS or minute >= _HOUR_MINUTES or second > _MOST_SECONDS:
        msg = f"time: hour, minute and second expected, got {parts[3:]}"
        raise BadFrame(msg)
    return midnight + timedelta(hours=hour, minutes=minute, seconds=second)


def time_bcd(body: Body) -> datetime | None:
    """The same, each byte two decimal digits. Raises BadFrame."""
    raw = body.take(6).hex()
    if not raw.isdecimal():
        msg = f"time: decimal digits expected, got {raw}"
        raise BadFrame(msg)
    return clock(*(int(raw[at : at + 2]) for at in range(0, 12, 2))) if int(raw) else None


def place(body: Body, said: Said) -> None:
    """Satellites, position, speed, course and status: 12 bytes, the common form."""
    satellites = body.number(1) & 0x0F
    lat, lon, speed, status = body.number(4), body.number(4), body.number(1), body.number(2)
    located(said, (lat, lon), status, satellites=satellites, speed_kmh=speed)


def located(
    said: Said, raw: tuple[int, int], status: int, *, satellites: int | None = None, speed_kmh: int | None = None
) -> None:
    """A position of 1/30000 minute and its status word: course, hemispheres, whether it is a fix, on some also ACC."""
    lat, lon = raw[0] / DEGREE, raw[1] / DEGREE
    said.place = Place(
        lat if status & _NORTH else -lat,
        -lon if status & _WEST else lon,
        bool(status & _POSITIONED),
        status & _COURSE,
        satellites,
        speed_kmh,
    )
    if status & _HAS_ACC:
        said.inputs["ignition"] = bool(status & _ACC)


def cell(body: Body, area: int = 2, ident: int = 3) -> None:
    """Pass over a cell: country, network of one byte or two, area, cell id. No position is made of it."""
    country = body.number(2)
    body.take((2 if country & _TWO_BYTE_MNC else 1) + area + ident)


def cell_4g(body: Body) -> None:
    """Pass over a cell whose area has 4 bytes and whose id 8."""
    cell(body, 4, 8)
