"""What stock is worth by item and month, made from the ledger and the costs: read, worked out anew, written.

Working out changes nothing and needs no lock. It goes on from the state at the end of the last month that what changed
cannot touch, or within a month if all that is new comes after its last event, and stops where a month comes out as it
was.
"""

from collections.abc import Generator, Iterable
from contextlib import closing
from decimal import Decimal
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, bindparam, delete, insert, select

from backend.book.bulk import write_rows
from backend.book.costs import Pricing
from backend.book.schema import movement
from backend.book.schema_costs import value_month
from backend.book.value_marks import FOR_EVER, Mark
from backend.book.value_places import Kinds
from models.declared import Item
from models.months import begin_of, month_of
from models.register import Register
from models.stock.costing import Event, State, freeze, thaw
from models.stock.periods import Sum
from models.stock.valuation import Month, Moved, event_of, months
from models.units import quantity_text

ROWS_AT_ONCE = 2000
EVER = 1 << 30
"""A month that never comes."""
_LAST = select(value_month).where(value_month.c.sku == bindparam("sku")).order_by(value_month.c.month.desc()).limit(1)
_UPTO = _LAST.where(value_month.c.month <= bindparam("month"))
_INSERT = insert(value_month)
_ENTRIES = (
    select(
        movement.c.at,
        movement.c.movement_id,
        movement.c.lot,
        movement.c.quantity,
        movement.c.source,
        movement.c.target,
        movement.c.reason,
        movement.c.evidence,
    )
    .where(movement.c.sku == bindparam("sku"), movement.c.at >= bindparam("since"), movement.c.at < bindparam("until"))
    .order_by(movement.c.at, movement.c.movement_id, movement.c.n)
    .execution_options(yield_per=ROWS_AT_ONCE)
)
Line = tuple[int, str, str, str, int]
"""(day, flow, quantity, value, moves), as a month's days are stored."""


class Revalued(msgspec.Struct, frozen=True):
    """An item's months as they come out, in place of all it has from `first` to `last`."""

    sku: str
    first: int
    last: int
    months: list[Month]


def entries(tx: Connection, sku: str, since: int, until: int) -> Generator[Moved]:
    """The movements of an item that hold, by (at, id), from one time to another.

    Entries of a fact stand together and each after the first takes back, so the fact holds if they are odd in number.
    """
    with tx.execute(_ENTRIES, {"sku": sku, "since": since, "until": until}) as rows:
        for ident, chain in groupby(rows, lambda row: row[1]):
            (at, _, lot, quantity, source, target, reason, evidence), *later = chain
            if len(later) % 2 == 0:
                named = tuple(msgspec.json.decode(evidence, type=list[str])) if "movement:" in evidence else ()
                yield Moved(at, ident, lot, Decimal(quantity), source, target, reason, named)


def events(tx: Connection, register: Register, sku: str, since: int, until: int) -> Generator[Event]:
    """What an item's movements are to costing."""
    kinds, costs = Kinds(register), Pricing(tx, register, [sku]).costs(sku)
    for moved in entries(tx, sku, since, until):
        body = register.get("items", sku, moved.at)
        purpose = body.purpose if isinstance(body, Item) else "sale"
        event = event_of(moved, kinds.at(moved.at), purpose, costs)
        if event is not None:
            yield event


def method(register: Register, sku: str, month: int) -> str:
    """How an item is valued in a month: as the register says of its beginning, or as it says first."""
    at = max([begin_of(month), *register.changes("items", sku)[:1]])
    body = register.get("items", sku, at)
    return body.costing if isinstance(body, Item) else "fifo"


def revalue(tx: Connection, register: Register, sku: str, mark: Mark) -> Revalued:
    """An item's months from a mark on. Nothing is written."""
    first = month_of(mark.since)
    row = _before(tx, sku, first)
    begun = None
    if row is not None and row.month == first:
        if row.last_at < mark.since:
            begun = month_of_row(row)
        else:
            row = _before(tx, sku, first - 1)
    since = begin_of(first) if begun is None else begun.last_at + 1
    state = State(method(register, sku, first)) if row is None else thaw(bytes(row.state))
    found: list[Month] = []
    with closing(events(tx, register, sku, since, FOR_EVER)) as after:
        for month in months(state, begun, after, lambda month: method(register, sku, month)):
            found.append(month)
            if begin_of(month.month + 1) > mark.until and _is_as_it_was(tx, sku, month):
                return Revalued(sku, first, month.month, found)
    if begun is not None and (not found or found[0].month != first):
        found.insert(0, begun)
    return Revalued(sku, first, EVER, found)


def part(tx: Connection, register: Register, sku: str, until: int, since: int | None = None) -> Month:
    """An item's month as far as a time (not included), and its state there.

    `since` is from when on what is kept may be old: from its month on all is worked out anew.
    """
    first = month_of(until if since is None else min(since, until))
    row = _before(tx, sku, first - 1)
    state = State(method(register, sku, first)) if row is None else thaw(bytes(row.state))
    found = Month(first, {}, freeze(state), state.quantity, state.value)
    with closing(events(tx, register, sku, begin_of(first), until)) as before:
        for month in months(state, None, before, lambda month: method(register, sku, month)):
            found = month
    return found


def _before(tx: Connection, sku: str, month: int) -> Row[Any] | None:
    return tx.execute(_UPTO, {"sku": sku, "month": month}).one_or_none()


def _is_as_it_was(tx: Connection, sku: str, month: Month) -> bool:
    row = _before(tx, sku, month.month)
    return row is not None and row.month == month.month and bytes(row.state) == month.state


def write(tx: Connection, new: Revalued) -> tuple[dict[int, Month], dict[int, Month]]:
    """Put an item's months in place of those that are there; both, by month."""
    span = (
        value_month.c.sku == new.sku,
        value_month.c.month >= new.first,
        value_month.c.month <= new.last,
    )
    old = {row.month: month_of_row(row) for row in tx.execute(select(value_month).where(*span))}
    tx.execute(delete(value_month).where(*span))
    write_rows(tx, _INSERT, [_row(new.sku, month) for month in new.months])
    return old, {month.month: month for month in new.months}


def _row(sku: str, month: Month) -> dict[str, Any]:
    return {
        "sku": sku,
        "month": month.month,
        "days": msgspec.json.encode(
            [
                (day, flow, quantity_text(each.quantity), quantity_text(each.value), each.moves)
                for (day, flow), each in sorted(month.days.items())
            ]
        ),
        "state": month.state,
        "quantity": quantity_text(month.quantity),
        "value": quantity_text(month.value),
        "last_at": month.last_at,
        "uncosted": msgspec.json.encode(month.uncosted).decode(),
    }


def month_of_row(row: Row[Any]) -> Month:
    """A month from its row."""
    lines: Iterable[Line] = msgspec.json.decode(bytes(row.days), type=list[Line])
    return Month(
        row.month,
        {(day, flow): Sum(Decimal(quantity), Decimal(value), moves) for day, flow, quantity, value, moves in lines},
        bytes(row.state),
        Decimal(row.quantity),
        Decimal(row.value),
        row.last_at,
        msgspec.json.decode(row.uncosted, type=list[str]),
    )
