"""When a risk is an alert, and what it says: one rule for alerts in operation and for those that a model is judged by.

An alert is in force from when the risk reaches the threshold, for three days at least, until the risk has fallen well
below it or the machine was repaired.
"""

from datetime import datetime

from msgspec import Struct

HOUR_US = 3_600_000_000
CLOSED_BELOW = 0.6
"""Of the threshold."""
LASTS_US = 72 * HOUR_US
"""At least, so that a risk that wavers is one alert."""
NOTICE_US, AHEAD_US = 24 * HOUR_US, 14 * 24 * HOUR_US
"""A failure is announced by an alert raised at least, and at most, so long before it, and in force at the least."""


def in_force(risk: float, threshold: float, at: int, raised_at: int | None) -> bool:
    """Whether there is to be an alert at a time (microseconds), given when the present one was raised, if there is one.

    >>> in_force(0.5, 0.4, 0, None), in_force(0.3, 0.4, 80 * HOUR_US, 0), in_force(0.2, 0.4, 80 * HOUR_US, 0)
    (True, True, False)
    """
    if raised_at is None:
        return risk >= threshold
    return risk >= CLOSED_BELOW * threshold or at < raised_at + LASTS_US


class Reason(Struct, frozen=True):
    """One reason; what it has no figure for is null."""

    signal: str
    value: float
    """The mean of the last 24 hours in which it ran; of the load, of 72."""
    normal: float | None
    """Of this machine, at the load of those hours."""
    spread: float | None
    """Of its days around its normal."""
    unit: str
    since: datetime | None
    """When it left its normal by more than three spreads and has not come back since."""
    share: float
    """Of the risk: how much of it is gone when this is set to normal."""
    text: str
