"""Calendar entries in the book as they were told last, so that a change raises their sequence and nothing else does."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from msgspec.structs import asdict
from sqlalchemy import Connection, Row, delete, insert, select

from backend.book import locks
from backend.book.schema_desk import calendar_entry
from models.maintenance.feed import Changes, Entry

IDS_A_QUERY = 500


def held(tx: Connection, assets: Sequence[str]) -> dict[str, Entry]:
    """What was told of these assets, by uid."""
    found: list[Row[Any]] = []
    for low in range(0, len(assets), IDS_A_QUERY):
        some = assets[low : low + IDS_A_QUERY]
        found += tx.execute(select(calendar_entry).where(calendar_entry.c.asset.in_(some)))
    return {row.uid: _entry(row) for row in found}


def save(tx: Connection, changes: Changes) -> None:
    """Write down what is told now; what another process wrote meanwhile is replaced by the same."""
    locks.number(tx)  # two that ask at once would each find nothing to replace
    _delete(tx, [*changes.gone, *(entry.uid for entry in changes.saved)])
    for entry in changes.saved:
        days = {"begin": entry.begin.isoformat(), "end": entry.end.isoformat()}
        tx.execute(insert(calendar_entry).values(asdict(entry) | days))


def _delete(tx: Connection, uids: Collection[str]) -> None:
    for uid in uids:
        tx.execute(delete(calendar_entry).where(calendar_entry.c.uid == uid))


def _entry(row: Row[Any]) -> Entry:
    known: dict[str, Any] = {name: getattr(row, name) for name in Entry.__struct_fields__}
    known |= {"begin": date.fromisoformat(row.begin), "end": date.fromisoformat(row.end)}
    return Entry(**known)
