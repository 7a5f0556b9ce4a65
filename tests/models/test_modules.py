"""Each module alone: what belongs to the other is refused, and what belongs to neither is not."""

import pytest
from msgspec import Struct

from models import modules
from models.declared import KINDS, Asset, Desk, Device, Door, Item, Location, TagBinding, Tracker
from models.errors import Refused

DOOR = Device("door-1", "g", door=Door([1], [2], "hall", "supplier", "customer"))


@pytest.mark.parametrize(
    ("kind", "body", "module"),
    [
        ("items", Item("Bolt"), "stock"),
        ("assets", Asset("Crane", "s1"), "assets"),
        ("devices", Device("imei:1", tracker=Tracker("c1")), "assets"),
        ("devices", Device("s1", "g", desk=Desk("hall", "supplier", "customer")), "stock"),
        ("tags", TagBinding("stock", "bolt"), "stock"),
        ("tags", TagBinding("asset", asset="c1"), "assets"),
        ("tags", TagBinding("none"), None),
        ("devices", DOOR, None),
        ("locations", Location("Hall"), None),
    ],
)
def test_what_belongs_to_a_module_needs_it(kind: str, body: Struct, module: str | None) -> None:
    modules.check(kind, "x", body, modules.BOTH)
    for on in modules.BOTH:
        if module in (None, on):
            modules.check(kind, "x", body, [on])
        else:
            with pytest.raises(Refused, match=f"{kind}.x: .*only with the module {module}"):
                modules.check(kind, "x", body, [on])


def test_the_kinds_are_those_of_the_register() -> None:
    assert set(modules.OF_KIND) < set(KINDS)
