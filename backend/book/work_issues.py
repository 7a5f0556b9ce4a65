"""How the parts of work orders are used: issued by the ledger, returned, and reversed when an order is opened again.

What an order used of the stock is always the sum of ledger entries: each move names its own, a return and a reversal is
a further one. Nothing is taken that is promised to others; what is taken is promised to the order first.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, insert, select

from backend.book import allocations, entries, ledger, picks, reservations, value_marks, values, virtual
from backend.book import work_parts as parts
from backend.book.allocations import Need
from backend.book.schema import movement
from backend.book.schema_costs import value_mark
from backend.book.schema_work import work_move
from backend.book.work_steps import Bench, Said, one, record
from models.errors import Refused
from models.ids import derived_id
from models.maintenance.work_costs import cents, share_of
from models.maintenance.work_order import WORKED, check_in
from models.place import PRODUCTION
from models.stock.ledger import Movement, reversal
from models.stock.reservation import Reservation
from models.units import checked, plain, quantity_text

REASON = "work order"
"""By it the value of what is used goes to the account of work orders."""


class When(NamedTuple):
    """At which time, in microseconds; and whether it is part of the end of the order, which can be taken back."""

    at: int
    at_end: bool = False


class Taken(NamedTuple):
    """So much of a lot from a place, or back to it; a line of text lies nowhere."""

    location: str | None
    lot: str | None
    quantity: Decimal


class Moved(NamedTuple):
    """What was taken or brought, its entry of the ledger, its cost, and the move (n) that it returns or reverses."""

    taken: Taken
    entry: Movement | None = None
    cost: Decimal | None = None
    of: int | None = None


def issue(bench: Bench, ident: str, part: str, quantity: Decimal, at: int) -> None:
    """So much of a part is used, or handed out. Raises NotFound, Clash unless work goes on, Refused as `use`."""
    check_in(one(bench, ident).state, WORKED, "issue")
    use(bench, ident, part, checked(quantity), When(at))
    record(bench, ident, Said("issued", None, part, {"quantity": quantity_text(quantity)}))


def give_back(bench: Bench, ident: str, part: str, quantity: Decimal, to: tuple[str | None, int]) -> None:
    """So much was not used, and is back at a place (None: where it was taken) at a time.

    Raises NotFound, Clash unless work goes on, Refused where fewer were issued.
    """
    location, at = to
    order = one(bench, ident)
    check_in(order.state, WORKED, "return")
    if location is not None:
        entries.check_places(bench.register, bench.now, location=location)
    _come_back(bench, parts.one(bench, ident, part), Taken(location, None, checked(quantity)), When(at))
    record(bench, ident, Said("returned", None, part, {"quantity": quantity_text(quantity)}))
    parts.promise(bench, order)


def settle(bench: Bench, ident: str, part: str, used: Decimal, at: int) -> None:
    """The order is done, and used so many: what was not issued yet is, what was issued too much comes back.

    Raises Refused where less is available than is taken.
    """
    row = parts.one(bench, ident, part)
    more = used - Decimal(row.issued)
    if more > 0:
        use(bench, ident, part, more, When(at, at_end=True))
    elif more < 0:
        _come_back(bench, row, Taken(None, None, -more), When(at, at_end=True))


def use(bench: Bench, ident: str, part: str, quantity: Decimal, when: When) -> None:
    """Post that so many more of a part were used. Raises Refused where less is available."""
    row = parts.one(bench, ident, part)
    if row.sku is None:
        price = None if row.price is None else cents(Decimal(row.price) * quantity)
        _keep(bench, row, "issued", Moved(Taken(None, None, quantity), cost=price), when)
        return
    if not bench.stock:
        msg = f"part {part}: a line of text expected, as the module stock is off here; drop it, or use 0 of it"
        raise Refused(msg)
    item = entries.item_of(bench.register, row.sku, bench.now)
    entries.counted(item, quantity, None)
    for k, taken in enumerate(_take(bench, row, quantity)):
        entries.check_lot(bench.register, item, (row.sku, taken.lot), bench.now)
        made = derived_id("work order issue", ident, part, str(row.turns), str(k))
        moved = _movement(bench, row, taken, made, when.at)
        entries.check_covered(bench.tx, bench.register, [moved], bench.now)
        before = _worth(bench, row.sku, when.at)
        ledger.post(bench.tx, [moved], (), *bench.stamp)
        cost = cents(before - _worth(bench, row.sku, when.at))
        _keep(bench, row, "issued", Moved(taken, moved, cost or None), when)
    parts.keep(bench, row, turns=row.turns + 1)


def _take(bench: Bench, row: Row[Any], quantity: Decimal) -> list[Taken]:
    """Where it is taken from, given up by the order's own promise: the lot that is named, else what expires first."""
    held = None if row.reservation is None else reservations.one(bench.tx, row.reservation)
    own = held if held is not None and held.left else None
    need_at = bench.now if own is None else min(bench.now, own.reservation.need_at)
    if row.lot is not None:
        if own is not None:
            reservations.fulfil(bench.tx, own.reservation.id, min(own.left, quantity), *bench.stamp)
        found = [Taken(row.location, row.lot, quantity)]
        promised = [_reserve(bench, row, quantity, need_at)]
    else:
        need = Need(
            id=derived_id("work order need", row.order_id, row.id, str(row.turns)),
            sku=row.sku,
            quantity=quantity,
            need_at=need_at,
            purpose="work_order",
            reference=row.order_id,
            partial=_may_lack(bench, row),
            reservation=None if own is None else own.reservation.id,
        )
        places = {row.location} if row.location else picks.sources(bench.tx, bench.register, bench.now)
        answer, _ = allocations.serve(bench.tx, need, places, 0, bench.stamp)
        found = [Taken(each.location, each.lot, Decimal(each.quantity)) for each in answer.picks]
        promised = [each.reservation for each in answer.picks]
        if (short := Decimal(answer.short)) > 0:
            found.append(Taken(row.location, None, short))
    for each, ident in zip(found, promised, strict=False):
        reservations.fulfil(bench.tx, ident, each.quantity, *bench.stamp)
    return found


def _reserve(bench: Bench, row: Row[Any], quantity: Decimal, need_at: int) -> str:
    """The named lot is promised to the order for as long as it takes to issue it."""
    wanted = Reservation(
        id=derived_id("work order lot", row.order_id, row.id, str(row.turns)),
        sku=row.sku,
        quantity=quantity,
        lot=row.lot,
        location=row.location,
        purpose="work_order",
        reference=row.order_id,
        need_at=need_at,
    )
    reservations.reserve(bench.tx, wanted, *bench.stamp)
    return wanted.id


def _may_lack(bench: Bench, row: Row[Any]) -> bool:
    """Whether more may be taken from its place than the book has there."""
    if row.location is None:
        return False
    asked = _movement(bench, row, Taken(row.location, None, Decimal(1)), "asked", bench.now)
    return not entries.is_kept(bench.register, asked, bench.now)


def _come_back(bench: Bench, row: Row[Any], taken: Taken, when: When) -> None:
    """What was issued last comes back first, at what it had cost."""
    if taken.quantity > Decimal(row.issued):
        msg = f"quantity: at most the {row.issued} that were issued expected, got {quantity_text(taken.quantity)}"
        raise Refused(msg)
    left, known = taken.quantity, standing(moves(bench.tx, row.order_id, row.id))
    for move in reversed([each for each in known if each.what == "issued"]):
        back = sum((Decimal(each.quantity) for each in known if each.of == move.n), Decimal(0))
        quantity = min(left, Decimal(move.quantity) + back)
        if quantity > 0:
            to = Taken(taken.location or move.location, move.lot, -quantity)
            _bring(bench, row, move, to, when)
            left -= quantity
    parts.keep(bench, row, turns=row.turns + 1)


def _bring(bench: Bench, row: Row[Any], move: Row[Any], to: Taken, when: When) -> None:
    moved = None
    if move.movement is not None:
        made = derived_id("work order return", move.movement, str(row.turns))
        moved = _movement(bench, row, to, made, when.at, move.movement)
        ledger.post(bench.tx, [moved], (), *bench.stamp)
    cost = share_of(None if move.cost is None else Decimal(move.cost), to.quantity, Decimal(move.quantity))
    _keep(bench, row, "returned", Moved(to, moved, cost, move.n), when)


def take_back(bench: Bench, ident: str) -> None:
    """What was posted when the order was done is reversed by further entries, the last first.

    Raises Refused where what came back then is no longer there.
    """
    for move in reversed([each for each in standing(moves(bench.tx, ident)) if each.at_end]):
        row = parts.one(bench, ident, move.part_id)
        if move.movement is not None:
            fact = ledger.of_row(ledger.chain_of(bench.tx, move.movement)[0])
            entries.check_covered(bench.tx, bench.register, [reversal(fact)], bench.now)
            ledger.reverse(bench.tx, move.movement, "work order reopened", *bench.stamp)
        back = Taken(move.location, move.lot, -Decimal(move.quantity))
        _keep(bench, row, "reversed", Moved(back, of=move.n), When(bench.now))


def moves(tx: Connection, ident: str, part: str | None = None) -> Sequence[Row[Any]]:
    """What was issued, returned and reversed of an order, or of one of its parts, in order."""
    query = select(work_move).where(work_move.c.order_id == ident).order_by(work_move.c.n)
    return tx.execute(query if part is None else query.where(work_move.c.part_id == part)).all()


def standing(found: Sequence[Row[Any]]) -> list[Row[Any]]:
    """Those of some moves that were not reversed."""
    gone = {each.of for each in found if each.what == "reversed"}
    return [each for each in found if each.what != "reversed" and each.n not in gone]


def _movement(bench: Bench, row: Row[Any], taken: Taken, ident: str, at: int, of: str | None = None) -> Movement:  # noqa: PLR0913, PLR0917 - a movement has as many
    """An issue to the work, or with a negative quantity what comes back of an issue."""
    place, work = taken.location or "", virtual.place_of(bench.register, PRODUCTION, bench.now)
    source, target = (work, place) if taken.quantity < 0 else (place, work)
    return Movement(
        id=ident,
        at=at,
        sku=row.sku,
        lot=taken.lot,
        quantity=abs(taken.quantity),
        source=source,
        target=target,
        reason=REASON,
        evidence=[f"work_order:{row.order_id}", *([] if of is None else [f"movement:{of}"])],
    )


def _keep(bench: Bench, row: Row[Any], what: str, moved: Moved, when: When) -> None:
    """Write a move down, and how many of the part are out."""
    taken = moved.taken
    line: dict[str, Any] = {
        "order_id": row.order_id,
        "part_id": row.id,
        "what": what,
        "quantity": quantity_text(taken.quantity),
        "location": taken.location,
        "lot": taken.lot,
        "movement": None if moved.entry is None else moved.entry.id,
        "of": moved.of,
        "cost": None if moved.cost is None else str(moved.cost),
        "at_end": when.at_end,
        "at": when.at,
        "actor": bench.actor,
        "recorded_at": bench.now,
    }
    bench.tx.execute(insert(work_move).values(line))
    issued = Decimal(parts.one(bench, row.order_id, row.id).issued) + taken.quantity
    parts.keep(bench, row, issued=quantity_text(plain(issued)))


def _worth(bench: Bench, sku: str, at: int) -> Decimal:
    """What all there is of an item is worth just after a time, also where the valuer has not followed yet."""
    marked = bench.tx.scalar(select(value_mark.c.since).where(value_mark.c.sku == sku))
    followed = value_marks.position(bench.tx, value_marks.LEDGER)
    new = bench.tx.scalar(select(func.min(movement.c.at)).where(movement.c.sku == sku, movement.c.n > followed))
    since = min((each for each in (marked, new) if each is not None), default=None)
    return values.part(bench.tx, bench.register, sku, at + 1, since).value
