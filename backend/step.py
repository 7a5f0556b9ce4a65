"""What a step is: a pure fold of models, the readings that feed it, and the rows and movements that follow.

`advance` runs the fold over one key's readings in fold order, cut at UTC days (checkpoints) and where a dated
parameter changes. Ingest and the deriver both call it, so the order of arrival cannot matter.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import Table

from models.reading import Reading
from models.register import Register
from models.stock.ledger import Movement

DAY_US = 86_400_000_000
FOR_EVER = 1 << 62


class Reached(Protocol):
    """A fold's state: it knows when its last fact was."""

    @property
    def last_at(self) -> int: ...


P = TypeVar("P")
S = TypeVar("S", bound=Reached)
R = TypeVar("R")


class Fact(Struct, frozen=True, gc=False):
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
    table: Table
    id: str
    closed_at: int
    seen_at: int
    """When it showed that it is over: its end, or an earlier fact after a change of the parameters."""
    row: dict[str, Any]
    movement: Movement | None

    @property
    def day(self) -> int:
        """The day it belongs to: nothing that is read or declared for later days can change it."""
        return min(self.closed_at, self.seen_at) // DAY_US

    @property
    def stored(self) -> dict[str, Any]:
        """The row as its table has it."""
        return {**self.row, "day": self.day}


class Old(NamedTuple):
    """A derived row that is taken back, and what it was (every column but n)."""

    table: Table
    id: str
    movement: str | None
    row: Mapping[str, Any]


class Change(NamedTuple):
    """What a transaction makes of derived rows. A row that is in both with the same columns stays as it is.

    `broken`: by device, which photo-eye was broken when, as far as the journal does not have it yet.
    """

    new: Sequence[Derived]
    old: Sequence[Old] = ()
    broken: Mapping[int, Sequence[tuple[str, int]]] = {}


@dataclass(frozen=True, slots=True)
class Step(Generic[P, S, R]):
    """One entry of `backend.apply.STEPS`. P: parameters, S: state, R: what the fold emits."""

    name: str
    kinds: tuple[str, ...]
    """The kinds of readings that it folds."""
    table: Table
    subject: Callable[[Reading], str]
    params: Callable[[Register, Key, int], P | None]
    depends_on: Callable[[Register, Key], Sequence[int]]
    """The times from which other parameters hold."""
    state: type[S]
    fold: Callable[[P, S | None, Sequence[Fact]], tuple[S | None, list[R]]]
    due: Callable[[P, S | None], int | None]
    expire: Callable[[P, S | None, int], tuple[S | None, list[R]]]
    derive: Callable[[Register, Key, R, int], Derived]
    """The row of what was emitted, and when that was: it may ask the register up to then, and not after."""
    goes_on: bool
    """Whether a state goes on under other parameters; else what is open ends under those it began with."""
    serves: Callable[[Register, str], bool] = lambda _register, _device: True
    """Whether a device's readings may be folded at any time; what is declared never takes it back."""
    stirs: Callable[[Register, Key, S | None, S | None], set[str]] = lambda _register, _key, _before, _after: set()
    """The assets that planners look at again because the state became another, though no row says so."""
    hurries: bool = False
    """Whether they look at those at once, as they may be leaving."""

    def decode(self, state: bytes) -> S | None:
        """The state from its stored bytes."""
        return msgspec.msgpack.decode(state, type=self.state | None)


@dataclass(slots=True)
class Folded(Generic[S, R]):
    """The outcome of `advance`: the state after the last fact, what was emitted, the state before each new day.

    Each row has the time of the fact at which it was emitted.
    """

    state: S | None
    rows: list[tuple[R, int]] = field(default_factory=list[Any])
    checkpoints: list[tuple[int, bytes]] = field(default_factory=list[tuple[int, bytes]])


def ended_by_register(
    close: Callable[[S, None], list[R]],
) -> Callable[[object, S | None, int], tuple[S | None, list[R]]]:
    """The `expire` of a step whose state no silence ends, only the register: its tracker is mounted nowhere."""

    def expire(_params: object, state: S | None, now: int) -> tuple[S | None, list[R]]:
        return (state, []) if state is None or now < FOR_EVER else (None, close(state, None))

    return expire


def encode(state: object) -> bytes:
    """A state as bytes; equal states give equal bytes."""
    return msgspec.msgpack.encode(state, order="deterministic")


def advance(
    step: Step[P, S, R], register: Register, key: Key, start: tuple[S | None, int | None], facts: Sequence[Fact]
) -> Folded[S, R]:
    """Fold facts, in fold order and each once, onto `start` = (state, time of its last fact or None).

    What is due before a day begins ends first, and what is due when other parameters hold ends under the old ones: so
    a checkpoint and the state rebuilt up to it are equal, whenever time was said to have passed.
    """
    state, last_at = start
    folded: Folded[S, R] = Folded(state)
    boundaries = step.depends_on(register, key)
    for piece in _pieces(facts, boundaries):
        day = piece[0].at // DAY_US
        if last_at is None or last_at // DAY_US != day:
            _end_before_day(step, register, key, folded, piece[0].at)
        params = step.params(register, key, piece[0].at)
        if folded.state is not None and _crossed(boundaries, folded.state.last_at, piece[0].at):
            _end_before_change(step, register, key, folded, (params, piece[0].at))
        if params is not None:
            folded.state, rows = step.fold(params, folded.state, piece)
            folded.rows += [(row, piece[-1].at) for row in rows]
        last_at = piece[-1].at
    return folded


def _end_before_day(step: Step[P, S, R], register: Register, key: Key, folded: Folded[S, R], at: int) -> None:
    day = at // DAY_US
    if folded.state is not None:
        _expire(step, step.params(register, key, folded.state.last_at), folded, (day * DAY_US - 1, at))
    folded.checkpoints.append((day, encode(folded.state)))


def _end_before_change(
    step: Step[P, S, R], register: Register, key: Key, folded: Folded[S, R], after: tuple[P | None, int]
) -> None:
    assert folded.state is not None  # noqa: S101 - asked by the caller
    params, at = after
    before = step.params(register, key, folded.state.last_at)
    kept = params is not None and (step.goes_on or params == before)
    _expire(step, before, folded, (at if kept else FOR_EVER, at))


def _expire(step: Step[P, S, R], params: P | None, folded: Folded[S, R], to: tuple[int, int]) -> None:
    """`to`: up to when time has passed, and at which fact that shows."""
    assert params is not None  # noqa: S101 - there is no state where nothing is folded
    folded.state, rows = step.expire(params, folded.state, to[0])
    folded.rows += [(row, to[1]) for row in rows]


def _crossed(boundaries: Sequence[int], since: int, until: int) -> bool:
    return bisect_right(boundaries, since) != bisect_right(boundaries, until)


def _pieces(facts: Sequence[Fact], boundaries: Sequence[int]) -> Iterator[Sequence[Fact]]:
    """Runs of facts within one day and one set of parameters."""
    spans = [(fact.at // DAY_US, bisect_right(boundaries, fact.at)) for fact in facts]
    cuts = [0, *(i + 1 for i, (a, b) in enumerate(pairwise(spans)) if a != b), len(facts)]
    return (facts[low:high] for low, high in pairwise(cuts) if low < high)
