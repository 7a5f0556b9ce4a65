"""Shelves in the book: what is kept quiet, by whom, why and until when; alerts under one sleep and wake with it.

What is raised while a shelf stands sleeps in the transaction that raises it, so that nobody is told.
"""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Row, bindparam, insert, select, update

from backend.book import alert_rows as rows
from backend.book import locks
from backend.book.alert_rows import OPEN
from backend.book.schema_desk import alert_desk, shelf
from models import alert as life
from models import shelving
from models.errors import Clash, NotFound
from models.reading import from_micros
from models.shelving import Shelf

_list = msgspec.json.Decoder(list[str])
_STANDING = (
    select(shelf).where(shelf.c.until > bindparam("now"), shelf.c.ended_at.is_(None)).order_by(shelf.c.until.desc())
)
"""The shelves that are not over, the last to end first."""


def put(tx: Connection, ident: str, wanted: Shelf, actor: str, now: int) -> bool:
    """Shelve what stands, and what comes, until a time; False if that shelf is there already.

    Raises Clash if it is there with other content, Refused if it cannot be.
    """
    locks.number(tx)
    held = tx.execute(select(shelf).where(shelf.c.id == ident)).one_or_none()
    if held is not None:
        if of(held) != wanted:
            msg = f"shelf {ident}: held with other content"
            raise Clash(msg)
        return False
    shelving.check(wanted, now)
    lists = {name: msgspec.json.encode(getattr(wanted, name)).decode() for name in ("rules", "subjects")}
    said = {"most": wanted.most, "reason": wanted.reason, "until": wanted.until}
    tx.execute(insert(shelf).values(id=ident, **lists, **said, actor=actor, begun_at=now))
    for row in tx.execute(rows.rows().where(OPEN).with_for_update(of=rows.table)).all():
        _lay(tx, row, ident, wanted, (actor, now))
    return True


def end(tx: Connection, ident: str, actor: str, now: int) -> None:
    """It is over before its time: what sleeps on it opens again; again is harmless. Raises NotFound."""
    locks.number(tx)
    held = tx.execute(select(shelf).where(shelf.c.id == ident)).one_or_none()
    if held is None:
        msg = f"shelves: nothing of id {ident!r}"
        raise NotFound(msg)
    if held.ended_at is not None or held.until <= now:
        return
    tx.execute(update(shelf).where(shelf.c.id == ident).values(ended_at=now, ended_by=actor))
    on_it = select(alert_desk.c.alert_id).where(alert_desk.c.shelf == ident).order_by(alert_desk.c.alert_id)
    for alert_id in tx.scalars(on_it).all():
        rows.save(tx, alert_id, life.take_off_shelf(rows.raised(rows.one(tx, alert_id)), ident))
        rows.note(tx, alert_id, "unshelved", (actor, now), f"shelf {ident}")


def cover(tx: Connection, alert_id: str, now: int) -> None:
    """Lay an alert that has just opened on the shelf that covers it, if one stands: on the one that stands longest."""
    found = tx.execute(_STANDING, {"now": now}).all()
    if found:
        row = rows.one(tx, alert_id)
        for held in found:
            if _lay(tx, row, held.id, of(held), (held.actor, now)):
                return


def of(row: Row[Any]) -> Shelf:
    """The shelf that a row has."""
    return Shelf(_list.decode(row.rules), _list.decode(row.subjects), row.reason, row.until, row.most)


def listed(
    tx: Connection, state: Literal["standing", "over"] | None, now: int, after: int, limit: int
) -> Sequence[Row[Any]]:
    """Shelves with n above `after`."""
    is_over = (shelf.c.until <= now) | shelf.c.ended_at.is_not(None)
    query = select(shelf).where(shelf.c.n > after).order_by(shelf.c.n).limit(limit)
    if state is not None:
        query = query.where(is_over if state == "over" else ~is_over)
    return tx.execute(query).all()


def _lay(tx: Connection, row: Row[Any], ident: str, wanted: Shelf, by: tuple[str, int]) -> bool:
    before = rows.raised(row)
    if not shelving.covers(wanted, before.alert):
        return False
    after = life.put_on_shelf(before, ident, wanted.until)
    if after == before:
        return False
    rows.save(tx, row.id, after)
    rows.note(
        tx, row.id, "shelved", by, f"shelf {ident} until {from_micros(wanted.until).isoformat()}: {wanted.reason}"
    )
    return True
