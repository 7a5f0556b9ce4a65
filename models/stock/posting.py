"""The only functions that turn derived facts, crossings and scans, into entries of the stock ledger.

Who posts what: a door moves the cartons whose tags it reads, and with a pallet's tag those cartons on it that no door
reads by themselves; scans move what is neither. So `movement_of_content` moves nothing of an item that is `tagged`.

A movement's id comes from the fact's id and from everything it posts: a fact that changed, or whose goods the register
now counts differently, is another movement, so the old one is reversed and the new one posted.
"""

from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from models.dock.direction import Direction
from models.identity import Identity
from models.ids import derived_id
from models.place import CUSTOMER, SUPPLIER
from models.scan import ScanAct
from models.stock.ledger import Movement
from models.units import quantity_text

CROSSING = "dock crossing"


class Went(Struct, frozen=True):
    """A crossing as its final verdict says: which way, and when it was last heard (microseconds)."""

    id: str
    direction: Direction
    last_at: int


class Places(Struct, frozen=True):
    """The locations on the two sides of a door: what comes in leaves `outside_in`, what goes out reaches `outside_out`.

    At a dock door these are the supplier and the customer; between two halls both are the other hall.
    """

    inside: str
    outside_in: str = SUPPLIER
    outside_out: str = CUSTOMER


def movement_of_crossing(crossing: Went, identity: Identity, places: Places) -> Movement | None:
    """What a crossing moves, or None: no direction, no stock, a tag without a quantity (a pallet), no other place."""
    if crossing.direction == "none" or identity.kind != "stock" or identity.sku is None or identity.quantity is None:
        return None
    source, target = (
        (places.outside_in, places.inside) if crossing.direction == "in" else (places.inside, places.outside_out)
    )
    if source == target:
        return None
    return Movement(
        id=_id(crossing.id, identity.sku, None, identity.quantity, (source, target, crossing.last_at)),
        at=crossing.last_at,
        sku=identity.sku,
        quantity=identity.quantity,
        source=source,
        target=target,
        reason=CROSSING,
        evidence=[f"crossing:{crossing.id}"],
    )


class Content(Struct, frozen=True):
    """A carton that goes with its pallet: goods of an item, by its GTIN, and the acts of PACK that say so.

    `scans` are content hashes of those acts' scans.
    """

    name: str
    sku: str
    quantity: Decimal
    lot: str | None
    is_tagged: bool
    scans: list[str]


def movement_of_content(crossing: Went, content: Content, places: Places) -> Movement | None:
    """What the crossing of a pallet moves of one carton on it; None if the carton's own tag does, or nothing moves."""
    goods = Identity("stock", content.sku, None, content.quantity, "")
    moved = None if content.is_tagged else movement_of_crossing(crossing, goods, places)
    if moved is None:
        return None
    scans = [f"scan:{scan}" for scan in content.scans]
    fact = "/".join((crossing.id, content.name, *content.scans))
    ident = _id(fact, content.sku, content.lot, content.quantity, (moved.source, moved.target, moved.at))
    return replace(moved, id=ident, lot=content.lot, evidence=[*moved.evidence, *scans])


def movement_of_scan(act: ScanAct, supplier: str = SUPPLIER, customer: str = CUSTOMER) -> Movement | None:
    """What a scan moves; None for what moves nothing: matches, counts, refusals, tags, packs, no other place.

    An undo moves what it takes back the other way: `supplier` and `customer` are those of that act's time then.
    """
    way = _way(act, act.undone or act.action, supplier, customer)
    if way is None or act.sku is None or act.quantity is None:
        return None
    source, target = way if act.undone is None else way[::-1]
    if source == target:
        return None
    return Movement(
        id=_id(act.id, act.sku, act.lot, act.quantity, (source, target, act.at)),
        at=act.at,
        sku=act.sku,
        lot=act.lot,
        quantity=act.quantity,
        source=source,
        target=target,
        reason=f"scan {act.action}",
        evidence=[f"scan:{scan}" for scan in act.evidence],
    )


def _way(act: ScanAct, action: str, supplier: str, customer: str) -> tuple[str, str] | None:
    if act.location is None:
        return None
    ways = {
        "receive": (supplier, act.location),
        "issue": (act.location, customer),
        "return": (customer, act.location),
        "move": (act.location, act.target or act.location),
    }
    return ways.get(action)


def _id(fact: str, sku: str, lot: str | None, quantity: Decimal, moved: tuple[str, str, int]) -> str:
    source, target, at = moved
    return derived_id("posting", fact, sku, lot or "", quantity_text(quantity), source, target, str(at))
