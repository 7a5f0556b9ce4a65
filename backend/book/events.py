"""What the book tells others: domain events (SSE and MQTT) and the subjects that the planner must look at again."""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from backend.book import locks
from backend.book.bulk import write_rows
from backend.book.schema import changed as changed_table
from backend.book.schema import event
from backend.book.schema_custody import asset_leaving
from backend.book.schema_notify import webhook_mark

KEPT_EVENTS = 50_000
_EMIT = insert(event)
_CHANGED = insert(changed_table)
_LEAVING = insert(asset_leaving)


def emit(tx: Connection, kind: str, body: dict[str, Any], now: int) -> None:
    """One domain event of `kind` (crossing, movement, alert, proposal, gateway, scan, service) with a JSON body."""
    emit_all(tx, [(kind, body)], now)


def emit_all(tx: Connection, events: Iterable[tuple[str, dict[str, Any]]], now: int) -> None:
    """Several domain events, in order."""
    rows = [{"kind": kind, "at": now, "body": msgspec.json.encode(body)} for kind, body in events]
    if rows:
        locks.number(tx)
        write_rows(tx, _EMIT, rows)


def changed(tx: Connection, subject: str, now: int) -> None:
    """The planner looks at this subject again: item:SKU, tag:EPC, gateway:NAME, stream:ID, asset:ID."""
    changed_all(tx, [subject], now)


def changed_all(tx: Connection, subjects: Iterable[str], now: int) -> None:
    """Several subjects, each once."""
    rows = [{"subject": subject, "at": now} for subject in sorted({*subjects})]
    write_rows(tx, _CHANGED, rows)


def stir(tx: Connection, assets: Iterable[str], now: int) -> None:
    """The planner looks at these assets again."""
    changed_all(tx, (f"asset:{asset}" for asset in assets), now)


def hurry(tx: Connection, assets: Iterable[str], now: int) -> None:
    """The planner looks at once whether these assets may leave."""
    rows = [{"asset": asset, "at": now} for asset in sorted({*assets})]
    write_rows(tx, _LEAVING, rows)


def unpublished(tx: Connection, limit: int = 500) -> list[tuple[int, str, bytes]]:
    """(n, kind, body) of events that have not gone to MQTT, oldest first."""
    query = select(event.c.n, event.c.kind, event.c.body).where(~event.c.published).order_by(event.c.n).limit(limit)
    return [(n, kind, body) for n, kind, body in tx.execute(query)]


def published(tx: Connection, upto: int) -> None:
    """Events up to n have been published; those beyond what a page could ask to resume from are forgotten.

    Not before every webhook that wants them has them.
    """
    tx.execute(update(event).where(event.c.n <= upto, ~event.c.published).values(published=True))
    owed = tx.scalar(select(func.min(webhook_mark.c.event_n)))
    tx.execute(delete(event).where(event.c.n <= min(upto - KEPT_EVENTS, upto if owed is None else owed)))
