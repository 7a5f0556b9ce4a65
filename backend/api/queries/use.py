"""The use of assets as it is answered: notes on meters, stops, utilisation, availability, effectiveness, duty."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection, Row, select

from backend import usage, utilisation
from backend.api import items_use as items
from backend.api.items_fleet import Range
from backend.api.queries.fleet import amount
from backend.api.queries.intake import time
from backend.book import downtime
from backend.book.schema_use import meter_note, meter_note_end
from models.assets import duty
from models.assets.utilisation import Base, Used
from models.declared import Asset
from models.errors import Refused
from models.maintenance.oee import oee
from models.maintenance.stops import Between, judge
from models.motion.day import CELLS
from models.motion.meter import EACH, ENGINE_HOURS, HOIST, Bounds
from models.motion.spans import Span
from models.reading import from_micros
from models.register import Register
from models.units import quantity_text

HOUR_US = 3_600_000_000
MILLIONTH = Decimal("0.000001")


def notes(tx: Connection, asset: str, after: int, limit: int) -> list[items.MeterNote]:
    """What was said of an asset's meters, by n; also what was withdrawn."""
    rows = _notes().where(meter_note.c.asset == asset, meter_note.c.n > after)
    return [_note(row) for row in tx.execute(rows.order_by(meter_note.c.n).limit(limit))]


def one_note(tx: Connection, ident: str) -> items.MeterNote:
    """One note, which is there."""
    return _note(tx.execute(_notes().where(meter_note.c.id == ident)).one())


def _notes() -> Any:  # noqa: ANN401 - a statement of two tables
    end = meter_note_end.c
    ended = (end.recorded_at.label("withdrawn_at"), end.actor.label("withdrawn_by"), end.reason.label("withdrawn_why"))
    return select(meter_note, *ended).outerjoin(meter_note_end, end.note == meter_note.c.id)


def _note(row: Row[Any]) -> items.MeterNote:
    return items.MeterNote(
        id=row.id,
        n=row.n,
        asset=row.asset,
        meter=row.meter,
        kind=row.kind,
        at=from_micros(row.at),
        value=row.value,
        before=row.before,
        reason=row.reason,
        actor=row.actor,
        recorded_at=from_micros(row.recorded_at),
        withdrawn_at=time(row.withdrawn_at),
        withdrawn_by=row.withdrawn_by,
        withdrawn_why=row.withdrawn_why,
    )


def stops(tx: Connection, asset: str, span: Span) -> list[items.Stop]:
    """The times in a span that it stood."""
    return [
        items.Stop(s.id, asset, from_micros(s.begin_at), time(s.end_at), s.planned, s.reason, s.work_order)
        for s in downtime.of(tx, asset, *span)
    ]


def utilised(
    tx: Connection, register: Register, asset: str, span: Span, calendar: str | None = None
) -> items.Utilisation:
    """How much of each base an asset was used. Raises Refused for a calendar that is none."""
    if calendar is not None and register.get("calendars", calendar, span[1]) is None:
        msg = f"calendar: one of the calendars of the register expected, got {calendar!r}"
        raise Refused(msg)
    known, use = utilisation.utilisation(tx, register, asset, span, calendar)
    lengths = {what: sum(each.end_at - each.begin_at for each in known if each.what == what) for what in CELLS}
    hours = {what: _hours(us) for what, us in lengths.items()}
    return items.Utilisation(asset, *_times(span), hours, [_use(each) for each in use])


def _use(used: Used) -> items.UseOf:
    ran = None if used.ran is None else _range_of(used.ran)
    shares = [None if each is None else _shares(each) for each in (used.share, used.worked_share, used.load)]
    return items.UseOf(used.base.name, _hours(used.base.us), ran, _range_of(used.in_all), *shares)


def available(tx: Connection, register: Register, asset: str, span: Span) -> items.Availability:
    """Availability, MTBF and MTTR of a span that is over."""
    found = utilisation.reliability(tx, register, asset, span)
    ran = usage.used(tx, register, asset, "hours", span)
    return items.Availability(
        asset,
        *_times(span),
        required_hours=_hours(found.required_us),
        planned_hours=_hours(found.planned_us),
        down_hours=_hours(found.down_us),
        unobserved_hours=_hours(found.unobserved_us),
        failures=found.failures,
        repaired=found.repaired,
        mtbf_hours=_between(found.mtbf, HOUR_US),
        mttr_hours=_between(found.mttr, HOUR_US),
        availability=_between(found.availability, 1),
        run_hours=None if ran is None else Range(amount(ran.least, "h"), amount(ran.most, "h")),
        mtbf_run_hours=None if ran is None else _by_run(ran, found.failures),
    )


def _by_run(ran: Bounds, failures: int) -> items.Between | None:
    most = Fraction(ran.most, failures) if failures else None
    return _between(Between(Fraction(ran.least, failures or 1), most), EACH[ENGINE_HOURS])


def effectiveness(
    tx: Connection, register: Register, asset: str, span: Span, made: tuple[Decimal, Decimal, Decimal]
) -> items.Oee:
    """OEE of the shifts of a span, or all of it, less planned stops; `made`: the ideal of an hour, all, good ones."""
    base: Base = utilisation.bases_of(register, asset, span)[:2][-1]
    spans = base.spans or ()
    known = downtime.of(tx, asset, *span)
    each = [judge(part, known) for part in spans]
    planned, down = sum(one.required_us for one in each), sum(one.down_us for one in each)
    found = oee(Fraction(planned, HOUR_US), Fraction(down, HOUR_US), *(Fraction(figure) for figure in made))
    shares = (found.availability, found.performance, found.quality, found.oee)
    return items.Oee(asset, *_times(span), base.name, _hours(planned), _hours(down), *map(_text, shares))


def hoist(tx: Connection, register: Register, asset: str, span: Span) -> items.HoistDuty:
    """What a hoist did in a span that is over, and what is left of its design."""
    hours, started = _lifted(tx, register, asset, span)
    body = register.get("assets", asset, span[1])
    in_all: dict[str, duty.Left] = {}
    if isinstance(body, Asset) and body.duty is not None:
        ever, count = _lifted(tx, register, asset, (0, span[1]))
        least, most = (Decimal(0), Decimal(0)) if ever is None else (Decimal(ever.least), Decimal(ever.most))
        sure, at_most = count or (0, 0)
        counted = (Decimal(sure), None if at_most is None else Decimal(at_most))
        in_all = duty.left(body.duty, (least / EACH[ENGINE_HOURS], most / EACH[ENGINE_HOURS]), counted)
    return items.HoistDuty(
        asset,
        *_times(span),
        hours=None if hours is None else Range(amount(hours.least, "h"), amount(hours.most, "h")),
        starts=None if started is None else items.Between(*(None if n is None else str(n) for n in started)),
        stuck=_stuck(tx, register, asset),
        in_all=[
            items.DutyLeft(of, quantity_text(each.design), _decimals(each.done), _decimals(each.left))
            for of, each in in_all.items()
        ],
    )


def _lifted(
    tx: Connection, register: Register, asset: str, span: Span
) -> tuple[Bounds | None, tuple[int, int | None] | None]:
    """Hours, and starts that began in the span."""
    hours = usage.used(tx, register, asset, HOIST, span)
    if hours is None:
        return None, None
    rows = usage.rows_of(tx, asset, *span, [HOIST]) + usage.open_of(tx, register, asset, span[1])
    mine = [row for row in rows if row.meter == HOIST]
    dark = [(row.begin_at, row.end_at) for row in mine if row.why is not None]
    lifting = [(row.begin_at, row.end_at) for row in mine if row.why is None and row.begin_at >= span[0]]
    return hours, duty.starts(lifting, dark)


def _stuck(tx: Connection, register: Register, asset: str) -> str | None:
    contacts = (usage.hoist_contact(state) for _, state in usage.states(tx, register, asset))
    return next((why for each in contacts if each is not None and (why := duty.stuck(each))), None)


def _times(span: Span) -> tuple[Any, Any]:
    return from_micros(span[0]), from_micros(span[1])


def _hours(us: int) -> str:
    return amount(us // 1000, "h")


def _range_of(bounds: Bounds) -> Range:
    """Microseconds as hours."""
    return Range(_hours(bounds.least), _hours(bounds.most))


def _shares(share: tuple[Fraction, Fraction]) -> Range:
    return Range(_text(share[0]), _text(share[1]))


def _decimals(bounds: tuple[Decimal, Decimal]) -> Range:
    least, most = (quantity_text(each.quantize(MILLIONTH)) for each in bounds)
    return Range(least, most)


def _between(figure: Between | None, each: int) -> items.Between | None:
    if figure is None:
        return None
    return items.Between(*(None if it is None else _text(it / each) for it in (figure.least, figure.most)))


def _text(value: Fraction) -> str:
    """To a millionth, half even."""
    return quantity_text((Decimal(value.numerator) / Decimal(value.denominator)).quantize(MILLIONTH))
