"""A lot's whole story from the book, and the one call that stops it: its status, and what was promised of it."""

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, select

from backend.book import events, ledger, register, reservations, virtual
from backend.book.schema import balance, movement, scan_act
from models.declared import Lot
from models.stock.lot import Status, lot_id
from models.stock.trace import Trace, trace
from models.units import quantity_text

NESTED = 5
"""Pallets on pallets are followed so deep."""
_ACT = scan_act.c


def traced(tx: Connection, sku: str, lot: str, now: int) -> Trace:
    """Where a lot came from and where all of it is, by the movements that hold."""
    rows = tx.execute(select(movement).where(movement.c.sku == sku, movement.c.lot == lot).order_by(movement.c.n))
    moved = [ledger.of_row(row) for row in rows]
    places = {place for each in moved for place in (each.source, each.target)}
    return trace(moved, virtual.kinds(tx, places, now))


def carried(tx: Connection, sku: str, lot: str) -> list[dict[str, Any]]:
    """The pallets that cartons of a lot were packed on, by scans that stand, and the pallets that those were put on."""
    found: list[dict[str, Any]] = []
    level = _packed(tx, _ACT.sku == sku, _ACT.lot == lot)
    for _ in range(NESTED):
        fresh = [each for each in level if each not in found]
        if not fresh:
            break
        found += fresh
        level = _packed(tx, _ACT.child.in_(sorted({each["parent"] for each in fresh})))
    return found


def _packed(tx: Connection, *of: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - conditions
    undo = scan_act.alias()
    stands = ~select(undo.c.id).where(undo.c.undoes == _ACT.id).exists()
    rows = tx.execute(select(scan_act).where(_ACT.action == "pack", stands, *of).order_by(_ACT.at, _ACT.id))
    return [
        {
            "child": row.child,
            "parent": row.parent,
            "at": row.at,
            "act": row.id,
            "evidence": [f"scan:{content}" for content in json.loads(row.evidence)],
        }
        for row in rows
    ]


def set_status(tx: Connection, of: tuple[str, str], status: Status, why: str, stamp: tuple[str, int]) -> list[str]:
    """From now on a lot (sku, lot) may be used, or not, as `status` says; `stamp` is who says so and when.

    What was reserved of a lot that may no longer be used is promised no more: the reservations that this cancelled.
    """
    (sku, lot), (actor, now) = of, stamp
    ident = lot_id(sku, lot)
    present = register.held(tx, "lots", [ident], now).get(ident, Lot())
    assert isinstance(present, Lot)  # noqa: S101 - the kind's struct
    body = replace(present, status=status, note=why)
    if register.put(tx, "lots", ident, body, valid_from=now, actor=actor, now=now) != "same":
        told: dict[str, Any] = {"sku": sku, "lot": lot, "status": status, "reason": why, "by": actor}
        events.emit(tx, "lot", told, now)
    return [] if status == "available" else reservations.cancel_lot(tx, sku, lot, f"lot {status}: {why}"[:400], stamp)


def unlotted(tx: Connection, sku: str, places: Iterable[str]) -> list[str]:
    """Of some places, what left without a lot and never came so: some of a lot that is there may be gone."""
    lines = balance.c
    rows = tx.execute(select(balance).where(lines.sku == sku, lines.lot == "", lines.location.in_(sorted(places))))
    below = [(row.location, -Decimal(row.on_hand)) for row in rows if Decimal(row.on_hand) < 0]
    return [f"{quantity_text(quantity)} left {location} without a lot" for location, quantity in sorted(below)]
