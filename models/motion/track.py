"""Where an asset is, how far it drove, its trips and stops and the zones it visited, from what its tracker said.

A position that could only be reached faster than the asset can go waits: the next one near the old place forgets it,
three that agree are a real move (it was towed with the tracker off). Distance is counted from anchor to anchor: a
parked receiver wanders, and its legs would sum to kilometres a day. What moved while nobody observed it is a new place
and no distance driven; what moved with its engine off was transported.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from models.motion import journey, visits
from models.motion.anchor import settle
from models.motion.fix import OUTLIER, Heard, Spot, distance_mm, flaw, follows, spot
from models.motion.journey import Leg
from models.motion.tracking import Engine, Track, Tracking
from models.motion.travel import Span, Travel, row
from models.motion.visits import Seen

HOUR_US, DAY_US = 3_600_000_000, 86_400_000_000
STOPS = 4
"""The last part of a way counts from this share of the radius on."""
AGREE = 3
"""So many positions in a row that agree with each other are believed, wherever the last one was."""


def fold(params: Tracking, state: Track | None, facts: Sequence[Heard]) -> tuple[Track | None, list[Travel]]:
    """Take in what one tracker said, in fold order and each once. The given state is left as it was."""
    if not facts:
        return state, []
    now, rows = _begin(params, state, facts[0].at)
    for fact in facts:
        if fact.at // DAY_US != now.last_at // DAY_US:
            now.flaws.clear()
        now.last_at = fact.at
        if now.segment is not None and fact.at // HOUR_US > now.segment.end_at // HOUR_US:
            rows += _cut(now, fact.at)
        if fact.fix is None:
            if fact.on is not None:
                _switch(params, now, rows, on=fact.on)
            continue
        now.fix_at = fact.at
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
    rows = [] if state.segment is None else [row(state.of, "distance", state.segment, closed_at)]
    if state.anchor is not None:
        rows += journey.close(state.log, (*state.of, closed_at), state.stands_at)
    return rows + visits.close(state.asset, state.visits, closed_at)


def _begin(params: Tracking, state: Track | None, at: int) -> tuple[Track, list[Travel]]:
    """A state to work on, and what ends because the register says so."""
    if state is None or state.asset != params.asset:
        rows = [] if state is None else close(state, at)
        return Track(params.asset, at, params.version), rows
    segment = None if state.segment is None else replace(state.segment)
    rest = None if state.rest is None else replace(state.rest)
    stays = {zone: replace(visit) for zone, visit in state.visits.items()}
    own = {"segment": segment, "rest": rest, "visits": stays, "log": journey.copy(state.log), "version": params.version}
    now = replace(state, flaws={**state.flaws}, **own)
    gone = {zone: now.visits.pop(zone) for zone in sorted(stays.keys() - params.fences.shapes.keys())}
    return now, visits.close(now.asset, gone, at) if gone else []


def _switch(params: Tracking, now: Track, rows: list[Travel], *, on: bool) -> None:
    """The engine. When it goes on, distance is measured from where the machine is by its last fix.

    What wandered there while it was off was no way; a fix that is too far away for that has yet to be confirmed.
    """
    was = now.engine
    if was is not None and was.on == on:
        now.engine = replace(was, at=now.last_at)
        return
    now.engine = Engine(on, now.last_at, now.last_at, (was.since, was.at) if was is not None and on else None)
    if now.place is None:
        return
    now.drives = now.drives and on
    if on:
        rows += journey.put_down(now.log, now.known)
        gone_mm = 0 if now.anchor is None else _gone_mm(now, now.place)
        waits = now.near is not None and gone_mm >= params.pace.transported_mm
        if gone_mm >= now.place.radius_m * 1000 and not waits:
            now.near = None
            _anchor(now, now.place)


def _is_off(params: Tracking, now: Track, begin: Spot, at: int) -> bool:
    """Whether the engine is known to have been off from a fix on: what moved then was carried."""
    engine = now.engine
    if engine is None or (engine.on and (engine.off is None or at > engine.since)):
        return False
    since, heard_at = engine.off if engine.on and engine.off is not None else (engine.since, engine.at)
    return since <= begin.at and at - heard_at <= params.silent_off_us


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
        _lose(now, now.place, rows)
        now.anchor, now.near, now.drives = None, None, False
        for each in agreed:
            _follow(params, now, each, rows)


def _forget(now: Track) -> None:
    now.flaws[OUTLIER] = now.flaws.get(OUTLIER, 0) + len(now.suspects)
    now.suspects = ()


def _follow(params: Tracking, now: Track, here: Spot, rows: list[Travel]) -> None:
    before = now.place
    if before is None or now.anchor is None:
        _anchor(now, here)
        journey.begin(now.log, here)
        rows += visits.see(params.fences, now.visits, Seen(here, stands=False), (now.asset, now.last_at))
    else:
        _move(params, now, (before, here), rows)
    now.place = here


def _move(params: Tracking, now: Track, way: tuple[Spot, Spot], rows: list[Travel]) -> None:
    """Distance from the anchor, once it is sure that the asset has left it.

    It has when it drives, by two speeds in a row or since its last leg, or when a second fix in a row is away. With its
    engine off it has only when it is so far away that it must have been transported.
    """
    before, here = way
    gone_mm = _gone_mm(now, here)
    if now.near is not None:
        near, now.near = now.near, None
        if gone_mm >= _reach_mm(params, now, (near, here)):
            _count(params, now, (near, before), rows)
            gone_mm = _gone_mm(now, here)
    if gone_mm >= _reach_mm(params, now, way):
        if now.drives or (before.drives and here.drives):
            _count(params, now, way, rows)
        else:
            now.near = before
        return
    if now.drives and not here.drives:
        now.drives = False
        if STOPS * gone_mm >= here.radius_m * 1000:
            _count(params, now, way, rows)
            now.drives = False
            return
    _stand(params, now, here, rows)


def _reach_mm(params: Tracking, now: Track, way: tuple[Spot, Spot]) -> float:
    """How far from its anchor it may be and still stand there."""
    begin, here = way
    radius_mm = here.radius_m * 1000
    moving = now.log.moving
    if _is_off(params, now, begin, here.at) and not (moving is not None and moving.carried):
        return max(radius_mm, params.pace.transported_mm)
    return radius_mm


def _stand(params: Tracking, now: Track, here: Spot, rows: list[Travel]) -> None:
    """A fix around the anchor: zones are judged on the middle of all of them, once it does not drive."""
    rows += journey.stand(params.pace, now.log, now.known, here)
    if not now.drives and not here.drives and (now.rest is None or _gone_mm(now, here) < here.radius_m * 1000):
        now.rest = settle(now.rest, here)
    seen = Seen(here, stands=not now.drives)
    if now.rest is not None and now.rest.settled:
        lat, lon = now.stands_at
        seen = Seen(replace(here, lat=lat, lon=lon), stands=True)
    rows += visits.see(params.fences, now.visits, seen, (now.asset, now.last_at))


def _gone_mm(now: Track, to: Spot) -> int:
    return distance_mm(*now.stands_at, to.lat, to.lon)


def _anchor(now: Track, here: Spot) -> None:
    now.anchor, now.rest = (here.lat, here.lon), None


def _count(params: Tracking, now: Track, way: tuple[Spot, Spot], rows: list[Travel]) -> None:
    """Put the anchor where a leg ends, and add its length if it was driven.

    After a silence nobody knows whether it drove, was carried, or went a longer way. What counts is a leg over a
    silence that is usual while the engine runs; or up to one that is usual while parked, if it drove at both ends.
    """
    begin, end = way
    start, mm = now.stands_at, _gone_mm(now, end)
    silent = end.at - begin.at
    carried = _is_off(params, now, begin, end.at)
    seen = silent <= params.silent_on_us or (
        silent <= params.silent_off_us and (carried or (begin.drives and end.drives))
    )
    if not seen:
        _lose(now, begin, rows)
        journey.begin(now.log, end)
    else:
        rows += journey.go(params.pace, now.log, now.known, Leg(begin, end, mm, start, carried))
    _anchor(now, end)
    now.drives = not end.stands
    rows += visits.see(params.fences, now.visits, Seen(end, stands=False), (now.asset, now.last_at))
    if not seen:
        return
    if carried:
        rows += _cut(now, now.last_at)
    else:
        rows += visits.pass_through(params.fences, now.visits, way, (now.asset, now.last_at))
        _drive(now, Leg(begin, end, mm, start), rows)


def _drive(now: Track, leg: Leg, rows: list[Travel]) -> None:
    """Add a leg to the distance of its hour, and to that of the zones in which it ended."""
    end = leg.end
    if now.segment is not None and end.at // HOUR_US > now.segment.end_at // HOUR_US:
        rows += _cut(now, now.last_at)
    segment = now.segment
    if segment is None:
        now.segment = Span(leg.begin.at, end.at, leg.begin.content, end.content, leg.mm, 2)
    else:
        segment.end_at, segment.last = end.at, end.content
        segment.mm += leg.mm
        segment.fixes += 1
    visits.drive(now.visits, leg.mm)


def _lose(now: Track, last: Spot | None, rows: list[Travel]) -> None:
    """It is elsewhere, and nobody saw how it got there."""
    rows += _cut(now, now.last_at)
    if last is not None and now.anchor is not None:
        rows += journey.lose(now.log, now.known, last, now.stands_at)


def _cut(now: Track, closed_at: int) -> list[Travel]:
    segment, now.segment = now.segment, None
    return [] if segment is None else [row(now.of, "distance", segment, closed_at)]
