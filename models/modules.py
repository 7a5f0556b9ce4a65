"""The two modules, stock and assets: which kinds of things in the register belong to which, so that either runs alone.

What belongs to neither (sites, places, doors) is shared. A module that is off takes in no declarations: so its steps
have nothing to fold, and once it is on, what is declared from a time on is derived from the journal from then.
"""

from collections.abc import Collection, Mapping
from typing import Literal

from msgspec import Struct

from models.declared import Device, TagBinding
from models.errors import Refused

Module = Literal["stock", "assets"]
BOTH: tuple[Module, ...] = ("stock", "assets")
OF_KIND: Mapping[str, Module] = {
    "suppliers": "stock",
    "items": "stock",
    "lots": "stock",
    "bins": "stock",
    "faces": "stock",
    "assets": "assets",
    "classes": "assets",
    "zones": "assets",
    "plans": "assets",
    "calendars": "assets",
    "codes": "assets",
}
OF_THING: Mapping[str, Module] = {"stock": "stock", "asset": "assets"}


def check(kind: str, ident: str, body: Struct, modules: Collection[str]) -> None:
    """Raise Refused if a declaration belongs to a module that is off; it names the field."""
    field, module = _needs(kind, body)
    if module is not None and module not in modules:
        msg = f"{kind}.{ident}: {field}only with the module {module}, which is off here ([backend] modules)"
        raise Refused(msg)


def _needs(kind: str, body: Struct) -> tuple[str, Module | None]:
    if isinstance(body, TagBinding):
        return f"thing = {body.thing}: ", OF_THING.get(body.thing)
    if isinstance(body, Device) and body.tracker is not None:
        return "tracker: ", "assets"
    if isinstance(body, Device) and body.desk is not None:
        return "desk: ", "stock"
    return "", OF_KIND.get(kind)
