"""What a person may enter of stock: quantities that can be, lots where the item needs them, and no more than there is.

A reading is never refused for any of this: it happened. `backend.plan.lots` and the rule of negative stock tell of it.
"""

from collections.abc import Iterable
from decimal import Decimal

from sqlalchemy import Connection, select

from backend.book.schema import balance
from backend.identities import measures
from models.declared import Item, Location, Lot
from models.errors import Refused
from models.place import VIRTUAL
from models.register import Register
from models.stock.item import in_base
from models.stock.ledger import Movement
from models.stock.lot import lot_id
from models.units import quantity_text


def item_of(known: Register, sku: str, at: int) -> Item:
    """An item that can have stock. Raises Refused for one that is not in the register, or has variants."""
    body = known.get("items", sku, at)
    if not isinstance(body, Item):
        msg = f"sku: one of the items of the register expected, got {sku!r}"
        raise Refused(msg)
    items = known.all("items", at).items()
    variants = [ident for ident, each in items if isinstance(each, Item) and each.variant_of == sku]
    if variants:
        msg = f"sku: a variant of {sku} expected ({', '.join(variants[:5])}), the item itself has no stock"
        raise Refused(msg)
    return body


def counted(body: Item, quantity: Decimal, unit: str | None) -> Decimal:
    """A quantity in the item's own unit, exactly. Raises Refused, as `models.stock.item.convert`."""
    return in_base(measures(body), quantity, unit)


def check_lot(known: Register, body: Item, of: tuple[str, str | None], at: int) -> None:
    """Raises Refused where an item (sku, lot) needs a lot, or the expiry of its lot, and there is none."""
    sku, lot = of
    if lot is None:
        if body.lot_required:
            msg = f"lot: expected, as {sku} is kept by lots"
            raise Refused(msg)
        return
    declared = known.get("lots", lot_id(sku, lot), at)
    if body.expiry_required and (not isinstance(declared, Lot) or declared.expires is None):
        msg = f"lot: one whose expiry is known expected: declare lots/{lot_id(sku, lot)} with expires, got {lot!r}"
        raise Refused(msg)


def check_places(known: Register, at: int, **places: str) -> None:
    """Raises Refused naming the first that is not a location of the register."""
    for field, ident in places.items():
        if not isinstance(known.get("locations", ident, at), Location):
            msg = f"{field}: one of the locations of the register expected, got {ident!r}"
            raise Refused(msg)


def check_covered(tx: Connection, known: Register, moved: Iterable[Movement], now: int) -> None:
    """Raises Refused where a person takes more from a real place than the book has there.

    The place, or else the item, may say that this is allowed (`negative`).
    """
    for each in moved:
        if not is_kept(known, each, now):
            continue
        line = (balance.c.sku == each.sku, balance.c.location == each.source, balance.c.lot == (each.lot or ""))
        on_hand = Decimal(tx.scalar(select(balance.c.on_hand).where(*line).with_for_update()) or 0)
        if on_hand < each.quantity:
            lot = "" if each.lot is None else f" lot {each.lot}"
            there = (
                f"the {quantity_text(max(on_hand, Decimal(0)))} of {each.sku}{lot} that the book has at {each.source}"
            )
            msg = f"quantity: at most {there} expected, got {quantity_text(each.quantity)}"
            raise Refused(msg)


def is_kept(known: Register, moved: Movement, now: int) -> bool:
    """Whether what a movement takes must be there."""
    place, item = known.get("locations", moved.source, now), known.get("items", moved.sku, now)
    if place.is_virtual if isinstance(place, Location) else moved.source in VIRTUAL:
        return False
    said = (place.negative if isinstance(place, Location) else None, item.negative if isinstance(item, Item) else None)
    return next((each for each in said if each is not None), "refuse") == "refuse"
