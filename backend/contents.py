"""What goes through doors on pallets: cartons that no door reads by themselves move with the tag of what they are on.

`backend.post` asks in the transaction that changes what it rests on: passes of tags, acts of PACK, scans of cartons; a
change of the register folds the pallets' passes anew. Then all passes of a pallet that are not sealed are worked out.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Connection, Row, bindparam, delete, insert, select

from backend.book import packs, sealed
from backend.book.bulk import write_rows
from backend.book.journal import DAY_US
from backend.book.schema import crossing, scan_act
from backend.book.schema_contents import content_move
from backend.identities import workflow_of
from backend.registers import register_name
from backend.step import Change, Derived, Old
from models import scan
from models.declared import Device, Door, Item
from models.dock.vote import WINDOW_US
from models.register import Register
from models.scan.tagging import name_of_epc
from models.stock.contents import (
    OWN,
    VARIABLE_MEASURE,
    Carton,
    Packed,
    Scanned,
    carton_name,
    cartons,
    goes_along,
    held_at,
    serial_of,
)
from models.stock.ledger import Movement
from models.stock.posting import Content, Places, Went, movement_of_content

_PALLETS: BindParameter[str] = bindparam("pallets", expanding=True)
_STORED = select(content_move).where(content_move.c.pallet.in_(_PALLETS), content_move.c.day >= bindparam("day"))
_LOADED = select(scan_act.c.parent).where(scan_act.c.parent.in_(_PALLETS), scan_act.c.action == "pack").distinct()
_MOVED = select(content_move.c.pallet).where(content_move.c.pallet.in_(_PALLETS)).distinct()
_ONE = delete(content_move).where(
    content_move.c.crossing == bindparam("of"), content_move.c.child == bindparam("carton")
)
PALLETS_A_QUERY = 50
Key = tuple[str, str]
"""(crossing, carton)."""
Rows = dict[Key, dict[str, Any]]


class Difference(NamedTuple):
    """Movements that must hold, and ids of those that must not."""

    wanted: list[Movement]
    withdrawn: set[str]


def follow(tx: Connection, register: Register, whole: Change, differing: Sequence[Derived | Old]) -> Difference:
    """Bring what pallets moved in line with the rows of the book, after those of a change are written."""
    pallets = sorted(_loaded(tx, _touched(tx, register, whole, differing)))
    found = Difference([], set())
    for low in range(0, len(pallets), PALLETS_A_QUERY):
        some = pallets[low : low + PALLETS_A_QUERY]
        made, stored = moved(tx, register, some), held(tx, some)
        gone = [key for key, row in stored.items() if key not in made or made[key][0] != row]
        new = {key: each for key, each in made.items() if stored.get(key) != each[0]}
        if gone:
            tx.execute(_ONE, [{"of": ident, "carton": child} for ident, child in gone])
        write_rows(tx, insert(content_move), [row for row, _ in new.values()])
        found.wanted.extend(movement for _, movement in new.values())
        found.withdrawn.update(stored[key]["movement"] for key in gone)
    found.withdrawn.difference_update(each.id for each in found.wanted)
    return found


def _loaded(tx: Connection, pallets: set[str]) -> set[str]:
    """Those of these that anything was ever packed on, or that moved something so far: few, where many pass."""
    wanted = {"pallets": sorted(pallets)}
    return {*tx.scalars(_LOADED, wanted), *tx.scalars(_MOVED, wanted)} if pallets else pallets


def held(tx: Connection, pallets: Sequence[str]) -> Rows:
    """What the book has that these pallets moved, since the seal."""
    rows = tx.execute(_STORED, {"pallets": [*pallets], "day": _first_day(tx)}).mappings()
    return {(row["crossing"], row["child"]): {**row} for row in rows}


def moved(tx: Connection, register: Register, pallets: Sequence[str]) -> dict[Key, tuple[dict[str, Any], Movement]]:
    """What these pallets moved since the seal: the rows of `content_move`, and the movements."""
    went = packs.passes(tx, pallets, _first_day(tx))
    acts = packs.packed(tx, went) if went else []
    scans = packs.scanned(tx, {serial for act in acts if (serial := serial_of(act.child)) is not None})
    found: dict[Key, tuple[dict[str, Any], Movement]] = {}
    for pallet, rows in went.items():
        known = _Known(pallet, acts, scans, [row.last_at for row in rows if row.direction != "none"])
        for row in rows:
            for carton, movement in _of_pass(tx, register, row, known):
                child, act = carton.packed.child, carton.packed.id
                columns = {"crossing": row.id, "child": child, "pallet": pallet, "day": row.day}
                found[row.id, child] = ({**columns, "act": act, "movement": movement.id}, movement)
    return found


class _Known(NamedTuple):
    """What is known of a pallet: acts of PACK, scans by (SKU, serial), and when it went through a door."""

    pallet: str
    acts: Sequence[Packed]
    scans: Mapping[tuple[str, str], Sequence[Scanned]]
    times: Sequence[int]


def _of_pass(tx: Connection, register: Register, row: Row[Any], known: _Known) -> Iterator[tuple[Carton, Movement]]:
    """The cartons that a crossing of a pallet's tag moved. One whose tag the register says is on something has none."""
    device = register.get("devices", register_name(tx, row.device_id), row.last_at)
    door = device.door if isinstance(device, Device) else None
    if door is None or row.direction == "none" or row.kind != "stock" or row.sku is not None:
        return
    places, went = _places(door), Went(row.id, row.direction, row.last_at)
    items = workflow_of(register, "", row.last_at).items
    by_itself = packs.beside(tx, row, WINDOW_US)
    if known.pallet in by_itself:
        return
    for carton in cartons(known.pallet, held_at(known.acts, row.last_at), by_itself):
        item = None if carton.gtin.startswith(VARIABLE_MEASURE) else items.get(carton.gtin)
        if item is None:
            continue
        own = known.scans.get((item.sku, carton.serial), ())
        movement = movement_of_content(went, _content(carton, item), places)
        if movement is not None and goes_along(carton, own, went, known.times):
            yield carton, movement


def _places(door: Door) -> Places:
    return Places(door.inside, door.outside_in, door.outside_out)


def _content(carton: Carton, item: scan.Item) -> Content:
    hashes = [*dict.fromkeys(each for act in carton.acts for each in act.evidence)]
    return Content(carton.packed.child, item.sku, item.units, carton.packed.lot, item.tagged, hashes)


def _touched(tx: Connection, register: Register, whole: Change, differing: Sequence[Derived | Old]) -> set[str]:
    """The pallets whose passes may come out differently; those that were folded anew too, though their rows are same.

    Of what was read by itself, packed or scanned, all that it was ever on.
    """
    folded: list[Derived | Old] = [*whole.new, *whole.old]
    found = {
        pallet
        for each in folded
        if each.table is crossing and (pallet := packs.pallet_of(each.row["subject"])) is not None
    }
    names = set(found)
    for each in differing:
        if each.table is crossing:
            names.add(name_of_epc(each.row["subject"]))
        elif each.table is scan_act:
            found.update({each.row["parent"]} - {None})
            names.update(_named(register, each.row))
    return found | packs.above(tx, names | found) if names or found else found


def _named(register: Register, act: Mapping[str, Any]) -> Iterator[str]:
    """The cartons or pallets that an act may be about: what it packed, or goods with a serial number."""
    if act["child"] is not None:
        yield act["child"]
    elif act["serial"] is not None and act["action"] in {*OWN, "undo"}:
        item = register.get("items", act["sku"] or "", act["at"])
        for pack in item.gtins if isinstance(item, Item) else ():
            yield carton_name(pack.gtin, act["serial"])


def _first_day(tx: Connection) -> int:
    return sealed.boundary(tx) // DAY_US
