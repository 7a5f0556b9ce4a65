"""How much assets were used: of all time, of the shifts of their category, of what is aimed at; what stopped them.

Everything is by the cells of the asset (what it did when), and by its counter of hours where that knows more.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import Connection

from backend import usage
from backend.api.queries.days import stretches
from backend.book import downtime
from backend.hours_step import all_mounts
from models.assets.shifts import shifts
from models.assets.utilisation import ALL_TIME, SHIFTS, TARGET, Base, Used, use_of
from models.declared import Asset, AssetClass, Calendar
from models.maintenance.stops import Reliability, judge
from models.motion import day
from models.motion.day import Cell
from models.motion.gain import MS, UNOBSERVED
from models.motion.meter import Bounds
from models.motion.spans import Span, length
from models.register import Register

WEEK_US, HOUR_US = 7 * 86_400_000_000, 3_600_000_000


class Utilised(NamedTuple):
    """What an asset did in a span, and what that was of each base."""

    cells: list[Cell]
    use: list[Used]


def utilisation(tx: Connection, register: Register, asset: str, span: Span, calendar: str | None = None) -> Utilised:
    """Use of each base that there is, in a span that is over; by another calendar than its category's if named."""
    counted = usage.used(tx, register, asset, "hours", span)
    by_counter = None if counted is None else Bounds(counted.least * MS, counted.most * MS)
    known = cells(tx, register, asset, span)
    return Utilised(known, use_of(known, by_counter, bases_of(register, asset, span, calendar)))


def cells(tx: Connection, register: Register, asset: str, span: Span) -> list[Cell]:
    """What an asset did in a span that is over; none of what is no tracker's is known."""
    return day.cells(*span, stretches(tx, register, asset, span)[0])


def bases_of(register: Register, asset: str, span: Span, calendar: str | None = None) -> list[Base]:
    """All time, and the shifts and the target of a calendar if there is one."""
    found = [Base(ALL_TIME, span[1] - span[0], (span,))]
    ident = calendar or calendar_of(register, asset, span[1])
    body = None if ident is None else register.get("calendars", ident, span[1])
    if isinstance(body, Calendar):
        times = shifts(body, span)
        found.append(Base(f"{SHIFTS} {ident}", length(times), (*times,)))
        if body.target_hours is not None:
            aimed = body.target_hours * HOUR_US * (span[1] - span[0]) / WEEK_US
            found.append(Base(f"{TARGET} {ident}", int(aimed.quantize(Decimal(1)))))
    return found


def calendar_of(register: Register, asset: str, at: int) -> str | None:
    """The calendar of an asset's category."""
    body = register.get("assets", asset, at)
    category = body.category if isinstance(body, Asset) else None
    declared = None if category is None else register.get("classes", category, at)
    return declared.shift_calendar if isinstance(declared, AssetClass) else None


def reliability(tx: Connection, register: Register, asset: str, span: Span) -> Reliability:
    """What the recorded stops of a span that is over say; what nobody watched is not observed.

    That is the time before it was declared and, of an asset that ever had a tracker, what that did not tell.
    """
    return judge(span, downtime.of(tx, asset, *span), _unobserved(tx, register, asset, span))


def _unobserved(tx: Connection, register: Register, asset: str, span: Span) -> Iterator[Span]:
    begun = min(register.changes("assets", asset), default=span[1])
    if begun > span[0]:
        yield span[0], min(begun, span[1])
    if all_mounts(register, asset):
        dark = (cell for cell in cells(tx, register, asset, span) if cell.what == UNOBSERVED)
        yield from ((cell.begin_at, cell.end_at) for cell in dark)
