"""What a service found and proved: the result of an inspection, a certificate, values as found and as left."""

import json
from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, insert, select

from backend.book.schema_plans import service_result as table
from models.maintenance.done import Done


def save(tx: Connection, done: Done) -> None:
    """Keep what a service says beside when it was done, if it says anything."""
    if done.result is None and done.certificate is None and not done.as_found and not done.as_left:
        return
    values = {"as_found": _text(done.as_found), "as_left": _text(done.as_left)}
    row = {"service": done.id, "result": done.result, "certificate": done.certificate, **values}
    tx.execute(insert(table).values(row))


def completed(tx: Connection, done: Done) -> Done:
    """A service with what was kept of it."""
    return replace(done, **fields(tx, [done.id]).get(done.id, {}))


def fields(tx: Connection, idents: Iterable[str]) -> dict[str, dict[str, Any]]:
    """What was kept of services, by id: the fields of Done."""
    return {
        row.service: {
            "result": row.result,
            "certificate": row.certificate,
            "as_found": json.loads(row.as_found or "{}"),
            "as_left": json.loads(row.as_left or "{}"),
        }
        for row in tx.execute(select(table).where(table.c.service.in_([*idents])))
    }


def _text(values: dict[str, str]) -> str | None:
    return json.dumps(values, sort_keys=True) if values else None
