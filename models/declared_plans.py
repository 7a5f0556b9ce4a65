"""What people declare of maintenance: a plan of one asset, what it counts by, and when an asset rests.

A plan of before these fields keeps its meaning: intervals float, and whichever comes first.
"""

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct

from models.declared_stock import Id, Name
from models.reading import Time
from models.units import not_negative, positive

MonthDay = Annotated[str, Meta(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$(?!\n)")]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Zone = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$(?!\n)")]
Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=1, le=10**9)]


class Season(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Days of every year, both included, in which an asset rests: "11-15" to "03-15" is a winter."""

    begin: MonthDay
    end: MonthDay
    year: Annotated[int, Meta(ge=1970, le=2199)] | None = None
    """Only in the year in which it begins; else in every year."""


class Recurrence(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Every so many days, weeks, months or years, at the same hour of the plan's time zone.

    Without a day of its own it is the one that it is counted from: after the 31st comes the last day of a month. With
    one it is that day of the week, month or year that the count comes to.
    """

    every: Annotated[int, Meta(ge=1, le=36_500)]
    unit: Literal["day", "week", "month", "year"]
    weekday: Weekday | None = None
    """Of a week; with `nth` of a month or year."""
    nth: Literal[1, 2, 3, 4, -1] | None = None
    """The first, second, third, fourth or last such weekday of the month."""
    day: Annotated[int, Meta(ge=1, le=31)] | None = None
    """Of a month or year; the last one where the month is shorter."""
    month: Annotated[int, Meta(ge=1, le=12)] | None = None
    """Of a year."""

    def __post_init__(self) -> None:
        monthly = self.unit in {"month", "year"}
        if self.weekday is not None and (self.unit == "day" or monthly == (self.nth is None)):
            msg = "weekday: expected with weeks, or with nth and months or years"
            raise ValueError(msg)
        if self.nth is not None and (self.weekday is None or self.day is not None):
            msg = "nth: expected with a weekday, and without a day"
            raise ValueError(msg)
        if self.day is not None and not monthly:
            msg = "day: expected with months or years only"
            raise ValueError(msg)
        if self.month is not None and self.unit != "year":
            msg = "month: expected with years only"
            raise ValueError(msg)


class Condition(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something measured or found that calls for a service, since the last one was done."""

    signal: Name | None = None
    """A signal of the asset's tracker or sensors; with `above` or `below`."""
    above: float | None = None
    below: float | None = None
    hours: Annotated[int, Meta(ge=1, le=8760)] | None = None
    """Held by the mean of so many whole hours in a row in which it was heard."""
    readings: Annotated[int, Meta(ge=1, le=1000)] | None = None
    """Or by so many readings in a row; without either by the last one."""
    inspection: Id | None = None
    """Or the plan of an inspection whose last service found one of `results`."""
    results: list[Name] = []

    def __post_init__(self) -> None:
        if (self.signal is None) == (self.inspection is None):
            msg = "signal, inspection: one of them expected"
            raise ValueError(msg)
        if self.signal is not None and (self.above is None) == (self.below is None):
            msg = "above, below: one of them expected with a signal"
            raise ValueError(msg)
        if self.inspection is not None and not self.results:
            msg = "results: at least one expected with an inspection"
            raise ValueError(msg)
        if self.hours is not None and self.readings is not None:
            msg = "hours, readings: at most one of them expected"
            raise ValueError(msg)


class Package(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What every so-manieth service includes beside the plain one."""

    name: Name
    every: Annotated[int, Meta(ge=1, le=1000)]
    replaces: bool = False
    """Whether the packages of a smaller `every` are part of it and not listed beside it."""


class Plan(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Preventive maintenance of one asset: by use, by the calendar, by what is measured; whichever first, or all."""

    asset: Id
    name: str
    every_hours: Decimal | None = None
    every_km: Decimal | None = None
    every_days: Annotated[int, Meta(ge=1, le=36_500)] | None = None
    due_soon: Annotated[float, Meta(ge=0, lt=1)] = 0.1
    """Told when less than this share of an interval is left."""
    overdue_after: Share = 0.1
    """Overdue when it is late by more than this share of an interval."""
    starts_at: Time | None = None
    """When the first interval begins; else when the plan was first declared, or from when it holds if that is later."""
    every_cycles: Count | None = None
    every_starts: Count | None = None
    calendar: Recurrence | None = None
    conditions: Annotated[list[Condition], Meta(max_length=20)] = []
    match: Literal["any", "all"] = "any"
    """Due when the first of these has come, or when all have."""
    timing: Literal["floating", "fixed", "shifted"] = "floating"
    """The next interval begins when the service was done; where it was due; or between, by the shift factors."""
    shift_late: Share = 1.0
    """Of `shifted`: by which share of its delay a late service moves the next one."""
    shift_early: Share = 1.0
    shift_tolerance: Share = 0.0
    """Of `shifted`: a service that is off by no more than this share of the interval moves nothing."""
    tz: Zone = "UTC"
    """The time zone of its days and seasons."""
    packages: Annotated[list[Package], Meta(max_length=20)] = []
    call_days: Annotated[int, Meta(ge=0, le=3650)] | None = None
    """Told so long before it may be due; `due_soon` counts no more, if one of these is said."""
    call_hours: Decimal | None = None
    call_km: Decimal | None = None
    kind: Literal["service", "inspection", "calibration", "lubrication", "statutory"] = "service"
    blocks_use: bool = False
    """Whether the asset must not be used while this is overdue."""
    inactive: Annotated[list[Season], Meta(max_length=50)] = []
    """When the plan rests; an asset has its own, too."""
    when_inactive: Literal["shift", "skip"] = "shift"
    """A date that falls into such days comes right after them, or not at all."""
    team: Name | None = None
    """Who does it."""
    lasts_hours: Decimal | None = None
    """How long it takes."""
    auto_order: bool = False
    """Whether a work order is made of it by itself, as soon as it is told of."""

    def __post_init__(self) -> None:
        positive(every_hours=self.every_hours, every_km=self.every_km, lasts_hours=self.lasts_hours)
        not_negative(call_hours=self.call_hours, call_km=self.call_km)

    @property
    def is_regular(self) -> bool:
        """Whether it counts by anything at all."""
        counted = (self.every_hours, self.every_km, self.every_days, self.every_cycles, self.every_starts)
        return self.calendar is not None or bool(self.conditions) or any(each is not None for each in counted)
