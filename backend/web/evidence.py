"""What stands behind a figure: from a movement to the crossing or scan that made it, down to the readings."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from backend.api import items
from backend.api.queries import evidence, moves
from models import wire
from models.reading import Fix, Input, Meter, Scan, Signal, Tag


@dataclass(frozen=True, slots=True)
class ReadingLine:
    """A reading in words, and where it stands in the journal."""

    at: datetime
    device: str
    text: str
    place: str


@dataclass(frozen=True, slots=True)
class Readings:
    """Those behind something, as far as they are kept."""

    lines: list[ReadingLine]
    gone: int
    """So many more are not in the journal any more."""
    sealed: date | None
    """The seal by which they went."""


def behind_movement(tx: Connection, ident: str) -> dict[str, Any] | None:
    """The crossings or scans that a movement rests on, the entry it takes back, and the readings; None if unknown."""
    found = evidence.behind(tx, ident)
    if found is None:
        return None
    return {
        "movement": found.movement,
        "crossings": found.crossings,
        "taken_back": [each for each in found.entries if each.id == found.movement.reverses],
        "readings": _shown(evidence.Readings(found.readings, found.missing, found.sealed)),
    }


def behind_crossing(tx: Connection, ident: str) -> dict[str, Any] | None:
    """The readings that a crossing rests on; None if it is unknown (it was decided anew)."""
    crossing = moves.one_crossing(tx, ident)
    if crossing is None:
        return None
    return {"crossing": crossing, "readings": lines_of(tx, crossing.evidence, crossing.last_at)}


def lines_of(tx: Connection, hashes: list[str], at: datetime | None = None) -> Readings:
    """The readings with these content hashes; `at` is when they were, by which a seal is found."""
    return _shown(evidence.readings(tx, hashes, at))


def _shown(read: evidence.Readings) -> Readings:
    return Readings([_line(entry) for entry in read.kept], read.gone, read.sealed)


def _line(entry: items.JournalEntry) -> ReadingLine:
    place = f"{entry.gateway} {entry.epoch} #{entry.seq}"
    return ReadingLine(entry.at, entry.device, in_words(bytes(entry.reading)), place)


def in_words(text: bytes) -> str:
    """A reading as a person reads it.

    >>> in_words(b'{"kind":"tag","device":"d","at":"2026-11-23T09:00:00Z","epc":"30ab","antenna":3,"rssi_dbm":-52.5}')
    'antenna 3, -52.5 dBm'
    """
    reading = wire.decode(text)
    if isinstance(reading, Tag):
        rssi = None if reading.rssi_dbm is None else f"{reading.rssi_dbm:.1f} dBm"
        count = None if reading.count is None else f"{reading.count} read{'s' if reading.count > 1 else ''}"
        return ", ".join(part for part in (f"antenna {reading.antenna}", rssi, count) if part is not None)
    if isinstance(reading, Scan):
        return f"{reading.symbology or 'scan'} {reading.data}".replace("\x1d", "<GS>")
    if isinstance(reading, Fix):
        return _fix(reading)
    if isinstance(reading, Input):
        return f"{reading.name} {'on' if reading.on else 'off'}"
    if isinstance(reading, Meter | Signal):
        return f"{reading.name} {reading.value:g} {reading.unit}"
    return text.decode()[:200]


def _fix(reading: Fix) -> str:
    at = "no position" if reading.lat is None or reading.lon is None else f"{reading.lat:.5f}, {reading.lon:.5f}"
    speed = None if reading.speed_mps is None else f"{reading.speed_mps * 3.6:.0f} km/h"
    hdop = None if reading.hdop is None else f"HDOP {reading.hdop:.1f}"
    return ", ".join(part for part in (at, speed, hdop, "not valid" if reading.valid is False else None) if part)
