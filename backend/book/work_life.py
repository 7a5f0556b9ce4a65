"""The steps of work orders in the book, each one transaction with all that it entails.

To complete one issues its parts, records the service or repair, ends the downtime, closes the alert and freezes the
costs, or does none of it. To open it again takes all that back by further entries. Repeats are harmless.
"""

import json
from decimal import Decimal
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Row, select

from backend.book import alerts, downtime, services, work_issues, work_lines, work_orders, work_parts, work_sums
from backend.book.schema import alert
from backend.book.schema_use import downtime as stops
from backend.book.work_steps import Bench, Said, lived, one, record
from models.assets.category import category
from models.declared import Asset, AssetClass, FailureCode
from models.declared_work import Aspect
from models.errors import Clash, NotFound, Refused
from models.ids import derived_id
from models.maintenance import failure_codes
from models.maintenance.done import AHEAD_US, Done
from models.maintenance.failure_codes import NO_FAULT, Code
from models.maintenance.stops import Stop
from models.maintenance.work_order import ENDS_WITH_WORK, STEPS, WORKED, What, check_in, step
from models.maintenance.work_task import check_answered
from models.reading import from_micros
from models.units import quantity_text

PLANNED = ("planned_at", "due_at", "assignee", "team", "priority", "estimate_h")


class Proof(Struct, frozen=True, kw_only=True):
    """What the service of a plan found and proved, as `models.maintenance.done` has it."""

    result: str | None = None
    certificate: str | None = None
    as_found: dict[str, str] = {}
    as_left: dict[str, str] = {}


class Ended(Struct, frozen=True, kw_only=True):
    """How an order was done: when, what failed and why, the hours on the machine, and what was used of each part.

    A part that is not named was used as planned; what was issued beyond that was used too.
    """

    at: int
    component: str | None = None
    failed_at: int | None = None
    codes: dict[Aspect, str | None] = {}
    hours: Decimal | None = None
    used: dict[str, Decimal] = {}
    note: str | None = None
    proof: Proof = Proof()


def take(bench: Bench, ident: str, what: What, why: str | None = None) -> None:
    """A step that needs nothing but a reason: approve, reject, start, hold, resume, close, cancel.

    Again is harmless. Raises NotFound, Clash from another state, Refused without a reason where one is expected.
    """
    order = one(bench, ident)
    if _is_repeat(bench, order, what):
        return
    after = step(order.state, what, why)
    values: dict[str, Any] = {"state": after}
    if what == "cancel":
        _run_again(bench, order, bench.now)
        values["costs"] = work_sums.freeze(work_sums.costs(bench.tx, ident))
    work_parts.promise(bench, record(bench, ident, Said(what, why), **values))


def plan(bench: Bench, ident: str, values: dict[str, Any], note: str | None = None) -> None:
    """When it is to be done, by whom, how urgent: the first time it becomes planned, later its plan is changed.

    `values` are some of PLANNED. The same again is harmless. Raises NotFound, Clash from another state.
    """
    order = one(bench, ident)
    kept = {field: quantity_text(v) if isinstance(v, Decimal) else v for field, v in values.items()}
    if order.state in {"planned", *WORKED} and all(getattr(order, field) == v for field, v in kept.items()):
        return
    if order.state in WORKED:
        after, what = order.state, "changed"
    else:
        after, what = step(order.state, "plan", None), "plan"
    if after == "planned" and kept.get("planned_at", order.planned_at) is None:
        msg = "planned_at: when work is to begin expected of a planned work order"
        raise Refused(msg)
    work_parts.promise(bench, record(bench, ident, Said(what, note, body=kept), state=after, **kept))


def complete(bench: Bench, ident: str, ended: Ended) -> None:
    """The work is done: all that follows from it, or nothing.

    Again is harmless. Raises NotFound, Clash from another state, Refused naming what is missing or cannot be.
    """
    order = one(bench, ident)
    if _is_repeat(bench, order, "complete"):
        return
    after = step(order.state, "complete", None)
    if ended.at > bench.now + AHEAD_US:
        msg = f"at: a time that has come expected, got {from_micros(ended.at).isoformat()}"
        raise Refused(msg)
    tasks = work_lines.tasks(bench.tx, ident)
    check_answered({n: task for n, (task, _) in tasks.items()}, [n for n, (_, row) in tasks.items() if row.said])
    failure_codes.check(own_codes(bench), ended.codes, equipment(bench, order.asset))
    _use(bench, order, ended)
    values: dict[str, Any] = {"state": after, "done_at": ended.at, "service": _recorded(bench, order, ended)}
    values |= {aspect: code for aspect, code in ended.codes.items() if code is not None}
    values["hours"] = None if ended.hours is None else quantity_text(ended.hours)
    values |= {field: v for field in ("component", "failed_at") if (v := getattr(ended, field)) is not None}
    _run_again(bench, order, ended.at)
    _close_alert(bench, order)
    costs = work_sums.freeze(work_sums.costs(bench.tx, ident))
    body = {"at": ended.at, "service": values["service"], "costs": json.loads(costs)}
    after_row = record(bench, ident, Said("complete", ended.note, body=body), costs=costs, **values)
    work_parts.promise(bench, after_row)


def _use(bench: Bench, order: Row[Any], ended: Ended) -> None:
    rows = {row.id: row for row in work_parts.parts(bench, order.id)}
    if unknown := sorted({*ended.used} - {*rows}):
        msg = f"parts: parts of the work order expected, got {unknown[0]!r}"
        raise NotFound(msg)
    for part, row in rows.items():
        planned = Decimal(0) if row.dropped else Decimal(row.quantity)
        work_issues.settle(bench, order.id, part, ended.used.get(part, max(planned, Decimal(row.issued))), ended.at)


def _recorded(bench: Bench, order: Row[Any], ended: Ended) -> str | None:
    """The service of its plan, or the repair of what had failed, as the plans and the failures have it; its id."""
    component = ended.component or order.component
    failed_at = order.failed_at if ended.failed_at is None else ended.failed_at
    nothing_failed = order.kind != "corrective" or ended.codes.get("remedy") == NO_FAULT
    if order.plan is None and ended.proof != Proof():
        msg = "result, certificate, as_found, as_left: expected of the service of a plan only"
        raise Refused(msg)
    if order.plan is None and nothing_failed:
        return None
    if order.plan is None and component is None:
        msg = f"component: what was repaired expected, or the remedy {NO_FAULT}"
        raise Refused(msg)
    times = sum(each.said.what == "complete" for each in lived(bench.tx, order.id))
    done = Done(
        id=derived_id("work order done", order.id, str(times)),
        asset=order.asset,
        kind="repair" if order.plan is None else "service",
        plan=order.plan,
        component=component if order.plan is None else None,
        at=ended.at,
        failed_at=failed_at if order.plan is None else None,
        hours=ended.hours,
        note=f"work order {order.id}",
        **asdict(ended.proof),
    )
    services.record(bench.tx, bench.register, done, bench.stamp)
    return done.id


def _close_alert(bench: Bench, order: Row[Any]) -> None:
    """Where its rule says so: the others look for themselves whether it is over."""
    if bench.tx.scalar(select(alert.c.rule).where(alert.c.id == order.alert)) in ENDS_WITH_WORK:
        alerts.close_one(bench.tx, order.alert, *bench.stamp)


def reopen(bench: Bench, ident: str, why: str) -> None:
    """It is not done after all: what was posted is reversed and the service withdrawn, by further entries.

    Again is harmless. Raises NotFound, Clash from another state, where its plan has another open order by now; Refused.
    """
    order = one(bench, ident)
    if _is_repeat(bench, order, "reopen"):
        return
    after = step(order.state, "reopen", why)
    if order.plan is not None and (other := work_orders.open_for(bench.tx, order.asset, order.plan)) is not None:
        msg = f"plan: one without an open work order expected, {order.plan} has {other}"
        raise Clash(msg)
    work_issues.take_back(bench, ident)
    if order.service is not None:
        services.withdraw(bench.tx, order.service, f"work order {ident} reopened: {why}"[:1000], bench.stamp)
    undone = dict.fromkeys(("done_at", "service", "costs", "hours", *failure_codes.ASPECTS))
    work_parts.promise(bench, record(bench, ident, Said("reopen", why), state=after, **undone))


def stand_still(bench: Bench, ident: str, begin_at: int, *, planned: bool, reason: str) -> str:
    """The asset cannot be used from a time on, until the order is done; the id of the downtime.

    Again, while it stands still for the order, is harmless. Raises NotFound, Clash once it is done, Refused.
    """
    order = one(bench, ident)
    check_in(order.state, ("approved", "planned", *WORKED), "downtime")
    known = bench.tx.execute(select(stops).where(stops.c.work_order == ident)).all()
    if standing := [row for row in known if row.end_at is None and row.withdrawn_at is None]:
        return str(standing[0].id)
    made = derived_id("work order downtime", ident, str(len(known)))
    stop = Stop(id=made, asset=order.asset, begin_at=begin_at, planned=planned, reason=reason, work_order=ident)
    downtime.begin(bench.tx, stop, bench.stamp)
    record(bench, ident, Said("down", reason, made, {"begin": begin_at, "planned": planned}))
    return made


def _run_again(bench: Bench, order: Row[Any], at: int) -> None:
    """The only place where an order ends downtime: all that it began; what was still to begin is withdrawn."""
    open_stops = select(stops.c.id, stops.c.begin_at).where(
        stops.c.work_order == order.id, stops.c.end_at.is_(None), stops.c.withdrawn_at.is_(None)
    )
    for ident, begin_at in bench.tx.execute(open_stops).all():
        if begin_at >= bench.now:
            downtime.withdraw(bench.tx, ident, f"work order {order.id} was over before", bench.stamp)
        else:
            downtime.end(bench.tx, ident, at, bench.stamp)


def own_codes(bench: Bench) -> dict[str, Code]:
    """The failure codes that the register adds."""
    declared = bench.register.all("codes", bench.now).items()
    return {
        ident: Code(body.aspect, body.name, tuple(body.kinds))
        for ident, body in declared
        if isinstance(body, FailureCode)
    }


def equipment(bench: Bench, asset: str) -> str | None:
    """Which kind of equipment an asset is; None of one that the register no longer has."""
    body = bench.register.get("assets", asset, bench.now)
    if not isinstance(body, Asset):
        return None
    declared = None if body.category is None else bench.register.get("classes", body.category, bench.now)
    return category(body.category, declared if isinstance(declared, AssetClass) else None).kind


def _is_repeat(bench: Bench, order: Row[Any], what: What) -> bool:
    """Whether the last step of an order's life was this one."""
    if order.state != STEPS[what].after:
        return False
    steps = [each.said.what for each in lived(bench.tx, order.id) if each.said.what in STEPS]
    return bool(steps) and steps[-1] == what
