"""Photos and other files of work orders, in the book: their bytes as they came, never looked at and never run.

What a file is, is what who sent it says, of a short list; it is only ever given out to be saved, so that nothing in it
can act on the page.
"""

from hashlib import sha256
from typing import Literal

from msgspec import Struct
from sqlalchemy import insert, select

from backend.book import work_steps
from backend.book.schema_work import work_file
from backend.book.work_steps import Bench, Said
from models.errors import Clash, NotFound, Refused
from models.maintenance.work_order import OPEN, State, check_in

Outcome = Literal["created", "same"]
MEDIA = ("image/jpeg", "image/png", "image/webp", "image/heic", "application/pdf", "text/plain")
MOST_BYTES = 4 * 1024 * 1024
MOST_FILES = 20
STANDS: tuple[State, ...] = (*OPEN, "done")
"""Until it is closed: papers come late."""


class File(Struct, frozen=True, kw_only=True):
    """A file with its bytes."""

    id: str
    name: str
    media: str
    content: bytes


def keep(bench: Bench, ident: str, file: File) -> Outcome:
    """Keep a file; the same again is harmless.

    Raises NotFound, Clash of other content under the id, the same content under another, or of an order that is closed;
    Refused of another type, or too large or too many.
    """
    order = work_steps.one(bench, ident)
    digest = sha256(file.content).digest()
    own = select(work_file.c.id, work_file.c.name, work_file.c.media, work_file.c.sha256)
    rows = bench.tx.execute(own.where(work_file.c.order_id == ident)).all()
    for row in rows:
        is_it = row.id == file.id
        if is_it and (row.name, row.media, bytes(row.sha256)) == (file.name, file.media, digest):
            return "same"
        if is_it or bytes(row.sha256) == digest:
            msg = f"id: file {row.id} of work order {ident} is there with {'other' if is_it else 'the same'} content"
            raise Clash(msg)
    check_in(order.state, STANDS, "file")
    if file.media not in MEDIA:
        msg = f"content-type: one of {', '.join(MEDIA)} expected, got {file.media[:64]!r}"
        raise Refused(msg)
    if not 0 < len(file.content) <= MOST_BYTES:
        msg = f"body: 1 to {MOST_BYTES} bytes expected, got {len(file.content)}"
        raise Refused(msg)
    if len(rows) >= MOST_FILES:
        msg = f"files: at most {MOST_FILES} of a work order expected"
        raise Refused(msg)
    kept = {"id": file.id, "name": file.name, "media": file.media, "size": len(file.content)}
    made = {"order_id": ident, "actor": bench.actor, "at": bench.now}
    bench.tx.execute(insert(work_file).values(**made, **kept, sha256=digest, content=file.content))
    work_steps.record(bench, ident, Said("file", None, file.id, {**kept, "sha256": digest.hex()}))
    return "created"


def one(bench: Bench, ident: str, file: str) -> File:
    """A file with its bytes. Raises NotFound."""
    query = select(work_file).where(work_file.c.order_id == ident, work_file.c.id == file)
    row = bench.tx.execute(query).one_or_none()
    if row is None:
        msg = f"files: nothing of id {file!r} in work order {ident}"
        raise NotFound(msg)
    return File(id=row.id, name=row.name, media=row.media, content=bytes(row.content))
