"""The dock step: sightings of one tag at one door become passes, each with a verdict of its own.

Which way it went in the end, and so what it moved, is settled by backend.dock_verdict.
"""

import json
from collections.abc import Sequence
from functools import lru_cache

from backend import dock_models
from backend.asset_tags import asset_of
from backend.book.schema import crossing
from backend.identities import identities
from backend.step import Derived, Fact, Key, Step
from models.declared import Device, Door
from models.dock import portal
from models.dock.learned import PassModel
from models.dock.leaving import may_leave
from models.dock.portal import Crossing, Pass, Portal, Sighting
from models.identity import identify
from models.reading import Reading, Tag, micros
from models.register import Register
from models.units import quantity_text

MOST_HZ = 1000.0


def _subject(reading: Reading) -> str:
    assert isinstance(reading, Tag)  # noqa: S101 - the step's kind
    return reading.epc


def portal_of(register: Register, key: Key, at: int) -> Portal | None:
    """The door that a device is at a time; None if it is none."""
    device = register.get("devices", key.device, at)
    return _portal(key.device, device.door) if isinstance(device, Device) and device.door is not None else None


def _portal(name: str, door: Door) -> Portal:
    rows = (tuple(door.inside_antennas), tuple(door.outside_antennas))
    return _portal_of(name, rows, door.timeout_s, dock_models.known(door.model))


@lru_cache(maxsize=1024)
def _portal_of(
    name: str, rows: tuple[tuple[int, ...], tuple[int, ...]], timeout_s: float, model: PassModel | None
) -> Portal:
    return Portal(name, *rows, round(timeout_s * 1_000_000), model)


def _depends_on(register: Register, key: Key) -> Sequence[int]:
    return register.changes("devices", key.device)


def _fold(params: Portal, state: Pass | None, facts: Sequence[Fact]) -> tuple[Pass | None, list[Crossing]]:
    return portal.fold(params, state, [_sighting(fact) for fact in facts])


def _sighting(fact: Fact) -> Sighting:
    tag = fact.reading
    assert isinstance(tag, Tag)  # noqa: S101 - the step's kind
    return Sighting(
        at=fact.at,
        first_at=fact.at if tag.first_at is None else min(fact.at, micros(tag.first_at)),
        epc=tag.epc,
        antenna=tag.antenna,
        rssi_cdbm=None if tag.rssi_dbm is None else round(tag.rssi_dbm * 100),
        count=tag.count or 1,
        evidence=fact.content.hex(),
        shift_chz=None if tag.doppler_hz is None else round(100 * min(max(tag.doppler_hz, -MOST_HZ), MOST_HZ)),
    )


def _derive(register: Register, key: Key, passed: Crossing, seen_at: int) -> Derived:
    what = identify(passed.epc, identities(register, passed.last_at, passed.epc))
    row = {
        "id": passed.id,
        "device_id": key.device_id,
        "subject": key.subject,
        "door": passed.door.rpartition("/")[2],
        "first_at": passed.first_at,
        "last_at": passed.last_at,
        "closed_at": passed.closed_at,
        "direction": passed.direction,
        "score": passed.score,
        "reasons": json.dumps(passed.reasons),
        "rule": passed.rule,
        "own_direction": passed.direction,
        "own_score": passed.score,
        "own_reasons": json.dumps(passed.reasons),
        "chances": json.dumps(passed.chances),
        "stray": passed.stray,
        "middle_at": passed.middle_at,
        "evidence": json.dumps(passed.evidence),
        "evidence_count": passed.evidence_count,
        "kind": what.kind,
        "sku": what.sku,
        "asset": what.asset,
        "quantity": None if what.quantity is None else quantity_text(what.quantity),
        "why": what.why,
        "movement": None,
    }
    return Derived(DOCK.name, DOCK.table, passed.id, passed.closed_at, seen_at, row, None)


def _stirs(register: Register, key: Key, _before: Pass | None, after: Pass | None) -> set[str]:
    """The asset that may be going out: the alarm does not wait for the end of its pass."""
    asset = None if after is None or not may_leave(after) else asset_of(register, key.subject, after.last_at)
    return set() if asset is None else {asset}


DOCK: Step[Portal, Pass, Crossing] = Step(
    name="dock",
    kinds=("tag",),
    table=crossing,
    subject=_subject,
    params=portal_of,
    depends_on=_depends_on,
    state=Pass,
    fold=_fold,
    due=portal.due,
    expire=portal.expire,
    derive=_derive,
    goes_on=False,
    stirs=_stirs,
    hurries=True,
)
