"""The parts that a work order needs: planned, promised from when it is planned, not needed after all.

A part is an item of the stock, or a line of text with a price, which moves nothing. `backend.book.work_issues` has how
parts are used.
"""

from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct
from sqlalchemy import Row, insert, select, update

from backend.book import entries, reservations, virtual, work_steps
from backend.book.schema_work import work_part
from backend.book.work_steps import Bench, Said
from models.errors import Clash, NotFound, Refused
from models.ids import derived_id
from models.maintenance.work_order import EDITED, PROMISED, check_in
from models.stock.reservation import Reservation
from models.units import checked, plain, quantity_text

Outcome = Literal["created", "same"]
_own = work_part.c


class Part(Struct, frozen=True, kw_only=True):
    """So much of an item of the stock (`sku`), from a place and of a lot if they are named; or what the text says."""

    id: str
    sku: str | None = None
    what: str | None = None
    quantity: Decimal
    location: str | None = None
    lot: str | None = None
    price: Decimal | None = None


def plan(bench: Bench, ident: str, part: Part) -> Outcome:
    """A part that the order needs; it is promised if the order is planned. The same again is harmless.

    Raises NotFound, Clash of other content under the id or once work is done, Refused naming the field.
    """
    order = work_steps.one(bench, ident)
    row = bench.tx.execute(select(work_part).where(_own.order_id == ident, _own.id == part.id)).one_or_none()
    if row is not None:
        if of_row(row) != part:
            msg = f"id: part {part.id} of work order {ident} is there with other content"
            raise Clash(msg)
        return "same"
    check_in(order.state, EDITED, "part")
    _check(bench, part)
    kept = {field: getattr(part, field) for field in ("id", "sku", "what", "location", "lot")}
    price = None if part.price is None else quantity_text(part.price)
    made = {"order_id": ident, "quantity": quantity_text(part.quantity), "price": price}
    bench.tx.execute(insert(work_part).values(**kept, **made, issued="0", turns=0, dropped=False))
    work_steps.record(bench, ident, Said("part", None, part.id, {**kept, "quantity": made["quantity"]}))
    promise(bench, work_steps.one(bench, ident))
    return "created"


def _check(bench: Bench, part: Part) -> None:
    checked(part.quantity)
    if (part.sku is None) == (part.what is None):
        msg = "sku, what: one of them expected"
        raise Refused(msg)
    if part.sku is None:
        if part.location is not None or part.lot is not None:
            msg = "location, lot: none expected of what is no item of the stock"
            raise Refused(msg)
        return
    if not bench.stock:
        msg = "sku: only with the module stock, which is off here: say `what` and its price"
        raise Refused(msg)
    if part.price is not None:
        msg = "price: none expected of an item of the stock: the ledger knows what it cost"
        raise Refused(msg)
    if part.lot is not None and part.location is None:
        msg = "location: expected, as a lot is taken from where it lies"
        raise Refused(msg)
    item = entries.item_of(bench.register, part.sku, bench.now)
    entries.counted(item, part.quantity, None)
    if part.location is not None:
        entries.check_places(bench.register, bench.now, location=part.location)
        if virtual.kinds(bench.tx, [part.location], bench.now):
            msg = f"location: a real location expected, got {part.location!r}"
            raise Refused(msg)
    if part.lot is not None:
        entries.check_lot(bench.register, item, (part.sku, part.lot), bench.now)


def drop(bench: Bench, ident: str, part: str, why: str | None) -> None:
    """It is not needed after all; again is harmless. Raises NotFound, Clash once work is done or some is issued."""
    order = work_steps.one(bench, ident)
    row = one(bench, ident, part)
    if row.dropped:
        return
    check_in(order.state, EDITED, "drop")
    if Decimal(row.issued):
        msg = f"part {part}: nothing issued expected, {row.issued} are; return them first"
        raise Clash(msg)
    keep(bench, row, dropped=True)
    work_steps.record(bench, ident, Said("dropped", why, part))
    promise(bench, order)


def parts(bench: Bench, ident: str) -> list[Row[Any]]:
    """The parts of an order by id."""
    return [*bench.tx.execute(select(work_part).where(_own.order_id == ident).order_by(_own.id))]


def one(bench: Bench, ident: str, part: str) -> Row[Any]:
    """A part as it stands. Raises NotFound."""
    row = bench.tx.execute(select(work_part).where(_own.order_id == ident, _own.id == part)).one_or_none()
    if row is None:
        msg = f"parts: nothing of id {part!r} in work order {ident}"
        raise NotFound(msg)
    return row


def promise(bench: Bench, order: Row[Any]) -> None:
    """Promise what the order still needs, for when its work begins; or nothing, in a state in which it needs nothing.

    A demand without a place, which may be more than there is: so what is missing is ordered in time.
    """
    for row in parts(bench, order.id):
        if row.sku is None:
            continue
        wanted = Decimal(0)
        if order.state in PROMISED and not row.dropped:
            wanted = max(plain(Decimal(row.quantity) - Decimal(row.issued)), wanted)
        need_at = order.planned_at or order.due_at or order.made_at
        held = None if row.reservation is None else reservations.one(bench.tx, row.reservation)
        if held is not None and held.left:
            if (held.left, held.reservation.need_at) == (wanted, need_at):
                continue
            reservations.cancel(bench.tx, held.reservation.id, f"work order {order.state}", *bench.stamp)
        if wanted:
            made = Reservation(
                id=derived_id("work order part", order.id, row.id, str(row.turns)),
                sku=row.sku,
                quantity=wanted,
                purpose="work_order",
                reference=order.id,
                need_at=need_at,
            )
            reservations.reserve(bench.tx, made, *bench.stamp)
            keep(bench, row, reservation=made.id, turns=row.turns + 1)


def keep(bench: Bench, row: Row[Any], **values: Any) -> None:  # noqa: ANN401 - columns of the part
    """Set these columns of a part."""
    bench.tx.execute(update(work_part).where(_own.order_id == row.order_id, _own.id == row.id).values(values))


def of_row(row: Row[Any]) -> Part:
    """A part from its row."""
    price = None if row.price is None else Decimal(row.price)
    kept = {field: getattr(row, field) for field in ("id", "sku", "what", "location", "lot")}
    return Part(**kept, quantity=Decimal(row.quantity), price=price)
