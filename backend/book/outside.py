"""The places that stand for those outside: who supplies us, and who uses what leaves."""

from functools import lru_cache

from msgspec import Struct

from models.declared import Device, Location
from models.place import ADJUSTMENT, IN_TRANSIT, SCRAP, SUPPLIER, VIRTUAL
from models.register import Register

NOT_USED = frozenset({SUPPLIER, ADJUSTMENT, IN_TRANSIT, SCRAP})
"""What goes there was not asked for."""


class Outside(Struct, frozen=True):
    """Virtual places: suppliers' (with the supplier that each is, if it tells), users', and all of them."""

    suppliers: dict[str, str | None]
    users: frozenset[str]
    all: frozenset[str]


def outside(register: Register, at: int) -> Outside:
    """The virtual places of a time (microseconds)."""
    return _outside(register, register.period(at))


@lru_cache(maxsize=8)
def _outside(register: Register, at: int) -> Outside:
    """A place is a supplier's by its kind, or because a door or a desk receives from there."""
    places = {ident: body for ident, body in register.all("locations", at).items() if isinstance(body, Location)}
    virtual = {ident for ident, body in places.items() if body.is_virtual} | (VIRTUAL - places.keys())
    kinds = {ident: places[ident].kind if ident in places else None for ident in virtual}
    devices = [body for body in register.all("devices", at).values() if isinstance(body, Device)]
    sources = {device.door.outside_in for device in devices if device.door is not None}
    sources |= {device.desk.supplier for device in devices if device.desk is not None}
    sources = {ident for ident in virtual if (kinds[ident] or ident) == SUPPLIER or ident in sources}
    known = register.all("suppliers", at)
    users = {ident for ident in virtual - sources if (kinds[ident] or ident) not in NOT_USED}
    return Outside(
        {ident: ident if ident in known else None for ident in sources}, frozenset(users), frozenset(virtual)
    )
