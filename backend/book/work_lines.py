"""What is written down of the work on an order: answers to its tasks, labour and other costs, notes; never deleted."""

from decimal import Decimal
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, Row, insert, select, update

from backend.book import meter_notes, work_orders, work_steps
from backend.book.meter_notes import MeterNote
from backend.book.schema_work import work_cost, work_task
from backend.book.work_steps import Bench, Said
from models.errors import Clash, NotFound, Refused
from models.ids import derived_id
from models.maintenance import work_costs
from models.maintenance import work_task as rules
from models.maintenance.work_order import WORKED, WorkOrder, check_in
from models.maintenance.work_task import Task
from models.units import quantity_text

Outcome = Literal["created", "same"]


class Spent(Struct, frozen=True, kw_only=True):
    """Hours that a person worked, at a rate if one is known; or what something else cost (`amount`)."""

    id: str
    kind: Literal["labour", "other"]
    what: str
    at: int
    hours: Decimal | None = None
    rate: Decimal | None = None
    amount: Decimal | None = None


def tasks(tx: Connection, ident: str) -> dict[int, tuple[Task, Row[Any]]]:
    """The tasks of an order with their rows, by line."""
    rows = tx.execute(select(work_task).where(work_task.c.order_id == ident).order_by(work_task.c.line))
    return {row.line: (msgspec.json.decode(bytes(row.task), type=Task), row) for row in rows}


def answer(bench: Bench, ident: str, line: int, said: str, note: str | None) -> Outcome:
    """What was found at a task; the same again is harmless, another answer takes the place of the last one.

    What is not right becomes a request for further work. Raises NotFound, Clash unless work is going on, Refused.
    """
    order = work_steps.one(bench, ident)
    if line not in (known := tasks(bench.tx, ident)):
        msg = f"tasks: nothing of line {line} in work order {ident}"
        raise NotFound(msg)
    task, row = known[line]
    found = rules.answer(task, said)
    if (row.said, row.note) == (found.said, note):
        return "same"
    check_in(order.state, WORKED, "answer")
    values: dict[str, Any] = {"said": found.said, "is_right": found.is_right, "note": note}
    values |= {"answered_by": bench.actor, "answered_at": bench.now}
    if found.is_right is False and row.follow_up is None:
        values["follow_up"] = _follow_up(bench, order, (line, task), found.said)
    own = (work_task.c.order_id == ident, work_task.c.line == line)
    bench.tx.execute(update(work_task).where(*own).values(values))
    if task.meter is not None:
        _note_reading(bench, order, (line, task.meter), Decimal(found.said))
    body = {"said": found.said, "is_right": found.is_right, "follow_up": values.get("follow_up", row.follow_up)}
    work_steps.record(bench, ident, Said("answer", note, str(line), body))
    return "created"


def is_reading(tx: Connection, ident: str, line: int) -> bool:
    """Whether a task is the reading of a meter: who answers it changes how the asset is counted (owns the register)."""
    return line in (known := tasks(tx, ident)) and known[line][0].meter is not None


def _note_reading(bench: Bench, order: Row[Any], of: tuple[int, str], value: Decimal) -> None:
    """The meter has it too; an answer that takes the place of another withdraws that."""
    line, meter = of
    before = [
        each
        for each in work_steps.lived(bench.tx, order.id)
        if (each.said.what, each.said.ref) == ("answer", str(line))
    ]
    ids = [derived_id("work order reading", order.id, str(line), str(k)) for k in range(len(before) + 1)]
    reason = f"work order {order.id}"
    if before:
        meter_notes.withdraw(bench.tx, bench.register, ids[-2], f"{reason}: read again", bench.stamp)
    noted = MeterNote(
        id=ids[-1], asset=order.asset, meter=meter, at=bench.now, kind="reading", value=value, reason=reason
    )
    meter_notes.record(bench.tx, bench.register, noted, bench.stamp)


def _follow_up(bench: Bench, order: Row[Any], of: tuple[int, Task], said: str) -> str:
    """A request for what was found; its id."""
    line, task = of
    expected = rules.limits(task)
    wanted = WorkOrder(
        id=derived_id("follow-up", order.id, str(line)),
        kind="corrective",
        asset=order.asset,
        title=f"{task.text}: {said}, {expected} expected",
        origin=order.id,
        team=order.team,
    )
    work_orders.make(bench, wanted)
    return wanted.id


def spend(bench: Bench, ident: str, spent: Spent) -> Outcome:
    """Labour or another cost; the same again is harmless.

    Raises NotFound, Clash of other content under the id or unless work is going on, Refused naming the field.
    """
    order = work_steps.one(bench, ident)
    own = (work_cost.c.order_id == ident, work_cost.c.id == spent.id)
    row = bench.tx.execute(select(work_cost).where(*own)).one_or_none()
    if row is not None:
        if _spent(row) != _to_the_cent(spent):
            msg = f"id: cost {spent.id} of work order {ident} is there with other content"
            raise Clash(msg)
        return "same"
    check_in(order.state, WORKED, "cost")
    fields = {field: None if (v := getattr(spent, field)) is None else quantity_text(v) for field in ("hours", "rate")}
    values = {"id": spent.id, "kind": spent.kind, "what": spent.what, "at": spent.at, "amount": str(_amount(spent))}
    made = {"order_id": ident, "actor": bench.actor, "recorded_at": bench.now}
    bench.tx.execute(insert(work_cost).values(**made, **values, **fields))
    work_steps.record(bench, ident, Said(spent.kind, None, spent.id, {**values, **fields}))
    return "created"


def _amount(spent: Spent) -> Decimal:
    if spent.kind == "labour":
        if spent.hours is None or spent.amount is not None:
            msg = "hours: how long was worked expected of labour, and no amount"
            raise Refused(msg)
        return work_costs.labour(spent.hours, spent.rate)
    if spent.amount is None or spent.hours is not None or spent.rate is not None:
        msg = "amount: what was paid expected, and no hours"
        raise Refused(msg)
    return work_costs.cents(spent.amount)


def _to_the_cent(spent: Spent) -> Spent:
    """As its row has it."""
    return spent if spent.amount is None else replace(spent, amount=work_costs.cents(spent.amount))


def _spent(row: Row[Any]) -> Spent:
    hours, rate, amount = (None if text is None else Decimal(text) for text in (row.hours, row.rate, row.amount))
    kept = {"amount": amount if row.kind == "other" else None}
    return Spent(id=row.id, kind=row.kind, what=row.what, at=row.at, hours=hours, rate=rate, **kept)


def withdraw(bench: Bench, ident: str, cost: str, why: str) -> None:
    """Written down by mistake, it counts no more; again is harmless. Raises NotFound, Clash once work is done."""
    order = work_steps.one(bench, ident)
    own = (work_cost.c.order_id == ident, work_cost.c.id == cost)
    row = bench.tx.execute(select(work_cost).where(*own)).one_or_none()
    if row is None:
        msg = f"costs: nothing of id {cost!r} in work order {ident}"
        raise NotFound(msg)
    if row.withdrawn_why is None:
        check_in(order.state, WORKED, "withdraw")
        bench.tx.execute(update(work_cost).where(*own).values(withdrawn_why=why))
        work_steps.record(bench, ident, Said("withdrawn", why, cost))


def note(bench: Bench, ident: str, ref: str, text: str) -> Outcome:
    """What somebody has to say; the same again is harmless. Raises NotFound, or Clash of other words under the id."""
    work_steps.one(bench, ident)
    before = work_steps.last(bench.tx, ident, "note", ref)
    if before is not None:
        if before.said.note != text:
            msg = f"id: note {ref} of work order {ident} is there with other words"
            raise Clash(msg)
        return "same"
    work_steps.record(bench, ident, Said("note", text, ref))
    return "created"
