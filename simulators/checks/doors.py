"""Every pass that a reader told has one verdict: right, missed or misjudged; and every verdict its movement, once."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from models.reading import micros
from simulators.answers import Crossing
from simulators.checks.found import Found
from simulators.checks.ledger import Ledger, Levels, text
from simulators.truth import Pass, Truth

SLACK_US = 2_000_000
"""How far the edge's estimate of a reader's clock may be off."""
MOVES = {"in": ("supplier", "warehouse"), "out": ("warehouse", "customer")}
NEEDED = 0.80


@dataclass(slots=True)
class Seen:
    """A pass of the truth with what the system made of it."""

    truth: Pass
    crossings: list[Crossing] = field(default_factory=list[Crossing])
    heard: bool = False
    joined: bool = False
    """A crossing of the pass before reaches into it: what stands at a door is read anew before its silence is over."""

    @property
    def directions(self) -> list[str]:
        return [one.direction for one in self.crossings if one.direction in MOVES]

    @property
    def verdict(self) -> str:
        """right, missed or misjudged."""
        if self.truth.direction in MOVES:
            if not self.directions:
                return "missed"
            return "right" if self.directions == [self.truth.direction] else "misjudged"
        return "misjudged" if self.directions else "right"


def check(
    truth: Truth, crossings: list[Crossing], sightings: dict[tuple[str, str], list[int]], *, killed: bool
) -> tuple[Found, list[Seen]]:
    """Judge every pass. A told pass that the journal lacks fails unless the edge was `killed` meanwhile."""
    found = Found("each pass has one verdict")
    seen, strangers = match(truth.passes, crossings, sightings)
    found.differences += [
        f"crossing {one.id}: {one.epc} {one.direction} at {one.device} {one.first_at:%m-%d %H:%M:%S}: nothing passed"
        for one in strangers
    ]
    counts: Counter[str] = Counter()
    for one in seen:
        told = truth.heard_of(one.truth) > 0
        counts["passes" if told else "unread"] += 1
        if one.heard and not one.crossings and not one.joined:
            found.differences.append(f"{_name(one)}: in the journal, but no crossing")
        elif told and not one.heard and not killed:
            found.differences.append(f"{_name(one)}: told, but not in the journal")
        if one.verdict != "right":
            counts[one.verdict if told else "unread in/out"] += 1
            found.listed.append(f"{_name(one)}: {one.verdict if told else 'unread'} {one.directions or ''}")
        elif len(one.crossings) > 1:
            counts["in several parts"] += 1
    found.figures = dict(counts)
    return found, seen


def match(
    passes: list[Pass], crossings: Iterable[Crossing], sightings: dict[tuple[str, str], list[int]]
) -> tuple[list[Seen], list[Crossing]]:
    """Each pass with the crossings of its tag at its door that overlap it, and crossings that overlap none."""
    by_tag: dict[tuple[str, str], list[Seen]] = defaultdict(list)
    for one in passes:
        by_tag[one.door, one.epc].append(Seen(one))
    for key, several in by_tag.items():
        times = sorted(sightings.get(key, ()))
        for each in several:
            first = bisect_left(times, micros(each.truth.begin) - SLACK_US)
            each.heard = first < len(times) and times[first] <= micros(each.truth.end) + SLACK_US
    strangers: list[Crossing] = []
    for crossing in crossings:
        first, last = micros(crossing.first_at) - SLACK_US, micros(crossing.last_at) + SLACK_US
        overlapping = [
            each
            for each in by_tag[crossing.device, crossing.epc]
            if micros(each.truth.begin) <= last and micros(each.truth.end) >= first
        ]
        for each in overlapping[:1]:
            each.crossings.append(crossing)
        for each in overlapping[1:]:
            each.joined = True
        if not overlapping:
            strangers.append(crossing)
    return [each for several in by_tag.values() for each in several], strangers


def accuracy(truth: Truth, seen: list[Seen]) -> Found:
    """The share of rightly judged passes of those that were told whole."""
    found = Found("direction accuracy")
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for one in seen:
        if truth.heard_of(one.truth) and not truth.partly(one.truth):
            total[one.truth.kind] += 1
            right[one.truth.kind] += one.verdict == "right"
    share = sum(right.values()) / sum(total.values()) if total else 0.0
    found.figures = {"tag passes": sum(total.values()), "right": round(share, 4)}
    found.figures |= {kind: round(right[kind] / total[kind], 3) for kind in sorted(total)}
    if total and share < NEEDED:
        found.differences.append(f"{share:.3f} of {sum(total.values())} tag passes are right, {NEEDED} expected")
    return found


def movements(seen: list[Seen], ledger: Ledger, levels: Levels) -> Found:
    """One net movement for each crossing in or out of a carton, none for others.

    `levels` get the truth's units in the direction judged: that is the truth with what was missed or misjudged applied.
    """
    found = Found("each crossing has its movement once")
    moved = 0
    for one in seen:
        for crossing in one.crossings:
            entries = ledger.of(f"crossing:{crossing.id}")
            ledger.explained.update(entry.id for entry in entries)
            wanted = 1 if crossing.direction in MOVES and one.truth.sku is not None else 0
            if len(entries) != wanted:
                found.differences.append(
                    f"{_name(one)} judged {crossing.direction}: {wanted} movement expected, found {len(entries)}"
                )
            way = MOVES.get(crossing.direction)
            if wanted and one.truth.sku is not None:
                sign = 1 if crossing.direction == "in" else -1
                key = (one.truth.sku, "warehouse")
                levels[key] = levels.get(key, Decimal(0)) + sign * one.truth.units
            for entry in entries:
                moved += 1
                given = (entry.sku, Decimal(entry.quantity), (entry.source, entry.target))
                if given != (one.truth.sku, Decimal(one.truth.units), way):
                    found.differences.append(f"{_name(one)} judged {crossing.direction}: found {text(entry)}")
    found.figures = {"movements": moved}
    return found


def _name(one: Seen) -> str:
    truth = one.truth
    return f"{truth.id} {truth.kind} {truth.epc} ({truth.sku or 'pallet'}) at {truth.door} {truth.begin:%m-%d %H:%M:%S}"
