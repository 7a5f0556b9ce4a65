"""The register as the workers hold it, loaded once per version, and the names of journalled devices in it."""

from sqlalchemy import Connection, select

from backend.book.register import load, version
from backend.book.schema import device, gateway
from models.register import Register
from models.wire import is_global


class Registers:
    """The present register, read anew when an entry was added."""

    def __init__(self) -> None:
        self._held: tuple[int, Register] | None = None

    def current(self, tx: Connection) -> Register:
        """The register as this transaction sees it."""
        now = version(tx)
        if self._held is None or self._held[0] != now:
            self._held = (now, load(tx))
        return self._held[1]


def register_id(gateway_name: str, name: str) -> str:
    """The device's id in the register: `gateway/name`, or its name if that is global."""
    return name if is_global(name) else f"{gateway_name}/{name}"


def register_name(tx: Connection, device_id: int) -> str:
    """`register_id` of a journalled device."""
    query = (
        select(device.c.name, gateway.c.name)
        .outerjoin(gateway, gateway.c.id == device.c.gateway_id)
        .where(device.c.id == device_id)
    )
    name, owner = tx.execute(query).one()
    return register_id(owner, name)
