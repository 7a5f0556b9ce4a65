"""Work orders in the book: made by people, of an alert, or of a plan that is due; each once, and one open of a plan.

The partial unique index decides between two that make one at once. A repeat is harmless: what was asked is kept.
"""

import json
from collections.abc import Collection, Sequence
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, Row, insert, select, update

from backend.book import locks, work_steps
from backend.book.schema import alert as alert_table
from backend.book.schema_work import work_order, work_task
from backend.book.work_steps import Bench, Said
from models.declared import Asset, Plan
from models.errors import Clash, NotFound, Refused
from models.ids import derived_id
from models.maintenance import packages
from models.maintenance import work_task as tasks
from models.maintenance.work_order import DROPPED, OPEN, Kind, WorkOrder
from models.maintenance.work_task import Task
from models.register import Register
from models.units import quantity_text

Outcome = Literal["created", "same"]
KEPT = (
    "id", "kind", "asset", "title", "text", "priority", "plan", "alert", "origin", "component", "failed_at", "due_at",
    "planned_at", "assignee", "team",
)  # fmt: skip
KINDS: dict[str, Kind] = {"inspection": "inspection", "statutory": "inspection", "calibration": "calibration"}
"""What an order of a plan of a kind is; of the others it is preventive."""
AUTO = "planner"
_table = work_order.c


class Covers(NamedTuple):
    """Which occurrence of its plan an order is, and the numbers of all services due that it stands for."""

    occurrence: int
    numbers: Sequence[int]


def make(bench: Bench, wanted: WorkOrder, covers: Covers | None = None) -> Outcome:
    """A new work order; the same again is harmless.

    Raises Clash if the id has other content or the plan has an open order, Refused for what it names and is not there.
    """
    locks.number(bench.tx)
    asked = msgspec.json.encode(wanted, order="deterministic")
    row = bench.tx.execute(select(work_order).where(_table.id == wanted.id)).one_or_none()
    if row is not None:
        if bytes(row.asked) != asked:
            msg = f"id: work order {wanted.id} is there with other content"
            raise Clash(msg)
        return "same"
    body = _check(bench, wanted)
    values: dict[str, Any] = {field: getattr(wanted, field) for field in KEPT}
    values["state"] = "approved" if wanted.approved else "request"
    values["estimate_h"] = None if wanted.estimate_h is None else quantity_text(wanted.estimate_h)
    occurrence, numbers = (None, []) if covers is None else (covers.occurrence, sorted({*covers.numbers}))
    values |= {"occurrence": occurrence, "covers": json.dumps(numbers), "asked": asked, "site": body.site}
    bench.tx.execute(insert(work_order).values(**values, made_by=bench.actor, made_at=bench.now))
    for line, task in enumerate(wanted.tasks, 1):
        text = msgspec.json.encode(task)
        bench.tx.execute(insert(work_task).values(order_id=wanted.id, line=line, task=text))
    named = {"plan": wanted.plan, "covers": numbers, "alert": wanted.alert, "origin": wanted.origin}
    work_steps.record(bench, wanted.id, Said("made", body={name: value for name, value in named.items() if value}))
    return "created"


def _check(bench: Bench, wanted: WorkOrder) -> Asset:
    asset = bench.register.get("assets", wanted.asset, bench.now)
    if not isinstance(asset, Asset):
        msg = f"asset: one of the assets of the register expected, got {wanted.asset!r}"
        raise Refused(msg)
    if wanted.plan is not None:
        plan = bench.register.get("plans", wanted.plan, bench.now)
        if not isinstance(plan, Plan) or plan.asset != wanted.asset:
            msg = f"plan: one of the plans of {wanted.asset!r} expected, got {wanted.plan!r}"
            raise Refused(msg)
        if (other := open_for(bench.tx, wanted.asset, wanted.plan)) is not None:
            msg = f"plan: one without an open work order expected, {wanted.plan} has {other}"
            raise Clash(msg)
    for task in wanted.tasks:
        tasks.check(task)
    return asset


def open_for(tx: Connection, asset: str, plan: str) -> str | None:
    """The id of the open order of a plan, if there is one."""
    return tx.scalar(select(_table.id).where(_table.asset == asset, _table.plan == plan, _table.state.in_(OPEN)))


def open_by_plan(tx: Connection, assets: Collection[str]) -> dict[tuple[str, str], str]:
    """The ids of the open orders of plans of these assets, by (asset, plan)."""
    query = select(_table.asset, _table.plan, _table.id)
    rows = tx.execute(query.where(_table.asset.in_(sorted(assets)), _table.plan.is_not(None), _table.state.in_(OPEN)))
    return {(asset, plan): ident for asset, plan, ident in rows}


def open_for_plan(  # noqa: PLR0913, PLR0917 - an occurrence of a plan, and what every writer of the book is given
    tx: Connection, register: Register, asset: str, plan: str, occurrence: int, covers: Sequence[int], now: int
) -> str | None:
    """The open order of a plan, made now if there is none; several services missed (`covers`) are one that lists them.

    None where a person rejected or cancelled the order of this occurrence: it is not made again by itself.
    """
    return _of_plan(Bench(tx, register, AUTO, now), (asset, plan), Covers(occurrence, covers), None)


def _of_plan(bench: Bench, of: tuple[str, str], covers: Covers, asked: WorkOrder | None) -> str | None:
    """`asked` is what a person says of it, who may have it made again."""
    locks.number(bench.tx)
    asset, plan = of
    present = open_for(bench.tx, asset, plan)
    if present is not None:
        _cover(bench, work_steps.one(bench, present), covers.numbers)
        return present
    same = (_table.asset == asset, _table.plan == plan, _table.occurrence == covers.occurrence)
    before = bench.tx.scalars(select(_table.state).where(*same).order_by(_table.n)).all()
    if asked is None and before and before[-1] in DROPPED:
        return None
    body = bench.register.get("plans", plan, bench.now)
    if not isinstance(body, Plan):
        msg = f"plan: one of the plans of the register expected, got {plan!r}"
        raise Refused(msg)
    numbers = sorted(covers.numbers) or [covers.occurrence]
    wanted = WorkOrder(
        id=derived_id("work order", asset, plan, str(covers.occurrence), str(len(before))),
        kind=KINDS.get(body.kind, "preventive"),
        asset=asset,
        title=body.name,
        approved=True,
        plan=plan,
        due_at=bench.now,
        team=body.team,
        estimate_h=body.lasts_hours,
        tasks=[
            Task(text=name, required=True) for name in packages.due(body.packages, range(numbers[0], numbers[-1] + 1))
        ],
    )
    make(bench, wanted if asked is None else _said(wanted, asked), Covers(covers.occurrence, numbers))
    return wanted.id


def _cover(bench: Bench, row: Row[Any], covers: Sequence[int]) -> None:
    """It stands for more than it did."""
    known = json.loads(row.covers)
    if more := sorted({*covers} - {*known}):
        text = json.dumps(sorted({*known, *more}))
        work_steps.record(bench, row.id, Said("covers", body={"covers": more}), covers=text)


def from_alert(bench: Bench, ident: str, asked: WorkOrder) -> tuple[str, bool]:
    """The order of an alert, made now if there is none: a corrective one, or that of the plan that is due.

    `asked` is what a person says of it; what it does not say, its id too, follows from the alert. Its id, and whether
    it is linked to the alert only now. Raises NotFound, or Refused where nobody says which asset it is about.
    """
    locks.number(bench.tx)
    alert = bench.tx.execute(select(alert_table).where(alert_table.c.id == ident)).one_or_none()
    if alert is None:
        msg = f"alerts: nothing of id {ident!r}"
        raise NotFound(msg)
    before = bench.tx.execute(select(_table.id, _table.state).where(_table.alert == ident).order_by(_table.n)).all()
    if before and before[-1].state not in DROPPED:
        return str(before[-1].id), False
    detail = _detail(alert.detail)
    asset = asked.asset or _asset_of(bench, alert.subject, detail)
    plan, occurrence = detail.get("plan"), detail.get("occurrence")
    if isinstance(plan, str) and isinstance(occurrence, int):
        covers = Covers(occurrence, detail.get("covers") or [occurrence])
        made = _of_plan(bench, (asset, plan), covers, asked)
        assert made is not None  # noqa: S101 - a person asks for it
        bench.tx.execute(update(work_order).where(_table.id == made).values(alert=ident))
        work_steps.record(bench, made, Said("alert", ref=ident))
        return made, True
    wanted = WorkOrder(
        id=derived_id("work order of alert", ident, str(len(before))),
        kind="corrective",
        asset=asset,
        title=alert.title,
        approved=True,
        priority="high" if alert.severity == "critical" else "normal",
        alert=ident,
    )
    make(bench, _said(wanted, asked))
    return wanted.id, True


def _said(wanted: WorkOrder, asked: WorkOrder) -> WorkOrder:
    """What a person says goes before what follows from an alert or a plan."""
    plain = WorkOrder(id="", kind=wanted.kind, asset="", title="")
    mine = {
        field: value
        for field in (
            "title",
            "text",
            "priority",
            "component",
            "failed_at",
            "due_at",
            "planned_at",
            "assignee",
            "team",
            "estimate_h",
        )
        if (value := getattr(asked, field)) != getattr(plain, field)
    }
    return replace(wanted, **mine, tasks=[*wanted.tasks, *asked.tasks])


def _detail(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.MsgspecError:
        return {}


def _asset_of(bench: Bench, subject: str, detail: dict[str, Any]) -> str:
    """What the alert's detail says, else the longest id of an asset that its subject begins with."""
    named = detail.get("asset")
    if isinstance(named, str) and named:
        return named
    parts = subject.removeprefix("asset:").split("/") if subject.startswith("asset:") else []
    for end in range(len(parts), 0, -1):
        ident = "/".join(parts[:end])
        if isinstance(bench.register.get("assets", ident, bench.now), Asset):
            return ident
    msg = "asset: expected, as the alert says of none"
    raise Refused(msg)
