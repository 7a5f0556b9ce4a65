"""Audits as the API answers them: what each found, as is known now."""

from collections import Counter
from typing import Any

from sqlalchemy import Connection, Row, select

from backend.api import items_audits as shapes
from backend.api.answers import Paged
from backend.api.queries.custody import time
from backend.book import audits
from backend.book.schema_custody import asset_audit
from models.reading import from_micros
from models.register import Register


def heads(tx: Connection, ask: Paged) -> list[shapes.AuditHead]:
    """Audits by n."""
    at = asset_audit.c
    query = select(asset_audit).where(at.n > ask.after).order_by(at.n).limit(ask.limit)
    return [_head(row) for row in tx.execute(query)]


def _head(row: Row[Any]) -> shapes.AuditHead:
    return shapes.AuditHead(
        id=row.id,
        n=row.n,
        state=row.state,
        place=row.place,
        device=row.device,
        begin=from_micros(row.begin_at),
        end=time(row.end_at),
        by=row.actor,
        decided_by=row.decided_by,
        decided_at=time(row.decided_at),
        reason=row.reason,
    )


def one(tx: Connection, register: Register, ident: str, now: int) -> shapes.AuditWhole:
    """An audit with what it found. Raises NotFound."""
    row = audits.in_state(tx, ident)
    told = audits.findings(tx, register, row, now)
    found = [
        shapes.Audited(each.asset, each.epcs, each.verdict, each.known, each.passes, each.needed) for each in told.found
    ]
    counts = dict(sorted(Counter(each.verdict for each in found).items()))
    accuracy = None if told.accuracy is None else str(told.accuracy)
    return shapes.AuditWhole(_head(row), told.reads > 0, told.passes, told.others, accuracy, counts, found)
