"""What planners ask of many assets at once, from the telemetry store: where they are, what is low, who drove how long.

A driven bucket is ten minutes since 1970 (of a window, the part in it) with a mean speed above MOVING_MPS.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeVar

from backend.telemetry import assets
from backend.telemetry.fleet_scope import Mounting
from backend.telemetry.fleet_sums import SPEED, Buckets, Signal, each_bucketed
from backend.telemetry.rollup import total
from backend.telemetry.rows import MOVING_MPS, TEN_MINUTES
from backend.telemetry.store import Reader

DAY_US = 86_400_000_000
BROKEN_DOWN = 0.5
"""A state signal that is 0 in so large a share of ten minutes says that an asset is broken down."""
Key = TypeVar("Key", bound=Hashable)


class Said(NamedTuple):
    """The last that an asset said of something."""

    at: int
    value: float


class Driving(NamedTuple):
    """How an asset drove in a window."""

    mean_mps: float
    buckets: int
    """Ten minutes that were driven."""
    sessions: int
    """Runs of them without a break."""
    longest: int
    """Buckets of the longest session."""


def last_said(reader: Reader, signal: Signal, mounted: Sequence[Mounting]) -> dict[str, Said]:
    """The newest value of a signal of each asset that ever said it. Raises StoreAway."""
    told = assets.last(reader, mounted, [signal.name])
    return {asset: Said(said[of].at, said[of].value) for asset, said in told.items() if (of := signal[:2]) in said}


def driving(reader: Reader, mounted: Sequence[Mounting], rolled_to: int) -> dict[str, Driving]:
    """How each asset drove that said its speed. Raises StoreAway."""
    return {asset: _driving(buckets) for asset, buckets in each_bucketed(reader, SPEED, mounted, rolled_to) if buckets}


def driven_days(reader: Reader, mounted: Sequence[Mounting], rolled_to: int) -> dict[tuple[str, int], Driving]:
    """The same for each UTC day (its begin) in which an asset drove; a session that goes past midnight is cut there."""
    found: dict[tuple[str, int], Driving] = {}
    for asset, buckets in each_bucketed(reader, SPEED, mounted, rolled_to):
        for day, part in by_day(buckets).items():
            drove = _driving(part)
            if drove.buckets:
                found[asset, day] = drove
    return found


def _driving(buckets: Buckets) -> Driving:
    values, totals, driven = 0, list[float](), list[int]()
    for at, (n, added, _) in buckets.items():
        values += n
        totals.append(added)
        if added / n > MOVING_MPS:
            driven.append(at)
    runs: list[int] = []
    before: int | None = None
    for at in sorted(driven):
        if before is not None and at == before + TEN_MINUTES:
            runs[-1] += 1
        else:
            runs.append(1)
        before = at
    return Driving(total(totals) / values, len(driven), len(runs), max(runs, default=0))


def active_days(
    reader: Reader, signal: Signal, below: float, mounted: Sequence[Mounting], rolled_to: int
) -> dict[tuple[str, int], int]:
    """How many ten minutes of each UTC day an asset had a mean of a signal below a bound. Raises StoreAway."""
    found: dict[tuple[str, int], int] = {}
    for asset, buckets in each_bucketed(reader, signal, mounted, rolled_to):
        for day, part in by_day(buckets).items():
            if n := sum(added / values < below for values, added, _ in part.values()):
                found[asset, day] = n
    return found


def breakdowns(reader: Reader, signal: Signal, mounted: Sequence[Mounting], rolled_to: int) -> dict[str, int]:
    """How often each asset broke down: ten minutes that are BROKEN_DOWN after the last ones heard were not."""
    found: dict[str, int] = {}
    for asset, buckets in each_bucketed(reader, signal, mounted, rolled_to):
        down = [zeros / values >= BROKEN_DOWN for _, (values, _, zeros) in sorted(buckets.items())]
        found[asset] = sum(now and not before for before, now in pairwise(down))
    return found


def by_day(buckets: Buckets) -> dict[int, Buckets]:
    """Buckets by the UTC day (its begin) that they are in."""
    found: defaultdict[int, Buckets] = defaultdict(dict)
    for at, sums in buckets.items():
        found[at // DAY_US * DAY_US][at] = sums
    return found


def grouped(values: Mapping[str, float], key: Callable[[str], Key]) -> dict[Key, list[float]]:
    """Values of assets by what the assets have in common."""
    found: defaultdict[Key, list[float]] = defaultdict(list)
    for asset in sorted(values):
        found[key(asset)].append(values[asset])
    return found
