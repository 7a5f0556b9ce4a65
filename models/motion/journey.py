"""Trips, stops and transports: one after the other, from legs that were driven or carried and the pauses between them.

A trip is movement without a pause of the class's `stop_s` or more that goes farther than its `trip_m` from where it
began; all else belongs to the stop. What moves with its engine off is transported, and no trip.
"""

from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from models.motion.classes import Pace
from models.motion.fix import Spot, distance_mm
from models.motion.travel import Span, Travel, row

Place = tuple[float, float]
"""(lat, lon)."""
Known = tuple[str, int, int | None]
"""Whose rows: asset, version; and when they became known, None for what is open."""


class Leg(NamedTuple):
    """A straight piece of the way between two fixes."""

    begin: Spot
    end: Spot
    mm: int
    start: Place
    """Where it begins: the middle of where it stood, if it stood."""
    carried: bool = False


class Moving(Span, kw_only=True):
    """Legs without a pause between them. It ends where the last of them did; since then `waited` good fixes stood."""

    start: Place
    end: Place
    carried: bool
    far: bool
    """Whether it has been so far from its start that it is a trip, or was carried."""
    waited: Span | None = None


class Log(Struct, omit_defaults=True):
    """What an asset is in: a stop, or a movement and the stop that it may still belong to."""

    stop: Span | None = None
    moving: Moving | None = None


def begin(log: Log, here: Spot) -> None:
    """Nothing is known of before this fix."""
    log.stop, log.moving = _at(here), None


def stand(pace: Pace, log: Log, known: Known, here: Spot) -> list[Travel]:
    """One more good fix where it stands: a movement that ended long enough before is over."""
    moving = log.moving
    if moving is None:
        log.stop = _longer(log.stop, here)
        return []
    moving.waited = _longer(moving.waited, here)
    return _finish(log, known) if here.at - moving.end_at >= pace.stop_us else []


def go(pace: Pace, log: Log, known: Known, leg: Leg) -> list[Travel]:
    """One more leg, of the movement that it is in or of another."""
    rows: list[Travel] = []
    moving, left_at = log.moving, _left_at(pace, leg)
    if moving is not None and (left_at - moving.end_at >= pace.stop_us or moving.carried != leg.carried):
        rows += _finish(log, known)
        moving = None
    end = (leg.end.lat, leg.end.lon)
    if moving is None:
        first, last = leg.begin.content, leg.end.content
        span = (left_at, leg.end.at, first, last, leg.mm, 2)
        log.moving = moving = Moving(*span, start=leg.start, end=end, carried=leg.carried, far=False)
    else:
        waited = 0 if moving.waited is None else moving.waited.fixes
        moving.end_at, moving.last, moving.end, moving.waited = leg.end.at, leg.end.content, end, None
        moving.mm += leg.mm
        moving.fixes += waited + 1
    if not moving.far and (leg.carried or distance_mm(*moving.start, *end) > pace.trip_mm):
        moving.far = True
        rows += _leave(log, known, moving)
    return rows


def _left_at(pace: Pace, leg: Leg) -> int:
    """When a leg began: at its first fix, or so much later that it had paused, if it drives so much faster."""
    begin, end = leg.begin, leg.end
    speed_mps = max(begin.speed_mps or 0.0, end.speed_mps or 0.0, pace.trip_mm * 1000 / max(1, pace.stop_us))
    left_at = end.at - round(leg.mm * 1000 / speed_mps) if speed_mps else begin.at
    return left_at if left_at - begin.at >= pace.stop_us else begin.at


def lose(log: Log, known: Known, last: Spot, place: Place) -> list[Travel]:
    """After a fix it was not observed, and is elsewhere: what it was in ends there."""
    rows = _finish(log, known)
    stop, log.stop = log.stop, None
    return rows if stop is None else [*rows, *_stopped(known, stop, (last.at, last.content), place)]


def put_down(log: Log, known: Known) -> list[Travel]:
    """Its engine goes on: it is carried no more."""
    return _finish(log, known) if log.moving is not None and log.moving.carried else []


def close(log: Log, known: Known, place: Place) -> list[Travel]:
    """Everything that is open, up to when it was last seen."""
    log = copy(log)
    rows = _finish(log, known)
    stop = log.stop
    return rows if stop is None else [*rows, *_stopped(known, stop, (stop.end_at, stop.last), place)]


def copy(log: Log) -> Log:
    """A log to work on."""
    moving = log.moving
    if moving is not None:
        moving = replace(moving, waited=None if moving.waited is None else replace(moving.waited))
    return Log(None if log.stop is None else replace(log.stop), moving)


def _at(here: Spot) -> Span:
    return Span(here.at, here.at, here.content, here.content)


def _longer(span: Span | None, here: Spot) -> Span:
    if span is None:
        return _at(here)
    span.end_at, span.last = here.at, here.content
    span.fixes += 1
    return span


def _finish(log: Log, known: Known) -> list[Travel]:
    """The movement is over: a trip or transport, after which a stop begins, or part of the stop that it began in."""
    moving, log.moving = log.moving, None
    if moving is None:
        return []
    waited = moving.waited
    fixes, until = (0, (moving.end_at, moving.last)) if waited is None else (waited.fixes, (waited.end_at, waited.last))
    if moving.far:
        log.stop = Span(moving.end_at, until[0], moving.last, until[1], 0, fixes + 1)
        asset, version, closed_at = known
        made = row((asset, version), "transported" if moving.carried else "trip", moving, closed_at)
        return [replace(made, lat=moving.end[0], lon=moving.end[1])]
    stop = log.stop or Span(moving.begin_at, moving.begin_at, moving.first, moving.first)
    stop.end_at, stop.last = until
    stop.mm += moving.mm
    stop.fixes += moving.fixes - 1 + fixes
    log.stop = stop
    return []


def _leave(log: Log, known: Known, moving: Moving) -> list[Travel]:
    """The stop is over: it lasted to where the movement began."""
    stop, log.stop = log.stop, None
    return [] if stop is None else _stopped(known, stop, (moving.begin_at, moving.first), moving.start)


def _stopped(known: Known, stop: Span, last: tuple[int, bytes], place: Place) -> list[Travel]:
    asset, version, closed_at = known
    stop.end_at, stop.last = last
    if stop.end_at <= stop.begin_at:
        return []
    return [replace(row((asset, version), "stop", stop, closed_at), lat=place[0], lon=place[1])]
