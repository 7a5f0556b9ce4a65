"""Where an asset is, as of any time, with how sure that is and why: a function of the set of its sightings.

The newest sighting that names a place counts. What only goes on (a tracker that is still in its zone) makes the place
newer and takes it from nobody; what leaves a place leaves no other. So late sightings change the past as they must,
and the order in which they become known changes nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from models.assets.sighting import Sighting, Source
from models.ids import derived_id

Confidence = Literal["low", "medium", "high"]
LEVELS: tuple[Confidence, ...] = ("low", "medium", "high")
DAY_US = 86_400_000_000
RULE = "relocation-1"


class Trust(NamedTuple):
    """How far a source is believed while it is fresh, for how long it is, and how it is called."""

    level: Confidence
    fresh_us: int
    words: str


TRUST: Mapping[Source, Trust] = {
    "scan": Trust("high", 30 * DAY_US, "its label was scanned there"),
    "sweep": Trust("high", 90 * DAY_US, "an audit heard its tag there"),
    "dock": Trust("high", 30 * DAY_US, "it went through the door"),
    "gps": Trust("high", DAY_US, "its tracker was in the zone"),
    "presence": Trust("medium", DAY_US, "a reader heard its tag best there"),
    "custody": Trust("medium", 30 * DAY_US, "a person said so"),
}
"""What is older than fresh counts one level less, what is three times as old is low."""
LEFT: Mapping[Source, str] = {
    "presence": "its reader does not hear it any more",
    "sweep": "an audit missed it there",
    "gps": "its tracker left every zone that is known",
    "dock": "it went out of the door",
}
OLD = 3


class Place(Struct, frozen=True):
    """Where an asset is: `since` when, and when it was last `seen_at`, microseconds; None: where is not known.

    `id` is the sighting that says so, `via` the asset that it is a component of, if that was seen instead of it.
    """

    place: str | None
    since: int
    seen_at: int
    source: Source
    id: str
    evidence: tuple[str, ...]
    confidence: Confidence
    reason: str
    via: str | None = None


class Relocation(Struct, frozen=True, kw_only=True):
    """An asset came from one place to another at `at` microseconds, by what a sighting says."""

    id: str
    at: int
    was: str | None
    place: str | None
    source: Source
    by: str
    evidence: tuple[str, ...]
    confidence: Confidence
    reason: str
    via: str | None


class Stayed(NamedTuple):
    """A stretch at one place, or at none that is known."""

    place: str | None
    begin_at: int
    end_at: int


class _Stand(NamedTuple):
    """The sighting that says where it is, where that is, since when, and when it was last seen."""

    by: Sighting
    place: str | None
    since: int
    seen_at: int


def where(sightings: Iterable[Sighting], at: int) -> Place | None:
    """The place as of a time, after all that is known up to it in any order; None if it was never seen."""
    stands = [after for _, after in _stands(sightings, at)]
    return _place(stands[-1], at) if stands else None


def relocations(asset: str, sightings: Iterable[Sighting], until: int) -> list[Relocation]:
    """Every change of place up to a time, in order. The first is the first time that it was seen anywhere."""
    found: list[Relocation] = []
    for before, stand in _stands(sightings, until):
        was = None if before is None else before.place
        if before is None or was != stand.place:
            by, place = stand.by, _place(stand, stand.since)
            ident = derived_id(RULE, asset, was or "", stand.place or "", str(by.at), by.id)
            found.append(
                Relocation(
                    id=ident,
                    at=by.at,
                    was=was,
                    place=stand.place,
                    source=by.source,
                    by=by.id,
                    evidence=by.evidence,
                    confidence=place.confidence,
                    reason=place.reason,
                    via=by.via,
                )
            )
    return found


def _stands(sightings: Iterable[Sighting], until: int) -> Iterator[tuple[_Stand | None, _Stand]]:
    """How it stood before and after each sighting that says something new."""
    now: _Stand | None = None
    for each in sorted({*sightings}, key=lambda sighting: sighting.order):
        if each.at > until:
            return
        after = _after(now, each)
        if after is not None and after != now:
            yield now, after
            now = after


def _after(now: _Stand | None, each: Sighting) -> _Stand | None:
    here = _Stand(each, each.place, each.at, each.at)
    if now is None:
        return None if each.what == "left" else here
    after = now
    match each.what, now.place == each.place:
        case ("seen", True):
            after = now._replace(seen_at=each.at, by=each)
        case ("still", True) | ("heard", _):
            after = now._replace(seen_at=each.at)
        case ("left", True):
            after = here._replace(place=None, seen_at=now.seen_at)
        case ("seen", False):
            after = here
        case ("still", False) if now.place is None:
            after = here
        case _:
            pass
    return after


def _place(stand: _Stand, at: int) -> Place:
    by, trust = stand.by, TRUST[stand.by.source]
    level, reasons = LEVELS.index(trust.level), [trust.words]
    if stand.place is None:
        reasons = [LEFT.get(by.source, trust.words)]
        level = 0 if by.what == "left" else level
    if by.via is not None:
        level, reasons = level - 1, [f"it is a component of {by.via}: {reasons[0]}"]
    if not by.sure:
        level, reasons = level - 1, [*reasons, "which was not sure"]
    age = at - stand.seen_at
    if age > trust.fresh_us:
        level = 0 if age > OLD * trust.fresh_us else level - 1
        reasons.append(f"{age // DAY_US} days ago")
    confidence = LEVELS[max(level, 0)]
    fields = (stand.place, stand.since, stand.seen_at, by.source, by.id, by.evidence)
    return Place(*fields, confidence, ", ".join(reasons), by.via)


def inherited(parent: str, sightings: Iterable[Sighting], span: tuple[int, int]) -> list[Sighting]:
    """What a component is seen by while it is on its parent in a span (from, up to): as its parent is.

    It is where the parent is when it is fitted, and then follows, until it is seen elsewhere itself.
    """
    begin, end = span
    known = [*sightings]
    found = [replace(each, via=each.via or parent) for each in known if begin < each.at < end]
    at_first = where(known, begin)
    if at_first is not None:
        source, ident, evidence = at_first.source, at_first.id, at_first.evidence
        found.append(Sighting(begin, source, ident, "seen", at_first.place, evidence, via=at_first.via or parent))
    return found


def stays(moved: Iterable[Relocation], span: tuple[int, int]) -> list[Stayed]:
    """How long it was where in a span (since, until); before the first sighting nowhere."""
    since, until = span
    found: list[Stayed] = []
    place, begin = None, since
    for each in sorted(moved, key=lambda move: move.at):
        if each.at > since:
            end = min(each.at, until)
            found += [Stayed(place, begin, end)] if end > begin else []
            begin = max(begin, end)
        place = each.place
    return found + ([Stayed(place, begin, until)] if until > begin else [])
