"""The hours step: inputs and counters of one tracker become stretches of use of the asset that it is mounted on."""

import json
from collections.abc import Sequence
from functools import lru_cache

from backend.book.schema import run
from backend.step import Derived, Fact, Key, Step, ended_by_register
from models.declared import Device, Tracker
from models.motion import meter
from models.motion.meter import ENGINE_HOURS, Heard, Metered, Metering, Usage
from models.reading import Input, Meter, Reading
from models.register import Register


def _subject(_reading: Reading) -> str:
    return ""


def tracker_of(register: Register, device: str, at: int) -> Tracker | None:
    """What a tracker was mounted on at a time."""
    body = register.get("devices", device, at)
    return body.tracker if isinstance(body, Device) else None


def metering(tracker: Tracker) -> Metering:
    """How a tracker's readings are counted. Hours from a counter have the ignition beside them."""
    runs_by = "ignition" if tracker.hours_from == ENGINE_HOURS else tracker.hours_from
    return _metering(tracker.asset, runs_by, tracker.silent_on_s, tracker.silent_off_s)


@lru_cache(maxsize=4096)
def _metering(asset: str, runs_by: str, on_s: float, off_s: float) -> Metering:
    return Metering(asset, runs_by, round(on_s * 1_000_000), round(off_s * 1_000_000))


def _params(register: Register, key: Key, at: int) -> Metering | None:
    tracker = tracker_of(register, key.device, at)
    return None if tracker is None else metering(tracker)


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
    expire=ended_by_register(meter.close),
    derive=_derive,
    goes_on=True,
)
