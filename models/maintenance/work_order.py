"""Work orders: what is to be done to an asset, and the steps from a request to a closed order as one literal table.

A step is taken by somebody at a time, and those that stop or undo work say why. What a step changes besides the state
(parts, services, downtime) is the book's; which steps there are, and from where, is said only here.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal, NamedTuple

from msgspec import Struct

from models.alert import MOMENTS
from models.errors import Clash, Refused
from models.maintenance.work_task import Task

Kind = Literal["corrective", "preventive", "inspection", "calibration", "modification"]
Priority = Literal["urgent", "high", "normal", "low"]
State = Literal[
    "request", "approved", "planned", "in_progress", "on_hold", "done", "closed", "rejected", "cancelled"
]  # fmt: skip
What = Literal[
    "approve", "reject", "plan", "start", "hold", "resume", "complete", "reopen", "close", "cancel"
]  # fmt: skip
PRIORITIES: tuple[Priority, ...] = ("urgent", "high", "normal", "low")
OPEN: tuple[State, ...] = ("request", "approved", "planned", "in_progress", "on_hold")
"""Work is still to be done; of these there is at most one order for an asset and plan."""
DROPPED: tuple[State, ...] = ("rejected", "cancelled")
WORKED: tuple[State, ...] = ("in_progress", "on_hold")
"""Only now labour, readings and parts are written down."""
PROMISED: tuple[State, ...] = ("planned", *WORKED)
"""Its parts are reserved."""
EDITED: tuple[State, ...] = ("request", "approved", *PROMISED)
"""What is to be done may still be changed."""
ENDS_WITH_WORK = MOMENTS | {"service_due"}
"""Rules whose alert is over when the order made of it is done. The others are about a state: their rule looks again."""


class Step(NamedTuple):
    """From which states to which; `why` is whether a reason is expected."""

    before: tuple[State, ...]
    after: State
    why: bool = False


STEPS: dict[What, Step] = {
    "approve": Step(("request",), "approved"),
    "reject": Step(("request",), "rejected", why=True),
    "plan": Step(("approved", "planned"), "planned"),
    "start": Step(("approved", "planned"), "in_progress"),
    "hold": Step(("in_progress",), "on_hold", why=True),
    "resume": Step(("on_hold",), "in_progress"),
    "complete": Step(("in_progress",), "done"),
    "reopen": Step(("done",), "in_progress", why=True),
    "close": Step(("done",), "closed"),
    "cancel": Step(OPEN, "cancelled", why=True),
}
"""Every step there is. What is closed, rejected or cancelled stays so: further work is a further order."""


class WorkOrder(Struct, frozen=True, kw_only=True):
    """What somebody asks for, under an id of their own; times in microseconds UTC."""

    id: str
    kind: Kind
    asset: str
    title: str
    text: str | None = None
    priority: Priority = "normal"
    approved: bool = False
    """Made by who may decide that it is done; else it is a request."""
    plan: str | None = None
    """It is the next service of this plan; several that were missed are one order."""
    alert: str | None = None
    origin: str | None = None
    """The order at whose work it was found to be needed."""
    component: str | None = None
    failed_at: int | None = None
    due_at: int | None = None
    planned_at: int | None = None
    assignee: str | None = None
    team: str | None = None
    estimate_h: Decimal | None = None
    tasks: list[Task] = []


def step(state: State, what: What, why: str | None) -> State:
    """The state after a step. Raises Clash naming the state and what was expected, Refused without a reason."""
    known = STEPS[what]
    if state not in known.before:
        msg = f"{what}: a work order that is {' or '.join(known.before)} expected, it is {state}"
        raise Clash(msg)
    if known.why and not why:
        msg = f"reason: why expected of {what}, got nothing"
        raise Refused(msg)
    return known.after


def check_in(state: State, expected: Iterable[State], doing: str) -> None:
    """Raises Clash where something is not done in a state."""
    if state not in expected:
        msg = f"{doing}: a work order that is {' or '.join(expected)} expected, it is {state}"
        raise Clash(msg)


def is_overdue(state: State, due_at: int | None, now: int) -> bool:
    """Whether work that is still to be done should have been."""
    return state in OPEN and due_at is not None and due_at < now


def first_broken(life: Iterable[tuple[str, State]]) -> str | None:
    """The first step (what, state after) of a recorded life that could not be, in words; None if all could.

    It begins with `made`; what is no step of the table (a note, an answer) leaves the state as it is.
    """
    state: State | None = None
    for what, after in life:
        if state is None:
            if what != "made" or after not in {"request", "approved"}:
                return f"{what}: made as request or approved expected first"
        elif what in STEPS:
            known = STEPS[what]
            if state not in known.before or known.after != after:
                return f"{what}: from {state} to {after}"
        elif after != state:
            return f"{what}: from {state} to {after}"
        state = after
    return None if state is not None else "nothing"
