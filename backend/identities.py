"""Views of the register that the rules of models ask for, as of a time; built once per span without a change."""

from collections import defaultdict
from functools import lru_cache

from msgspec.structs import replace

from models import epc, identity, scan
from models.declared import Asset, Device, Item, Location, TagBinding
from models.errors import BadCode
from models.identity import Override
from models.register import Register
from models.stock.item import Units


def identities(register: Register, at: int, tag: str) -> identity.Register:
    """What this tag is, as of a time."""
    known, binding = _identities(register, register.period(at)), register.get("tags", tag, at)
    if not isinstance(binding, TagBinding) or binding.thing == "epc":
        return known
    return replace(known, tags={tag: _override(binding)})


def workflow_of(register: Register, device: str, at: int) -> scan.Workflow:
    """What a scanner's workflow knows of items and locations, as of a time."""
    return replace(_workflow(register, register.period(at)), device=device)


@lru_cache(maxsize=8)
def devices_of(register: Register) -> dict[str, list[str]]:
    """Every device that was ever mounted on an asset."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for (kind, ident), dated in sorted(register.entries.items()):
        bodies = [entry.body for entry in dated] if kind == "devices" else []
        for asset in {body.tracker.asset for body in bodies if isinstance(body, Device) and body.tracker is not None}:
            found[asset].append(ident)
    return found


@lru_cache(maxsize=8)
def _identities(register: Register, at: int) -> identity.Register:
    items = register.all("items", at)
    assets = register.all("assets", at)
    return identity.Register(
        gtins={
            pack.gtin: (sku, pack.units) for sku, item in items.items() if isinstance(item, Item) for pack in item.gtins
        },
        assets={asset.giai: ident for ident, asset in assets.items() if isinstance(asset, Asset) and asset.giai},
    )


def _override(binding: TagBinding) -> Override:
    match binding.thing:
        case "stock":
            return Override(sku=binding.sku, quantity=binding.quantity)
        case "asset":
            return Override(asset=binding.asset)
        case _:
            return Override()


@lru_cache(maxsize=8)
def _workflow(register: Register, at: int) -> scan.Workflow:
    """Of any scanner."""
    items = {
        pack.gtin: scan.Item(sku, item.name, item.tagged, pack.units, item.uom, measures(item))
        for sku, item in register.all("items", at).items()
        if isinstance(item, Item)
        for pack in item.gtins
    }
    places = register.all("locations", at)
    locations = {
        ident.lower(): ident for ident, place in places.items() if isinstance(place, Location) and not place.is_virtual
    }
    assets = {ident: asset for ident, asset in register.all("assets", at).items() if isinstance(asset, Asset)}
    codes = {code: ident for ident, asset in assets.items() if asset.giai and (code := _elements(asset.giai))}
    return scan.Workflow("", items, locations, assets={ident.lower(): ident for ident in assets}, codes=codes)


def measures(item: Item) -> Units:
    """The units of an item, and whether it has only whole numbers of its own."""
    return Units.of(item.uom, [(each.unit, each.numerator, each.denominator) for each in item.units], whole=item.whole)


def _elements(code: str) -> str | None:
    """How a barcode carries an asset's GIAI or GRAI, `(8004)` or `(8003)` and its digits; None for what is no code."""
    try:
        parsed = epc.parse_uri(code)
    except BadCode:
        return None
    ai = {"giai": "8004", "grai": "8003"}.get(parsed.scheme)
    return None if ai is None else f"({ai}){parsed.key}"
