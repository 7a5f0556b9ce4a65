"""What every key of the folds stands at when a day begins: the states that a seal keeps, and the digest over them.

A state of then is the last checkpoint before, with the readings of that day folded onto it: so one day's readings are
read for each key, however many days are sealed at once.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Table, select

from backend.book import sealed
from backend.book.schema import checkpoint, sealed_state
from backend.refold import Refold, fold_keys
from backend.registers import register_name
from backend.step import DAY_US, Key, Step, encode
from models.register import Register

MODULUS = 1 << 256
PAGE = 5000
AnyStep = Step[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Sum:
    """How many things there are, and a digest over them that does not depend on their order."""

    count: int
    digest: bytes


def summed(texts: Iterable[bytes]) -> Sum:
    """The sum of the SHA-256 of each, as 256 bits."""
    count = total = 0
    for text in texts:
        count += 1
        total += int.from_bytes(sha256(text).digest(), "big")
    return Sum(count, (total % MODULUS).to_bytes(32, "big"))


def devices_of(tx: Connection, step: AnyStep) -> list[int]:
    """The devices that a step has states of, sealed or since."""
    found: set[int] = set()
    for table in (checkpoint, sealed_state):
        found.update(tx.scalars(select(table.c.device_id).where(table.c.step == step.name).distinct()))
    return sorted(found)


def at_midnight(step: AnyStep, register: Register, key: Key, state: Any, day: int) -> bytes:  # noqa: ANN401 - a state
    """A state with all ended that was due before a day begins, as a checkpoint of that day has it."""
    if state is not None:
        params = step.params(register, key, state.last_at)
        state, _ = step.expire(params, state, day * DAY_US - 1)
    return encode(state)


def changed_states(
    tx: Connection, register: Register, step: AnyStep, device_id: int, day: int
) -> list[tuple[str, bytes]]:
    """The keys of a device, with their states when `day` begins, that stand at something else than at the last seal."""
    held = sealed.states(tx, step.name, device_id)
    name = register_name(tx, device_id)
    states = {subject: step.decode(text) for subject, text in held.items()}
    keys = _keys(tx, step, Key(device_id, name, ""), day)
    states |= {k.key.subject: k.state for k in fold_keys(tx, register, step, keys)}
    made = {
        subject: at_midnight(step, register, Key(device_id, name, subject), state, day)
        for subject, state in sorted(states.items())
    }
    return [(subject, text) for subject, text in made.items() if text != held.get(subject, sealed.NOTHING)]


def _keys(tx: Connection, step: AnyStep, device: Key, day: int) -> list[Refold]:
    """Every key that was folded since the last seal, at its last checkpoint before a day."""
    first = sealed.first_day(tx)
    table = checkpoint.c
    query = select(table.subject, table.day, table.state).where(
        table.step == step.name, table.device_id == device.device_id, table.day < day
    )
    if first is not None:
        query = query.where(table.day >= first)
    last: dict[str, tuple[int, bytes]] = {}
    for subject, on, state in tx.execute(query.order_by(table.subject, table.day)).yield_per(PAGE):
        last[subject] = (on, bytes(state))
    return [
        Refold(Key(device.device_id, device.device, subject), on, on, step.decode(state), {})
        for subject, (on, state) in last.items()
    ]


def states_digest(tx: Connection, step: AnyStep, day: int) -> Sum:
    """Over what all keys of a step stand at when `day` begins; its rows are there, whether it is sealed or about to."""
    return summed(_newest(tx, step, day))


def _newest(tx: Connection, step: AnyStep, day: int) -> Iterator[bytes]:
    table = sealed_state.c
    query = select(sealed_state).where(table.step == step.name, table.day <= day)
    last: tuple[int, str, bytes] | None = None
    for row in tx.execute(query.order_by(table.device_id, table.subject, table.day)).yield_per(PAGE):
        if last is not None and last[:2] != (row.device_id, row.subject) and last[2] != sealed.NOTHING:
            yield repr(last).encode()
        last = (row.device_id, row.subject, bytes(row.state))
    if last is not None and last[2] != sealed.NOTHING:
        yield repr(last).encode()


def columns_of(step: AnyStep) -> list[str]:
    """The columns of a step's rows that a seal is over: all but the number, by which lists are followed."""
    return [column.name for column in step.table.columns if column.name != "n"]


def rows_digest(tx: Connection, table: Table, columns: Sequence[str], span: tuple[int | None, int]) -> Sum:
    """Over derived rows of the days from span[0] (None: the first) to before span[1]."""
    query = select(*(table.c[name] for name in columns)).where(table.c.day < span[1])
    if span[0] is not None:
        query = query.where(table.c.day >= span[0])
    return summed(json.dumps([*row]).encode() for row in tx.execute(query).yield_per(PAGE))


def rows_span(day: int, before: int | None) -> tuple[int | None, int]:
    """The days of the derived rows that a seal is over: nothing that comes after it may change them.

    Of the last day before the seal a door's vote still may.
    """
    return (None if before is None else before - sealed.KEPT_DAYS, day - sealed.KEPT_DAYS)
