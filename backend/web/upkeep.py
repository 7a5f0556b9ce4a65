"""What is next due of assets, what was done, how likely each is to fail: for the yard's list and an asset's page."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from uuid import uuid4

from sqlalchemy import Connection

from backend.api import items_assets
from backend.api.queries import maintenance
from backend.api.queries.maintenance import HistoryAsk, ServiceAsk
from models.maintenance.due import STATES
from models.register import Register

UNITS = {
    "hours": "h",
    "km": "km",
    "days": "days",
    "cycles": "cycles",
    "starts": "starts",
    "calendar": "days",
    "condition": "",
}
SAYS = {
    "resting": "resting",
    "unknown": "not known",
    "ok": "ok",
    "due_soon": "due soon",
    "may_be_due": "may be due",
    "due": "due",
    "overdue": "overdue",
}
"""The states of a plan as a person reads them."""
WHOLE = {"days", "calendar", "cycles", "starts", "condition"}
DONE = 12
BAR = 100.0
TENTH = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Gauge:
    """One measure of a plan: how much of the interval is used, as a bar of BAR with a mark where it is due."""

    measure: items_assets.Measure
    unit: str
    sure: float
    open: float
    mark: float

    @property
    def used(self) -> str:
        held = self.measure.used
        if held is None:
            return "never heard"
        low, high = (_figure(Decimal(each), self.measure.by) for each in (held.least, held.most))
        return f"{low if low == high else f'{low} to {high}'} of {self.measure.every} {self.unit}"

    @property
    def left(self) -> str:
        return left_words(self.measure)


@dataclass(frozen=True, slots=True)
class PlanNow:
    """A plan of an asset as it stands; `form_id` is that of the service if somebody records one."""

    due: items_assets.Due
    gauges: list[Gauge]
    form_id: str

    @property
    def forecast(self) -> str | None:
        return forecast_words(self.due.due_from, self.due.due_by)


def plans(tx: Connection, register: Register, asset: str, now: int) -> list[PlanNow]:
    """The plans of an asset, what matters most first."""
    return [
        PlanNow(each, [_gauge(one) for one in each.measures], str(uuid4()))
        for each in maintenance.due_of(tx, register, [asset], now)
    ]


def done(tx: Connection, register: Register, asset: str, now: int) -> list[tuple[items_assets.Service, bool | None]]:
    """The last services and repairs, the newest first, and whether each was in time."""
    kept = maintenance.history(tx, register, HistoryAsk(asset=asset, limit=DONE), now)
    on_time = {each.id: each.on_time for each in kept}
    found = sorted(maintenance.services(tx, ServiceAsk(asset=asset)), key=lambda each: each.at, reverse=True)
    return [(each, on_time.get(each.id)) for each in found[:DONE]]


def _gauge(measure: items_assets.Measure) -> Gauge:
    every = Decimal(measure.every)
    held = measure.used
    none = Decimal(0)
    least, most = (none, none) if held is None else (max(none, Decimal(each)) for each in (held.least, held.most))
    full = max(every * Decimal("1.15"), most)
    sure, open_, mark = (float(part / full) * BAR for part in (least, most - least, every))
    return Gauge(measure, UNITS[measure.by], round(sure, 2), round(open_, 2), round(mark, 2))


def decisive(due: items_assets.Due) -> items_assets.Measure | None:
    """The measure that makes the plan's state; of several the one with the least share left."""
    judged = [each for each in due.measures if each.left is not None]
    return min(judged, key=lambda each: (-STATES.index(each.state), _share(each)), default=None)


def _share(measure: items_assets.Measure) -> Decimal:
    return Decimal(measure.left.least) / Decimal(measure.every) if measure.left is not None else Decimal(0)


def left_words(measure: items_assets.Measure) -> str:
    """How much is left, or how late it is.

    >>> from backend.api.items_fleet import Range
    >>> left_words(items_assets.Measure("hours", "80", Range("70", "71"), Range("9", "10.04"), "ok", None, None))
    '9.0 to 10.0 h left'
    >>> left_words(items_assets.Measure("days", "20", Range("22", "22"), Range("-2", "-2"), "due", None, None))
    '2 days late'
    """
    if measure.left is None:
        return "not known"
    by, least, most = measure.by, Decimal(measure.left.least), Decimal(measure.left.most)
    if most < 0:
        return f"{_span(-most, -least, by)} late"
    if least < 0:
        return f"{_figure(-least, by)} {_unit(-least, by)} late to {_figure(most, by)} {_unit(most, by)} left"
    return f"{_span(least, most, by)} left"


def _span(least: Decimal, most: Decimal, by: str) -> str:
    low, high = _figure(least, by), _figure(most, by)
    return f"{low if low == high else f'{low} to {high}'} {_unit(most, by)}"


def _unit(value: Decimal, by: str) -> str:
    return "day" if by == "days" and _figure(value, by) == "1" else UNITS[by]


def _figure(value: Decimal, by: str) -> str:
    """Days are whole ones that have passed or are left in full, hours and km tenths."""
    return f"{value // 1 if by in WHOLE else value.quantize(TENTH, ROUND_HALF_UP):,}"


def forecast_words(due_from: datetime | None, due_by: datetime | None) -> str | None:
    """When it will be due, in days.

    >>> forecast_words(datetime(2026, 12, 3), datetime(2026, 12, 5)), forecast_words(None, None)
    ('3 Dec to 5 Dec', None)
    """
    days = [f"{each.day} {each:%b}" for each in (due_from, due_by) if each is not None]
    if not days:
        return None
    if due_by is None:
        return f"from {days[0]}"
    return " to ".join(dict.fromkeys(days))
