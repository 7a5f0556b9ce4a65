"""Services that were done, what is due, and how services kept to their plans."""

from collections.abc import Collection
from itertools import islice
from typing import Annotated, Any

from pydantic import BaseModel, Field
from sqlalchemy import Connection, Row, select

from backend import dues
from backend.api import items_assets as items
from backend.api.items_fleet import Range
from backend.api.queries.intake import time
from backend.book import service_results
from backend.book import services as book
from backend.book.schema import service_done
from models.maintenance.due import DAY_US, STATES, Due, Measure, amount, judge, on_time
from models.maintenance.notice import missed_marks, reasons
from models.reading import from_micros
from models.register import Register
from models.units import quantity_text

SOON = STATES.index("due_soon")
Named = Annotated[str | None, Field(max_length=64)]


class DueAsk(BaseModel, frozen=True, extra="forbid"):
    """Which plans: of an asset, and only those that are near or may be due within so many days."""

    asset: Named = None
    horizon_days: Annotated[int | None, Field(ge=0, le=3650)] = None


class HistoryAsk(BaseModel, frozen=True, extra="forbid"):
    """Which services done: of an asset, of a plan, the newest so many."""

    asset: Named = None
    plan: Named = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class ServiceAsk(BaseModel, frozen=True, extra="forbid"):
    """Which services: above an n, of an asset, of a plan."""

    after: Annotated[int, Field(ge=0, lt=2**63)] = 0
    asset: Named = None
    plan: Named = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 1000


def services(tx: Connection, ask: ServiceAsk) -> list[items.Service]:
    """Services and repairs by n, also what was withdrawn."""
    query = select(service_done).where(service_done.c.n > ask.after)
    for column, wanted in ((service_done.c.asset, ask.asset), (service_done.c.plan, ask.plan)):
        if wanted is not None:
            query = query.where(column == wanted)
    rows = tx.execute(query.order_by(service_done.c.n).limit(ask.limit)).all()
    found = service_results.fields(tx, [row.id for row in rows])
    return [_service(row, found.get(row.id, {})) for row in rows]


def one_service(tx: Connection, ident: str) -> items.Service | None:
    """One service or repair."""
    row = tx.execute(select(service_done).where(service_done.c.id == ident)).one_or_none()
    return None if row is None else _service(row, service_results.fields(tx, [ident]).get(ident, {}))


def _service(row: Row[Any], results: dict[str, Any]) -> items.Service:
    return items.Service(
        id=row.id,
        n=row.n,
        asset=row.asset,
        kind=row.kind,
        plan=row.plan,
        component=row.component,
        at=from_micros(row.at),
        failed_at=time(row.failed_at),
        hours=row.hours,
        note=row.note,
        actor=row.actor,
        recorded_at=from_micros(row.recorded_at),
        withdrawn_at=time(row.withdrawn_at),
        withdrawn_by=row.withdrawn_by,
        withdrawn_why=row.withdrawn_why,
        **results,
    )


def due(tx: Connection, register: Register, ask: DueAsk, now: int) -> list[items.Due]:
    """Every plan of every active asset, or of one, as `due_of` has them; with a horizon only those within."""
    assets = dues.plans_of(register, now) if ask.asset is None else [ask.asset]
    until = None if ask.horizon_days is None else now + ask.horizon_days * DAY_US
    return due_of(tx, register, assets, now, until)


def due_of(
    tx: Connection, register: Register, assets: Collection[str], now: int, until: int | None = None
) -> list[items.Due]:
    """The plans of these assets, what matters most first, then what is due first; with `until` what is near by then."""
    found = [judge(each, now) for each in dues.facts(tx, register, assets, now)]
    if until is not None:
        found = [each for each in found if _is_near(each, until)]
    last = {key: done[-1][1] for key, done in book.done_by_plan(tx, assets, now).items()}
    return [_due(each, last.get((each.facts.asset, each.facts.plan_id))) for each in sorted(found, key=_urgency)]


def _is_near(each: Due, until: int) -> bool:
    return STATES.index(each.state) >= SOON or (each.due_from is not None and each.due_from <= until)


def _urgency(each: Due) -> tuple[int, bool, int, str]:
    at = each.due_from or 0
    return (-STATES.index(each.state), each.due_from is None, at, each.facts.plan_id)


def _due(each: Due, last_service: str | None) -> items.Due:
    return items.Due(
        asset=each.facts.asset,
        plan=each.facts.plan_id,
        name=each.facts.plan.name,
        occurrence=each.facts.occurrence,
        state=each.state,
        since=from_micros(each.facts.began_at),
        last_service=last_service,
        due_from=time(each.due_from),
        due_by=time(each.due_by),
        missed=each.missed,
        measures=[_measure(one) for one in each.measures],
        reasons=reasons(each),
        kind=each.facts.plan.kind,
        covers=[*each.numbers],
        passed=[mark for one in each.measures for mark in missed_marks(each.facts, one)] if each.missed > 1 else [],
        packages=[*each.packages],
        blocks_use=each.facts.plan.blocks_use,
    )


def _measure(one: Measure) -> items.Measure:
    used = left = None
    if one.used is not None:
        least, most = amount(one.by, one.used.least), amount(one.by, one.used.most)
        used = Range(quantity_text(least), quantity_text(most))
        left = Range(quantity_text(one.every - most), quantity_text(one.every - least))
    return items.Measure(one.by, quantity_text(one.every), used, left, one.state, time(one.due_from), time(one.due_by))


def history(tx: Connection, register: Register, ask: HistoryAsk, now: int) -> list[items.DoneService]:
    """Services done, the newest first."""
    assets = register.all("assets", now) if ask.asset is None else [ask.asset]
    kept = dues.history(tx, register, assets, ask.plan, now)
    return [_done(each) for each in islice(kept, ask.limit)]


def _done(kept: dues.Kept) -> items.DoneService:
    known = kept.due.facts
    return items.DoneService(
        id=kept.service,
        asset=known.asset,
        plan=known.plan_id,
        occurrence=known.occurrence,
        since=from_micros(known.began_at),
        at=from_micros(kept.at),
        on_time=on_time(kept.due),
        measures=[_measure(each) for each in kept.due.measures],
    )
