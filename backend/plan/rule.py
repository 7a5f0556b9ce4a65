"""The shape of a rule: facts loaded for some subjects, and a pure verdict on each of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import Connection

from models.alert import Alert
from models.register import Register

SECOND_US = 1_000_000
ACTOR = "planner"
"""Who raises and closes alerts by these rules."""
DAY_US = 86_400 * SECOND_US
F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class View:
    """What a rule may look at and, if it settles something, write to."""

    tx: Connection
    register: Register
    now: int


@dataclass(frozen=True, slots=True)
class Rule(Generic[F]):
    """One entry of RULES. `of` is the kind of subject in `changed` that it listens to: item, tag, gateway."""

    name: str
    of: str
    load: Callable[[View, Sequence[str]], list[tuple[str, F]]]
    """The alerts' subjects and their facts, for some idents of the kind `of`."""
    judge: Callable[[F, int], Alert | None]
    """The alert that the facts call for now, or None."""
    everything: Callable[[View], Sequence[str]] | None = None
    """Every ident, for the regular look at all."""
    every_us: int = DAY_US
    is_state: bool = True
    """About a state: the alert closes when its facts no longer call for it. Else it is about a moment and stays."""
    steady: Callable[[Alert], int] | None = None
    """For how long an alert must have been called for before it is raised, microseconds; None: not at all."""
    level: Callable[[F], float | None] | None = None
    """What is measured, as a share of what raises an alert: one that stands closes below `clear_share` of it only."""
    rest_us: int = 0
    """How long a subject is not looked at again, though it changed, and then a few at once; 0: at once, and all.

    For a rule that looks at much and whose verdict changes slowly.
    """
    is_urgent: bool = False
    """Looked at at once, too, for assets that may be leaving."""
    settle: Callable[[View, F], None] | None = None
    """What follows from the facts besides an alert, written before the verdict."""
