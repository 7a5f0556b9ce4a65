"""Views of the register: made once for a span without a change, and gone with it."""

import gc
import weakref
from decimal import Decimal

from backend.identities import devices_of, identities, workflow_of
from models.declared import Asset, Device, Item, PackGtin, TagBinding, Tracker
from models.register import Entry, Register

TAG = "30" * 12


class Watched(Register):
    """One that a test can ask whether it is still there."""


def version(k: int) -> Register:
    """A register to which somebody wrote `k` times."""
    pump = Item("Pump", gtins=[PackGtin("09521321000012", Decimal(1))])
    return Watched.of(
        [
            Entry("items", "PUMP", 0, 1, pump),
            Entry("assets", "T", 0, 2, Asset("Truck", "1", giai="urn:epc:id:giai:9521321.1")),
            Entry("devices", "imei:1", 0, 3, Device("imei:1", tracker=Tracker("T"))),
            *(Entry("tags", TAG, 10 + each, 4 + each, TagBinding("none")) for each in range(k)),
        ]
    )


def test_scanners_share_what_items_and_places_are() -> None:
    register = version(1)
    one, other = (workflow_of(register, device, 100) for device in ("id:a", "id:b"))
    assert (one.device, other.device) == ("id:a", "id:b")
    assert one.items is other.items
    assert one.assets == {"t": "T"}


def test_views_do_not_keep_a_register_for_ever() -> None:
    held: list[weakref.ref[Register]] = []
    for k in range(50):
        register = version(k)
        held.append(weakref.ref(register))
        assert workflow_of(register, "id:a", 100).items
        assert identities(register, 100, TAG).gtins
        assert devices_of(register) == {"T": ["imei:1"]}
    del register
    gc.collect()
    assert sum(each() is not None for each in held) <= 8
