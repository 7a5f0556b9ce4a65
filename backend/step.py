"""What a step is: a pure fold of models, the readings that feed it, and the rows and movements that follow.

`advance` runs the fold over one key's readings in fold order, cut at UTC days (checkpoints) and where a dated
parameter changes. Ingest and the deriver both call it, so the order of arrival cannot matter.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import Table

from models.reading import Reading
from models.register import Register
from models.stock.ledger import Movement

DAY_US = 86_400_000_000
P = TypeVar("P")
S = TypeVar("S")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Fact:
    """A reading that counts; facts of one key sort by (at, content)."""

    at: int
    content: bytes
    reading: Reading


@dataclass(frozen=True, slots=True)
class Key:
    """What a fold runs for: a device (as the register and the journal know it) and a subject, such as a tag."""

    device_id: int
    device: str
    """`gateway/name`, or the name of a global device: its id in the register."""
    subject: str


@dataclass(frozen=True, slots=True)
class Derived:
    """One derived row of a step, and the movement that it calls for."""

    step: str
    id: str
    closed_at: int
    row: dict[str, Any]
    movement: Movement | None


@dataclass(frozen=True, slots=True)
class Step(Generic[P, S, R]):
    """One entry of `backend.apply.STEPS`. P: parameters, S: state, R: what the fold emits."""

    name: str
    kind: str
    table: Table
    subject: Callable[[Reading], str]
    params: Callable[[Register, Key, int], P | None]
    depends_on: Callable[[Register, Key], Sequence[int]]
    """The times from which other parameters hold."""
    state: type[S]
    fold: Callable[[P, S | None, Sequence[Fact]], tuple[S | None, list[R]]]
    due: Callable[[P, S | None], int | None]
    expire: Callable[[P, S | None, int], tuple[S | None, list[R]]]
    derive: Callable[[Register, Key, R], Derived]

    def decode(self, state: bytes) -> S | None:
        """The state from its stored bytes."""
        return msgspec.msgpack.decode(state, type=self.state | None)


@dataclass(slots=True)
class Folded(Generic[S, R]):
    """The outcome of `advance`: the state after the last fact, what was emitted, the state before each new day."""

    state: S | None
    rows: list[R] = field(default_factory=list[Any])
    checkpoints: list[tuple[int, bytes]] = field(default_factory=list[tuple[int, bytes]])


def encode(state: object) -> bytes:
    """A state as bytes; equal states give equal bytes."""
    return msgspec.msgpack.encode(state, order="deterministic")


def advance(
    step: Step[P, S, R], register: Register, key: Key, start: tuple[S | None, int | None], facts: Sequence[Fact]
) -> Folded[S, R]:
    """Fold facts, in fold order and each once, onto `start` = (state, time of its last fact or None).

    A pass that is due before a day begins, or before other parameters hold, is closed first, so that a checkpoint
    and the state rebuilt up to it are equal.
    """
    state, last_at = start
    folded: Folded[S, R] = Folded(state)
    for begins, new_day, piece in _pieces(facts, step.depends_on(register, key), last_at):
        before = None if begins is None or last_at is None else step.params(register, key, last_at)
        if before is not None and begins is not None:
            folded.state, rows = step.expire(before, folded.state, begins - 1)
            folded.rows += rows
        if new_day:
            folded.checkpoints.append((piece[0].at // DAY_US, encode(folded.state)))
        params = step.params(register, key, piece[0].at)
        if params is None:
            folded.state = None
        else:
            folded.state, rows = step.fold(params, folded.state, piece)
            folded.rows += rows
        last_at = piece[-1].at
    return folded


def _pieces(
    facts: Sequence[Fact], boundaries: Sequence[int], last_at: int | None
) -> Iterator[tuple[int | None, bool, Sequence[Fact]]]:
    """Runs of facts within one day and one set of parameters: (where the run's span begins, is the day new, facts)."""
    if not facts:
        return
    spans = [(fact.at // DAY_US, bisect_right(boundaries, fact.at)) for fact in facts]
    cuts = [0, *(i + 1 for i, (a, b) in enumerate(pairwise(spans)) if a != b), len(facts)]
    before = None if last_at is None else (last_at // DAY_US, bisect_right(boundaries, last_at))
    for low, high in pairwise(cuts):
        day, span = spans[low]
        new_day = before is None or before[0] != day
        begins = None
        if before is not None and before != (day, span):
            begins = max(day * DAY_US if new_day else 0, boundaries[span - 1] if before[1] != span else 0)
        yield begins, new_day, facts[low:high]
        before = spans[low]
