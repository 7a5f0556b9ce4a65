"""What the locations of the register are to valuation: ours, or which kind of the world outside."""

from collections.abc import Callable

from models.declared import Device, Location
from models.place import CUSTOMER, SUPPLIER, VIRTUAL
from models.register import Register
from models.stock.valuation import kind_of


class Kinds:
    """Kinds of locations as of a time. A virtual one that says no kind is what doors and desks use it as."""

    def __init__(self, register: Register) -> None:
        self._register = register
        self._used: dict[str, str] = {}
        for (kind, _), dated in sorted(register.entries.items()):
            for body in [entry.body for entry in dated] if kind == "devices" else ():
                if isinstance(body, Device):
                    self._used |= uses(body)

    def at(self, at: int) -> Callable[[str], str | None]:
        """Which kind a location is at a time; None is ours."""

        def kind(ident: str) -> str | None:
            body = self._register.get("locations", ident, at)
            if not isinstance(body, Location):
                return kind_of(ident, None, is_virtual=False)
            named = body.kind
            if named is None and body.virtual and ident not in VIRTUAL:
                return self._used.get(ident) or kind_of(ident, None, is_virtual=True)
            return kind_of(ident, named, is_virtual=body.virtual)

        return kind


def uses(device: Device) -> dict[str, str]:
    """The locations outside that a door or a desk names, with what it uses each as."""
    used: dict[str, str] = {}
    if device.door is not None:
        used |= {device.door.outside_out: CUSTOMER, device.door.outside_in: SUPPLIER}
    if device.desk is not None:
        used |= {device.desk.customer: CUSTOMER, device.desk.supplier: SUPPLIER}
    return used
