"""The motion step: fixes of one tracker become visits of zones and distance of the asset that it is mounted on."""

import json
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache

from backend.book.schema import travel
from backend.hours_step import tracker_of
from backend.step import Derived, Fact, Key, Step, ended_by_register
from models.declared import Tracker, Zone
from models.motion import track
from models.motion.fix import Heard
from models.motion.geofence import Shape, shape_of
from models.motion.track import Track, Tracking
from models.motion.visits import Travel
from models.reading import Fix, Reading
from models.register import Register


def _subject(_reading: Reading) -> str:
    return ""


def tracking(register: Register, device: str, at: int) -> Tracking | None:
    """What a tracker was mounted on at a time, and the zones of that time; None while it is on nothing."""
    tracker = tracker_of(register, device, at)
    return None if tracker is None else _tracking(register, tracker, _since(register, at))


@lru_cache(maxsize=4096)
def _tracking(register: Register, tracker: Tracker, since: int) -> Tracking:
    limits = (round(tracker.silent_on_s * 1_000_000), round(tracker.silent_off_s * 1_000_000))
    return Tracking(tracker.asset, tracker.max_speed_mps, *limits, _shapes(register, since))


@lru_cache(maxsize=64)
def _shapes(register: Register, at: int) -> tuple[Shape, ...]:
    zones = register.all("zones", at)
    shapes = [shape_of(ident, body) for ident, body in zones.items() if isinstance(body, Zone)]
    return tuple(shape for shape in shapes if shape is not None)


@lru_cache(maxsize=8)
def _zone_changes(register: Register) -> tuple[int, ...]:
    zones = [dated for (kind, _), dated in register.entries.items() if kind == "zones"]
    return tuple(sorted({entry.valid_from for dated in zones for entry in dated}))


def _since(register: Register, at: int) -> int:
    """The start of the span, around a time, in which no zone changes."""
    changes = _zone_changes(register)
    found = bisect_right(changes, at)
    return changes[found - 1] if found else -1


def _params(register: Register, key: Key, at: int) -> Tracking | None:
    return tracking(register, key.device, at)


@lru_cache(maxsize=4096)
def _boundaries(register: Register, device: str) -> tuple[int, ...]:
    return tuple(sorted({*register.changes("devices", device), *_zone_changes(register)}))


def _depends_on(register: Register, key: Key) -> Sequence[int]:
    return _boundaries(register, key.device)


def _fold(params: Tracking, state: Track | None, facts: Sequence[Fact]) -> tuple[Track | None, list[Travel]]:
    return track.fold(params, state, [_heard(fact) for fact in facts])


def _heard(fact: Fact) -> Heard:
    fix = fact.reading
    assert isinstance(fix, Fix)  # noqa: S101 - the step's kind
    return Heard(fact.at, fix, fact.content)


def _derive(_register: Register, key: Key, travelled: Travel, seen_at: int) -> Derived:
    closed_at = seen_at if travelled.closed_at is None else travelled.closed_at
    row = {
        "id": travelled.id,
        "device_id": key.device_id,
        "subject": key.subject,
        "asset": travelled.asset,
        "what": travelled.what,
        "zone": travelled.zone,
        "begin_at": travelled.begin_at,
        "end_at": travelled.end_at,
        "closed_at": closed_at,
        "distance_mm": travelled.distance_mm,
        "evidence": json.dumps(travelled.evidence),
    }
    return Derived(MOTION.name, MOTION.table, travelled.id, closed_at, seen_at, row, None)


MOTION: Step[Tracking, Track, Travel] = Step(
    name="motion",
    kinds=("fix",),
    table=travel,
    subject=_subject,
    params=_params,
    depends_on=_depends_on,
    state=Track,
    fold=_fold,
    due=track.due,
    expire=ended_by_register(track.close),
    derive=_derive,
    goes_on=True,
)
