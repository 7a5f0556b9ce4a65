"""What stands behind a figure: from a movement to the crossing or scan that made it, down to the readings."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection, and_, or_, select

from backend.api import items
from backend.api.items_evidence import Evidence
from backend.api.queries import intake, moves, scans
from backend.book import sealed
from backend.book.schema import scan_act
from backend.book.schema_contents import content_move
from models.reading import micros

SHOWN = 64
FACTS = 4
READ = frozenset({"crossing", "scan", "movement"})
"""Kinds of evidence that are opened; others are named."""


class Readings(NamedTuple):
    """Those behind something, as far as they are kept; so many more are not, by which seal."""

    kept: list[items.JournalEntry]
    gone: int
    sealed: date | None


def readings(tx: Connection, hashes: Sequence[str], at: datetime | None = None) -> Readings:
    """The readings with these content hashes, the first SHOWN; `at` is when they were, by which a seal is found."""
    wanted = hashes[:SHOWN]
    kept = intake.readings_of(tx, wanted)
    gone = len({*wanted}) - len(kept)
    return Readings(kept, gone, sealed.day_of_time(tx, None if at is None else micros(at)) if gone else None)


def behind(tx: Connection, ident: str) -> Evidence | None:
    """What an entry of the ledger rests on, an entry of any number of its fact; None if it is unknown."""
    entry = moves.one_movement(tx, ident)
    if entry is None:
        return None
    entries = moves.of_fact(tx, entry.movement)
    base = entries[0]
    named: defaultdict[str, list[str]] = defaultdict(list)
    for each in base.evidence:
        kind, _, what = each.partition(":")
        named[kind].append(what)
    crossings = [found for what in named["crossing"][:FACTS] if (found := moves.one_crossing(tx, what)) is not None]
    told = [*base.evidence, *entry.evidence]
    packed = select(content_move.c.act).where(content_move.c.movement == base.movement)
    acted = and_(scan_act.c.at == micros(base.at), scan_act.c.movement == base.movement)
    hashes = [*named["scan"], *(text for crossing in crossings for text in crossing.evidence)]
    read = readings(tx, [text for text in hashes if _is_hash(text)], base.at)
    return Evidence(
        movement=entry,
        holds=len(entries) % 2 == 1,
        entries=entries,
        crossings=crossings,
        acts=scans.acts(tx, moves.with_device(scan_act).where(or_(acted, scan_act.c.id.in_(packed)))),
        readings=read.kept,
        missing=read.gone,
        sealed=read.sealed,
        named=[*dict.fromkeys(text for text in told if text.partition(":")[0] not in READ)],
        person=None if hashes or named["crossing"] else entry.actor,
    )


def _is_hash(text: str) -> bool:
    """Whether it can be a content hash: a person may have named anything as `scan:…`."""
    try:
        return len(bytes.fromhex(text)) > 0
    except ValueError:
        return False
