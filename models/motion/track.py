"""Where an asset is, how far it drove and which zones it visited, from the fixes of its tracker, in event time.

A position that could only be reached faster than the asset can go waits: the next one near the old place forgets it,
three that agree are a real move (it was towed with the tracker off). Distance is counted from anchor to anchor: a
parked receiver wanders, and its legs would sum to kilometres a day. What moved while nobody observed it is a new place
and no distance driven.
"""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from models.ids import derived_id
from models.motion import visits
from models.motion.fix import OUTLIER, Heard, Spot, distance_mm, flaw, follows, spot
from models.motion.geofence import Shape
from models.motion.visits import RULE, Travel, Visit

HOUR_US, DAY_US = 3_600_000_000, 86_400_000_000
AGREE = 3
"""So many positions in a row that agree with each other are believed, wherever the last one was."""


class Tracking(Struct, frozen=True):
    """What a tracker is mounted on, how fast that can go, how long a silence is observed, and the zones."""

    asset: str
    max_speed_mps: float
    silent_on_us: int
    silent_off_us: int
    zones: tuple[Shape, ...]


class Segment(Struct):
    """Distance driven in one UTC hour, from where the first leg began to where the last one ended."""

    begin_at: int
    end_at: int
    mm: int
    first: bytes
    last: bytes


class Track(Struct, omit_defaults=True):
    """The state: everything of one asset that is not over. As small as the zones that it is in are few.

    `place` is the last good fix. Distance is measured from `anchor` (lat, lon); `near` is the last fix around it while
    the newest is away from it, which one more has to confirm.
    """

    asset: str
    last_at: int
    place: Spot | None = None
    anchor: tuple[float, float] | None = None
    near: Spot | None = None
    drives: bool = False
    suspects: tuple[Spot, ...] = ()
    segment: Segment | None = None
    visits: dict[str, Visit] = {}
    flaws: dict[str, int] = {}
    """How many fixes of the UTC day of `last_at` were no good, by why."""


def fold(params: Tracking, state: Track | None, facts: Sequence[Heard]) -> tuple[Track | None, list[Travel]]:
    """Take in fixes of one tracker, in fold order and each once. The given state is left as it was."""
    if not facts:
        return state, []
    now, rows = _begin(params, state, facts[0].at)
    for fact in facts:
        if fact.at // DAY_US != now.last_at // DAY_US:
            now.flaws.clear()
        now.last_at = fact.at
        if now.segment is not None and fact.at // HOUR_US > now.segment.end_at // HOUR_US:
            rows += _cut(now, fact.at)
        why = flaw(fact.fix)
        if why is not None:
            now.flaws[why] = now.flaws.get(why, 0) + 1
        else:
            _take(params, now, spot(fact), rows)
    return now, rows


def due(_params: Tracking, _state: Track | None) -> int | None:
    """Silence ends nothing: a parked tracker sleeps, and stays where it is."""
    return None


def close(state: Track, closed_at: int | None) -> list[Travel]:
    """Everything that is open, up to when it was last heard: the tracker goes to another asset, or away."""
    rows = [] if state.segment is None else [_distance(state.asset, state.segment, closed_at)]
    return rows + visits.close(state.asset, state.visits, closed_at)


def _begin(params: Tracking, state: Track | None, at: int) -> tuple[Track, list[Travel]]:
    """A state to work on, and what ends because the register says so."""
    if state is None or state.asset != params.asset:
        rows = [] if state is None else close(state, at)
        return Track(params.asset, at), rows
    segment = None if state.segment is None else replace(state.segment)
    stays = {zone: replace(visit) for zone, visit in state.visits.items()}
    now = replace(state, segment=segment, visits=stays, flaws={**state.flaws})
    gone = {zone: now.visits.pop(zone) for zone in sorted(stays.keys() - {shape.zone for shape in params.zones})}
    return now, visits.close(now.asset, gone, at) if gone else []


def _take(params: Tracking, now: Track, here: Spot, rows: list[Travel]) -> None:
    """A good fix: follow it, or hold it as a suspect until others agree with it."""
    if now.place is None or follows(now.place, here, params.max_speed_mps):
        if now.suspects:
            _forget(now)
        _follow(params, now, here, rows)
        return
    if now.suspects and not follows(now.suspects[-1], here, params.max_speed_mps):
        _forget(now)
    now.suspects = (*now.suspects, here)
    if len(now.suspects) == AGREE:
        agreed, now.suspects = now.suspects, ()
        rows += _cut(now, here.at)
        now.anchor, now.near, now.drives = None, None, False
        for each in agreed:
            _follow(params, now, each, rows)


def _forget(now: Track) -> None:
    now.flaws[OUTLIER] = now.flaws.get(OUTLIER, 0) + len(now.suspects)
    now.suspects = ()


def _follow(params: Tracking, now: Track, here: Spot, rows: list[Travel]) -> None:
    rows += visits.see(params.zones, now.visits, here, (now.asset, now.last_at))
    before = now.place
    if before is None or now.anchor is None:
        now.anchor = (here.lat, here.lon)
    else:
        _move(params, now, (before, here), rows)
    now.place = here


def _move(params: Tracking, now: Track, leg: tuple[Spot, Spot], rows: list[Travel]) -> None:
    """Distance from the anchor, once it is sure that the asset has left it.

    It has when it drives, by two speeds in a row or since its last leg, or when a second fix in a row is away.
    """
    before, here = leg
    radius_mm = here.radius_m * 1000
    gone_mm = _from_anchor_mm(now, here)
    if now.near is not None:
        near, now.near = now.near, None
        if gone_mm >= radius_mm:
            _count(params, now, (near, before), rows)
            gone_mm = _from_anchor_mm(now, here)
    if gone_mm >= radius_mm:
        if now.drives or (before.drives and here.drives):
            _count(params, now, leg, rows)
        else:
            now.near = before
    elif now.drives and not here.drives:
        if 2 * gone_mm >= radius_mm:
            _count(params, now, leg, rows)
        now.drives = False


def _from_anchor_mm(now: Track, to: Spot) -> int:
    assert now.anchor is not None  # noqa: S101 - asked by the caller
    return distance_mm(*now.anchor, to.lat, to.lon)


def _count(params: Tracking, now: Track, leg: tuple[Spot, Spot], rows: list[Travel]) -> None:
    """Put the anchor where a leg ends, and add its length if it was driven.

    After a silence nobody knows whether it drove, was carried, or went a longer way. What counts is a leg over a
    silence that is usual while the engine runs; or up to one that is usual while parked, if it drove at both ends.
    """
    begin, end = leg
    mm = _from_anchor_mm(now, end)
    now.anchor = (end.lat, end.lon)
    now.drives = not end.stands
    silent = end.at - begin.at
    if silent > params.silent_on_us and not (silent <= params.silent_off_us and begin.drives and end.drives):
        rows += _cut(now, now.last_at)
        return
    if now.segment is not None and end.at // HOUR_US > now.segment.end_at // HOUR_US:
        rows += _cut(now, now.last_at)
    segment = now.segment
    if segment is None:
        now.segment = Segment(begin.at, end.at, mm, begin.content, end.content)
    else:
        segment.end_at, segment.last = end.at, end.content
        segment.mm += mm
    visits.drive(now.visits, mm)


def _cut(now: Track, closed_at: int) -> list[Travel]:
    segment, now.segment = now.segment, None
    return [] if segment is None else [_distance(now.asset, segment, closed_at)]


def _distance(asset: str, segment: Segment, closed_at: int | None) -> Travel:
    evidence = [segment.first.hex(), segment.last.hex()]
    span = (segment.begin_at, segment.end_at)
    ident = derived_id(RULE, asset, "distance", *map(str, span), *evidence)
    return Travel(ident, asset, "distance", None, *span, closed_at, segment.mm, evidence)
