"""What is due for lots: they expire, may not be used and are still there, or goods moved without one that need one."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import select

from backend.book import lots, schema, virtual
from backend.plan.rule import Rule, View
from models.alert import Alert
from models.declared import Item, Lot
from models.stock import expiry
from models.stock.expiry import Labels, LotOnHand, WithoutLot
from models.stock.lot import lot_id

Lines = dict[str, list[tuple[str, Decimal]]]
"""(location, on hand) of real places, by lot; without a lot, ""."""


def load_lots(view: View, skus: Sequence[str]) -> list[tuple[str, LotOnHand]]:
    """Every lot that some items ever had at a place."""
    found: list[tuple[str, LotOnHand]] = []
    for sku, lines in _lines(view, skus).items():
        item = _item(view, sku)
        known = lots.known(view.tx, sku, (lot for lot in lines if lot), view.now)
        for lot, each in known.items():
            facts = LotOnHand(sku, lot, each, lines[lot], item.expiry_alert_days)
            found.append((facts.subject, facts))
    return found


def load_missing(view: View, skus: Sequence[str]) -> list[tuple[str, WithoutLot]]:
    """What items that need lots have without one, or without its expiry date."""
    held = _lines(view, skus)
    return [(f"item:{sku}", _missing(view, sku, held.get(sku, {}))) for sku in skus]


def _missing(view: View, sku: str, lines: Lines) -> WithoutLot:
    item = _item(view, sku)
    bare = [each for each in lines.get("", []) if each[1]] if item.lot_required else []
    there = [lot for lot, places in lines.items() if lot and any(quantity > 0 for _, quantity in places)]
    known = lots.known(view.tx, sku, there, view.now) if item.expiry_required else {}
    return WithoutLot(sku, bare, [lot for lot, each in known.items() if each.expires is None])


def load_labels(view: View, skus: Sequence[str]) -> list[tuple[str, Labels]]:
    """What labels of these items' lots said since what holds of them was declared."""
    act = schema.scan_act.c
    acts = select(act.sku, act.lot, act.at, act.expires).where(act.sku.in_(skus), act.expires.is_not(None))
    said: defaultdict[tuple[str, str], list[tuple[int, date]]] = defaultdict(list)
    for sku, lot, at, text in view.tx.execute(acts.where(act.at <= view.now)):
        said[sku, lot].append((at, date.fromisoformat(text)))
    found: list[tuple[str, Labels]] = []
    for (sku, lot), labels in sorted(said.items()):
        ident = lot_id(sku, lot)
        since = max((at for at in view.register.changes("lots", ident) if at <= view.now), default=0)
        body = view.register.get("lots", ident, view.now)
        expires = body.expires if isinstance(body, Lot) else None
        found.append((f"lot:{ident}", Labels(sku, lot, expires, [each for at, each in labels if at >= since])))
    return found


def every_lotted(view: View) -> list[str]:
    """Items with lots, and those that need them."""
    needed = [sku for sku, body in view.register.all("items", view.now).items() if _needs(body)]
    return sorted(
        {*needed, *view.tx.scalars(select(schema.balance.c.sku).where(schema.balance.c.lot != "").distinct())}
    )


def _needs(body: object) -> bool:
    return isinstance(body, Item) and body.lot_required


def _item(view: View, sku: str) -> Item:
    body = view.register.get("items", sku, view.now)
    return body if isinstance(body, Item) else Item(sku)


class _Line(NamedTuple):
    sku: str
    lot: str
    location: str
    on_hand: Decimal


def _lines(view: View, skus: Sequence[str]) -> dict[str, Lines]:
    table = schema.balance
    rows = view.tx.execute(select(table).where(table.c.sku.in_(skus)).order_by(*table.primary_key))
    lines = [_Line(row.sku, row.lot, row.location, Decimal(row.on_hand)) for row in rows]
    outside = virtual.kinds(view.tx, {each.location for each in lines}, view.now)
    found: defaultdict[str, Lines] = defaultdict(dict)
    for each in lines:
        if each.location not in outside:
            found[each.sku].setdefault(each.lot, []).append((each.location, each.on_hand))
    return dict(found)


def _expiring(facts: LotOnHand, now: int) -> Alert | None:
    return expiry.expiring(facts, lots.day_of(now))


def _blocked(facts: LotOnHand, now: int) -> Alert | None:
    return expiry.blocked(facts, lots.day_of(now))


EXPIRY = Rule("expiry", "item", load_lots, _expiring, everything=every_lotted)
BLOCKED_LOT = Rule("blocked_lot", "item", load_lots, _blocked, everything=every_lotted)
LOT_LABEL = Rule("lot_label", "item", load_labels, expiry.label_differs, everything=every_lotted)
LOT_MISSING = Rule("lot_missing", "item", load_missing, expiry.lot_missing, everything=every_lotted)
