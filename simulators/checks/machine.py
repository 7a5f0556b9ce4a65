"""What the truth says of one machine, ready to be asked: when it ran, what its tracker told, what nobody could know."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from models.reading import micros
from simulators.answers_fleet import AssetNow
from simulators.checks.streams import TRACKER, Heard
from simulators.truth import Truth

Span = tuple[int, int]
"""Begin and end, microseconds."""
DAY_US = 86_400_000_000
FASTEST_MPS = 25.0
"""No machine here drives faster."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine with a tracker."""

    asset: str
    imei: str
    runs: Sequence[Span]
    """When its engine ran, in order."""
    heard: Sequence[int]
    """When its tracker made those records that the system has, in order."""
    blind: Sequence[Span]
    """When its tracker had no power: from the last record before to the first one after."""
    lost: Sequence[Span]
    """The same around each record that the system does not have."""

    @property
    def window(self) -> Span | None:
        """From its first record to its last: what lies outside nobody can know."""
        return (self.heard[0], self.heard[-1]) if self.heard else None

    def ran_us(self, span: Span) -> int:
        """How long its engine ran."""
        return covered(self.runs, span)

    def unseen(self, span: Span) -> list[Span]:
        """What of the span its tracker said nothing about, as it had no power or its record was lost."""
        return [one for one in (*self.blind, *self.lost) if one[0] < span[1] and span[0] < one[1]]


def machines(truth: Truth, fleet: Sequence[AssetNow], heard: Heard | None = None) -> list[Machine]:
    """Every machine of the truth, by asset. The system has the records that were heard, or else the acknowledged."""
    records = made(truth)
    found: list[Machine] = []
    for asset, imei in trackers(truth, fleet):
        told = records.get(imei, {})
        there = {at for at, acked in told.items() if acked} if heard is None else set(heard.fixes.get(imei, ()))
        found.append(_machine(truth, asset, imei, (sorted(told), there)))
    return found


def trackers(truth: Truth, fleet: Sequence[AssetNow]) -> list[tuple[str, str]]:
    """(asset, IMEI) of every machine. Where the truth has records only, the fleet says what a tracker is on."""
    known = {run.imei: run.asset for run in truth.runs} | {blind.imei: blind.asset for blind in truth.blinds}
    mounted = {one.tracker.removeprefix(TRACKER): one.id for one in fleet if one.tracker}
    imeis = {*known, *(record.imei for record in truth.records)}
    return sorted((known.get(imei) or mounted.get(imei, f"{TRACKER}{imei}"), imei) for imei in imeis)


def made(truth: Truth) -> dict[str, dict[int, bool]]:
    """Every record by its IMEI and time, and whether it was acknowledged."""
    found: dict[str, dict[int, bool]] = {}
    for record in truth.records:
        found.setdefault(record.imei, {})[micros(record.at)] = record.acked
    return found


def _machine(truth: Truth, asset: str, imei: str, records: tuple[list[int], set[int]]) -> Machine:
    told, there = records
    heard = [at for at in told if at in there]
    return Machine(
        asset,
        imei,
        sorted((micros(one.begin), micros(one.end)) for one in truth.runs if one.asset == asset),
        heard,
        [_around(heard, micros(one.begin), micros(one.end)) for one in truth.blinds if one.asset == asset],
        [_around(heard, at, at) for at in told if at not in there],
    )


def _around(heard: Sequence[int], begin: int, end: int) -> Span:
    """From the last record before a stretch to the first one after it, as far as there are any."""
    before, after = bisect_left(heard, begin) - 1, bisect_left(heard, end)
    return heard[before] if before >= 0 else begin, heard[after] if after < len(heard) else end


def covered(parts: Iterable[Span], span: Span) -> int:
    """How much of the span these parts cover; parts that overlap count once."""
    since, until = span
    total = 0
    for begin, end in sorted(parts):
        if (end := min(end, until)) > (begin := max(begin, since)):
            total += end - begin
            since = end
    return total


def days(span: Span) -> Iterator[Span]:
    """The span cut at midnight UTC."""
    at, until = span
    while at < until:
        midnight = (at // DAY_US + 1) * DAY_US
        yield at, min(midnight, until)
        at = midnight
