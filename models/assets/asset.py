"""The life of an asset, from ordered to sold, recycled or disposed; and which steps there are between.

A state is a dated entry of the register. Retired is a decision about use, which can be taken back; what is gone is
final, for then somebody else has it. An entry that was a mistake is corrected by one with the same `valid_from`.
"""

from collections.abc import Mapping
from typing import Literal, get_args

from models.errors import Refused

State = Literal[
    "ordered", "in_service", "down", "idle", "stored", "in_repair", "retired", "sold", "recycled", "disposed"
]
STATES: tuple[State, ...] = get_args(State)
"""In the order of a life. Down: it should run and cannot; idle: nobody needs it now, so that others may have it."""
_IN_USE: tuple[State, ...] = ("in_service", "down", "idle", "stored", "in_repair")
_LEAVES: tuple[State, ...] = ("retired", "sold", "recycled")
NEXT: Mapping[State, tuple[State, ...]] = {
    "ordered": ("in_service", "idle", "stored"),
    "in_service": ("down", "idle", "stored", "in_repair", *_LEAVES),
    "down": ("in_service", "idle", "stored", "in_repair", *_LEAVES),
    "idle": ("in_service", "down", "stored", "in_repair", *_LEAVES),
    "stored": ("in_service", "down", "idle", "in_repair", *_LEAVES),
    "in_repair": ("in_service", "down", "idle", "stored", *_LEAVES),
    "retired": ("in_service", "idle", "stored", "sold", "recycled", "disposed"),
    "sold": (),
    "recycled": (),
    "disposed": (),
}
"""What may follow each state; staying what it is always may. Disposed, which says not how, takes a decision first."""
ACTIVE: frozenset[State] = frozenset(_IN_USE)
"""States in which maintenance plans are judged: oil ages and inspections fall due in a shed and a workshop, too.

What is ordered has not come, and what is retired or gone is not used again before it is taken back.
"""
GONE: frozenset[State] = frozenset({"sold", "recycled", "disposed"})
"""States in which somebody else has it, or nobody: final."""


def check_transition(before: State | None, after: State) -> None:
    """Nothing, or Refused naming the field. Without a state before, a life may begin in any: assets come as they are.

    >>> check_transition("ordered", "in_service")
    >>> check_transition("disposed", "in_service")
    Traceback (most recent call last):
    models.errors.Refused: state: nothing follows disposed, got in_service
    """
    if before is None or after == before or after in NEXT[before]:
        return
    following = NEXT[before]
    msg = f"state: nothing follows {before}, got {after}"
    if following:
        msg = f"state: after {before} one of {', '.join(following)} expected, got {after}"
    raise Refused(msg)
