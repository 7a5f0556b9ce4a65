"""Bookings and transfer orders of assets in the book: promised for a span, at most one of each kind at a time."""

from collections.abc import Callable
from typing import Any, Literal, TypeVar

from msgspec import structs
from sqlalchemy import Connection, Row, Table, insert, select, update

from backend.book import events, locks
from backend.book.schema_custody import asset_booking, asset_holder, asset_transfer
from backend.book.work_log import Stamp
from models.assets.asset import ACTIVE
from models.assets.booking import Booking, Transfer, check_free
from models.declared import Asset
from models.errors import Clash, NotFound, Refused
from models.register import Register

Outcome = Literal["created", "same"]
T = TypeVar("T", Booking, Transfer)


def book(tx: Connection, register: Register, wanted: Booking, stamp: Stamp) -> Outcome:
    """Promise an asset to somebody. The same id again is harmless, also when it is over since.

    Raises Refused naming the field; Clash if it is promised to another meanwhile, or another has it for longer.
    """
    locks.number(tx)
    if _is_there(tx, asset_booking, wanted, booking_of):
        return "same"
    _check_asset(register, wanted.asset, stamp.now)
    check_free(open_of(tx, wanted.asset), wanted)
    held = tx.execute(select(asset_holder).where(asset_holder.c.asset == wanted.asset)).one_or_none()
    if held is not None and held.holder != wanted.holder and (held.due_at or 0) > wanted.begin_at:
        msg = f"asset {wanted.asset}: free from begin to end expected, {held.holder} has it meanwhile"
        raise Clash(msg)
    _add(tx, asset_booking, wanted, stamp)
    return "created"


def order(tx: Connection, register: Register, wanted: Transfer, stamp: Stamp) -> Outcome:
    """Order that an asset goes elsewhere. Raises as `book` does."""
    locks.number(tx)
    if _is_there(tx, asset_transfer, wanted, transfer_of):
        return "same"
    _check_asset(register, wanted.asset, stamp.now)
    for field, place in (("source", wanted.source), ("target", wanted.target)):
        if place is not None:
            check_place(register, field, place, stamp.now)
    check_free(open_transfers(tx, wanted.asset), wanted)
    _add(tx, asset_transfer, wanted, stamp)
    return "created"


def check_place(register: Register, field: str, place: str, at: int) -> None:
    """Raises Refused unless it is a location, zone or site of the register, as `kind:ID`."""
    kind, _, ident = place.partition(":")
    if kind not in {"location", "zone", "site"} or register.get(f"{kind}s", ident, at) is None:
        msg = f"{field}: location:ID, zone:ID or site:ID of the register expected, got {place!r}"
        raise Refused(msg)


def close(
    tx: Connection, table: Table, ident: str, state: Literal["done", "cancelled"], because: tuple[str | None, Stamp]
) -> None:
    """A booking or transfer is over. Again is harmless. Raises NotFound, or Clash if it ended otherwise."""
    why, stamp = because
    locks.number(tx)
    row = row_of(tx, table, ident)
    if row.state == state:
        return
    if row.state != "open":
        msg = f"{_name(table)} {ident}: open expected, it is {row.state}"
        raise Clash(msg)
    values = {"state": state, "closed_at": stamp.now, "closed_by": stamp.actor, "closed_why": why}
    tx.execute(update(table).where(table.c.id == ident).values(values))
    _tell(tx, table, ident, stamp)


def arrived(tx: Connection, ident: str, at: int, stamp: Stamp) -> None:
    """A transfer's asset was seen at its target: it is done."""
    tx.execute(update(asset_transfer).where(asset_transfer.c.id == ident).values(arrived_at=at))
    close(tx, asset_transfer, ident, "done", ("it was seen at its target", stamp))


def end_of(tx: Connection, asset: str, holder: str, at: int, stamp: Stamp) -> None:
    """Somebody brought an asset back: bookings of theirs that have begun are done."""
    for each in open_of(tx, asset):
        if each.holder == holder and each.begin_at <= at:
            close(tx, asset_booking, each.id, "done", ("it was brought back", stamp))


def open_of(tx: Connection, asset: str) -> list[Booking]:
    """The open bookings of an asset, by their begin."""
    return [booking_of(row) for row in _open(tx, asset_booking, asset)]


def open_transfers(tx: Connection, asset: str) -> list[Transfer]:
    """The open transfers of an asset, by their begin."""
    return [transfer_of(row) for row in _open(tx, asset_transfer, asset)]


def row_of(tx: Connection, table: Table, ident: str) -> Row[Any]:
    """The row of a booking or transfer. Raises NotFound."""
    row = tx.execute(select(table).where(table.c.id == ident)).one_or_none()
    if row is None:
        msg = f"{_name(table)}s: nothing of id {ident!r}"
        raise NotFound(msg)
    return row


def booking_of(row: Row[Any]) -> Booking:
    """A booking from its row."""
    return Booking(**{name: getattr(row, name) for name in Booking.__struct_fields__})


def transfer_of(row: Row[Any]) -> Transfer:
    """A transfer from its row."""
    return Transfer(**{name: getattr(row, name) for name in Transfer.__struct_fields__})


def _open(tx: Connection, table: Table, asset: str) -> list[Row[Any]]:
    mine = select(table).where(table.c.asset == asset, table.c.state == "open")
    return [*tx.execute(mine.order_by(table.c.begin_at, table.c.id))]


def _is_there(tx: Connection, table: Table, wanted: T, of: Callable[[Row[Any]], T]) -> bool:
    row = tx.execute(select(table).where(table.c.id == wanted.id)).one_or_none()
    if row is not None and of(row) != wanted:
        msg = f"id: {_name(table)} {wanted.id} is there with other content"
        raise Clash(msg)
    return row is not None


def _check_asset(register: Register, asset: str, now: int) -> None:
    body = register.get("assets", asset, now)
    if not isinstance(body, Asset) or body.state not in ACTIVE:
        found = f"{asset} is {body.state}" if isinstance(body, Asset) else f"got {asset!r}"
        msg = f"asset: one of the register that is in use expected, {found}"
        raise Refused(msg)


def _add(tx: Connection, table: Table, wanted: Booking | Transfer, stamp: Stamp) -> None:
    tx.execute(insert(table).values(**structs.asdict(wanted), state="open", actor=stamp.actor, made_at=stamp.now))
    _tell(tx, table, wanted.id, stamp)


def _tell(tx: Connection, table: Table, ident: str, stamp: Stamp) -> None:
    row = row_of(tx, table, ident)
    told = {name: getattr(row, name) for name in ("id", "asset", "begin_at", "end_at", "state")}
    events.emit(tx, _name(table), {**told, "by": stamp.actor}, stamp.now)
    events.changed(tx, f"asset:{row.asset}", stamp.now)


def _name(table: Table) -> str:
    return table.name.removeprefix("asset_")
