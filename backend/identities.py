"""Views of the register that the rules of models ask for, as of a time; built once per span without a change."""

from collections import defaultdict
from functools import lru_cache

from models import identity, scan
from models.identity import Override
from models.register import Asset, Device, Item, Location, Register, TagBinding


def identities(register: Register, at: int) -> identity.Register:
    """What tags are, as of a time."""
    return _identities(register, register.period(at))


def workflow_of(register: Register, device: str, at: int) -> scan.Workflow:
    """What a scanner's workflow knows of items and locations, as of a time."""
    return _workflow(register, device, register.period(at))


@lru_cache(maxsize=8)
def devices_of(register: Register) -> dict[str, list[str]]:
    """Every device that was ever mounted on an asset."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for (kind, ident), dated in sorted(register.entries.items()):
        bodies = [entry.body for entry in dated] if kind == "devices" else []
        for asset in {body.tracker.asset for body in bodies if isinstance(body, Device) and body.tracker is not None}:
            found[asset].append(ident)
    return found


@lru_cache(maxsize=32)
def _identities(register: Register, at: int) -> identity.Register:
    items = register.all("items", at)
    assets = register.all("assets", at)
    return identity.Register(
        tags={epc: _override(body) for epc, body in register.all("tags", at).items() if isinstance(body, TagBinding)},
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


@lru_cache(maxsize=64)
def _workflow(register: Register, device: str, at: int) -> scan.Workflow:
    items = {
        pack.gtin: scan.Item(sku, item.name, item.tagged, pack.units)
        for sku, item in register.all("items", at).items()
        if isinstance(item, Item)
        for pack in item.gtins
    }
    places = register.all("locations", at)
    locations = {
        ident.lower(): ident for ident, place in places.items() if isinstance(place, Location) and not place.virtual
    }
    return scan.Workflow(device, items, locations)
