"""The register in the book: an append-only log of dated declarations, and what each of them sets in motion.

A declaration that changes what readings mean marks the derived keys it touches dirty from the day it holds.
"""

from typing import Literal

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, func, insert, select

from backend.book import derived, events, schema, touched
from models.errors import Refused
from models.reading import Epc
from models.register import KINDS, Entry, Id, Register, decode_body

Outcome = Literal["created", "changed", "same"]


_VERSION = select(func.max(schema.register_entry.c.n))


def put(  # noqa: PLR0913 - what is declared, and the stamp that every entry of the log has
    tx: Connection, kind: str, ident: str, body: Struct, *, valid_from: int, actor: str, now: int
) -> Outcome:
    """Declare that `body` holds for (kind, ident) from `valid_from`, microseconds, until the next entry.

    "same" when that content holds then already. Raises Refused for a kind or an id that cannot be. Whether what the
    body names exists is asked afterwards of the register as a whole: `references.problems`.
    """
    _check(kind, ident, body)
    entries = _entries(tx, kind, ident)
    held = Register.of(entries).get(kind, ident, valid_from)
    if held == body:
        return "same"
    tx.execute(
        insert(schema.register_entry).values(
            kind=kind,
            id=ident,
            valid_from=valid_from,
            recorded_at=now,
            actor=actor,
            body=msgspec.json.encode(body),
        )
    )
    keys = touched.keys(tx, touched.Change(kind, ident, held, body, valid_from))
    derived.mark_dirty(tx, [(k.step, k.device_id, k.subject, valid_from, derived.FOR_EVER) for k in sorted(keys)])
    for subject in touched.subjects(tx, kind, ident):
        events.changed(tx, subject, now)
    return "changed" if entries else "created"


def load(tx: Connection) -> Register:
    """The whole register. Build it once per `version`."""
    return Register.of(_entries(tx))


def version(tx: Connection) -> int:
    """What every change raises: the key to cache a loaded register under; 0 while it is empty."""
    return tx.scalar(_VERSION) or 0


def _check(kind: str, ident: str, body: Struct) -> None:
    if kind not in KINDS:
        msg = f"kind: one of {', '.join(KINDS)} expected, got {kind!r}"
        raise Refused(msg)
    if not isinstance(body, KINDS[kind]):
        msg = f"{kind}: a {KINDS[kind].__name__} expected, got {type(body).__name__}"
        raise Refused(msg)
    try:
        msgspec.convert(ident, Epc if kind == "tags" else Id)
    except msgspec.ValidationError as error:
        msg = f"{kind}.{ident}: id: {error}"
        raise Refused(msg) from error


def _entries(tx: Connection, kind: str | None = None, ident: str | None = None) -> list[Entry]:
    table = schema.register_entry.c
    rows = select(table.kind, table.id, table.valid_from, table.n, table.body).order_by(table.n)
    if kind is not None:
        rows = rows.where(table.kind == kind, table.id == ident)
    return [Entry(row.kind, row.id, row.valid_from, row.n, decode_body(row.kind, row.body)) for row in tx.execute(rows)]
