"""The presence step: tags heard by a reader without a direction arrive at places, move between them and depart.

Its key is a tag at a reader: what moves from one reader to another arrives at the second at once, and departs from the
first after a silence.
"""

import json
from collections.abc import Sequence
from functools import lru_cache

from backend.book.schema import presence
from backend.step import Derived, Fact, Key, Step
from models.declared import Device, Points
from models.dock import presence as model
from models.dock.presence import Presence, Read, Seen
from models.reading import Reading, Tag
from models.register import Register


def _subject(reading: Reading) -> str:
    assert isinstance(reading, Tag)  # noqa: S101 - the step's kind
    return reading.epc


def _params(register: Register, key: Key, at: int) -> model.Points | None:
    device = register.get("devices", key.device, at)
    return _points(key.device, device.points) if isinstance(device, Device) and device.points is not None else None


def _points(name: str, points: Points) -> model.Points:
    antennas = tuple((antenna, point.place) for point in points.places for antenna in point.antennas)
    return _points_of(name, antennas, points.depart_s)


@lru_cache(maxsize=1024)
def _points_of(name: str, antennas: tuple[tuple[int, str], ...], depart_s: float) -> model.Points:
    places = {(name, antenna): place for antenna, place in antennas}
    return model.Points(places, round(depart_s * 1_000_000), name=name)


def _depends_on(register: Register, key: Key) -> Sequence[int]:
    return register.changes("devices", key.device)


def _serves(register: Register, device: str) -> bool:
    return device in _readers(register)


@lru_cache(maxsize=8)
def _readers(register: Register) -> frozenset[str]:
    """Every device that was ever declared to tell presence."""
    return frozenset(
        ident
        for (kind, ident), dated in register.entries.items()
        if kind == "devices" and any(isinstance(each.body, Device) and each.body.points is not None for each in dated)
    )


def _fold(params: model.Points, state: Presence | None, facts: Sequence[Fact]) -> tuple[Presence | None, list[Seen]]:
    return model.fold(params, state, [_read(params.name, fact) for fact in facts])


def _read(reader: str, fact: Fact) -> Read:
    tag = fact.reading
    assert isinstance(tag, Tag)  # noqa: S101 - the step's kind
    rssi = None if tag.rssi_dbm is None else round(tag.rssi_dbm * 100)
    return Read(fact.at, tag.epc, reader, tag.antenna, rssi, fact.content.hex())


def _derive(_register: Register, key: Key, seen: Seen, seen_at: int) -> Derived:
    row = {
        "id": seen.id,
        "device_id": key.device_id,
        "subject": key.subject,
        "what": seen.what,
        "place": seen.place,
        "was": seen.was,
        "closed_at": seen.at,
        "evidence": json.dumps(seen.evidence),
    }
    return Derived(PRESENCE.name, PRESENCE.table, seen.id, seen.at, seen_at, row, None)


PRESENCE: Step[model.Points, Presence, Seen] = Step(
    name="presence",
    kinds=("tag",),
    table=presence,
    subject=_subject,
    params=_params,
    depends_on=_depends_on,
    state=Presence,
    fold=_fold,
    due=model.due,
    expire=model.expire,
    derive=_derive,
    goes_on=True,
    serves=_serves,
)
