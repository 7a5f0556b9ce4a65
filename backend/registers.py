"""The register as the workers hold it, loaded once per version, and the names of journalled devices in it."""

from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, select

from backend.book import locks
from backend.book.register import load, version
from backend.book.schema import device, gateway
from models.register import Register
from models.wire import is_global

_held: "WeakKeyDictionary[Engine, tuple[int, Register]]" = WeakKeyDictionary()
"""The last that was loaded of each book, for all workers of the process: it may be large."""


class Registers:
    """The present register, read anew when an entry was added."""

    def current(self, tx: Connection) -> Register:
        """The register as this transaction sees it; a writer's stays as it is until it ends."""
        locks.share_register(tx)
        now = version(tx)
        held = _held.get(tx.engine)
        if held is None or held[0] != now:
            held = _held[tx.engine] = (now, load(tx))
        return held[1]


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
