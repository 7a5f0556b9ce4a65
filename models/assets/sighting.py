"""What says where an asset was at a moment: one shape for readers, doors, trackers, scanners, people and audits.

A place is `location:ID` or `zone:ID` of the register; None is nowhere that is known. Trackers tell stays in zones that
lie in one another; `of_stays` makes sightings of them, at the smallest zone that the asset is in.
"""

from collections.abc import Iterable
from itertools import groupby
from typing import Literal, NamedTuple

from msgspec import Struct

Source = Literal["custody", "presence", "gps", "dock", "sweep", "scan"]
SOURCES: tuple[Source, ...] = ("custody", "presence", "gps", "dock", "sweep", "scan")
"""Of two sightings of one moment the one whose source is later here counts."""
What = Literal["seen", "still", "left", "heard"]
WHATS: tuple[What, ...] = ("heard", "still", "left", "seen")
"""In this order where one of them is of the same moment: where it still was it may be seen to have left."""


class Sighting(Struct, frozen=True):
    """At `at` (microseconds) an asset was seen at a place, was still there, had left it, or was heard.

    Who left is not heard any more, or was missed; who is heard is somewhere, and nobody says where. What was seen
    without a place went out of every place that is known. `id` is what says so: crossing:ID, presence:ID, visit:ID,
    scan:ID, custody:ID, audit:ID, at most two of one moment; `evidence` are content hashes of readings, or what a
    person gave.
    """

    at: int
    source: Source
    id: str
    what: What = "seen"
    place: str | None = None
    evidence: tuple[str, ...] = ()
    sure: bool = True
    """False if what decided it was not sure."""
    via: str | None = None
    """The asset that was seen, of which this one is a component."""

    @property
    def order(self) -> tuple[int, int, str, int, str]:
        """By time; of one moment by source, then by what says so."""
        return (self.at, SOURCES.index(self.source), self.id, WHATS.index(self.what), self.place or "")


class Stay(NamedTuple):
    """A visit of a zone: `end_at` is when it was last seen there, `closed_at` when it was seen to have left, if so."""

    zone: str
    begin_at: int
    end_at: int
    closed_at: int | None
    id: str
    evidence: tuple[str, ...]
    area_m2: float = 0.0

    @property
    def size(self) -> tuple[float, str, str]:
        """The smallest zone is where an asset is."""
        return (self.area_m2, self.zone, self.id)


def of_stays(stays: Iterable[Stay]) -> list[Sighting]:
    """The sightings of one asset by its trackers, in order: each time that the smallest zone it is in is another."""
    known = sorted(stays)
    steps = [(stay.begin_at, stay, True) for stay in known]
    steps += [(stay.closed_at, stay, False) for stay in known if stay.closed_at is not None]
    found = [
        Sighting(stay.end_at, "gps", f"visit:{stay.id}", "still", f"zone:{stay.zone}", stay.evidence)
        for stay in known
        if stay.end_at > stay.begin_at
    ]
    inside: dict[str, Stay] = {}
    for at, group in groupby(sorted(steps, key=lambda step: step[0]), key=lambda step: step[0]):
        before = min(inside.values(), key=lambda stay: stay.size, default=None)
        for _, stay, is_begin in group:
            if is_begin:
                inside[stay.id] = stay
            else:
                inside.pop(stay.id, None)
        after = min(inside.values(), key=lambda stay: stay.size, default=None)
        of = before if after is None else after
        if of is not None and (before is None or after is None or before.zone != after.zone):
            place = None if after is None else f"zone:{after.zone}"
            found.append(Sighting(at, "gps", f"visit:{of.id}", "seen", place, of.evidence))
    return sorted(found, key=lambda sighting: sighting.order)
