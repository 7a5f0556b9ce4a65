"""Sums of a signal over a window, per asset: rollups where the window covers them whole, samples at its two ends.

So that the ends of a window and a change of trackers cut exactly, and a bucket that is not rolled up yet is not missed.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from sys import float_info
from typing import NamedTuple, Protocol, runtime_checkable

from backend.telemetry import rollup
from backend.telemetry.fleet_scope import Mounting
from backend.telemetry.rows import HOUR, MOVING_MPS, TEN_MINUTES, Point
from backend.telemetry.store import Reader

BUCKETS_AT_ONCE = 250_000
"""So many ten minutes are in memory, however many assets and days are asked for."""
SECONDS_AT_ONCE = 1_000_000
"""So many seconds of devices, where samples are read: a device may say one in each."""
SECOND = 1_000_000
Window = tuple[int, int]


Sum = tuple[str, int, int, float, int]
"""(device, begin of the ten minutes, values, their total, how many of them are 0)."""


@runtime_checkable
class Adds(Protocol):
    """A store that adds samples up itself; of another the samples are read."""

    def sums(self, signal: tuple[str, str], devices: Sequence[str], window: Window) -> list[Sum]:
        """Of a signal (name, unit) from window[0] to before window[1], by device and ten minutes, in any order."""
        ...

    def rolled(self, signal: tuple[str, str, bool], devices: Sequence[str], span: tuple[int, int, int]) -> list[Sum]:
        """Of a signal (name, unit, only while driving) in the rollups of (since, until, width), in any order."""
        ...


class Signal(NamedTuple):
    """What was measured, in its UCUM unit; the same name in another unit is another signal."""

    name: str
    unit: str
    driving: bool = False
    """Only what was measured while the asset drove: a fix of the same time says so."""


SPEED = Signal("speed_mps", "m/s")


class Sums(NamedTuple):
    """Of the values of a signal."""

    values: int
    total: float
    zeros: int

    @property
    def mean(self) -> float:
        return self.total / self.values


Figures = tuple[int, float, int]
"""Sums as a plain tuple: there are many of ten minutes, and those take a third of the time."""
Buckets = dict[int, Figures]
"""By the begin of ten minutes."""


def bucketed(reader: Reader, signal: Signal, mounted: Sequence[Mounting], rolled_to: int) -> dict[str, Buckets]:
    """Sums in each ten minutes, by asset; of the first and the last only what lies in the window of its mounting.

    `rolled_to`: what begins at or after it may not be rolled up yet, and is read from the samples. Raises StoreAway.
    """
    found: defaultdict[str, Buckets] = defaultdict(dict)
    for (since, until), assets in _alike(mounted).items():
        begin, end = _whole(since, until, rolled_to, TEN_MINUTES)
        for window in ((since, begin), (end, until)) if begin < end else ((since, until),):
            if window[0] < window[1]:
                _add(found, assets, _samples(reader, signal, [*assets], window))
        if begin < end:
            _add(found, assets, _rolled(reader, signal, [*assets], (begin, end, TEN_MINUTES)))
    return found


def each_bucketed(
    reader: Reader, signal: Signal, mounted: Sequence[Mounting], rolled_to: int
) -> Iterator[tuple[str, Buckets]]:
    """The same, an asset at a time; the store is asked for some of them together. Raises StoreAway."""
    for some in _parts(mounted):
        yield from bucketed(reader, signal, some, rolled_to).items()


def _parts(mounted: Sequence[Mounting]) -> Iterator[list[Mounting]]:
    """All mountings of some assets, with at most BUCKETS_AT_ONCE ten minutes, if one asset does not have more."""
    owned: defaultdict[str, list[Mounting]] = defaultdict(list)
    for each in mounted:
        owned[each.asset].append(each)
    part: list[Mounting] = []
    size = 0
    for own in owned.values():
        buckets = sum((each.until - each.since) // TEN_MINUTES + 2 for each in own)
        if part and size + buckets > BUCKETS_AT_ONCE:
            yield part
            part, size = [], 0
        part += own
        size += buckets
    if part:
        yield part


def summed(reader: Reader, signal: Signal, mounted: Sequence[Mounting], rolled_to: int) -> dict[str, Sums]:
    """Sums over the whole of each asset's window, from hours where they are whole. Raises StoreAway."""
    hours: defaultdict[str, Buckets] = defaultdict(dict)
    rest: list[Mounting] = []
    for (since, until), assets in _alike(mounted).items():
        begin, end = _whole(since, until, rolled_to, HOUR)
        if begin >= end:
            rest += [Mounting(device, since, until, asset) for device, asset in assets.items()]
            continue
        told = _rolled(reader, signal, [*assets], (begin, end, HOUR))
        _add(hours, assets, ((device, 0, n, total, zeros) for device, _, n, total, zeros in told))
        for a, b in ((since, begin), (end, until)):
            rest += [Mounting(device, a, b, asset) for device, asset in assets.items() if a < b]
    for asset, buckets in each_bucketed(reader, signal, rest, rolled_to):
        _add(hours, {asset: asset}, ((asset, 0, *sums) for sums in buckets.values()))
    return {asset: Sums(*buckets[0]) for asset, buckets in hours.items()}


def capped(total: float) -> float:
    """The largest number there is instead of infinity, as rollups have it."""
    return max(-float_info.max, min(float_info.max, total))


def _add(found: dict[str, Buckets], assets: Mapping[str, str], told: Iterable[Sum]) -> None:
    for device, bucket, n, total, zeros in told:
        buckets = found[assets[device]]
        there = buckets.get(bucket)
        if there is None:
            buckets[bucket] = (n, total, zeros)
        else:
            buckets[bucket] = (there[0] + n, capped(there[1] + total), there[2] + zeros)


def _alike(mounted: Sequence[Mounting]) -> dict[Window, dict[str, str]]:
    """Devices with their assets, by the window that they share; a device twice in one window is in two."""
    found: defaultdict[Window, dict[str, str]] = defaultdict(dict)
    for each in mounted:
        found[each.since, each.until][each.device] = each.asset
    return found


def _whole(since: int, until: int, rolled_to: int, width: int) -> Window:
    """The buckets of a width that are whole in a window and rolled up."""
    return -(-since // width) * width, min(until, rolled_to) // width * width


def _rolled(reader: Reader, signal: Signal, devices: Sequence[str], span: tuple[int, int, int]) -> Iterable[Sum]:
    if isinstance(reader, Adds):
        return reader.rolled(signal, devices, span)
    mine = (row for row in reader.rollups([signal.name], devices, span) if row.unit == signal.unit)
    if signal.driving:
        return [(row.device, row.begin, row.moving, row.moving_total, 0) for row in mine if row.moving]
    return [(row.device, row.begin, row.count, row.total, row.zeros) for row in mine]


def _samples(reader: Reader, signal: Signal, devices: Sequence[str], window: Window) -> Iterable[Sum]:
    if isinstance(reader, Adds) and not signal.driving:
        return reader.sums(signal[:2], devices, window)
    some = max(1, SECONDS_AT_ONCE // max(1, (window[1] - window[0]) // SECOND))
    parts = (devices[k : k + some] for k in range(0, len(devices), some))
    return [each for part in parts for each in _added(reader, signal, part, window)]


def _added(reader: Reader, signal: Signal, devices: Sequence[str], window: Window) -> list[Sum]:
    names = [signal.name, SPEED.name] if signal.driving else [signal.name]
    points = reader.points(names, devices, *window)
    drove = {(each.device, each.at) for each in points if _drives(each)} if signal.driving else None
    values: defaultdict[tuple[str, int], list[float]] = defaultdict(list)
    for device, name, unit, at, value in points:
        if (name, unit) == signal[:2] and (drove is None or (device, at) in drove):
            values[device, at // TEN_MINUTES].append(value)
    return [
        (device, bucket * TEN_MINUTES, len(each), rollup.total(each), each.count(0.0))
        for (device, bucket), each in values.items()
    ]


def _drives(each: Point) -> bool:
    return (each.name, each.unit) == SPEED[:2] and each.value > MOVING_MPS
