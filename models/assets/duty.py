"""The duty of a crane's hoist: hours and starts, and how much of what it was designed for is left.

Counting method of ISO 12482:2014: what was done counts by a factor for how well it is known, from 1.0 for automatic
recording to 1.5 for an unknown history. Contacts bounce: what is off, or on, for less than a second is no start.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct

from models.declared_use import Duty, PastDuty, Quality
from models.motion.spans import Span

FACTORS: Mapping[Quality, Decimal] = {
    "automatic": Decimal("1.0"),
    "documented_process": Decimal("1.1"),
    "documented_production": Decimal("1.2"),
    "undocumented": Decimal("1.3"),
    "unknown": Decimal("1.5"),
}
"""f1 by the quality of the source: ISO 12482:2014, table 3."""
BOUNCE_US = 1_000_000
STUCK_US = 86_400_000_000
"""No hoist lifts for a whole day."""
OFF_US = 60_000_000
"""For so long a hoist may be said to be on after the ignition is off: the two are not told at one moment."""


class Left(Struct, frozen=True):
    """Of hours or starts: those that it was designed for, that count as done, and that are left; at least and at most.

    What is left is below 0 when it has done more than it was designed for.
    """

    design: Decimal
    done: tuple[Decimal, Decimal]

    @property
    def left(self) -> tuple[Decimal, Decimal]:
        """At least and at most."""
        return self.design - self.done[1], self.design - self.done[0]


class Contact(Struct, frozen=True):
    """How a hoist and the ignition stand as last heard, and since when; None: the ignition is on, or is not heard."""

    on: bool
    since: int
    last_at: int
    ignition_off_since: int | None = None


def starts(lifting: Iterable[Span], dark: Sequence[Span]) -> tuple[int, int | None]:
    """How often it surely started, and how often at most: None where time was not observed, for nobody can say.

    `lifting`: when it was on; of what was on when it was heard again, nobody knows whether it had stopped.
    """
    joined: list[Span] = []
    for begin, end in sorted(lifting):
        if joined and begin - joined[-1][1] < BOUNCE_US:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    after_dark = {end for _, end in dark}
    found = [begin for begin, end in joined if end - begin >= BOUNCE_US]
    sure = sum(begin not in after_dark for begin in found)
    return sure, None if dark else sure


def left(duty: Duty, hours: tuple[Decimal, Decimal], started: tuple[Decimal, Decimal | None]) -> dict[str, Left]:
    """By hours and by starts, what is left of the design; `hours` and `started` were recorded automatically."""
    found: dict[str, Left] = {}
    if duty.design_hours is not None:
        past = sum((_weighed(each, each.hours) for each in duty.before), Decimal(0))
        found["hours"] = Left(duty.design_hours, (past + hours[0], past + hours[1]))
    if duty.design_starts is not None and started[1] is not None:
        past = sum((_weighed(each, each.starts) for each in duty.before), Decimal(0))
        found["starts"] = Left(duty.design_starts, (past + started[0], past + started[1]))
    return found


def _weighed(past: PastDuty, amount: Decimal) -> Decimal:
    return FACTORS[past.quality] * amount


def stuck(contact: Contact) -> str | None:
    """Why its contact cannot be believed: on for more than a day, or while the ignition is off; None if it can."""
    if not contact.on:
        return None
    if contact.last_at - contact.since > STUCK_US:
        return f"on for {(contact.last_at - contact.since) // 3_600_000_000} h"
    off = contact.ignition_off_since
    if off is not None and contact.last_at - max(off, contact.since) >= OFF_US:
        return "on while the ignition is off"
    return None
