"""What a change of the register touches: the derived keys that must be folded again, and the planner's subjects.

Only what decides a derived fact counts: an item's trade numbers and whether it is tagged, a device's place, what a tag
is bound to. A name or a reorder point changes no crossing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Select, or_, select

from backend.book import packs, schema
from backend.motion_step import outline
from models import epc
from models.declared import Asset, Device, Item, Location, Plan, Zone, decode_body
from models.errors import BadCode
from models.stock.lot import split

DOCK, SCAN, HOURS, MOTION, PRESENCE = "dock", "scan", "hours", "motion", "presence"


class Key(NamedTuple):
    """One key of a fold: the tag (its EPC) at a door; with subject "" a scanner's session, or a tracker."""

    step: str
    device_id: int
    subject: str


class Change(NamedTuple):
    """From `since`, `after` holds where `before` did."""

    kind: str
    ident: str
    before: Struct | None
    after: Struct
    since: int


class _Tagged(Struct):
    epc: str


def keys(tx: Connection, change: Change) -> set[Key]:
    """Every key whose derived rows may differ after this change."""
    find = _TOUCHED.get(change.kind)
    return set() if find is None else find(tx, change)


def since(tx: Connection, key: Key, change: Change) -> int:
    """From when a key is folded anew: from its first reading if its step did not serve the device so far."""
    if key.step == MOTION and change.kind == "devices":
        return _begin(tx, key.device_id, change)
    return 0 if key.step == PRESENCE else change.since


def _begin(tx: Connection, device_id: int, change: Change) -> int:
    """0 for a tracker that was none so far: nobody folded what it said of before."""
    return change.since if Key(MOTION, device_id, "") in _tracked(tx) else 0


def subjects(tx: Connection, kind: str, ident: str, *bodies: Struct | None) -> list[str]:
    """What the planner must look at again; `bodies` are what was declared before and what is now."""
    owners = [body.tracker.asset for body in bodies if isinstance(body, Device) and body.tracker is not None]
    owners += [body.asset for body in bodies if isinstance(body, Plan)]
    if owners or kind == "classes":
        return [f"asset:{asset}" for asset in sorted({*owners})]
    if kind == "lots":
        return [f"item:{split(ident)[0]}"]
    if kind == "locations":
        skus = select(schema.balance.c.sku).where(schema.balance.c.location == ident).distinct()
        return [f"item:{sku}" for sku in sorted(tx.execute(skus).scalars())]
    return [f"{kind.removesuffix('s')}:{ident}"]


def _of_item(tx: Connection, change: Change) -> set[Key]:
    known = [item for item in (change.before, change.after) if isinstance(item, Item)]
    if len({_meaning(item) for item in known}) == 1 and change.before is not None:
        return set()
    gtins = {pack.gtin for item in known for pack in item.gtins}
    pallets = packs.of_gtins(tx, gtins)
    docks = _dock_keys(
        tx,
        change.since,
        lambda tag: packs.pallet_of(tag) in pallets or ((code := _code(tag)) is not None and code.gtin in gtins),
    )
    return {*docks, *_scan_keys(tx, change.since)}


def _meaning(item: Item) -> bytes:
    packs, units = sorted(item.gtins, key=lambda pack: pack.gtin), sorted(item.units, key=lambda each: each.unit)
    return msgspec.json.encode((item.tagged, packs, item.uom, item.whole, units))


def _of_location(tx: Connection, change: Change) -> set[Key]:
    """A scanner may go to any place that is not virtual."""
    before, after = change.before, change.after
    real = [isinstance(place, Location) and not place.is_virtual for place in (before, after)]
    return set() if real[0] == real[1] else set(_scan_keys(tx, change.since))


def _of_asset(tx: Connection, change: Change) -> set[Key]:
    """Its tag's passes, and where it went: how it moves is told by its category."""
    known = [asset for asset in (change.before, change.after) if isinstance(asset, Asset)]
    found: set[Key] = set()
    codes = {asset.giai for asset in known}
    if len(codes) > 1 or change.before is None:
        docks = _dock_keys(tx, change.since, lambda subject: bool(codes & _owned_codes(subject)))
        found |= {*docks, *_scan_keys(tx, change.since)}
    if len({*(asset.category for asset in known), *([None] if change.before is None else [])}) > 1:
        found |= set(_tracks(tx, {change.ident}))
    return found


def _of_class(tx: Connection, change: Change) -> set[Key]:
    """Where assets went that were ever of this category."""
    assets = {ident for ident, asset in _declared(tx, "assets") if getattr(asset, "category", None) == change.ident}
    return set(_tracks(tx, assets))


def _tracks(tx: Connection, assets: set[str]) -> Iterator[Key]:
    """What trackers told that were ever mounted on one of these."""
    devices = (body for _, body in _declared(tx, "devices") if isinstance(body, Device))
    mounted = {each.register_id: each for each in devices if each.tracker is not None and each.tracker.asset in assets}
    ids = {_device_id(tx, device) for device in mounted.values()}
    yield from (key for key in _tracked(tx) if key.device_id in ids)


def _tracked(tx: Connection) -> Iterator[Key]:
    states = schema.fold_state.c
    rows = tx.execute(select(states.step, states.device_id, states.subject).where(states.step == MOTION))
    yield from (Key(*row) for row in rows)


def _is_tracker(tx: Connection, ident: str) -> bool:
    """Whether a device was ever declared to be one."""
    return any(isinstance(body, Device) and body.tracker is not None for _, body in _declared(tx, "devices", ident))


def _declared(tx: Connection, kind: str, ident: str | None = None) -> Iterator[tuple[str, Struct]]:
    """Everything that was ever declared of a kind, or of one of it."""
    table = schema.register_entry.c
    query = select(table.id, table.body).where(table.kind == kind)
    for found, body in tx.execute(query if ident is None else query.where(table.id == ident)):
        yield found, decode_body(kind, body)


def _of_device(tx: Connection, change: Change) -> set[Key]:
    known = [device for device in (change.before, change.after) if isinstance(device, Device)]
    if len({(device.gateway, device.name, _place(device)) for device in known}) == 1 and change.before is not None:
        return set()
    ids = {found for device in known if (found := _device_id(tx, device)) is not None}
    touched = {
        Key(step, device_id, subject)
        for step, device_id, subject in tx.execute(_fold_states(change.since))
        if device_id in ids
    }
    touched |= {key for key in _dock_keys(tx, change.since, lambda _: True) if key.device_id in ids}
    touched |= {key for key in _scan_keys(tx, change.since) if key.device_id in ids}
    is_tracker = _is_tracker(tx, change.ident)
    for device_id in ids:
        touched |= set(_journalled(tx, device_id, change.since))
        if _heard(tx, device_id, ("input", "meter"), change.since):
            touched.add(Key(HOURS, device_id, ""))
        if is_tracker and _heard(tx, device_id, ("input", "fix"), _begin(tx, device_id, change)):
            touched.add(Key(MOTION, device_id, ""))
        if any(device.points is not None for device in known):
            touched |= set(_present(tx, device_id))
    return touched


def _of_zone(tx: Connection, change: Change) -> set[Key]:
    """Every tracker's places: a zone may be anywhere."""
    known = [outline(zone) for zone in (change.before, change.after) if isinstance(zone, Zone)]
    if change.before is not None and known[0] == known[-1]:
        return set()
    return set(_tracked(tx))


def _place(device: Device) -> bytes:
    return msgspec.json.encode((device.door, device.desk, device.tracker, device.points))


def _device_id(tx: Connection, device: Device) -> int | None:
    gateway_id = 0
    if device.gateway is not None:
        found = tx.execute(select(schema.gateway.c.id).where(schema.gateway.c.name == device.gateway)).scalar()
        if found is None:
            return None
        gateway_id = found
    table = schema.device.c
    return tx.execute(select(table.id).where(table.gateway_id == gateway_id, table.name == device.name)).scalar()


def _journalled(tx: Connection, device_id: int, since: int) -> Iterator[Key]:
    """The tags and scans that came before anyone had said what the device is there for."""
    table = schema.journal.c
    rows = select(table.kind, table.body).where(table.device_id == device_id, table.at >= since)
    decode = msgspec.json.Decoder(_Tagged).decode
    for kind, body in tx.execute(rows.where(table.kind.in_(["tag", "scan"]))):
        yield Key(DOCK, device_id, decode(body).epc) if kind == "tag" else Key(SCAN, device_id, "")


def _heard(tx: Connection, device_id: int, kinds: Sequence[str], since: int) -> bool:
    table = schema.journal.c
    found = select(table.at).where(table.device_id == device_id, table.at >= since, table.kind.in_(kinds))
    return tx.execute(found.limit(1)).first() is not None


def _present(tx: Connection, device_id: int) -> Iterator[Key]:
    """Every tag that a reader of presence ever heard: before it was one, nobody folded them so."""
    table = schema.journal.c
    decode = msgspec.json.Decoder(_Tagged).decode
    for body in tx.scalars(select(table.body).where(table.device_id == device_id, table.kind == "tag")):
        yield Key(PRESENCE, device_id, decode(body).epc)


def _dock_keys(tx: Connection, since: int, wanted: Callable[[str], bool]) -> Iterator[Key]:
    crossing = schema.crossing.c
    crossed = select(crossing.device_id, crossing.subject).where(crossing.closed_at >= since).distinct()
    for device_id, subject in tx.execute(crossed):
        if wanted(subject):
            yield Key(DOCK, device_id, subject)
    for step, device_id, subject in tx.execute(_fold_states(since)):
        if step == DOCK and wanted(subject):
            yield Key(DOCK, device_id, subject)


def _scan_keys(tx: Connection, since: int) -> Iterator[Key]:
    act = schema.scan_act.c
    acted = select(act.device_id, act.subject).where(act.closed_at >= since).distinct()
    yield from (Key(SCAN, device_id, subject) for device_id, subject in tx.execute(acted))
    yield from (Key(*row) for row in tx.execute(_fold_states(since)) if row.step == SCAN)


def _fold_states(since: int) -> Select[str, int, str]:
    table = schema.fold_state.c
    return select(table.step, table.device_id, table.subject).where(_reaches(since))


def _reaches(since: int) -> ColumnElement[bool]:
    """What a fold stands at may have to do with what is declared from a time on."""
    return or_(schema.fold_state.c.last_at >= since, schema.fold_state.c.due_at.is_not(None))


def _code(subject: str) -> epc.Epc | None:
    try:
        return epc.decode(subject)
    except BadCode:
        return None


def _owned_codes(subject: str) -> set[str]:
    """The ways to write an asset's code: its URI, its URI's body, its digits."""
    code = _code(subject)
    body = code.uri.rpartition(":")[2] if code is not None and code.scheme in ("giai", "grai") else ""
    return {code.uri, body, body.replace(".", "")} if code is not None and body else set()


def _of_tag(tx: Connection, change: Change) -> set[Key]:
    """Its passes at doors, and the scanners that say later what it is on: they name what it was on.

    Scanners say this all day, so nothing here may walk through all tags that there are.
    """
    act, crossing, states = schema.scan_act.c, schema.crossing.c, schema.fold_state.c
    named = select(act.device_id, act.subject).where(act.epc == change.ident, act.closed_at > change.since).distinct()
    crossed = select(crossing.device_id).where(crossing.subject == change.ident, crossing.closed_at >= change.since)
    by_key = (states.step == DOCK, states.device_id.in_(select(schema.device.c.id)), states.subject == change.ident)
    open_at = select(states.device_id).where(*by_key, _reaches(change.since))
    doors = {*tx.scalars(crossed.distinct()), *tx.scalars(open_at)}
    return {Key(SCAN, *row) for row in tx.execute(named)} | {Key(DOCK, door, change.ident) for door in doors}


_TOUCHED: Mapping[str, Callable[[Connection, Change], set[Key]]] = {
    "items": _of_item,
    "devices": _of_device,
    "assets": _of_asset,
    "classes": _of_class,
    "locations": _of_location,
    "tags": _of_tag,
    "zones": _of_zone,
}
KINDS = frozenset(_TOUCHED)
"""What readings are folded by."""
