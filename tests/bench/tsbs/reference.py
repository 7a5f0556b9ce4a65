"""The thirteen questions of TSBS "iot" in plain Python, by their meaning: what any store has to answer.

A driven bucket is a whole or cut ten minutes since 1970 with a mean speed above 1 m/s; of a window, only what lies in
it counts. Answers are dictionaries with sorted keys; means are plain sums divided.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from tests.bench.tsbs.trucks import Day

TEN_MINUTES = 600_000_000
DAY_US = 86_400_000_000
MOVING_MPS = 1.0
Span = tuple[int, int]
Answer = dict[Any, Any]


class Reference:
    """The answers of one day of trucks."""

    def __init__(self, day: Day) -> None:
        self.trucks = day.trucks
        self.drives = sorted(day.drives())
        self.health = sorted(day.health(), key=lambda row: row.at)

    def _of(self, fleet: str) -> set[int]:
        return {k for k, truck in enumerate(self.trucks) if truck.fleet == fleet}

    def last_loc(self, fleet: str) -> Answer:
        """1: where each truck of a fleet was last."""
        return self._places(self._of(fleet))

    def single_last_loc(self, names: Iterable[str]) -> Answer:
        """2: where these trucks were last."""
        wanted = set(names)
        return self._places({k for k, truck in enumerate(self.trucks) if truck.name in wanted})

    def _places(self, of: set[int]) -> Answer:
        found: Answer = {}
        for row in self.drives:
            if row.truck in of and row.lat is not None and row.lon is not None:
                found[self.trucks[row.truck].name] = (row.at, row.lat, row.lon)
        return _sorted(found)

    def low_fuel(self, fleet: str) -> Answer:
        """3: trucks with less than a tenth of the tank, by the last that they said."""
        last: dict[int, float] = {row.truck: row.fuel_level for row in self.health if row.fuel_level is not None}
        return self._names({k: level for k, level in last.items() if level < 10.0}, fleet)

    def high_load(self, fleet: str) -> Answer:
        """4: trucks that carry at least nine tenths of what they may, by the last that they said."""
        last: dict[int, float] = {row.truck: row.load for row in self.health if row.load is not None}
        return self._names({k: kg for k, kg in last.items() if kg >= 0.9 * self.trucks[k].capacity_kg}, fleet)

    def stationary(self, fleet: str, window: Span) -> Answer:
        """5: trucks with a mean speed below 1 m/s in ten minutes."""
        sums: defaultdict[int, list[float]] = defaultdict(list)
        for row in self.drives:
            if row.speed is not None and window[0] <= row.at < window[1]:
                sums[row.truck].append(row.speed)
        means = {k: sum(each) / len(each) for k, each in sums.items()}
        return self._names({k: mean for k, mean in means.items() if mean < MOVING_MPS}, fleet)

    def long_driving(self, fleet: str, window: Span, more_than: int) -> Answer:
        """6 and 7: trucks with more than so many driven buckets in a window, of 4 hours or of 24."""
        counts = {k: len(each) for k, each in self._driven(window).items()}
        return self._names({k: n for k, n in counts.items() if n > more_than}, fleet)

    def fuel_while_driving(self) -> Answer:
        """8: mean fuel rate while driving, and the mean of what is nominal, by fleet."""
        sums: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
        for row in self.drives:
            if row.speed is not None and row.speed > MOVING_MPS and row.fuel_rate is not None:
                truck = self.trucks[row.truck]
                sums[truck.fleet].append((row.fuel_rate, truck.nominal_lph))
        return _sorted({fleet: tuple(sum(c) / len(c) for c in zip(*each, strict=True)) for fleet, each in sums.items()})

    def daily_driving(self, window: Span) -> Answer:
        """9: hours driven (driven buckets / 6) per fleet, driver, truck and day."""
        found: Answer = {}
        for k, driven in self._driven(window).items():
            truck = self.trucks[k]
            for day, n in _by_day(driven).items():
                found[truck.fleet, truck.driver, truck.name, day] = len(n) / 6
        return _sorted(found)

    def daily_sessions(self, window: Span) -> Answer:
        """10: mean hours of unbroken driving per truck and day; a session that goes past midnight is cut there."""
        found: Answer = {}
        for k, driven in self._driven(window).items():
            for day, buckets in _by_day(driven).items():
                ends = sum(at + TEN_MINUTES not in buckets for at in buckets)
                found[self.trucks[k].name, day] = len(buckets) / 6 / ends
        return _sorted(found)

    def average_load(self) -> Answer:
        """11: mean share of the load that may be carried, by fleet and model; each truck counts alike."""
        sums: defaultdict[int, list[float]] = defaultdict(list)
        for row in self.health:
            if row.load is not None:
                sums[row.truck].append(row.load)
        shares: defaultdict[Any, list[float]] = defaultdict(list)
        for k, loads in sorted(sums.items()):
            truck = self.trucks[k]
            shares[truck.fleet, truck.model].append(sum(loads) / len(loads) / truck.capacity_kg)
        return _sorted({key: sum(each) / len(each) for key, each in shares.items()})

    def daily_activity(self, window: Span) -> Answer:
        """12: days that trucks were active (buckets with a mean status below 1, / 144), per day, fleet and model."""
        found: defaultdict[Any, float] = defaultdict(float)
        for (k, at), said in self._status(window).items():
            if sum(said) / len(said) < 1.0:
                found[at // DAY_US, self.trucks[k].fleet, self.trucks[k].model] += 1
        return _sorted({key: n / 144 for key, n in found.items()})

    def breakdowns(self, window: Span) -> Answer:
        """13: how often trucks broke down: a bucket with at least half of its status 0 after one with less, by model.

        The bucket before is the last one in which the truck said its status.
        """
        found: defaultdict[str, int] = defaultdict(int)
        was: dict[int, bool] = {}
        for (k, _), said in sorted(self._status(window).items()):
            is_down = said.count(0.0) / len(said) >= 0.5
            found[self.trucks[k].model] += is_down and not was.get(k, True)
            was[k] = is_down
        return _sorted({model: n for model, n in found.items() if n})

    def _status(self, window: Span) -> dict[tuple[int, int], list[float]]:
        found: defaultdict[tuple[int, int], list[float]] = defaultdict(list)
        for row in self.health:
            if row.status is not None and window[0] <= row.at < window[1]:
                found[row.truck, row.at // TEN_MINUTES * TEN_MINUTES].append(row.status)
        return found

    def _driven(self, window: Span) -> dict[int, set[int]]:
        sums: defaultdict[tuple[int, int], list[float]] = defaultdict(list)
        for row in self.drives:
            if row.speed is not None and window[0] <= row.at < window[1]:
                sums[row.truck, row.at // TEN_MINUTES * TEN_MINUTES].append(row.speed)
        found: defaultdict[int, set[int]] = defaultdict(set)
        for (k, at), speeds in sums.items():
            if sum(speeds) / len(speeds) > MOVING_MPS:
                found[k].add(at)
        return found

    def _names(self, found: dict[int, Any], fleet: str) -> Answer:
        return _sorted({self.trucks[k].name: value for k, value in found.items() if self.trucks[k].fleet == fleet})


def _by_day(buckets: Iterable[int]) -> dict[int, set[int]]:
    found: defaultdict[int, set[int]] = defaultdict(set)
    for at in buckets:
        found[at // DAY_US].add(at)
    return found


def _sorted(found: Answer) -> Answer:
    return {key: found[key] for key in sorted(found)}
