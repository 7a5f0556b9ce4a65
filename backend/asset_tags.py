"""Which asset a tag is on, quickly, for every tag that is read; and which tags are or were on an asset."""

from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select

from backend.book.schema import device, fold_state, gateway
from backend.identities import identities
from models import epc
from models.declared import Asset, Device, TagBinding
from models.errors import BadCode
from models.identity import identify
from models.register import Register
from models.wire import is_global

HEADERS = ("33", "37", "34", "38")
"""Of EPCs that are GRAI or GIAI: first bytes of tag memory."""
FILTERS = range(8)
_OWNER = select(gateway.c.id).where(gateway.c.name == bindparam("owner")).scalar_subquery()
_DEVICE = select(device.c.id).where(device.c.gateway_id == func.coalesce(_OWNER, 0), device.c.name == bindparam("own"))
_STATES = select(fold_state).where(
    fold_state.c.step == bindparam("step"),
    fold_state.c.device_id.in_(bindparam("devices", expanding=True)),
    fold_state.c.subject.in_(bindparam("tags", expanding=True)),
)
CODINGS = {"giai": ("giai-96", "giai-202"), "grai": ("grai-96", "grai-170")}


def asset_of(register: Register, tag: str, at: int) -> str | None:
    """The registered asset that a tag is on at a time; of other tags None, for what two look-ups cost."""
    if not tag.startswith(HEADERS) and ("tags", tag) not in register.entries:
        return None
    return identify(tag, identities(register, at, tag)).asset


def tags_of(register: Register, asset: str) -> frozenset[str]:
    """Every tag that may be, or have been, on an asset: those that are bound to it, and all that its code may be."""
    return _bound(register).get(asset, frozenset()) | _coded(register, asset)


@lru_cache(maxsize=2)
def _bound(register: Register) -> dict[str, frozenset[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for (kind, ident), dated in register.entries.items():
        for entry in dated if kind == "tags" else ():
            if isinstance(entry.body, TagBinding) and entry.body.asset is not None:
                found[entry.body.asset].add(ident)
    return {asset: frozenset(tags) for asset, tags in found.items()}


def _coded(register: Register, asset: str) -> frozenset[str]:
    dated = register.entries.get(("assets", asset), [])
    codes = {entry.body.giai for entry in dated if isinstance(entry.body, Asset) and entry.body.giai}
    return frozenset(tag for code in codes for tag in _memories(code))


@lru_cache(maxsize=4096)
def _memories(code: str) -> tuple[str, ...]:
    """What tag memory may hold of a code: long and short codings with every filter."""
    try:
        scheme, body = epc.parse_uri(code).scheme, code.rpartition(":")[2]
    except BadCode:
        return ()
    texts = [f"urn:epc:tag:{coding}:{n}.{body}" for coding in CODINGS.get(scheme, ()) for n in FILTERS]
    return tuple(found for text in texts if (found := _encoded(text)) is not None)


def _encoded(text: str) -> str | None:
    """None of what a coding cannot hold."""
    try:
        return epc.encode(text)
    except BadCode:
        return None


def states(tx: Connection, register: Register, step: str, asset: str) -> list[Row[Any]]:
    """What a step of tags (dock, presence) stands at of the tags of an asset, at the readers that there are now."""
    tags = tags_of(register, asset)
    devices = {device for name in _readers(register) for device in _device_ids(tx, name)} if tags else set[int]()
    return [*tx.execute(_STATES, {"step": step, "devices": sorted(devices), "tags": sorted(tags)})] if devices else []


@lru_cache(maxsize=2)
def _readers(register: Register) -> tuple[str, ...]:
    """Every device that was ever declared to be a door or to tell presence."""
    return tuple(
        ident
        for (kind, ident), dated in register.entries.items()
        if kind == "devices"
        and any(isinstance(e.body, Device) and (e.body.door or e.body.points) is not None for e in dated)
    )


def _device_ids(tx: Connection, name: str) -> Iterable[int]:
    owner, _, own = ("", "", name) if is_global(name) else name.partition("/")
    return tx.scalars(_DEVICE, {"owner": owner, "own": own})
