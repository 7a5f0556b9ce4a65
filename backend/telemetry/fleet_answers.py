"""What planners ask of many assets at once, from the telemetry store: where they are, what is low, who drove how long.

A driven bucket is ten minutes since 1970 (of a window, the part in it) with a mean speed above MOVING_MPS.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeVar

from backend.telemetry.fleet_scope import Mounting, spans
from backend.telemetry.fleet_sums import SPEED, Buckets, Signal, Sums, each_bucketed
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


class Seen(NamedTuple):
    """Where an asset was last: degrees WGS 84."""

    at: int
    lat: float
    lon: float


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
    assets = {span: each.asset for span, each in zip(spans(mounted), mounted, strict=True)}
    found: dict[str, Said] = {}
    for each in reader.last([*assets], [signal.name]):
        asset = assets[each.span]
        if each.unit == signal.unit and (asset not in found or each.at > found[asset].at):
            found[asset] = Said(each.at, each.value)
    return found


def last_seen(reader: Reader, mounted: Sequence[Mounting]) -> dict[str, Seen]:
    """The newest position of each asset that was ever seen. Raises StoreAway."""
    assets = {span: each.asset for span, each in zip(spans(mounted), mounted, strict=True)}
    halves: defaultdict[tuple[str, int], dict[str, float]] = defaultdict(dict)
    for each in reader.last([*assets], ["lat", "lon"]):
        if each.unit == "deg":
            halves[assets[each.span], each.at][each.name] = each.value
    found: dict[str, Seen] = {}
    for (asset, at), half in halves.items():
        if len(half) == len(("lat", "lon")) and (asset not in found or at > found[asset].at):
            found[asset] = Seen(at, half["lat"], half["lon"])
    for span, asset in assets.items():
        if asset not in found and any(of == asset for of, _ in halves):  # half a position came after the last whole one
            for spot in reader.track(span, 1):
                found[asset] = Seen(spot.at, spot.lat, spot.lon)
    return found


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
    driven = sorted(at for at, sums in buckets.items() if sums.mean > MOVING_MPS)
    runs: list[int] = []
    before: int | None = None
    for at in driven:
        if before is not None and at == before + TEN_MINUTES:
            runs[-1] += 1
        else:
            runs.append(1)
        before = at
    whole = Sums(sum(s.values for s in buckets.values()), total([s.total for s in buckets.values()]), 0)
    return Driving(whole.mean, len(driven), len(runs), max(runs, default=0))


def active_days(
    reader: Reader, signal: Signal, below: float, mounted: Sequence[Mounting], rolled_to: int
) -> dict[tuple[str, int], int]:
    """How many ten minutes of each UTC day an asset had a mean of a signal below a bound. Raises StoreAway."""
    found: dict[tuple[str, int], int] = {}
    for asset, buckets in each_bucketed(reader, signal, mounted, rolled_to):
        for day, part in by_day(buckets).items():
            if n := sum(sums.mean < below for sums in part.values()):
                found[asset, day] = n
    return found


def breakdowns(reader: Reader, signal: Signal, mounted: Sequence[Mounting], rolled_to: int) -> dict[str, int]:
    """How often each asset broke down: ten minutes that are BROKEN_DOWN after the last ones heard were not."""
    found: dict[str, int] = {}
    for asset, buckets in each_bucketed(reader, signal, mounted, rolled_to):
        down = [buckets[at].zero_share >= BROKEN_DOWN for at in sorted(buckets)]
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
