"""What labels say of lots: the first label with an expiry date declares its lot, wherever nobody has declared a date.

The entries follow from the acts and from what people declared, in any order: from the first such scan on, what people
say of the lot holds, with the label's date where they say none. A label that says another is `lot_label`, an alert.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

from msgspec.structs import replace
from sqlalchemy import Connection, select

from backend.book import schema
from models.declared import Lot, decode_body
from models.stock.lot import lot_id

BY_SCAN = "scan:"
"""How the actor of an entry begins that follows from scans; the scanner follows."""
_ACTS = schema.scan_act.c
LotKey = tuple[str, str]
"""(SKU, lot)."""


class Label(NamedTuple):
    """What the first label said: when, which scanner, and the date."""

    at: int
    device: str
    expires: date


def lots_of(rows: Iterable[Mapping[str, Any]]) -> set[LotKey]:
    """The lots whose labels these rows of acts are about; an id of a lot has one slash before its own characters."""
    said = (row for row in rows if row["expires"] is not None and row["sku"] and row["lot"])
    return {(row["sku"], row["lot"]) for row in said if "/" not in row["sku"]}


def missing(tx: Connection, lot: LotKey) -> list[tuple[int, str, Lot]]:
    """The entries (valid_from, actor, body) that acts and people call for and the register does not have, in order."""
    label, (said, held) = _first(tx, lot), _entries(tx, lot)
    actor = BY_SCAN if label is None else f"{BY_SCAN}{label.device}"[:64]
    found: list[tuple[int, str, Lot]] = []
    before: Lot | None = None
    moments = set(held) if label is None else {*held, label.at}
    for at in sorted(moments):
        person = max((when for when in said if when <= at), default=None)
        body = Lot() if person is None else said[person]
        if label is not None and label.at <= at and body.expires is None:
            body = replace(body, expires=label.expires)
        if held.get(at, before) != body:
            found.append((at, actor, body))
        before = body
    return found


def _first(tx: Connection, lot: LotKey) -> Label | None:
    of = (_ACTS.sku == lot[0], _ACTS.lot == lot[1], _ACTS.expires.is_not(None))
    row = tx.execute(select(_ACTS.at, _ACTS.device, _ACTS.expires).where(*of).order_by(_ACTS.at, _ACTS.id)).first()
    return None if row is None else Label(row.at, row.device, date.fromisoformat(row.expires))


def _entries(tx: Connection, lot: LotKey) -> tuple[dict[int, Lot], dict[int, Lot]]:
    """By time, what people said last of it, and what counts."""
    entry = schema.register_entry.c
    rows = select(entry.valid_from, entry.actor, entry.body).where(entry.kind == "lots", entry.id == lot_id(*lot))
    said: dict[int, Lot] = {}
    held: dict[int, Lot] = {}
    for at, actor, text in tx.execute(rows.order_by(entry.n)):
        body = decode_body("lots", text)
        assert isinstance(body, Lot)  # noqa: S101 - the kind's struct
        held[at] = body
        if not actor.startswith(BY_SCAN):
            said[at] = body
    return said, held
