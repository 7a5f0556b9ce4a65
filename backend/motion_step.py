"""The motion step: what one tracker says becomes visits, trips, stops and distance of the asset that it is mounted on.

It folds fixes, and of inputs the one that says whether the engine runs: what moves with its engine off is carried.
"""

import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from backend.book.schema import travel
from backend.hours_step import metering, tracker_of
from backend.step import Derived, Fact, Key, Step, ended_by_register
from models.declared import Asset, AssetClass, Device, Tracker, Zone
from models.motion import track
from models.motion.classes import Pace, pace
from models.motion.fences import Fences
from models.motion.fix import Heard
from models.motion.geofence import shape_of
from models.motion.tracking import Track, Tracking
from models.motion.travel import Travel
from models.reading import Fix, Input, Reading
from models.register import Register


def _subject(_reading: Reading) -> str:
    return ""


class _Known:
    """What was worked out of a register. It goes with it, and every change makes another."""

    def __init__(self, register: Register) -> None:
        zones = [dated for (kind, _), dated in register.entries.items() if kind == "zones"]
        devices = [(ident, dated) for (kind, ident), dated in register.entries.items() if kind == "devices"]
        self.zone_changes = tuple(sorted({entry.valid_from for dated in zones for entry in dated}))
        self.trackers = frozenset(ident for ident, dated in devices if any(_is_tracker(each.body) for each in dated))
        """Every device that was ever declared to be one."""
        self.boundaries: dict[str, tuple[int, ...]] = {}
        """By device."""
        self.trackings: dict[tuple[str, int], Tracking | None] = {}
        """By device and the boundary from which it holds."""
        self.fences: dict[int, Fences] = {}
        """By the change of a zone from which they hold."""


def _is_tracker(body: Struct) -> bool:
    return isinstance(body, Device) and body.tracker is not None


_known = lru_cache(maxsize=8)(_Known)
"""The workers each hold the present register; of older ones nothing is kept for long."""


def tracking(register: Register, device: str, at: int) -> Tracking | None:
    """What a tracker was mounted on at a time, how that moves, and the zones of that time; None while on nothing."""
    changes = _boundaries(register, device)
    found = bisect_right(changes, at)
    if not found:
        return None
    known, since = _known(register).trackings, changes[found - 1]
    if (device, since) not in known:
        known[device, since] = _tracking(register, device, since)
    return known[device, since]


def _tracking(register: Register, device: str, since: int) -> Tracking | None:
    """Of a span in which nothing changes that decides it, by its start."""
    tracker = tracker_of(register, device, since)
    if tracker is None:
        return None
    limits = (round(tracker.silent_on_s * 1_000_000), round(tracker.silent_off_s * 1_000_000))
    return Tracking(
        tracker.asset,
        tracker.max_speed_mps,
        *limits,
        fences=fences_at(register, since),
        runs_by=metering(tracker).runs_by,
        pace=_pace(register, tracker, since),
        version=_latest(register.changes("devices", device), since),
    )


def fences_at(register: Register, at: int) -> Fences:
    """The zones of a time."""
    known = _known(register)
    since = _latest(known.zone_changes, at)
    if since not in known.fences:
        zones = [(ident, _since(register, ident, since), outline(body)) for ident, body in _zones(register, since)]
        known.fences[since] = _fences(msgspec.json.encode(zones))
    return known.fences[since]


def _pace(register: Register, tracker: Tracker, at: int) -> Pace:
    asset = register.get("assets", tracker.asset, at)
    category = asset.category if isinstance(asset, Asset) else None
    declared = None if category is None else register.get("classes", category, at)
    return pace(category, declared if isinstance(declared, AssetClass) else None)


@lru_cache(maxsize=64)
def _fences(zones: bytes) -> Fences:
    """By their content: a register that differs in other things has the same."""
    known = msgspec.json.decode(zones, type=list[tuple[str, int, Zone]])
    shapes = [shape_of(ident, body, since) for ident, since, body in known]
    return Fences.of(shape for shape in shapes if shape is not None)


def _zones(register: Register, at: int) -> Iterator[tuple[str, Zone]]:
    return ((ident, body) for ident, body in register.all("zones", at).items() if isinstance(body, Zone))


def _since(register: Register, zone: str, at: int) -> int:
    """From when a zone has been as it is at a time: an entry that changes only its name or its alert does not count."""
    since, held = at, None
    for entry in register.entries["zones", zone]:
        if entry.valid_from > at:
            break
        if isinstance(entry.body, Zone) and outline(entry.body) != held:
            since, held = entry.valid_from, outline(entry.body)
    return since


def outline(zone: Zone) -> Zone:
    """What of a zone decides which visits it has: not its name, nor whom it alerts."""
    return replace(zone, name="", site=None, alert=None)


def _latest(changes: Sequence[int], at: int) -> int:
    """The last of the changes until a time; -1 before the first."""
    found = bisect_right(changes, at)
    return changes[found - 1] if found else -1


def _params(register: Register, key: Key, at: int) -> Tracking | None:
    return tracking(register, key.device, at)


def _boundaries(register: Register, device: str) -> tuple[int, ...]:
    """When something changes that decides how this tracker's readings are folded."""
    known = _known(register)
    if device not in known.boundaries:
        mounted = [tracker_of(register, device, at) for at in register.changes("devices", device)]
        assets = {tracker.asset for tracker in mounted if tracker is not None}
        own = [at for asset in assets for at in register.changes("assets", asset)]
        bodies = [entry.body for asset in assets for entry in register.entries.get(("assets", asset), ())]
        categories = {body.category for body in bodies if isinstance(body, Asset) and body.category is not None}
        own += [at for category in categories for at in register.changes("classes", category)]
        changes = {*register.changes("devices", device), *known.zone_changes, *own}
        known.boundaries[device] = tuple(sorted(changes))
    return known.boundaries[device]


def _depends_on(register: Register, key: Key) -> Sequence[int]:
    return _boundaries(register, key.device)


def _serves(register: Register, device: str) -> bool:
    return device in _known(register).trackers


def _fold(params: Tracking, state: Track | None, facts: Sequence[Fact]) -> tuple[Track | None, list[Travel]]:
    return track.fold(params, state, [*_heard(params, facts)])


def _heard(params: Tracking, facts: Sequence[Fact]) -> Iterator[Heard]:
    """The fixes, and what says whether the engine runs; other inputs change nothing."""
    for fact in facts:
        reading = fact.reading
        if isinstance(reading, Fix):
            yield Heard(fact.at, fact.content, fix=reading)
        elif isinstance(reading, Input) and reading.name == params.runs_by:
            yield Heard(fact.at, fact.content, on=reading.on)


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
        "lat": travelled.lat,
        "lon": travelled.lon,
        "fixes": travelled.fixes,
        "version": travelled.version,
        "method": travelled.method,
        "evidence": json.dumps(travelled.evidence),
    }
    return Derived(MOTION.name, MOTION.table, travelled.id, closed_at, seen_at, row, None)


def _stirs(_register: Register, _key: Key, before: Track | None, after: Track | None) -> set[str]:
    """Assets that are in other zones than before, or begin to be carried: no row says so yet."""
    return {asset for asset, _ in _shown(before) ^ _shown(after)}


def _shown(state: Track | None) -> set[tuple[str, str]]:
    if state is None:
        return set()
    found = {(state.asset, zone) for zone, visit in state.visits.items() if visit.entered}
    moving = state.log.moving
    return found | {(state.asset, "")} if moving is not None and moving.carried else found


MOTION: Step[Tracking, Track, Travel] = Step(
    name="motion",
    kinds=("fix", "input"),
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
    serves=_serves,
    stirs=_stirs,
)
