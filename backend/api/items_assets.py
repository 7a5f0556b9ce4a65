"""The shape of what is asked and answered about the upkeep of assets: services, what is due, snoozed alerts.

Hours, kilometres and days are decimal text; `least` is sure, `most` has the use that nobody observed too.
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from backend.api.items_fleet import Range
from models.declared import Id
from models.reading import Time

Line = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)")]
Prose = Annotated[str, Meta(max_length=1000, pattern=r"^[^\x00]*$")]
Hours = Annotated[str, Meta(pattern=r"^[0-9]{1,12}(\.[0-9]{1,6})?$(?!\n)")]


class ServiceBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A service of a plan, or a repair of a component, that somebody did."""

    asset: Id
    kind: Literal["service", "repair"]
    at: Time
    plan: Id | None = None
    component: Line | None = None
    failed_at: Time | None = None
    hours: Hours | None = None
    """What the machine's own hour meter said; nothing is computed from it."""
    note: Prose | None = None
    result: Line | None = None
    """What an inspection or calibration found: conditions of plans go by it."""
    certificate: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    as_found: Annotated[dict[Line, Line], Meta(max_length=50)] = {}
    as_left: Annotated[dict[Line, Line], Meta(max_length=50)] = {}


class Service(Struct, frozen=True):
    """What was done, and whether it still counts: one that was recorded by mistake is withdrawn."""

    id: str
    n: int
    asset: str
    kind: str
    plan: str | None
    component: str | None
    at: datetime
    failed_at: datetime | None
    hours: str | None
    note: str | None
    actor: str
    recorded_at: datetime
    withdrawn_at: datetime | None
    withdrawn_by: str | None
    withdrawn_why: str | None
    result: str | None = None
    certificate: str | None = None
    as_found: dict[str, str] = {}
    as_left: dict[str, str] = {}


class Withdrawal(Struct, frozen=True, forbid_unknown_fields=True):
    """Why a service counts no more."""

    reason: Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"^[^\x00]*$")]


class Measure(Struct, frozen=True):
    """A plan by hours, km or days: `every` so many. `used` and `left` are null if nothing was ever heard of it.

    What is left is negative when it is late. From `due_from` on it may be due, by `due_by` it is, at the rate of the
    last 28 days; null where that cannot be said, and once hours or km have reached the interval.
    """

    by: str
    every: str
    used: Range | None
    left: Range | None
    state: str
    due_from: datetime | None
    due_by: datetime | None


class Due(Struct, frozen=True):
    """How a plan stands: unknown, ok, due_soon, may_be_due, due or overdue, whichever of its measures comes first.

    `occurrence` is the number of the service that is next; `missed`, how often the interval has surely passed.
    """

    asset: str
    plan: str
    name: str
    occurrence: int
    state: str
    since: datetime
    """When the present interval began: at the last service, if there was one."""
    last_service: str | None
    due_from: datetime | None
    due_by: datetime | None
    missed: int
    measures: list[Measure]
    reasons: list[str]
    kind: str = "service"
    covers: list[int] = []
    """Which of all that fall due it answers for: several, if some were missed."""
    passed: list[str] = []
    """What was passed without a service, if several were: dates, or hours, km and counts."""
    packages: list[str] = []
    blocks_use: bool = False
    """The asset must not be used while this is overdue."""


class DoneService(Struct, frozen=True):
    """A service that was done: what was used in its interval, and whether it came in time by the plan as it was then.

    `on_time` is null where nobody can say: for unobserved use, or when the first interval began.
    """

    id: str
    asset: str
    plan: str
    occurrence: int
    since: datetime
    at: datetime
    on_time: bool | None
    measures: list[Measure]


class Snooze(Struct, frozen=True, forbid_unknown_fields=True):
    """Until when an alert is to be quiet: a time, or so many hours from now; at most 90 days."""

    until: Time | None = None
    hours: Annotated[float, Meta(gt=0, le=2160)] | None = None
