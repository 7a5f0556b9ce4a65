"""The thirteen questions asked of a telemetry store through its port, with the functions that the API answers from."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from backend.telemetry import assets
from backend.telemetry import fleet_answers as fleets
from backend.telemetry.fleet_scope import Mounting, Scope, members, mountings
from backend.telemetry.fleet_sums import Signal, Sums, summed
from backend.telemetry.store import Reader
from models.declared import Asset
from models.register import Register
from tests.bench.tsbs.reference import Answer, Span
from tests.bench.tsbs.trucks import Day

DAY_US = 86_400_000_000
FUEL, LOAD, STATUS = Signal("fuel_level", "%"), Signal("load", "kg"), Signal("status", "1")
FUEL_WHILE_DRIVING = Signal("fuel_rate", "L/h", driving=True)


class Ours:
    """Answers in the form of the reference's."""

    def __init__(self, reader: Reader, register: Register, day: Day, rolled_to: int) -> None:
        self.reader, self.register, self.rolled_to = reader, register, rolled_to
        self.whole = (day.begin, day.end)

    def _scope(
        self, fleet: str | None, window: Span, only: Iterable[str] | None = None
    ) -> tuple[dict[str, Asset], list[Mounting]]:
        scope = Scope(fleet=fleet, assets=None if only is None else tuple(only))
        assets = members(self.register, scope, window[1])
        return assets, mountings(self.register, assets, window)

    def last_loc(self, fleet: str) -> Answer:
        return self._seen(self._scope(fleet, self.whole)[1])

    def single_last_loc(self, names: Iterable[str]) -> Answer:
        return self._seen(self._scope(None, self.whole, names)[1])

    def _seen(self, mounted: list[Mounting]) -> Answer:
        return _sorted({name: spot[:3] for name, spot in assets.seen(self.reader, mounted).items()})

    def low_fuel(self, fleet: str) -> Answer:
        said = fleets.last_said(self.reader, FUEL, self._scope(fleet, self.whole)[1])
        return _sorted({name: each.value for name, each in said.items() if each.value < 10.0})

    def high_load(self, fleet: str) -> Answer:
        assets, mounted = self._scope(fleet, self.whole)
        said = fleets.last_said(self.reader, LOAD, mounted)
        return _sorted({name: s.value for name, s in said.items() if s.value >= 0.9 * float(assets[name].load_kg or 0)})

    def stationary(self, fleet: str, window: Span) -> Answer:
        drove = fleets.driving(self.reader, self._scope(fleet, window)[1], self.rolled_to)
        return _sorted({name: each.mean_mps for name, each in drove.items() if each.mean_mps < 1.0})

    def long_driving(self, fleet: str, window: Span, more_than: int) -> Answer:
        drove = fleets.driving(self.reader, self._scope(fleet, window)[1], self.rolled_to)
        return _sorted({name: each.buckets for name, each in drove.items() if each.buckets > more_than})

    def fuel_while_driving(self) -> Answer:
        assets, mounted = self._scope(None, self.whole)
        sums: defaultdict[str, list[tuple[Sums, float]]] = defaultdict(list)
        for name, each in summed(self.reader, FUEL_WHILE_DRIVING, mounted, self.rolled_to).items():
            sums[str(assets[name].fleet)].append((each, float(assets[name].fuel_lph or 0)))
        return _sorted({fleet: _weighted(each) for fleet, each in sums.items()})

    def daily_driving(self, window: Span) -> Answer:
        assets, mounted = self._scope(None, window)
        found: Answer = {}
        for (name, begin), each in fleets.driven_days(self.reader, mounted, self.rolled_to).items():
            found[assets[name].fleet, assets[name].driver, name, begin // DAY_US] = each.buckets / 6
        return _sorted(found)

    def daily_sessions(self, window: Span) -> Answer:
        drove = fleets.driven_days(self.reader, self._scope(None, window)[1], self.rolled_to)
        return _sorted({(name, begin // DAY_US): e.buckets / 6 / e.sessions for (name, begin), e in drove.items()})

    def average_load(self) -> Answer:
        assets, mounted = self._scope(None, self.whole)
        shares = {
            name: sums.mean / float(assets[name].load_kg or 0)
            for name, sums in summed(self.reader, LOAD, mounted, self.rolled_to).items()
        }
        found = fleets.grouped(shares, lambda name: (assets[name].fleet, assets[name].model))
        return _sorted({key: sum(each) / len(each) for key, each in found.items()})

    def daily_activity(self, window: Span) -> Answer:
        assets, mounted = self._scope(None, window)
        found: defaultdict[Any, float] = defaultdict(float)
        for (name, begin), n in fleets.active_days(self.reader, STATUS, 1.0, mounted, self.rolled_to).items():
            found[begin // DAY_US, assets[name].fleet, assets[name].model] += n
        return _sorted({key: n / 144 for key, n in found.items()})

    def breakdowns(self, window: Span) -> Answer:
        assets, mounted = self._scope(None, window)
        found: defaultdict[Any, int] = defaultdict(int)
        for name, n in fleets.breakdowns(self.reader, STATUS, mounted, self.rolled_to).items():
            found[assets[name].model] += n
        return _sorted({model: n for model, n in found.items() if n})


def _weighted(sums: list[tuple[Sums, float]]) -> tuple[float, float]:
    n = sum(each.values for each, _ in sums)
    return sum(each.total for each, _ in sums) / n, sum(each.values * nominal for each, nominal in sums) / n


def _sorted(found: Answer) -> Answer:
    return {key: found[key] for key in sorted(found)}
