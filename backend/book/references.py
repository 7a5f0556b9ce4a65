"""What must be true of the register as a whole at one time: what an entry names is there, and nothing is two things.

A struct's own fields are checked when it is decoded; this is what no single entry can know.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache

from backend import dock_models
from backend.book import references_alerts, references_assets, references_stock, references_use, references_warehouse
from models.declared import Device, Door, Item, Plan, Points, TagBinding, Zone
from models.errors import Refused
from models.maintenance.dates import zone_of
from models.maintenance.failure_codes import CODES
from models.motion import geofence
from models.register import Register
from models.wire import is_gateway, is_global


def problems(register: Register, at: int) -> list[str]:
    """Every broken reference at a time (microseconds), each naming the entry, the field and what was expected."""
    found = [problem for check in _WHOLE for problem in check(register, at)]
    for kind, check in _CHECKS:
        for ident, body in register.all(kind, at).items():
            found += [f"{kind}.{ident}: {problem}" for problem in check(register, at, body)]
    return found


def _device(register: Register, at: int, body: object) -> Iterator[str]:
    if not isinstance(body, Device):
        return
    roles = [role for role in ("door", "desk", "tracker", "points") if getattr(body, role) is not None]
    if len(roles) > 1:
        yield f"{' and '.join(roles)}: one of them expected, got {'both' if len(roles) == 2 else 'all'}"  # noqa: PLR2004
    if body.tracker is not None and register.get("assets", body.tracker.asset, at) is None:
        yield f"tracker.asset: one of the assets expected, got {body.tracker.asset!r}"
    if (body.gateway is None) != is_global(body.name):
        yield f"gateway: expected for every name but imei:... and id:..., got {body.gateway!r} with {body.name!r}"
    elif body.gateway is not None and not is_gateway(body.gateway):
        yield f"gateway: a gateway's name ([a-z0-9_-]) expected, got {body.gateway!r}"
    if body.door is not None:
        yield from _antennas(body.door)
        yield from _model(body.door)
    if body.points is not None:
        yield from _points(body.points)
    for field in ("door.inside", "door.outside_in", "door.outside_out", "desk.location", "desk.supplier"):
        yield from _place(register, at, body, field)
    yield from _place(register, at, body, "desk.customer")


def _antennas(door: Door) -> Iterator[str]:
    inside, outside = door.inside_antennas, door.outside_antennas
    both = [*inside, *outside]
    if not inside or not outside or len({*both}) < len(both) or min(both) < 1:
        yield f"door: two rows of different antennas from 1 on expected, got {inside} inside and {outside} outside"


def _points(points: Points) -> Iterator[str]:
    named = [antenna for point in points.places for antenna in point.antennas]
    for antenna in sorted({*named}):
        if named.count(antenna) > 1:
            yield f"points.places: antenna {antenna} at one place expected, got {named.count(antenna)}"


def _model(door: Door) -> Iterator[str]:
    try:
        if door.model is not None:
            dock_models.find(door.model)
    except Refused as error:
        yield f"door.model: {error}"


def _place(register: Register, at: int, device: Device, field: str) -> Iterator[str]:
    table, _, name = field.partition(".")
    place = getattr(device, table)
    if place is not None and register.get("locations", ident := getattr(place, name), at) is None:
        yield f"{field}: one of the locations expected, got {ident!r}"


def _tag(register: Register, at: int, body: object) -> Iterator[str]:
    if not isinstance(body, TagBinding):
        return
    named = {field for field in ("sku", "quantity", "asset") if getattr(body, field) is not None}
    expected = {"stock": {"sku", "quantity"}, "asset": {"asset"}}.get(body.thing, set[str]())
    if named != expected:
        yield f'thing = "{body.thing}": {_list(expected)} expected with it, got {_list(named)}'
    for field, kind, ident in (("sku", "items", body.sku), ("asset", "assets", body.asset)):
        if ident is not None and register.get(kind, ident, at) is None:
            yield f"{field}: one of the {kind} expected, got {ident!r}"
    if body.sku is not None and body.sku in _parents(register, register.period(at)):
        yield f"sku: a variant of {body.sku!r} expected: the item itself has no stock"


@lru_cache(maxsize=8)
def _parents(register: Register, at: int) -> frozenset[str]:
    """Items that have variants."""
    items = register.all("items", at).values()
    return frozenset(each.variant_of for each in items if isinstance(each, Item) and each.variant_of is not None)


def _misnamed(register: Register, at: int) -> Iterator[str]:
    """A device is declared under the id that its readings are looked up by, and so only once."""
    for ident, body in register.all("devices", at).items():
        if isinstance(body, Device) and ident != body.register_id:
            yield f"devices.{ident}: id: {body.register_id!r} expected, its gateway and name, got {ident!r}"


def _trackers(register: Register, at: int) -> Iterator[str]:
    """An asset has one tracker at a time: its hours would be counted twice."""
    owners: dict[str, str] = {}
    for ident, body in register.all("devices", at).items():
        if isinstance(body, Device) and body.tracker is not None:
            asset = body.tracker.asset
            if asset in owners:
                yield f"devices.{ident}: tracker.asset: {asset!r} already has the tracker {owners[asset]!r}"
            owners.setdefault(asset, ident)


def _zone(register: Register, at: int, body: object) -> Iterator[str]:
    if not isinstance(body, Zone):
        return
    yield from geofence.problems(body)
    if body.site is not None and register.get("sites", body.site, at) is None:
        yield f"site: one of the sites expected, got {body.site!r}"


def _plan(register: Register, at: int, body: object) -> Iterator[str]:
    if not isinstance(body, Plan):
        return
    if register.get("assets", body.asset, at) is None:
        yield f"asset: one of the assets expected, got {body.asset!r}"
    yield from _regular(register, at, body)


def _codes(register: Register, at: int) -> Iterator[str]:
    for ident in sorted({*register.all("codes", at)} & {*CODES}):
        yield f"codes.{ident}: id: a code that is not built in expected, got {ident!r}"


def _regular(register: Register, at: int, plan: Plan) -> Iterator[str]:
    if not plan.is_regular:
        counted = "another meter, a calendar, a condition"
        yield f"every_hours, every_km, every_days: at least one of them expected, or {counted}"
    try:
        zone_of(plan.tz)
    except Refused as error:
        yield str(error)
    for each in plan.conditions:
        if each.inspection is not None and register.get("plans", each.inspection, at) is None:
            yield f"conditions.inspection: one of the plans expected, got {each.inspection!r}"


def _list(fields: set[str]) -> str:
    return " and ".join(sorted(fields)) or "nothing"


_Check = Callable[[Register, int, object], Iterator[str]]
_CHECKS: tuple[tuple[str, _Check], ...] = (
    ("locations", references_stock.location),
    ("devices", _device),
    ("items", references_stock.item),
    ("tags", _tag),
    ("zones", _zone),
    ("plans", _plan),
    ("assets", references_assets.asset),
    ("classes", references_use.asset_class),
    ("contacts", references_alerts.contact),
    ("teams", references_alerts.team),
)
_WHOLE: tuple[Callable[[Register, int], Iterator[str]], ...] = (
    references_stock.gtins,
    references_stock.variants,
    references_stock.cycles,
    references_stock.lots,
    references_warehouse.bins,
    references_warehouse.faces,
    references_assets.numbers,
    references_assets.components,
    references_alerts.rules,
    _misnamed,
    _trackers,
    _codes,
)
"""What no single entry of a kind can know."""
