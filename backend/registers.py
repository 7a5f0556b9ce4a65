"""The register as the workers hold it, loaded once per version, and journalled devices by their names in it."""

from collections.abc import Collection, Iterator
from threading import Lock
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, bindparam, func, literal, select

from backend.book import locks
from backend.book.register import load, version
from backend.book.schema import device, fold_state, gateway
from models.register import Register
from models.wire import is_global

_held: "WeakKeyDictionary[Engine, tuple[int, Register]]" = WeakKeyDictionary()
"""The last that was loaded of each book, for all workers of the process: it may be large."""
_loading = Lock()
"""One worker loads what all want, as when they begin; who loads waits for nobody."""
_STATES = (
    select(device.c.name, gateway.c.name, device.c.id, fold_state.c.state)
    .join_from(fold_state, device, device.c.id == fold_state.c.device_id)
    .outerjoin(gateway, gateway.c.id == device.c.gateway_id)
    .where(fold_state.c.step == bindparam("step"))
    .order_by(fold_state.c.device_id)
)
_OWNERS = select(gateway.c.id).where(gateway.c.name.in_(bindparam("owners", expanding=True)))
_IDS = select(device.c.id).where(
    device.c.gateway_id.in_(_OWNERS.union_all(select(literal(0)))),
    device.c.name.in_(bindparam("names", expanding=True)),
)
_STATES_OF = _STATES.where(fold_state.c.device_id.in_(_IDS))
_OWNER = select(gateway.c.id).where(gateway.c.name == bindparam("owner")).scalar_subquery()
_STATES_OF_ONE = _STATES.where(device.c.gateway_id == func.coalesce(_OWNER, 0), device.c.name == bindparam("own"))
"""The same of one name, as is asked of an asset with one tracker: in half the time."""


class Registers:
    """The present register, read anew when an entry was added."""

    def current(self, tx: Connection) -> Register:
        """The register as this transaction sees it; a writer's stays as it is until it ends."""
        locks.share_register(tx)
        now = version(tx)
        with _loading:
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


def states(tx: Connection, step: str, names: Collection[str] | None) -> Iterator[tuple[str, int, bytes]]:
    """What a step holds of devices of these names in the register, or of all: name, device in the journal, state."""
    if names is None:
        rows = tx.execute(_STATES, {"step": step})
    elif len(names) == 1:
        owner, own = _parts(*names)
        rows = tx.execute(_STATES_OF_ONE, {"step": step, "owner": owner, "own": own})
    elif names:
        parts = [_parts(each) for each in names]
        wanted = {"owners": [*{owner for owner, _ in parts}], "names": [*{name for _, name in parts}]}
        rows = tx.execute(_STATES_OF, {"step": step, **wanted})
    else:
        return
    for name, owner, device_id, state in rows:
        ident = register_id(owner, name)
        if names is None or ident in names:
            yield ident, device_id, bytes(state)


def _parts(name: str) -> tuple[str, str]:
    """Its gateway, empty if it is global, and what that calls it."""
    owner, _, own = ("", "", name) if is_global(name) else name.partition("/")
    return owner, own
