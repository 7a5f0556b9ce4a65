"""What people declare of use: shift calendars, and for how much lifting a hoist was designed."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Meta, Struct

from models.declared_stock import Name
from models.units import not_negative, positive

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Quality = Literal["automatic", "documented_process", "documented_production", "undocumented", "unknown"]
Clock = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$(?!\n)")]


class Shift(Struct, frozen=True, forbid_unknown_fields=True):
    """From a time of these days to another by the clock: of the next day, where that is not later (22:00 to 06:00)."""

    days: Annotated[list[Weekday], Meta(min_length=1, max_length=7)]
    begin: Clock
    end: Clock


class Calendar(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A shift calendar; a category names the one that its assets are planned by."""

    name: Name
    tz: str
    """A name of the IANA time zone database, such as Europe/Brussels."""
    shifts: Annotated[list[Shift], Meta(max_length=50)] = []
    holidays: Annotated[list[date], Meta(max_length=1000)] = []
    """No shift begins on these days."""
    target_hours: Decimal | None = None
    """How many hours a week each machine is to run."""

    def __post_init__(self) -> None:
        positive(target_hours=self.target_hours)
        try:
            ZoneInfo(self.tz)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            msg = f"tz: a time zone such as Europe/Brussels expected, got {self.tz[:64]!r}"
            raise ValueError(msg) from error


class PastDuty(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a hoist did before it was watched, and how well that is known."""

    quality: Quality
    hours: Decimal = Decimal(0)
    starts: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        not_negative(hours=self.hours, starts=self.starts)


class Duty(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How many hours or starts a hoist was designed for, and those of before."""

    design_hours: Decimal | None = None
    design_starts: Decimal | None = None
    before: Annotated[list[PastDuty], Meta(max_length=20)] = []

    def __post_init__(self) -> None:
        positive(design_hours=self.design_hours, design_starts=self.design_starts)
