"""Work orders as they are answered: lists, the whole of one, and the figures of many."""

import json
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import Connection, Row, Select, or_, select

from backend.api import items_work as items
from backend.api.answers import Ask, Paged, When
from backend.api.queries.intake import time
from backend.book import reservations, work_issues, work_lines, work_steps, work_sums
from backend.book.ledger import IDS_A_QUERY
from backend.book.schema_use import downtime
from backend.book.schema_work import work_cost, work_file, work_order, work_part, work_step
from backend.book.work_steps import Bench, lived
from models.maintenance.failure_codes import ASPECTS
from models.maintenance.work_costs import Costs, Order, figures, hours, worked_us
from models.maintenance.work_order import OPEN, Kind, State, is_overdue
from models.maintenance.work_task import Task
from models.reading import from_micros, micros
from models.units import quantity_text

Named = str | None
_own = work_order.c


class WorkAsk(Paged, frozen=True):
    """Which orders: of an asset, a site, a plan, who does them; in a state, `open`, or overdue."""

    asset: Named = Field(None, max_length=64)
    site: Named = Field(None, max_length=64)
    plan: Named = Field(None, max_length=64)
    alert: Named = Field(None, max_length=64)
    assignee: Named = Field(None, max_length=64)
    team: Named = Field(None, max_length=64)
    kind: Kind | None = None
    state: State | Literal["open"] | None = None
    overdue: bool = False


class FiguresAsk(Ask, frozen=True):
    """Of which orders: of an asset, site or team; those that were done in a span, by default ever."""

    asset: Named = Field(None, max_length=64)
    site: Named = Field(None, max_length=64)
    team: Named = Field(None, max_length=64)
    begin: When | None = Field(None, alias="from")
    end: When | None = Field(None, alias="to")


def listed(tx: Connection, ask: WorkAsk, now: int) -> list[items.WorkHead]:
    """Orders by n."""
    query = _where(select(work_order), ask, ("asset", "site", "plan", "alert", "assignee", "team", "kind"))
    if ask.overdue or ask.state == "open":
        query = query.where(_own.state.in_(OPEN))
    elif ask.state is not None:
        query = query.where(_own.state == ask.state)
    if ask.overdue:
        query = query.where(_own.due_at < now)
    query = query.where(_own.n > ask.after).order_by(_own.n).limit(ask.limit)
    return [_head(row, now) for row in tx.execute(query)]


def _where(query: Select[Any], ask: Ask, fields: Iterable[str]) -> Select[Any]:
    for field in fields:
        if (wanted := getattr(ask, field)) is not None:
            query = query.where(_own[field] == wanted)
    return query


def _head(row: Row[Any], now: int) -> items.WorkHead:
    fields = (
        "id", "n", "kind", "state", "asset", "site", "title", "priority", "plan", "occurrence", "alert", "origin",
        "component", "assignee", "team", "estimate_h", "made_by",
    )  # fmt: skip
    return items.WorkHead(
        **{field: getattr(row, field) for field in fields},
        covers=json.loads(row.covers),
        due=time(row.due_at),
        planned=time(row.planned_at),
        overdue=is_overdue(row.state, row.due_at, now),
        made_at=from_micros(row.made_at),
        done_at=time(row.done_at),
    )


def whole(bench: Bench, ident: str) -> items.WorkWhole:
    """An order with all there is of it. Raises NotFound."""
    tx, row = bench.tx, work_steps.one(bench, ident)
    spent = tx.execute(select(work_cost).where(work_cost.c.order_id == ident).order_by(work_cost.c.recorded_at))
    rows = tx.execute(select(work_part).where(work_part.c.order_id == ident).order_by(work_part.c.id)).all()
    stops = tx.execute(select(downtime).where(downtime.c.work_order == ident, downtime.c.withdrawn_at.is_(None)))
    return items.WorkWhole(
        order=_head(row, bench.now),
        text=row.text,
        failed_at=time(row.failed_at),
        codes={aspect: getattr(row, aspect) for aspect in ASPECTS},
        hours=row.hours,
        service=row.service,
        follow_ups=[*tx.scalars(select(_own.id).where(_own.origin == ident).order_by(_own.n))],
        costs=_costs(work_sums.costs(tx, ident)),
        tasks=[_task(line, *each) for line, each in work_lines.tasks(tx, ident).items()],
        spent=[_spent(each) for each in spent],
        parts=[_part(tx, each) for each in rows],
        moves=[_move(each) for each in work_issues.moves(tx, ident)],
        downtime=[
            items.WorkDown(each.id, from_micros(each.begin_at), time(each.end_at), each.planned, each.reason)
            for each in stops
        ],
        files=files(tx, ident),
        steps=[_step(each) for each in lived(tx, ident)],
    )


def _costs(found: Costs) -> items.WorkCosts:
    money = {name: f"{getattr(found, name):.2f}" for name in ("labour", "parts", "other", "total")}
    return items.WorkCosts(**money, uncosted=found.uncosted)


def _task(line: int, task: Task, row: Row[Any]) -> items.WorkTask:
    least, most = (None if each is None else quantity_text(each) for each in (task.least, task.most))
    return items.WorkTask(
        line=line,
        text=task.text,
        kind=task.kind,
        required=task.required,
        meter=task.meter,
        unit=task.unit,
        least=least,
        most=most,
        said=row.said,
        is_right=row.is_right,
        note=row.note,
        by=row.answered_by,
        at=time(row.answered_at),
        follow_up=row.follow_up,
    )


def _spent(row: Row[Any]) -> items.WorkCost:
    own = {name: getattr(row, name) for name in ("id", "kind", "what", "hours", "rate", "amount", "withdrawn_why")}
    return items.WorkCost(**own, at=from_micros(row.at), by=row.actor)


def _part(tx: Connection, row: Row[Any]) -> items.WorkPart:
    fields = ("id", "sku", "what", "quantity", "location", "lot", "price", "issued", "reservation", "dropped")
    left = Decimal(0) if row.reservation is None else reservations.one(tx, row.reservation).left
    return items.WorkPart(**{field: getattr(row, field) for field in fields}, reserved=quantity_text(left))


def _move(row: Row[Any]) -> items.WorkMove:
    fields = ("n", "what", "quantity", "location", "lot", "movement", "cost")
    own = {field: getattr(row, field) for field in fields}
    return items.WorkMove(**own, part=row.part_id, at=from_micros(row.at), by=row.actor)


def _step(each: work_steps.Lived) -> items.WorkStep:
    what, note, ref, body = each.said
    return items.WorkStep(each.n, from_micros(each.at), what, each.state, each.actor, note, ref, body or {})


def files(tx: Connection, ident: str) -> list[items.WorkFile]:
    """The files of an order, without their bytes."""
    own = [column for column in work_file.c if column.name != "content"]
    rows = tx.execute(select(*own).where(work_file.c.order_id == ident).order_by(work_file.c.at, work_file.c.id))
    return [
        items.WorkFile(r.id, r.name, r.media, r.size, bytes(r.sha256).hex(), r.actor, from_micros(r.at)) for r in rows
    ]


def work_figures(tx: Connection, ask: FiguresAsk, now: int) -> items.WorkFigures:
    """What waits now, and what was done in the span."""
    begin = 0 if ask.begin is None else micros(ask.begin)
    end = now + 1 if ask.end is None else micros(ask.end)
    done = _own.done_at.between(begin, end - 1)
    query = _where(select(work_order), ask, ("asset", "site", "team"))
    rows = tx.execute(query.where(or_(_own.state.in_(OPEN), done))).all()
    lives = _lives(tx, [row.id for row in rows if row.done_at is not None])
    found = figures([_order(row, lives[row.id]) for row in rows], now)
    summed = work_sums.added([work_sums.thaw(row.costs) for row in rows if row.costs is not None])
    return items.WorkFigures(
        waiting=found.waiting,
        overdue=found.overdue,
        estimated_h=quantity_text(found.estimated_h),
        done=found.done,
        corrective=found.corrective,
        mean_restore_h=_hours(found.mean_restore_ms),
        mean_repair_h=_hours(found.mean_repair_ms),
        costs=_costs(summed),
    )


def _hours(ms: int | None) -> str | None:
    return None if ms is None else quantity_text(hours(ms))


def _lives(tx: Connection, idents: list[str]) -> dict[str, list[tuple[int, State]]]:
    found: defaultdict[str, list[tuple[int, State]]] = defaultdict(list)
    query = select(work_step.c.order_id, work_step.c.at, work_step.c.state).order_by(work_step.c.n)
    for low in range(0, len(idents), IDS_A_QUERY):
        for ident, at, state in tx.execute(query.where(work_step.c.order_id.in_(idents[low : low + IDS_A_QUERY]))):
            found[ident].append((at, state))
    return found


def _order(row: Row[Any], life: list[tuple[int, State]]) -> Order:
    restored = repair = None
    if row.done_at is not None:
        restored = max(0, row.done_at - (row.made_at if row.failed_at is None else row.failed_at))
        repair = worked_us(life, row.done_at)
    estimate = None if row.estimate_h is None else Decimal(row.estimate_h)
    return Order(row.state, row.kind == "corrective", row.due_at, estimate, row.done_at, restored, repair)
