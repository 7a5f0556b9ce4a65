"""What writers of a PostgreSQL book lock, always in this order: the register, streams, devices, numbers, ledger head.

A writer of a SQLite book is alone, so that all of this does nothing there. Who folds shares the register and holds the
devices that it folds; who changes the register owns it, so that it finds every key that was folded under the old one.
Rows that readers follow by number are numbered under one lock that is held to the commit: a number is never seen
before a lower one.
"""

from collections.abc import Collection, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, bindparam, select, text
from sqlalchemy.exc import OperationalError

from backend.book.schema import device

_REGISTER, _NUMBERS, LEASES, MIGRATIONS = range(5_390_001, 5_390_005)
"""Keys of advisory locks; any numbers that no other program in the same database uses."""
_SHARE = text(f"SELECT pg_advisory_xact_lock_shared({_REGISTER})")
_OWN = text(f"SELECT pg_advisory_xact_lock({_REGISTER})")
_TRY_TO_OWN = text(f"SELECT pg_try_advisory_xact_lock({_REGISTER})")
_NUMBER = text(f"SELECT pg_advisory_xact_lock({_NUMBERS})")
_DEVICES = (
    select(device.c.id).where(device.c.id.in_(bindparam("ids", expanding=True))).order_by(device.c.id)
).with_for_update(key_share=True)
_FREE_DEVICES = (
    select(device.c.id).where(device.c.id.in_(bindparam("ids", expanding=True))).order_by(device.c.id)
).with_for_update(key_share=True, skip_locked=True)
IDS_A_QUERY = 5000
LONG_S = 120
_HELD = "stockyard_locks"
WRITER = "stockyard_writer"
"""The execution option of a writer's connection."""
_alone: ContextVar[bool] = ContextVar("alone", default=False)


@dataclass(slots=True)
class _Held:
    """What a writer of a PostgreSQL book holds."""

    shares_register: bool = False
    owns_register: bool = False
    numbers: bool = False
    devices: set[int] = field(default_factory=set[int])


class RegisterShared(OperationalError):
    """A transaction must change the register that others share now: it is run again, and owns it from the start."""

    def __init__(self) -> None:
        super().__init__("own the register", None, RuntimeError("others fold by the register that is to be changed"))


@contextmanager
def owning_register() -> Generator[None]:
    """Transactions in this block own the register from where they would share it."""
    token = _alone.set(True)
    try:
        yield
    finally:
        _alone.reset(token)


def begin(tx: Connection, held_idle_s: int) -> None:
    """A writer's transaction begins: it holds nothing yet, and nothing for longer than this while it does nothing."""
    if tx.dialect.name != "sqlite":
        tx.info[_HELD] = _Held()
        tx.exec_driver_sql(f"SET LOCAL idle_in_transaction_session_timeout = '{held_idle_s}s'")


def work_long(tx: Connection) -> None:
    """What follows may be worked out for longer than a process may stand still, with all that is held."""
    if tx.dialect.name != "sqlite":
        tx.exec_driver_sql(f"SET LOCAL idle_in_transaction_session_timeout = '{LONG_S}s'")


@contextmanager
def savepoint(tx: Connection) -> Generator[None]:
    """What is locked in this block is not held any more if the block fails."""
    held = _held(tx)
    before = None if held is None else replace(held, devices={*held.devices})
    try:
        with tx.begin_nested():
            yield
    except BaseException:
        if before is not None:
            tx.info[_HELD] = before
        raise


def _held(tx: Connection) -> _Held | None:
    """None for a reader, and of a SQLite book."""
    if tx.dialect.name == "sqlite" or not tx.get_execution_options().get(WRITER):
        return None
    held: _Held = tx.info[_HELD]
    return held


def share_register(tx: Connection) -> None:
    """The register stays as it is until this transaction ends."""
    held = _held(tx)
    if held is None or held.shares_register or held.owns_register:
        return
    tx.execute(_OWN if _alone.get() else _SHARE)
    held.owns_register = _alone.get()
    held.shares_register = not held.owns_register


def own_register(tx: Connection) -> None:
    """Nobody folds by the register, or changes it, until this transaction ends.

    Raises RegisterShared if this transaction and others share it: two that wait for each other would wait for ever.
    """
    held = _held(tx)
    if held is None or held.owns_register:
        return
    if not held.shares_register:
        tx.execute(_OWN)
    elif not tx.scalar(_TRY_TO_OWN):
        raise RegisterShared
    held.owns_register = True


def hold_devices(tx: Connection, ids: Collection[int]) -> bool:
    """Nobody else folds what these devices told until this transaction ends; False if that is nothing new."""
    held = _held(tx)
    if held is None or held.devices.issuperset(ids):
        return False
    wanted = sorted({*ids} - held.devices)
    for low in range(0, len(wanted), IDS_A_QUERY):
        tx.execute(_DEVICES, {"ids": wanted[low : low + IDS_A_QUERY]})
    held.devices |= set(wanted)
    return True


def are_held(tx: Connection, ids: Collection[int]) -> bool:
    """Whether nobody else folds what any of these devices told."""
    held = _held(tx)
    return held is None or held.devices.issuperset(ids)


def free_devices(tx: Connection, ids: Collection[int]) -> Collection[int]:
    """Those of these devices that nobody else holds; they are held now. What was read of them before may be old."""
    held = _held(tx)
    if held is None:
        return ids
    wanted = sorted({*ids} - held.devices)
    for low in range(0, len(wanted), IDS_A_QUERY):
        held.devices.update(tx.scalars(_FREE_DEVICES, {"ids": wanted[low : low + IDS_A_QUERY]}))
    return held.devices & {*ids}


def number(tx: Connection) -> None:
    """Nobody else numbers rows that readers follow (events, crossings, acts, alerts ...) until this one ends."""
    held = _held(tx)
    if held is not None and not held.numbers:
        tx.execute(_NUMBER)
        held.numbers = True
