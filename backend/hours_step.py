"""The hours step: inputs and counters of one tracker become stretches of use of the asset that it is mounted on."""

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache

from msgspec.structs import replace

from backend.book.schema import run
from backend.identities import devices_of
from backend.step import FOR_EVER, Derived, Fact, Key, Step
from models.declared import Device, RollsOver, Tracker
from models.motion import meter
from models.motion.gain import Heard
from models.motion.meter import COUNTERS, ENGINE_HOURS, Metered, Metering, Usage
from models.motion.noted import Note
from models.reading import Input, Meter, Reading
from models.register import METER_NOTES, Register


def _subject(_reading: Reading) -> str:
    return ""


def tracker_of(register: Register, device: str, at: int) -> Tracker | None:
    """What a tracker was mounted on at a time."""
    body = register.get("devices", device, at)
    return body.tracker if isinstance(body, Device) else None


def moved_at(register: Register, device: str, at: int) -> int | None:
    """When a tracker that is mounted on an asset at a time is taken off it."""
    here = tracker_of(register, device, at)
    later = (change for change in register.changes("devices", device) if change > at)
    trackers = ((change, tracker_of(register, device, change)) for change in later)
    return next((change for change, it in trackers if here is None or it is None or it.asset != here.asset), None)


def mounts(register: Register, device: str, asset: str) -> Iterator[tuple[int, int]]:
    """When a tracker was on an asset, by whichever entries."""
    begin: int | None = None
    for at in register.changes("devices", device):
        tracker = tracker_of(register, device, at)
        is_here = tracker is not None and tracker.asset == asset
        if is_here and begin is None:
            begin = at
        elif not is_here and begin is not None:
            yield begin, at
            begin = None
    if begin is not None:
        yield begin, FOR_EVER


def all_mounts(register: Register, asset: str) -> list[tuple[int, int]]:
    """When each tracker was on an asset, in order."""
    return sorted(span for device in devices_of(register).get(asset, ()) for span in mounts(register, device, asset))


def noted_metering(register: Register, device: str, tracker: Tracker, at: int) -> Metering:
    """The same, with what people say of the counters of its asset from when no other tracker was on it."""
    until = moved_at(register, device, at)
    params = metering(tracker, until)
    notes = register.entries.get((METER_NOTES, tracker.asset))
    if not notes:
        return params
    since = max((begin for begin, _ in mounts(register, device, tracker.asset) if begin <= at), default=0)
    free = max((end for _, end in all_mounts(register, tracker.asset) if end <= since), default=0)
    bodies = [entry.body for entry in notes if free <= entry.valid_from < (FOR_EVER if until is None else until)]
    return replace(params, since=since, notes=tuple(each for each in bodies if isinstance(each, Note)))


def metering(tracker: Tracker, until: int | None = None) -> Metering:
    """How a tracker's readings are counted while it is on its asset. Hours from a counter have the ignition beside."""
    runs_by = "ignition" if tracker.hours_from == ENGINE_HOURS else tracker.hours_from
    limits = (round(tracker.silent_on_s * 1_000_000), round(tracker.silent_off_s * 1_000_000))
    return _metering(tracker.asset, runs_by, limits, tracker.rolls_over_at, until)


@lru_cache(maxsize=4096)
def _metering(
    asset: str, runs_by: str, limits: tuple[int, int], rolls: RollsOver | None, until: int | None
) -> Metering:
    declared = {} if rolls is None else {name: getattr(rolls, name) for name in COUNTERS}
    widths = {name: int(at * meter.EACH[name]) for name, at in declared.items() if at is not None}
    return Metering(asset, runs_by, *limits, widths, until)


def _params(register: Register, key: Key, at: int) -> Metering | None:
    tracker = tracker_of(register, key.device, at)
    return None if tracker is None else noted_metering(register, key.device, tracker, at)


def _depends_on(register: Register, key: Key) -> Sequence[int]:
    return register.changes("devices", key.device)


def _fold(params: Metering, state: Metered | None, facts: Sequence[Fact]) -> tuple[Metered | None, list[Usage]]:
    return meter.fold(params, state, [_heard(fact) for fact in facts])


def _heard(fact: Fact) -> Heard:
    match fact.reading:
        case Input(name=name, on=on):
            return Heard(fact.at, name, fact.content.hex(), on=on)
        case Meter(name=name, value=value, unit=unit):
            return Heard(fact.at, name, fact.content.hex(), value=meter.counted(name, value, unit))
        case other:
            msg = f"{type(other).__name__}: an input or a meter expected"
            raise TypeError(msg)


def _derive(_register: Register, key: Key, used: Usage, seen_at: int) -> Derived:
    closed_at = seen_at if used.closed_at is None else used.closed_at
    row = {
        "id": used.id,
        "device_id": key.device_id,
        "subject": key.subject,
        "asset": used.asset,
        "meter": used.meter,
        "begin_at": used.begin_at,
        "end_at": used.end_at,
        "closed_at": closed_at,
        "least": used.least,
        "most": used.most,
        "why": used.why,
        "evidence": json.dumps(used.evidence),
    }
    return Derived(HOURS.name, HOURS.table, used.id, closed_at, seen_at, row, None)


HOURS: Step[Metering, Metered, Usage] = Step(
    name="hours",
    kinds=("input", "meter"),
    table=run,
    subject=_subject,
    params=_params,
    depends_on=_depends_on,
    state=Metered,
    fold=_fold,
    due=meter.due,
    expire=meter.expire,
    derive=_derive,
    goes_on=True,
)
