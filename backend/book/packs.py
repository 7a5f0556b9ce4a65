"""Acts of PACK that stand, scans of cartons by themselves, and passes of pallets, as the book has them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import BindParameter, ColumnElement, Connection, Row, bindparam, or_, select

from backend.book.schema import Big, crossing, scan_act
from models import epc
from models.errors import BadCode
from models.scan.tagging import name_of_epc
from models.stock.contents import OWN, PALLET, Packed, Scanned, carton_name

IDS_A_QUERY = 5000
SSCC_HEADER = "31"
"""Of EPCs that are SSCCs: the first byte of tag memory."""
_COMPANY_DIGITS, _FILTERS = range(6, 13), range(8)
_texts = msgspec.json.Decoder(tuple[str, ...])
_UNDO = scan_act.alias()
_STANDS: ColumnElement[bool] = ~select(_UNDO.c.id).where(_UNDO.c.undoes == scan_act.c.id).exists()
_NAMES: BindParameter[str] = bindparam("names", expanding=True)
_PARENTS = select(scan_act.c.parent).where(scan_act.c.child.in_(_NAMES), scan_act.c.action == "pack").distinct()
_CHILDREN = select(scan_act.c.child).where(scan_act.c.parent.in_(_NAMES), scan_act.c.action == "pack").distinct()
_PACKS = select(scan_act).where(scan_act.c.child.in_(_NAMES), scan_act.c.action == "pack", _STANDS)
_OWN = select(scan_act).where(scan_act.c.serial.in_(_NAMES), scan_act.c.action.in_(OWN), _STANDS)
_PASSES = select(crossing).where(crossing.c.subject.in_(_NAMES), crossing.c.day >= bindparam("day"))
_NEAR = select(crossing.c.subject, crossing.c.movement, crossing.c.last_at, crossing.c.id).where(
    crossing.c.device_id == bindparam("device"),
    crossing.c.direction == bindparam("direction"),
    crossing.c.middle_at.between(bindparam("low", type_=Big), bindparam("high", type_=Big)),
)


def pallet_of(tag: str) -> str | None:
    """How acts of PACK name the pallet that a tag is on; None of other tags."""
    if not tag.startswith(SSCC_HEADER):
        return None
    name = name_of_epc(tag)
    return name if name.startswith(PALLET) else None


@lru_cache(maxsize=4096)
def tags_of(pallet: str) -> frozenset[str]:
    """Every tag that a pallet of this name may carry."""
    found: set[str] = set()
    for digits in _COMPANY_DIGITS:
        try:
            uri = epc.parse_elements(pallet, digits).uri
        except BadCode:  # a wrong check digit: no tag has it
            return frozenset()
        found |= {epc.encode(uri, each) for each in _FILTERS}
    return frozenset(found)


def above(tx: Connection, names: Iterable[str]) -> set[str]:
    """The pallets that any of these was ever packed on, and those that they were, and so on, as acts of PACK say."""
    return _climb(tx, _PARENTS, names)


def of_gtins(tx: Connection, gtins: Iterable[str]) -> set[str]:
    """The pallets that cartons of these trade items were ever on."""
    cartons = [scan_act.c.child.startswith(carton_name(gtin, ""), autoescape=True) for gtin in sorted({*gtins})]
    if not cartons:
        return set()
    return above(tx, tx.scalars(select(scan_act.c.child).where(scan_act.c.action == "pack", or_(*cartons))))


def packed(tx: Connection, pallets: Iterable[str]) -> list[Packed]:
    """Every act that stands about anything that was ever on one of these, or on what is on them, and so on."""
    names = _climb(tx, _CHILDREN, pallets)
    return [
        Packed(row.child, row.parent, row.at, row.id, row.lot, _texts.decode(row.evidence))
        for row in _of(tx, _PACKS, names)
    ]


def scanned(tx: Connection, serials: Iterable[str]) -> dict[tuple[str, str], list[Scanned]]:
    """Scans that stand of goods with these serial numbers, by (SKU, serial)."""
    found: defaultdict[tuple[str, str], list[Scanned]] = defaultdict(list)
    for row in _of(tx, _OWN, serials):
        found[row.sku, row.serial].append(Scanned(row.action, row.at, row.id))
    return dict(found)


def passes(tx: Connection, pallets: Iterable[str], day: int) -> dict[str, list[Row[Any]]]:
    """The crossings of pallets that are known since a day, in order of time."""
    found: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    tags = {tag for pallet in pallets for tag in tags_of(pallet)}
    for row in sorted(_of(tx, _PASSES, tags, day=day), key=lambda each: (each.last_at, each.id)):
        found[name_of_epc(row.subject)].append(row)
    return dict(found)


def beside(tx: Connection, row: Row[Any], slack_us: int) -> set[str]:
    """What the same door read by itself going the same way while it read this: cartons that moved so, and pallets.

    The pallet itself is among them if another tag of it was over before.
    """
    span = {"low": row.first_at - slack_us, "high": row.last_at + slack_us}
    own, found = name_of_epc(row.subject), set[str]()
    for other in tx.execute(_NEAR, {"device": row.device_id, "direction": row.direction, **span}):
        name = name_of_epc(other.subject)
        if name == own:
            counts = other.subject != row.subject and (other.last_at, other.id) < (row.last_at, row.id)
        else:
            counts = name.startswith(PALLET) or other.movement is not None
        if counts:
            found.add(name)
    return found


def _climb(tx: Connection, query: Any, names: Iterable[str]) -> set[str]:  # noqa: ANN401 - a select of names
    found: set[str] = set()
    waiting = {*names}
    while waiting:
        waiting = {row[0] for row in _of(tx, query, waiting)} - found
        found |= waiting
    return found


def _of(tx: Connection, query: Any, names: Iterable[str], **more: int) -> Iterator[Row[Any]]:  # noqa: ANN401 - a select by names
    wanted = sorted({*names})
    for low in range(0, len(wanted), IDS_A_QUERY):
        yield from tx.execute(query, {"names": wanted[low : low + IDS_A_QUERY], **more})
