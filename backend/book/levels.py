"""Reorder levels in the book: what was measured of an item last, for which policy, and when it was decided about."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from backend.book.bulk import write_rows
from backend.book.schema_orders import reorder_level as table
from models.stock.policy import Level, Unknown

_HELD = select(table).where(table.c.sku.in_(bindparam("skus", expanding=True)))
_OVER = upsert(table)
_SAVE = _OVER.on_conflict_do_update(
    index_elements=["sku"], set_={name: _OVER.excluded[name] for name in ("asked", "measured_at", "level")}
)
_decode = msgspec.json.Decoder(Level | Unknown).decode


class Measured(Struct, frozen=True):
    """A level, what it was asked for (bytes that are equal if the same is asked), and when it was measured."""

    sku: str
    asked: bytes
    measured_at: int
    level: Level | Unknown
    reviewed_at: int | None = None


def load(tx: Connection, skus: Collection[str]) -> dict[str, Measured]:
    """What was measured last of some items."""
    return {row.sku: _of_row(row) for row in tx.execute(_HELD, {"skus": sorted(skus)})}


def _of_row(row: Any) -> Measured:  # noqa: ANN401 - a row
    return Measured(row.sku, bytes(row.asked), row.measured_at, _decode(bytes(row.level)), row.reviewed_at)


def save(tx: Connection, found: Sequence[Measured]) -> None:
    """Keep it, over what was measured before; when it was reviewed stays."""
    rows = [
        {
            "sku": each.sku,
            "asked": each.asked,
            "measured_at": each.measured_at,
            "level": msgspec.json.encode(each.level),
        }
        for each in found
    ]
    write_rows(tx, _SAVE, rows)


def reviewed(tx: Connection, sku: str, now: int) -> None:
    """The present period of the item's policy has been decided about."""
    tx.execute(update(table).where(table.c.sku == sku).values(reviewed_at=now))
