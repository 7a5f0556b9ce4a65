"""Lots in the book: what the register and the ledger know of them."""

from collections.abc import Iterable
from datetime import date

from sqlalchemy import Connection, bindparam, func, select

from backend.book import register
from backend.book.schema import movement
from models.declared import Lot
from models.reading import from_micros
from models.stock.lot import Known, lot_id, split, standing

_CAME = (
    select(movement.c.lot, func.min(movement.c.at))
    .where(movement.c.sku == bindparam("sku"), movement.c.lot.in_(bindparam("lots", expanding=True)))
    .group_by(movement.c.lot)
)


def day_of(at: int) -> date:
    """The day of a time in microseconds, UTC."""
    return from_micros(at).date()


def known(tx: Connection, sku: str, lots: Iterable[str], at: int) -> dict[str, Known]:
    """What is known at a time of lots of an item; one that nobody declared came on the day of its first movement."""
    wanted = sorted({*lots})
    declared = register.held(tx, "lots", (lot_id(sku, lot) for lot in wanted), at)
    came = {lot: day_of(first) for lot, first in tx.execute(_CAME, {"sku": sku, "lots": wanted})}
    found: dict[str, Known] = {}
    for lot in wanted:
        body = declared.get(lot_id(sku, lot), Lot())
        assert isinstance(body, Lot)  # noqa: S101 - the kind's struct
        found[lot] = Known(body.expires, body.received or came.get(lot), body.status)
    return found


def barred(tx: Connection, of: Iterable[tuple[str, str]], at: int) -> set[tuple[str, str]]:
    """Those of some lots (sku, lot) that may not be used at a time: expired, quarantined or recalled."""
    declared = register.held(tx, "lots", (lot_id(sku, lot) for sku, lot in of), at)
    today = day_of(at)
    return {
        split(ident)
        for ident, body in declared.items()
        if isinstance(body, Lot) and standing(Known(body.expires, None, body.status), today) != "available"
    }
