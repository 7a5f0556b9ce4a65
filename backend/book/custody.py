"""Custody in the book: who has an asset, as a hash-chained list of hand-overs that is only ever appended.

Whoever gives one holds the lock of numbers to its commit, so that two people are never given the same asset.
"""

import json
from collections.abc import Iterable
from typing import Any, Literal

from msgspec import structs
from sqlalchemy import Connection, Row, Select, delete, insert, select

from backend import dues
from backend.book import bookings, events, locks
from backend.book.schema_custody import asset_holder
from backend.book.schema_custody import custody_event as table
from backend.book.work_log import Stamp
from models.assets import booking as rules_of_booking
from models.assets import custody as rules
from models.assets.custody import Entry, Holder, Recorded
from models.chain import GENESIS
from models.declared import Asset
from models.errors import Clash, Refused
from models.register import Register

Outcome = Literal["created", "same"]
USABLE = frozenset({"in_service", "idle", "stored"})
"""States in which an asset is given to somebody."""
FIELDS = Entry.__struct_fields__


def record(tx: Connection, register: Register, entry: Entry, stamp: Stamp) -> Outcome:
    """Append an entry. The same id again is harmless.

    Raises Refused naming the field, or Clash: other content under the id, somebody else has it or has it booked.
    """
    locks.number(tx)
    if (row := tx.execute(select(table).where(table.c.id == entry.id)).one_or_none()) is not None:
        if entry_of(row) != entry:
            msg = f"id: custody {entry.id} is there with other content"
            raise Clash(msg)
        return "same"
    if entry.at > stamp.now:
        msg = "at: a time that is not to come expected"
        raise Refused(msg)
    last = tx.execute(_chain(entry.asset).order_by(table.c.seq.desc()).limit(1)).one_or_none()
    before = _holder(last)
    after = rules.take(before, None if last is None else last.at, entry)
    if after is not None:
        _check(tx, register, entry, after, stamp.now)
    _append(tx, entry, last, stamp)
    _stand(tx, entry.asset, after)
    if after is None and before is not None:
        bookings.end_of(tx, entry.asset, before.holder, entry.at, stamp)
    told = {name: value for name, value in structs.asdict(entry).items() if name != "evidence"}
    events.emit(tx, "custody", {**told, "was": None if before is None else before.holder, "by": stamp.actor}, stamp.now)
    events.changed(tx, f"asset:{entry.asset}", stamp.now)
    return "created"


def _check(tx: Connection, register: Register, entry: Entry, after: Holder, now: int) -> None:
    """What forbids giving the asset to somebody."""
    body = register.get("assets", entry.asset, now)
    if not isinstance(body, Asset):
        msg = f"asset: one of the assets of the register expected, got {entry.asset!r}"
        raise Refused(msg)
    if body.state not in USABLE:
        msg = f"asset: one in service, idle or stored expected, {entry.asset} is {body.state}"
        raise Refused(msg)
    if (why := dues.blocks_use(tx, register, entry.asset, now)) is not None:
        msg = f"asset: one that may be used expected, {entry.asset} is blocked: {why}"
        raise Refused(msg)
    booked = bookings.open_of(tx, entry.asset)
    if entry.booking is not None and entry.booking not in {each.id for each in booked}:
        msg = f"booking: one of the open bookings of {entry.asset} expected, got {entry.booking!r}"
        raise Refused(msg)
    other = rules_of_booking.in_the_way(booked, after.holder, entry.at, entry.due_at)
    if other is not None:
        msg = f"asset {entry.asset}: not booked by another expected, {other.holder} has booked it ({other.id})"
        raise Clash(msg)


def _append(tx: Connection, entry: Entry, last: Row[Any] | None, stamp: Stamp) -> None:
    seq, before = (1, GENESIS) if last is None else (last.seq + 1, bytes(last.hash))
    values = {**structs.asdict(entry), "evidence": json.dumps(entry.evidence), "seq": seq}
    link = rules.entry_hash(before, seq, stamp.actor, stamp.now, entry)
    tx.execute(insert(table).values(**values, actor=stamp.actor, recorded_at=stamp.now, hash=link))


def _stand(tx: Connection, asset: str, after: Holder | None) -> None:
    tx.execute(delete(asset_holder).where(asset_holder.c.asset == asset))
    if after is not None:
        tx.execute(insert(asset_holder).values(asset=asset, **structs.asdict(after)))


def happened_at(tx: Connection, ident: str) -> int | None:
    """When the entry of an id happened, or None of no such entry."""
    return tx.scalar(select(table.c.at).where(table.c.id == ident))


def holder(tx: Connection, asset: str, at: int) -> Holder | None:
    """Who had an asset at a time."""
    last = _chain(asset).where(table.c.at <= at).order_by(table.c.seq.desc()).limit(1)
    return _holder(tx.execute(last).one_or_none())


def holders(tx: Connection, assets: Iterable[str] | None = None) -> dict[str, Holder]:
    """Who has which asset now; of some, or of all that somebody has."""
    query = select(asset_holder)
    if assets is not None:
        query = query.where(asset_holder.c.asset.in_(sorted({*assets})))
    return {row.asset: Holder(row.holder, row.since, row.due_at, row.entry, row.place) for row in tx.execute(query)}


def chain(tx: Connection, asset: str) -> list[Recorded]:
    """Every entry of an asset, in order."""
    return [recorded(row) for row in tx.execute(_chain(asset).order_by(table.c.seq))]


def recorded(row: Row[Any]) -> Recorded:
    """An entry as its row has it."""
    return Recorded(row.seq, row.actor, row.recorded_at, entry_of(row), bytes(row.hash))


def entry_of(row: Row[Any]) -> Entry:
    """What a row says."""
    fields = {name: getattr(row, name) for name in FIELDS if name != "evidence"}
    return Entry(**fields, evidence=tuple(json.loads(row.evidence)))


def _holder(row: Row[Any] | None) -> Holder | None:
    if row is None or row.holder is None:
        return None
    return Holder(row.holder, row.at, row.due_at, row.id, row.place)


def _chain(asset: str) -> Select[Any]:
    return select(table).where(table.c.asset == asset)
