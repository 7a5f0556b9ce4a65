"""The life of an asset: ordered, in service, stored, in repair, retired, disposed; and which steps there are between.

A state is a dated entry of the register. Retired is a decision about use, which can be taken back; disposed is final,
for then somebody else has it. An entry that was a mistake is corrected by one with the same `valid_from`.
"""

from collections.abc import Mapping
from typing import Literal

from models.errors import Refused

State = Literal["ordered", "in_service", "stored", "in_repair", "retired", "disposed"]
STATES: tuple[State, ...] = ("ordered", "in_service", "stored", "in_repair", "retired", "disposed")
"""In the order of a life."""
NEXT: Mapping[State, tuple[State, ...]] = {
    "ordered": ("in_service", "stored"),
    "in_service": ("stored", "in_repair", "retired"),
    "stored": ("in_service", "in_repair", "retired"),
    "in_repair": ("in_service", "stored", "retired"),
    "retired": ("in_service", "stored", "disposed"),
    "disposed": (),
}
"""What may follow each state; staying what it is always may."""
ACTIVE: frozenset[State] = frozenset({"in_service", "stored", "in_repair"})
"""States in which maintenance plans are judged: oil ages and inspections fall due in a shed and a workshop, too.

What is ordered has not come, and what is retired or disposed is not used again before it is taken back.
"""


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
