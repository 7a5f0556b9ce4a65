"""What stands behind a figure: from a movement to the crossing or scan that made it, down to the readings."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from backend.api import items
from backend.api.queries import intake, moves
from models import wire
from models.reading import Fix, Input, Meter, Scan, Signal, Tag

SHOWN = 64
FACTS = 4


@dataclass(frozen=True, slots=True)
class ReadingLine:
    """A reading in words, and where it stands in the journal."""

    at: datetime
    device: str
    text: str
    place: str


def behind_movement(tx: Connection, ident: str) -> dict[str, Any] | None:
    """The crossings or scans that a movement rests on, the entry it takes back, and the readings; None if unknown."""
    entry = moves.one_movement(tx, ident)
    if entry is None:
        return None
    named: defaultdict[str, list[str]] = defaultdict(list)
    for each in entry.evidence:
        kind, _, what = each.partition(":")
        named[kind].append(what)
    crossings = [found for what in named["crossing"][:FACTS] if (found := moves.one_crossing(tx, what)) is not None]
    taken_back = [back for what in named["movement"][:FACTS] if (back := moves.one_movement(tx, what)) is not None]
    hashes = [*named["scan"], *(text for crossing in crossings for text in crossing.evidence)]
    return {"movement": entry, "crossings": crossings, "taken_back": taken_back, "readings": lines_of(tx, hashes)}


def behind_crossing(tx: Connection, ident: str) -> dict[str, Any] | None:
    """The readings that a crossing rests on; None if it is unknown (it was decided anew)."""
    crossing = moves.one_crossing(tx, ident)
    if crossing is None:
        return None
    return {"crossing": crossing, "readings": lines_of(tx, crossing.evidence)}


def lines_of(tx: Connection, hashes: list[str]) -> list[ReadingLine]:
    """The readings with these content hashes, the first SHOWN."""
    return [_line(entry) for entry in intake.readings_of(tx, hashes[:SHOWN])]


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
