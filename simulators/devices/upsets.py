"""What goes wrong with a tracker by chance: its clock, its power, its network."""

from dataclasses import dataclass
from random import Random
from typing import Protocol

MOST_WRONG = 20
DAY_US = 86_400_000_000
WEEK_ROLLOVER_US, FUTURE_US = 1024 * 7 * DAY_US, 30 * DAY_US
LONGEST_REBOOT_S, LONGEST_OUTAGE_S = 5.0, 20.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """Shares of records after which it begins."""

    week: float = 0.0
    """The clock loses 1024 weeks, for up to 20 records."""
    future: float = 0.0
    """The clock is 30 days ahead, for up to 20 records."""
    reboot: float = 0.0
    outage: float = 0.0


class Upset(Protocol):
    """What can be done to a tracker."""

    def reboot(self, seconds: float) -> None:
        """It loses its connection, not its records."""

    def outage(self, seconds: float) -> None:
        """It loses its network."""


class Clock:
    """A tracker's clock: right, or wrong for some records."""

    def __init__(self, chance: Random, trouble: Trouble) -> None:
        self._chance, self._trouble = chance, trouble
        self._error_us = self._left = 0

    def error_us(self) -> int:
        """By how much it is wrong for the next record."""
        if self._left:
            self._left -= 1
            return self._error_us
        for share, error_us in ((self._trouble.week, -WEEK_ROLLOVER_US), (self._trouble.future, FUTURE_US)):
            if self._chance.random() < share:
                self._left, self._error_us = self._chance.randint(0, MOST_WRONG - 1), error_us
                return error_us
        return 0


def upset(tracker: Upset, chance: Random, trouble: Trouble) -> None:
    """Now and then, after a record."""
    if chance.random() < trouble.reboot:
        tracker.reboot(chance.uniform(0, LONGEST_REBOOT_S))
    elif chance.random() < trouble.outage:
        tracker.outage(chance.uniform(0, LONGEST_OUTAGE_S))
