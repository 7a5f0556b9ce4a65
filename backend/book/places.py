"""Where assets are and were: their last good position, the zones they visited and how far they drove, by GPS."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, and_, bindparam, case, func, select

from backend import registers
from backend.book.schema import Big, travel
from backend.hours_step import moved_at, tracker_of
from backend.identities import devices_of
from backend.motion_step import MOTION, tracking
from models.motion import track
from models.motion.fix import Spot
from models.motion.tracking import Track
from models.motion.travel import Travel
from models.register import Register

Span = tuple[int, int]
"""(since, until), microseconds."""
_SINCE, _UNTIL = bindparam("since", type_=Big), bindparam("until", type_=Big)
_OF_ASSET = travel.c.asset == bindparam("asset")
_VISITS = select(travel).where(
    _OF_ASSET, travel.c.what == "visit", travel.c.end_at >= _SINCE, travel.c.begin_at < _UNTIL
)
_JOURNEYS = select(travel).where(
    _OF_ASSET,
    travel.c.what.in_(bindparam("what", expanding=True)),
    travel.c.end_at > _SINCE,
    travel.c.begin_at < _UNTIL,
)
_DRIVEN = (
    select(func.min(travel.c.begin_at), func.max(travel.c.end_at), func.sum(travel.c.distance_mm))
    .where(_OF_ASSET, travel.c.what == "distance", travel.c.end_at >= _SINCE, travel.c.begin_at <= _UNTIL)
    .group_by(case((and_(travel.c.begin_at >= _SINCE, travel.c.end_at <= _UNTIL), 0), else_=travel.c.n))
)
"""All stretches that lie within a span as one, and each that reaches out."""
_ANY = select(travel.c.n).where(_OF_ASSET).limit(1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an asset was at its last good fix, `at`; `heard_at` is when its tracker sent the last one, good or not."""

    device: str
    lat: float
    lon: float
    at: int
    heard_at: int
    age_us: int
    speed_mps: float | None
    course_deg: float | None
    hdop: float | None
    zones: tuple[str, ...]
    """Those that this fix is in, or not clearly out of after it was in; the smallest first."""
    flags: tuple[str, ...]
    """no_position: fixes after this one were no good. suspect: newer ones are too far away to be believed yet."""
    flaws: dict[str, int]
    """How many fixes were no good on the last UTC day that one was heard, by why."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A stay in a zone; `end_at` is None while it lasts, `seen_at` when it was last seen there."""

    id: str
    zone: str
    begin_at: int
    end_at: int | None
    seen_at: int
    distance_mm: int
    evidence: tuple[str, ...]
    fixes: int = 0
    version: int = 0
    """From when the zone has been as it was."""
    method: str | None = None
    """fix, or segment: two fixes had the zone between them."""


class Told(NamedTuple):
    """What a tracker stands at that was last heard on an asset: by its id in the register, and in the journal."""

    name: str
    device_id: int
    state: Track


def last_places(tx: Connection, register: Register, now: int) -> dict[str, Place]:
    """The place of every asset that has a tracker now, and had a good fix since that was mounted."""
    found: dict[str, Place] = {}
    for name, _, state in told(tx, register, None):
        tracker = tracker_of(register, name, now)
        if tracker is None or tracker.asset != state.asset or state.place is None:
            continue
        known = found.get(state.asset)
        if known is None or known.at < state.place.at:
            found[state.asset] = _place(register, name, state, state.place, now)
    return found


def _place(register: Register, name: str, state: Track, here: Spot, now: int) -> Place:
    params = tracking(register, name, state.last_at)
    shapes = {} if params is None else params.fences.shapes
    areas = {zone: shapes[zone].area_m2 for zone in state.visits if zone in shapes}
    inside = [zone for zone, visit in state.visits.items() if not visit.outside]
    flags = {"suspect": state.suspects, "no_position": state.fix_at > here.at and not state.suspects}
    return Place(
        device=name,
        lat=here.lat,
        lon=here.lon,
        at=here.at,
        heard_at=state.last_at,
        age_us=max(0, now - here.at),
        speed_mps=here.speed_mps,
        course_deg=here.course_deg,
        hdop=here.hdop,
        zones=tuple(sorted(inside, key=lambda zone: (areas.get(zone, 0.0), zone))),
        flags=tuple(flag for flag, is_set in flags.items() if is_set),
        flaws=state.flaws,
    )


def visits(tx: Connection, register: Register, asset: str, span: Span, now: int) -> list[Visit]:
    """Stays in zones that reach into a span, the oldest first, with those that last now."""
    since, until = span
    over = {"asset": asset, "since": since, "until": until}
    found = [_visit(_travel(row), row.end_at) for row in tx.execute(_VISITS, over)]
    for name, _, state in told(tx, register, [asset]):
        is_here = _is_still_on(register, name, state, now)
        found += [
            _visit(each, None if is_here else each.end_at)
            for each in track.close(state, None)
            if each.what == "visit" and each.begin_at < until and (is_here or each.end_at >= since)
        ]
    return sorted(found, key=lambda visit: (visit.begin_at, visit.zone))


def _visit(each: Travel, end_at: int | None) -> Visit:
    span = (each.begin_at, end_at, each.end_at)
    own = (each.fixes, each.version, each.method)
    return Visit(each.id, each.zone or "", *span, each.distance_mm, tuple(each.evidence), *own)


def _is_still_on(register: Register, device: str, state: Track, now: int) -> bool:
    """Whether what is open may go on: the tracker was not taken off its asset since it was heard last."""
    gone_at = moved_at(register, device, state.last_at)
    return gone_at is None or gone_at > now


def journeys(tx: Connection, register: Register, asset: str, span: Span, now: int, *what: str) -> list[Travel]:
    """Trips, stops or transports that reach into a span, the oldest first. One that goes on now has no `closed_at`."""
    since, until = span
    over = {"asset": asset, "what": what, "since": since, "until": until}
    found = [_travel(row) for row in tx.execute(_JOURNEYS, over)]
    for name, _, state in told(tx, register, [asset]):
        going = going_on(state)
        is_here = _is_still_on(register, name, state, now)
        if going is not None and going.what in what and going.begin_at < until and (is_here or going.end_at > since):
            found.append(going if is_here else replace(going, closed_at=going.end_at))
    return sorted(found, key=lambda each: each.begin_at)


def going_on(state: Track) -> Travel | None:
    """The stop, trip or transport that an asset is in; a pause belongs to the trip that it may yet end."""
    return next((each for each in track.close(state, None) if each.what in {"trip", "stop", "transported"}), None)


def _travel(row: Any) -> Travel:  # noqa: ANN401 - a row of `travel`
    fields = {name: getattr(row, name) for name in Travel.__struct_fields__ if name != "evidence"}
    return Travel(**fields, evidence=msgspec.json.decode(row.evidence, type=list[str]))


def was_left(tx: Connection, register: Register, row: Any) -> bool:  # noqa: ANN401 - a row of `travel`
    """Whether the asset went from a zone: not its tracker, nor the zone, which may be another now than when it came."""
    params = tracking(register, registers.register_name(tx, row.device_id), row.closed_at)
    shape = None if params is None or params.asset != row.asset else params.fences.shapes.get(row.zone)
    return shape is not None and shape.version <= row.end_at


def driven(tx: Connection, register: Register, asset: str, span: Span) -> int | None:
    """Millimetres driven in a span, with what is open; None if the asset never had a good fix.

    Of a stretch that reaches over an end of the span the share of its time counts: stretches are of one hour, or
    longer by a leg that began before it.
    """
    since, until = span
    rows = tx.execute(_DRIVEN, {"asset": asset, "since": since, "until": until})
    parts = [(begin_at, end_at, int(mm)) for begin_at, end_at, mm in rows]
    states = [each.state for each in told(tx, register, [asset])]
    parts += [
        (each.begin_at, each.end_at, each.distance_mm)
        for state in states
        for each in track.close(state, None)
        if each.what == "distance"
    ]
    if not parts and not any(state.place for state in states) and not _was_heard(tx, asset):
        return None
    return sum(_share(part, since, until) for part in parts)


def _share(part: tuple[int, int, int], since: int, until: int) -> int:
    begin, end, mm = part
    inside = min(end, until) - max(begin, since)
    return mm if inside >= end - begin else max(0, mm * inside // (end - begin))


def _was_heard(tx: Connection, asset: str) -> bool:
    return tx.execute(_ANY, {"asset": asset}).first() is not None


def told(tx: Connection, register: Register, assets: Iterable[str] | None) -> Iterator[Told]:
    """What trackers stand at that were last heard on one of these assets, or on any."""
    wanted = None if assets is None else {*assets}
    names = None if wanted is None else {name for asset in wanted for name in devices_of(register).get(asset, ())}
    for name, device_id, encoded in registers.states(tx, MOTION.name, names):
        state = MOTION.decode(encoded)
        if state is not None and (wanted is None or state.asset in wanted):
            yield Told(name, device_id, state)
