"""A truck's counter and what people say of it, for tests of meters in the book."""

from decimal import Decimal

from backend import usage
from backend.book import meter_notes, register
from backend.book.db import read, write
from backend.book.meter_notes import MeterNote
from models.motion.meter import EACH
from models.motion.noted import What
from models.reading import Meter, Reading, from_micros
from tests.backend.books import DAY, SECOND, Yard
from tests.backend.journeys import TRUCK
from tests.backend.stories import MIDNIGHT

HOUR = 3600 * SECOND
NOW = MIDNIGHT + 10 * DAY


def said(*values: tuple[float, float], name: str = "engine_hours", unit: str = "h") -> list[Reading]:
    """A counter of the truck, by hours since midnight."""
    return [Meter(TRUCK, from_micros(MIDNIGHT + round(at * HOUR)), name, value, unit) for at, value in values]


def note(
    ident: str, at: float, kind: What, value: float | None = None, before: float | None = None, **fields: str
) -> MeterNote:
    """At so many hours since midnight; values in hours, km or times."""
    given = {"asset": "TRUCK-1", "meter": "engine_hours", "reason": "seen"} | fields
    amounts = [None if each is None else Decimal(str(each)) for each in (value, before)]
    when = MIDNIGHT + round(at * HOUR)
    return MeterNote(id=ident, at=when, kind=kind, value=amounts[0], before=amounts[1], **given)


def tell(yard: Yard, *notes: MeterNote) -> None:
    """Note these, one after the other."""
    with write(yard.book) as tx:
        for each in notes:
            meter_notes.record(tx, register.load(tx), each, ("ann", yard.clock.now))


def withdraw(yard: Yard, ident: str) -> None:
    """It was a mistake."""
    with write(yard.book) as tx:
        meter_notes.withdraw(tx, register.load(tx), ident, "a mistake", ("ann", yard.clock.now))


def used(
    yard: Yard, meter: str, begin: float = 0, end: float = 240, asset: str = "TRUCK-1"
) -> tuple[float, float] | None:
    """In hours, km or times; the window in hours since midnight."""
    span = (MIDNIGHT + round(begin * HOUR), MIDNIGHT + round(end * HOUR))
    with read(yard.book) as tx:
        found = usage.used(tx, register.load(tx), asset, meter, span)
    each = EACH.get(usage.NAMED.get(meter, meter), EACH["engine_hours"])
    return None if found is None else (found.least / each, found.most / each)


RUN = [(0, 1200), (10, 1210), (30, 3), (40, 11), (41, 9000), (60, 26), (100, 50), (130, 80)]
NOTES = [
    note("reset", 15, "reset", 0, 1212),
    note("a slip", 50, "baseline", 7),
    note("read off", 70, "reading", 30),
    note("wrong", 100, "void"),
    note("after all", 150, "reading", 90),
]
