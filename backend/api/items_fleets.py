"""The shape of answers about many assets at once: what they said last, how they drove, means and breakdowns by group.

Figures of signals are floats in the signal's own unit, as they were measured. Days are UTC days.
"""

from datetime import datetime

from msgspec import Struct


class Group(Struct, frozen=True):
    """What assets have in common; null where it was not asked to group by it, or the register does not say."""

    fleet: str | None
    model: str | None
    driver: str | None


class Position(Struct, frozen=True):
    """Where an asset's tracker last said it was, as it was sent: also a position that is not believed."""

    asset: str
    at: datetime
    lat: float
    lon: float


class Latest(Struct, frozen=True):
    """The newest value of a signal of an asset; `share` is its part of the rated figure that was asked for."""

    asset: str
    at: datetime
    value: float
    share: float | None


class Drove(Struct, frozen=True):
    """How an asset drove from `begin` to `end`. Driven are ten minutes with a mean speed above 1 m/s.

    A session is driven ten minutes without a break; one that goes past the end is cut there.
    """

    asset: str
    fleet: str | None
    driver: str | None
    begin: datetime
    end: datetime
    mean_mps: float
    hours: float
    sessions: int
    session_hours: float | None
    """The mean of them; null where there is none."""
    longest_hours: float


class GroupMean(Struct, frozen=True):
    """The mean of a signal over a group of assets."""

    of: Group
    assets: int
    values: int
    mean: float
    """Of all values."""
    rated: float | None
    """The mean of the assets' rated figure, weighted by values; null unless asked for, or if one has none."""
    share: float | None
    """The mean of each asset's mean as a part of its rated figure: every asset counts alike."""


class Activity(Struct, frozen=True):
    """How long the assets of a group were active on a day, summed: ten minutes with a mean below a bound."""

    of: Group
    date: str
    assets: int
    hours: float


class Breakdowns(Struct, frozen=True):
    """How often assets of a group broke down: ten minutes with the signal at 0 for half of it or more, after less."""

    of: Group
    assets: int
    breakdowns: int
