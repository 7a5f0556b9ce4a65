"""What the meters of plans have counted: since the last service, between services, and day by day for the forecast.

All plans at once, by a few queries, however many assets they are of.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Literal, NamedTuple

from msgspec.structs import replace
from sqlalchemy import Connection, bindparam, select

from backend import usage, use_sums
from backend.book.schema import travel
from backend.use_sums import Ask, Stands
from models.maintenance.due import METERS, RATE_US, Facts, Meter, Use
from models.motion.meter import Bounds
from models.register import Register

Depth = Literal["state", "number", "forecast"]
"""What is to be known of a plan: how it stands; also which of all services that fell due is next; also when it is."""
NOTHING = Bounds(0, 0)
_FIRST_LEG = (
    select(travel.c.begin_at)
    .where(travel.c.asset == bindparam("asset"), travel.c.what == "distance")
    .order_by(travel.c.end_at)
    .limit(1)
)


class Wanted(NamedTuple):
    """A plan (its place in the list), what it counts by, and the meter that this is read from."""

    k: int
    by: Meter
    name: str


def read(tx: Connection, register: Register, begun: Sequence[Facts], now: int, depth: Depth) -> list[Facts]:
    """The facts with what the meters that the plans count by have counted, by the first of them that was ever heard."""
    return read_at(tx, register, [(each, now) for each in begun], now, depth)


def read_at(
    tx: Connection, register: Register, asked: Sequence[tuple[Facts, int]], now: int, depth: Depth
) -> list[Facts]:
    """The same, each up to a time of its own that is not after now."""
    begun, untils = [each for each, _ in asked], [until for _, until in asked]
    named: dict[tuple[int, Meter], Sequence[str]] = {
        (k, by): _names(register, each, by, untils[k]) for k, each in enumerate(begun) for by in _metered(each)
    }
    if not named:
        return begun
    assets = sorted({begun[k].asset for k, _ in named})
    stand = use_sums.stands(tx, register, assets)
    book = _Book(tx, register, now, stand, untils, depth)
    heard = book.first_heard({(begun[k].asset, name) for (k, _), names in named.items() for name in names})
    wanted: list[Wanted] = []
    for (k, by), names in named.items():
        name = next((each for each in names if (begun[k].asset, each) in heard), None)
        if name is not None:
            wanted.append(Wanted(k, by, name))
    uses = book.uses(begun, wanted, heard if depth == "forecast" else {})
    return [replace(each, **uses[k]) if k in uses else each for k, each in enumerate(begun)]


@dataclass(frozen=True)
class _Book:
    """The book as it is read at a time, and what trackers stand at in it."""

    tx: Connection
    register: Register
    now: int
    stand: Stands
    untils: Sequence[int]
    depth: Depth

    def first_heard(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """When each (asset, meter) was heard first, of those that ever were."""
        wanted = sorted({*pairs})
        found = use_sums.first_heard(
            self.tx, self.register, self.stand, [each for each in wanted if each[1] != usage.DISTANCE]
        )
        for asset, meter in wanted:
            if meter == usage.DISTANCE and not any((asset, each) in found for each in usage.ODOMETERS):
                begin_at = self.tx.scalar(_FIRST_LEG, {"asset": asset})
                if begin_at is not None:
                    found[asset, meter] = begin_at
        return found

    def uses(
        self, begun: Sequence[Facts], wanted: Sequence[Wanted], heard: Mapping[tuple[str, str], int]
    ) -> dict[int, dict[str, Use]]:
        """What each was used, by plan and meter; `heard` is of those that are to be forecast."""
        spans = [self._spans(begun[each.k], each) for each in wanted]
        recent = [self._recent(begun[each.k].asset, each, heard) for each in wanted]
        asks = [ask for each in zip(spans, recent, strict=True) for part in each for ask in part]
        counted = iter(use_sums.sums(self.tx, self.register, self.stand, asks, self.now))
        triples = {(begun[each.k].asset, each.name, heard[begun[each.k].asset, each.name]) for each in wanted if heard}
        days = use_sums.daily(self.tx, self.register, self.stand, sorted(triples), self.now)
        found: dict[int, dict[str, Use]] = {}
        for each, parts, last in zip(wanted, spans, recent, strict=True):
            *before, since = islice(counted, len(parts))
            lately = [(next(counted), ask.until - ask.since) for ask in last]
            daily = days.get((begun[each.k].asset, each.name))
            found.setdefault(each.k, {})[each.by] = Use(
                since, *(lately[0] if lately else (NOTHING, 0)), tuple(before), daily
            )
        return found

    def _spans(self, facts: Facts, wanted: Wanted) -> list[Ask]:
        """From service to service, if it matters what was used before the last one; and since that."""
        begins = [facts.starts_at, *facts.done] if self._looks_back(facts) else [facts.began_at]
        until = self.untils[wanted.k]
        times = [*(min(each, until) for each in begins), until]
        return [Ask(facts.asset, wanted.name, begin, max(begin, end)) for begin, end in pairwise(times)]

    def _looks_back(self, facts: Facts) -> bool:
        is_numbered = self.depth != "state" and bool(facts.plan.packages)
        return bool(facts.done) and (is_numbered or facts.plan.timing != "floating")

    def _recent(self, asset: str, wanted: Wanted, heard: Mapping[tuple[str, str], int]) -> list[Ask]:
        first = heard.get((asset, wanted.name))
        if first is None:
            return []
        return [Ask(asset, wanted.name, min(self.now, max(self.now - RATE_US, first)), self.now)]


def _metered(facts: Facts) -> Iterator[Meter]:
    plan = facts.plan
    every = (plan.every_hours, plan.every_km, plan.every_cycles, plan.every_starts)
    return (by for by, each in zip(METERS, every, strict=True) if each is not None)


def _names(register: Register, facts: Facts, by: Meter, now: int) -> Sequence[str]:
    """What counts it, the best first."""
    if by == "hours":
        return [usage.hours_meter(register, facts.asset, now)]
    return usage.ODOMETERS if by == "km" else [by]
