"""Answers about many assets at once, from the telemetry store and the register: items of the API."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from backend.api import items_fleets as items
from backend.telemetry import fleet_answers as answers
from backend.telemetry.assets import seen
from backend.telemetry.fleet_scope import Mounting, Scope, members, mountings
from backend.telemetry.fleet_sums import Signal, Sums, summed
from backend.telemetry.rollup import total
from backend.telemetry.store import Reader
from models.declared import Asset
from models.reading import from_micros
from models.register import Register

Rated = Literal["load_kg", "fuel_lph"]
Trait = Literal["fleet", "model", "driver"]
PER_HOUR = 6
"""Ten minutes in an hour."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """The assets that a question is about, and who spoke for them in its window."""

    reader: Reader
    assets: Mapping[str, Asset]
    mounted: Sequence[Mounting]
    window: tuple[int, int]
    rolled_to: int
    """Up to where rollups are right."""

    @classmethod
    def of(cls, reader: Reader, register: Register, scope: Scope, window: tuple[int, int], rolled_to: int) -> "Fleet":
        """As the register has them at the window's end."""
        assets = members(register, scope, window[1])
        return cls(reader, assets, mountings(register, assets, window), window, rolled_to)

    def rated(self, asset: str, which: Rated | None) -> float | None:
        """A figure of an asset in the register."""
        figure = None if which is None else getattr(self.assets[asset], which)
        return None if figure is None else float(figure)

    def grouped(self, found: Iterable[str], by: Sequence[Trait]) -> dict[items.Group, list[str]]:
        """Assets by what they have in common, in the order of groups."""
        groups: defaultdict[items.Group, list[str]] = defaultdict(list)
        for asset in sorted(found):
            body = self.assets[asset]
            groups[items.Group(*(getattr(body, trait) if trait in by else None for trait in _TRAITS))].append(asset)
        return {group: groups[group] for group in sorted(groups, key=_order)}


_TRAITS: tuple[Trait, ...] = ("fleet", "model", "driver")


def _order(group: items.Group) -> tuple[str, str, str]:
    return group.fleet or "", group.model or "", group.driver or ""


def positions(fleet: Fleet) -> list[items.Position]:
    """Where each was seen last in the window."""
    found = seen(fleet.reader, fleet.mounted)
    return [items.Position(asset, from_micros(s.at), s.lat, s.lon) for asset, s in sorted(found.items())]


def latest(fleet: Fleet, signal: Signal, rated: Rated | None) -> list[items.Latest]:
    """The newest value of each in the window."""
    found: list[items.Latest] = []
    for asset, said in sorted(answers.last_said(fleet.reader, signal, fleet.mounted).items()):
        figure = fleet.rated(asset, rated)
        found.append(items.Latest(asset, from_micros(said.at), said.value, said.value / figure if figure else None))
    return found


def driving(fleet: Fleet) -> list[items.Drove]:
    """How each drove in the window that said its speed."""
    drove = answers.driving(fleet.reader, fleet.mounted, fleet.rolled_to)
    return [_drove(fleet, asset, each, fleet.window) for asset, each in sorted(drove.items())]


def driving_days(fleet: Fleet) -> list[items.Drove]:
    """The same for each UTC day on which it drove."""
    drove = answers.driven_days(fleet.reader, fleet.mounted, fleet.rolled_to)
    since, until = fleet.window
    return [
        _drove(fleet, asset, each, (max(since, begin), min(until, begin + answers.DAY_US)))
        for (asset, begin), each in sorted(drove.items())
    ]


def _drove(fleet: Fleet, asset: str, each: answers.Driving, window: tuple[int, int]) -> items.Drove:
    hours = each.buckets / PER_HOUR
    return items.Drove(
        asset=asset,
        fleet=fleet.assets[asset].fleet,
        driver=fleet.assets[asset].driver,
        begin=from_micros(window[0]),
        end=from_micros(window[1]),
        mean_mps=each.mean_mps,
        hours=hours,
        sessions=each.sessions,
        session_hours=hours / each.sessions if each.sessions else None,
        longest_hours=each.longest / PER_HOUR,
    )


def means(fleet: Fleet, signal: Signal, rated: Rated | None, by: Sequence[Trait]) -> list[items.GroupMean]:
    """The mean of a signal by group."""
    sums = summed(fleet.reader, signal, fleet.mounted, fleet.rolled_to)
    return [
        _mean(group, [(sums[asset], fleet.rated(asset, rated)) for asset in assets])
        for group, assets in fleet.grouped(sums, by).items()
    ]


def _mean(group: items.Group, of: Sequence[tuple[Sums, float | None]]) -> items.GroupMean:
    n = sum(sums.values for sums, _ in of)
    known = [(sums, figure) for sums, figure in of if figure]
    is_whole = len(known) == len(of)
    return items.GroupMean(
        of=group,
        assets=len(of),
        values=n,
        mean=total([sums.total for sums, _ in of]) / n,
        rated=sum(sums.values * figure for sums, figure in known) / n if is_whole else None,
        share=sum(sums.mean / figure for sums, figure in known) / len(known) if is_whole else None,
    )


def activity(fleet: Fleet, signal: Signal, below: float, by: Sequence[Trait]) -> list[items.Activity]:
    """How long the assets of each group were active on each day."""
    active = answers.active_days(fleet.reader, signal, below, fleet.mounted, fleet.rolled_to)
    found: list[items.Activity] = []
    for begin in sorted({begin for _, begin in active}):
        date = from_micros(begin).date().isoformat()
        for group, assets in fleet.grouped((asset for asset, day in active if day == begin), by).items():
            hours = sum(active[asset, begin] for asset in assets) / PER_HOUR
            found.append(items.Activity(group, date, len(assets), hours))
    return found


def breakdowns(fleet: Fleet, signal: Signal, by: Sequence[Trait]) -> list[items.Breakdowns]:
    """How often the assets of each group broke down."""
    counts = answers.breakdowns(fleet.reader, signal, fleet.mounted, fleet.rolled_to)
    return [
        items.Breakdowns(group, len(assets), sum(counts[asset] for asset in assets))
        for group, assets in fleet.grouped(counts, by).items()
    ]
