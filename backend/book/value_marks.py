"""What of the stock's value is not yet as it should be: which items, since when; and how far others are followed.

The ledger, the register and purchase orders are followed by their numbers, so that whoever writes them does nothing
for it. What changes a closed month is named: it will be a cause of a posting.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from backend.book.bulk import write_rows
from backend.book.schema import balance, movement, register_entry
from backend.book.schema_costs import cost_receipt, period, value_mark, value_position
from backend.book.schema_orders import purchase_event, purchase_line, purchase_order
from backend.book.value_places import uses
from models.declared import Device, decode_body
from models.months import begin_of
from models.place import VIRTUAL

ROWS_A_PAGE = 5000
CAUSES_NAMED = 100
FOR_EVER = 1 << 62
LEDGER, REGISTER, PURCHASES = "ledger", "register", "purchases"
_OVER = upsert(value_mark)
_SAVE = _OVER.on_conflict_do_update(
    index_elements=["sku"], set_={name: _OVER.excluded[name] for name in ("since", "until", "marks", "causes")}
)
_MARKED = select(value_mark).where(value_mark.c.sku.in_(bindparam("skus", expanding=True))).with_for_update()
_MOVED = select(movement.c.n, movement.c.movement_id, movement.c.sku, movement.c.at).order_by(movement.c.n)


class Mark(NamedTuple):
    """The stretch of event time that changed, and what was late in it."""

    since: int
    until: int
    causes: tuple[str, ...] = ()

    def plus(self, other: "Mark") -> "Mark":
        """Both together."""
        causes = tuple(dict.fromkeys((*self.causes, *other.causes)))
        return Mark(min(self.since, other.since), max(self.until, other.until), causes[:CAUSES_NAMED])


def closed_to(tx: Connection) -> int | None:
    """The last closed month."""
    last: int | None = tx.scalar(select(func.max(period.c.month)))
    return last


def closed_until(tx: Connection) -> int:
    """When the last closed month ended; what is before that is late."""
    last = closed_to(tx)
    return 0 if last is None else begin_of(last + 1)


def mark(tx: Connection, marks: Mapping[str, Mark]) -> None:
    """These items are to be valued anew; causes count only where they are late for a closed month."""
    if not marks:
        return
    until = closed_until(tx)
    held = {row.sku: row for row in tx.execute(_MARKED, {"skus": sorted(marks)})}
    rows: list[dict[str, Any]] = []
    for sku, each in sorted(marks.items()):
        new = each if each.since < until else each._replace(causes=())
        old = held.get(sku)
        if old is not None:
            new = of_row(old).plus(new)
        count = 1 if old is None else old.marks + 1
        row = {"sku": sku, "since": new.since, "until": new.until, "marks": count}
        rows.append(row | {"causes": json.dumps(new.causes)})
    write_rows(tx, _SAVE, rows)


def of_row(row: Row[Any]) -> Mark:
    """A mark from its row."""
    return Mark(row.since, row.until, tuple(json.loads(row.causes)))


def unmark(tx: Connection, sku: str) -> None:
    """An item is valued as it should be."""
    tx.execute(delete(value_mark).where(value_mark.c.sku == sku))


def position(tx: Connection, what: str) -> int:
    """The number up to which something is followed."""
    n: int | None = tx.scalar(select(value_position.c.n).where(value_position.c.what == what))
    return n or 0


def follow(tx: Connection) -> bool:
    """Mark what the next entries of ledger, register and orders change; whether there may be more."""
    until = closed_until(tx)
    pages = (
        (LEDGER, _ledger(tx, position(tx, LEDGER), until)),
        (REGISTER, _register(tx, position(tx, REGISTER))),
        (PURCHASES, _purchases(tx, position(tx, PURCHASES))),
    )
    is_more = False
    for what, (last, count, marks) in pages:
        mark(tx, marks)
        if marks and what != LEDGER:
            mark(tx, shared(tx, cost_receipt.c.sku.in_([*marks])))
        if count:
            saved = upsert(value_position).values(what=what, n=last)
            tx.execute(saved.on_conflict_do_update(index_elements=["what"], set_={"n": saved.excluded.n}))
        is_more = is_more or count >= ROWS_A_PAGE
    return is_more


Page = tuple[int, int, dict[str, Mark]]
"""The last number of a page, its rows, what it changes."""


def _ledger(tx: Connection, after: int, until: int) -> Page:
    rows = tx.execute(_MOVED.where(movement.c.n > after).limit(ROWS_A_PAGE)).all()
    marks: dict[str, Mark] = {}
    for _, ident, sku, at in rows:
        _join(marks, sku, Mark(at, at, (f"movement:{ident}",) if at < until else ()))
    idents = [row.movement_id for row in rows]
    for sku, each in shared(tx, cost_receipt.c.movement.in_(idents)).items():
        _join(marks, sku, each)
    return rows[-1].n if rows else after, len(rows), marks


def shared(tx: Connection, which: ColumnElement[bool]) -> dict[str, Mark]:
    """The items that share a cost with some receipts: what one bears depends on the others."""
    costs = select(cost_receipt.c.cost_id).where(which)
    rows = tx.execute(
        select(cost_receipt.c.sku, func.min(movement.c.at), func.min(cost_receipt.c.cost_id))
        .join(movement, movement.c.movement_id == cost_receipt.c.movement)
        .where(cost_receipt.c.cost_id.in_(costs))
        .group_by(cost_receipt.c.sku)
    )
    return {sku: Mark(since, FOR_EVER, (f"cost:{ident}",)) for sku, since, ident in rows}


def _register(tx: Connection, after: int) -> Page:
    """Items, which have a method and prices, and locations, whose kind says what a movement is.

    Of a virtual one that says no kind the doors and desks tell it, whenever they are declared.
    """
    entry = register_entry.c
    query = select(entry.n, entry.kind, entry.id, entry.valid_from, entry.body).where(entry.n > after)
    rows = tx.execute(query.order_by(entry.n).limit(ROWS_A_PAGE)).all()
    marks: dict[str, Mark] = {}
    for _, kind, ident, since, text in rows:
        skus: Iterable[str] = (ident,) if kind == "items" else ()
        places = {ident} if kind == "locations" else set[str]()
        if kind == "devices" and isinstance(body := decode_body(kind, text), Device):
            since, places = 0, uses(body).keys() - VIRTUAL  # noqa: PLW2901 - theirs holds at any time
        if places:
            skus = tx.scalars(select(balance.c.sku).where(balance.c.location.in_(sorted(places))).distinct())
        for sku in skus:
            _join(marks, sku, Mark(since, FOR_EVER, (f"register:{kind}/{ident}",)))
    return rows[-1].n if rows else after, len(rows), marks


def _purchases(tx: Connection, after: int) -> Page:
    """What is ordered or cancelled says what later receipts cost."""
    event, line, order = purchase_event.c, purchase_line.c, purchase_order.c
    rows = tx.execute(
        select(event.n, event.order_id, line.sku, order.ordered_at)
        .join_from(purchase_event, purchase_line, event.order_id == line.order_id)
        .join(purchase_order, order.id == line.order_id)
        .where(event.n > after, event.n <= after + ROWS_A_PAGE, event.what != "received")
    ).all()
    last = min(tx.scalar(select(func.max(event.n))) or after, after + ROWS_A_PAGE)
    marks: dict[str, Mark] = {}
    for _, ident, sku, since in rows:
        _join(marks, sku, Mark(since, FOR_EVER, (f"purchase:{ident}",)))
    return last, last - after, marks


def _join(marks: dict[str, Mark], sku: str, new: Mark) -> None:
    marks[sku] = new if sku not in marks else marks[sku].plus(new)


def settled_to(tx: Connection, now: int) -> int:
    """The time up to which every item's value rests on all that is recorded."""
    marked: int | None = tx.scalar(select(func.min(value_mark.c.since)))
    unseen: int | None = tx.scalar(select(func.min(movement.c.at)).where(movement.c.n > position(tx, LEDGER)))
    return min([now, *(each for each in (marked, unseen) if each is not None)])
