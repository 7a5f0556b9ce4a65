"""The shape of what is asked and answered about the use of assets: meters, stops, utilisation, reliability, duty.

Hours, km and times are decimal text. A range is what is sure and what may be; null is what nobody can say.
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from backend.api.items_fleet import Range
from models.declared import Id
from models.motion.noted import What
from models.reading import Time

Amount = Annotated[str, Meta(pattern=r"^[0-9]{1,12}(\.[0-9]{1,6})?$(?!\n)")]
Reason = Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"^[^\x00]*$")]


class MeterNoteBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody says of a meter: a reading of it, a count, a reset, a new one, a value that was wrong.

    `value` is null for `void` only; `before` is what it said last before a reset, replacement or baseline.
    """

    meter: Literal["hours", "km", "starts", "cycles", "engine_hours", "odometer", "tracker_odometer"]
    kind: What
    at: Time
    reason: Reason
    value: Amount | None = None
    before: Amount | None = None


class MeterNote(Struct, frozen=True):
    """A note, and whether it still counts."""

    id: str
    n: int
    asset: str
    meter: str
    kind: str
    at: datetime
    value: str | None
    before: str | None
    reason: str
    actor: str
    recorded_at: datetime
    withdrawn_at: datetime | None
    withdrawn_by: str | None
    withdrawn_why: str | None


class StopBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A machine stands, or stood; `end` is null while it does. Planned ones are no failures."""

    begin: Time
    reason: Reason
    planned: bool
    end: Time | None = None
    work_order: Id | None = None


class StopEnd(Struct, frozen=True, forbid_unknown_fields=True):
    """When it ran again."""

    at: Time


class Stop(Struct, frozen=True):
    """A time that a machine stood."""

    id: str
    asset: str
    begin: datetime
    end: datetime | None
    planned: bool
    reason: str
    work_order: str | None


class UseOf(Struct, frozen=True):
    """Use of one base: all time, the shifts of a calendar, or its target; shares of 1.

    `share` is what ran within the base, `worked_share` what worked within it, `load` all that ran over the base: more
    than 1 with overtime. Null where the base has no hours, or no times of its own.
    """

    base: str
    base_hours: str
    ran_hours: Range | None
    ran_in_all: Range
    share: Range | None
    worked_share: Range | None
    load: Range | None


class Utilisation(Struct, frozen=True):
    """How much an asset was used of each base; hours of the whole span by what it did."""

    asset: str
    begin: datetime
    end: datetime
    hours: dict[str, str]
    use: list[UseOf]


class Between(Struct, frozen=True):
    """At least and at most; null: nothing says how much."""

    least: str | None
    most: str | None


class Availability(Struct, frozen=True):
    """How an asset did in a span: hours and shares. Without a failure the time between failures is at least `least`."""

    asset: str
    begin: datetime
    end: datetime
    required_hours: str
    planned_hours: str
    down_hours: str
    unobserved_hours: str
    failures: int
    repaired: int
    mtbf_hours: Between | None
    mttr_hours: Between | None
    availability: Between | None
    run_hours: Range | None
    mtbf_run_hours: Between | None
    """By what it ran."""


class Oee(Struct, frozen=True):
    """Overall equipment effectiveness of a span, and what it is made of; shares of 1."""

    asset: str
    begin: datetime
    end: datetime
    base: str
    planned_hours: str
    down_hours: str
    availability: str
    performance: str
    quality: str
    oee: str


class Fitted(Struct, frozen=True):
    """A Weibull distribution of lives, in `unit`; ranges are 95 % confidence. B10: by then a tenth have failed."""

    eta: str
    beta: str
    eta_range: Range
    beta_range: Range
    mean: str
    b10: str


class Advice(Struct, frozen=True):
    """When to replace a component: replace_at_age or run_to_failure; costs per `unit` of life."""

    advice: str
    why: str
    age: str | None
    rate: str | None
    rate_to_failure: str
    saves: str | None


class ComponentLife(Struct, frozen=True):
    """How long a component lives: lives that ended in a failure, and those that go on, of these assets.

    `left_out` are assets of which nobody can say how long a life was. `fit` is null where `missing` says what is.
    """

    asset: str
    by: str
    component: str
    unit: str
    failures: int
    going_on: int
    assets: list[str]
    left_out: list[str]
    lives: list[str]
    fit: Fitted | None
    missing: str | None
    survives: Range | None
    """The share that lives longer than the present one of this asset; and than as much again."""
    replacement: Advice | None


class DutyLeft(Struct, frozen=True):
    """What a hoist was designed for, what counts as done, and what is left; below 0 it has done more."""

    of: str
    design: str
    done: Range
    left: Range


class HoistDuty(Struct, frozen=True):
    """A hoist's hours and starts in a span, what is left of its design, and why its contact is not believed."""

    asset: str
    begin: datetime
    end: datetime
    hours: Range | None
    starts: Between | None
    stuck: str | None
    in_all: list[DutyLeft]
