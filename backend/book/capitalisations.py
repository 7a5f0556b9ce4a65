"""A spare becomes an asset: one unit leaves the stock and a dated asset begins, in one transaction.

The only place where the two books meet: models.stock and models.assets know nothing of each other.
"""

from decimal import Decimal
from typing import Literal

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, insert, select

from backend.book import entries, ledger, locks, references_assets, register, virtual
from backend.book.schema_lots import capitalisation as table
from models.assets.serial import taken
from models.declared import Asset, Item, TagBinding
from models.errors import Clash, Refused
from models.ids import derived_id
from models.place import CAPITALISED
from models.register import Register
from models.stock.ledger import Movement


class Capitalisation(Struct, frozen=True, kw_only=True):
    """One unit of an item, from a place, is an asset from `at` (microseconds) on; `epc` is the tag that is on it."""

    id: str
    sku: str
    lot: str | None = None
    location: str
    at: int
    asset: str
    body: Asset
    epc: str | None = None


def capitalise(
    tx: Connection, known: Register, wanted: Capitalisation, actor: str, now: int
) -> Literal["created", "same"]:
    """Post the movement and open the asset; the same again is harmless.

    Raises Refused naming the field, or Clash: the id has other content, or there is such an asset already.
    """
    locks.own_register(tx)
    locks.number(tx)
    asked = msgspec.json.encode(wanted, order="deterministic")
    row = tx.execute(select(table).where(table.c.id == wanted.id)).one_or_none()
    if row is not None:
        if bytes(row.asked) != asked:
            msg = f"id: capitalisation {wanted.id} is there with other content"
            raise Clash(msg)
        return "same"
    _check(known, entries.item_of(known, wanted.sku, now), wanted, now)
    moved = _movement(wanted, virtual.place_of(known, CAPITALISED, now))
    entries.check_covered(tx, known, [moved], now)
    register.put(tx, "assets", wanted.asset, wanted.body, valid_from=wanted.at, actor=actor, now=now)
    if wanted.epc is not None:
        body = TagBinding("asset", asset=wanted.asset)
        register.put(tx, "tags", wanted.epc, body, valid_from=wanted.at, actor=actor, now=now)
    ledger.post(tx, [moved], (), actor, now)
    values = {field: getattr(wanted, field) for field in ("id", "sku", "lot", "location", "asset", "at")}
    made = {"movement": moved.id, "actor": actor, "recorded_at": now, "asked": asked}
    tx.execute(insert(table).values(**values, **made))
    return "created"


def _check(known: Register, item: Item, wanted: Capitalisation, now: int) -> None:
    if item.classified is not None and item.classified.verdict != "capitalised_spare":
        msg = f"sku: an item that is a capitalised_spare expected, {wanted.sku} is {item.classified.verdict}"
        raise Refused(msg)
    entries.counted(item, Decimal(1), None)
    entries.check_lot(known, item, (wanted.sku, wanted.lot), now)
    entries.check_places(known, now, location=wanted.location)
    if known.changes("assets", wanted.asset):
        msg = f"asset: an id that is not in the register expected, got {wanted.asset!r}"
        raise Clash(msg)
    here = references_assets.assets_of(known, known.period(wanted.at))
    if new := {*taken(here | {wanted.asset: wanted.body})} - {*taken(here)}:
        raise Clash("; ".join(f"body.{problem}" for _, problem in sorted(new)))


def _movement(wanted: Capitalisation, target: str) -> Movement:
    evidence = [f"capitalisation:{wanted.id}", f"asset:{wanted.asset}"]
    return Movement(
        id=derived_id("capitalisation", wanted.id),
        at=wanted.at,
        sku=wanted.sku,
        lot=wanted.lot,
        quantity=Decimal(1),
        source=wanted.location,
        target=target,
        reason="capitalised",
        evidence=evidence,
    )
