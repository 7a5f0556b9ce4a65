"""Write-offs in the book: asked for by one person, decided by another; the approval posts the movement."""

from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import Connection, Row, insert, select, update

from backend.book import entries, events, ledger, locks, virtual
from backend.book.schema_lots import write_off as table
from models.errors import Clash, NotFound
from models.place import SCRAP
from models.register import Register
from models.stock import write_off as rules
from models.stock.write_off import WriteOff

Stamp = tuple[str, int]
"""Who, for the ledger, and when."""
FIELDS = ("id", "sku", "lot", "location", "reason")


def ask(tx: Connection, known: Register, wanted: WriteOff, now: int) -> Literal["created", "same"]:
    """Somebody asks for a write-off; the same again is harmless. Raises Refused naming the field, or Clash."""
    locks.number(tx)
    row = tx.execute(select(table).where(table.c.id == wanted.id)).one_or_none()
    if row is not None:
        if _asked(row) != wanted:
            msg = f"id: write-off {wanted.id} is there with other content"
            raise Clash(msg)
        return "same"
    body = entries.item_of(known, wanted.sku, now)
    entries.counted(body, wanted.quantity, None)
    entries.check_places(known, now, location=wanted.location)
    entries.check_covered(tx, known, [rules.movement(wanted, SCRAP, now)], now)
    values = {field: getattr(wanted, field) for field in FIELDS}
    asked = {"quantity": str(wanted.quantity), "state": "requested", "asked_by": wanted.by, "asked_at": now}
    tx.execute(insert(table).values(**values, **asked))
    _tell(tx, wanted, now)
    return "created"


def decide(  # noqa: PLR0913 - the decision, and the stamp that every entry of the ledger has
    tx: Connection,
    known: Register,
    ident: str,
    verdict: Literal["approved", "rejected"],
    *,
    by: str,
    note: str | None,
    stamp: Stamp,
) -> WriteOff:
    """Somebody else approves it, and it leaves the stock; or rejects it. The same again is harmless.

    Raises NotFound, Clash if it was decided otherwise, Refused where one approves their own or less is there now.
    """
    locks.number(tx)
    row = tx.execute(select(table).where(table.c.id == ident)).one_or_none()
    if row is None:
        msg = f"write-offs: nothing of id {ident!r}"
        raise NotFound(msg)
    present = of_row(row)
    after = rules.decide(present, verdict, by)
    if after == present:
        return present
    actor, now = stamp
    moved = None
    if verdict == "approved":
        moved = rules.movement(after, virtual.place_of(known, SCRAP, now), now)
        entries.check_covered(tx, known, [moved], now)
        ledger.post(tx, [moved], (), actor, now)
    values: dict[str, Any] = {"state": verdict, "decided_by": by, "decided_at": now, "note": note}
    tx.execute(update(table).where(table.c.id == ident).values(movement=None if moved is None else moved.id, **values))
    _tell(tx, after, now)
    return after


def of_row(row: Row[Any]) -> WriteOff:
    """A write-off from its row."""
    fields = {field: getattr(row, field) for field in FIELDS}
    return WriteOff(
        **fields, quantity=Decimal(row.quantity), by=row.asked_by, state=row.state, decided_by=row.decided_by
    )


def _asked(row: Row[Any]) -> WriteOff:
    fields = {field: getattr(row, field) for field in FIELDS}
    return WriteOff(**fields, quantity=Decimal(row.quantity), by=row.asked_by)


def _tell(tx: Connection, each: WriteOff, now: int) -> None:
    told = {"id": each.id, "sku": each.sku, "state": each.state, "by": each.decided_by or each.by}
    events.emit(tx, "write_off", told, now)
    events.changed(tx, f"item:{each.sku}", now)
