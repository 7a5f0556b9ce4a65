"""Alerts in the book: at most one of a (rule, subject) is not closed, and every step of its life is an alert_event.

The partial unique index decides between two that raise at once; the rules of an alert's life are models.alert.
"""

from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from msgspec.structs import asdict
from sqlalchemy import Connection, Row, func, select
from sqlalchemy.dialects.postgresql import insert as insert_or_ignore

from backend.book import alert_rows as rows
from backend.book import locks, shelves
from backend.book.alert_rows import INDEXED, OPEN, snoozed, table
from backend.book.schema_desk import alert_desk
from models import alert as life
from models.alert import Alert
from models.errors import Clash
from models.reading import from_micros

_RAISE = (
    insert_or_ignore(table)
    .on_conflict_do_nothing(index_elements=["rule", "subject"], index_where=INDEXED)
    .returning(table.c.n)
)


def raise_alert(tx: Connection, alert: Alert, now: int, actor: str) -> bool:
    """Open an alert; False if one of this rule and subject is not closed, which then has the new words.

    A higher severity opens an acknowledged or snoozed one again, and so does another moment, which is counted in the
    detail. `alert.detail` is the text of a JSON object. Other figures in it are kept and told to nobody.
    """
    locks.number(tx)
    ident = str(uuid4())
    values = {"id": ident, **asdict(life.raise_alert(alert, now).alert), "state": "open", "raised_at": now}
    if tx.scalar(_RAISE, values) is not None:
        rows.note(tx, ident, "raised", (actor, now))
        shelves.cover(tx, ident, now)
        return True
    row = tx.execute(rows.standing(alert.rule, alert.subject)).one()
    after = life.raise_alert(alert, now, rows.raised(row))
    is_news = (after.state, after.alert.severity, after.alert.title) != (row.state, row.severity, row.title)
    if is_news or after.alert.detail != row.detail:
        rows.save(tx, row.id, after)
    if is_news:
        graver = f"now {after.alert.severity}" if life.RANK[after.alert.severity] > life.RANK[row.severity] else None
        rows.note(tx, row.id, "said again" if after.state == row.state else "reopened", (actor, now), graver)
        if after.state != row.state:
            shelves.cover(tx, row.id, now)
    return False


def acknowledge(tx: Connection, ident: str, actor: str, now: int) -> None:
    """Somebody has seen it; again is harmless. Raises NotFound, or Clash if it is closed."""
    row = _not_closed(tx, ident)
    if row.state != "acknowledged":
        rows.save(tx, ident, life.acknowledge(rows.raised(row), actor, now))
        rows.note(tx, ident, "acknowledged", (actor, now))


def snooze(tx: Connection, ident: str, until: int, actor: str, now: int) -> None:
    """Somebody wants it to be quiet until a time; the same time again is harmless.

    Raises NotFound, Clash if it is closed, or Refused if the time is past or more than 90 days ahead.
    """
    row = _not_closed(tx, ident)
    after = life.snooze(rows.raised(row), actor, until, now)
    if after != rows.raised(row):
        rows.save(tx, ident, after)
        rows.note(tx, ident, "snoozed", (actor, now), f"until {from_micros(until).isoformat()}")


def is_any_to_wake(tx: Connection, now: int) -> bool:
    """Whether the time of a snoozed alert has come."""
    return tx.execute(select(snoozed.c.alert_id).where(snoozed.c.until <= now).limit(1)).first() is not None


def wake_due(tx: Connection, now: int, actor: str = "planner") -> int:
    """Open again every snoozed alert whose time has come; how many."""
    due = select(snoozed.c.alert_id).where(snoozed.c.until <= now).order_by(snoozed.c.until, snoozed.c.alert_id)
    idents = tx.scalars(due).all()
    for ident in idents:
        rows.save(tx, ident, life.wake(rows.raised(rows.one(tx, ident)), now))
        rows.note(tx, ident, "woken", (actor, now))
    return len(idents)


def close_one(tx: Connection, ident: str, actor: str, now: int) -> None:
    """Somebody says that it is over; again is harmless. Raises NotFound."""
    row = rows.one(tx, ident)
    if row.state != "closed":
        rows.save(tx, ident, life.close(rows.raised(row), actor, now))
        rows.note(tx, ident, "closed", (actor, now))


def close(tx: Connection, rule: str, subject: str, now: int, actor: str = "planner") -> bool:
    """It is over; False if none of this rule and subject was open."""
    locks.number(tx)
    row = tx.execute(rows.standing(rule, subject)).one_or_none()
    if row is None:
        return False
    rows.save(tx, row.id, life.close(rows.raised(row), actor, now))
    rows.note(tx, row.id, "closed", (actor, now))
    return True


def open_subjects(tx: Connection, rule: str) -> list[str]:
    """The subjects of a rule's alerts that are not closed, in order."""
    return list(tx.scalars(select(table.c.subject).where(table.c.rule == rule, OPEN).order_by(table.c.subject)))


def last_details(tx: Connection, rule: str, subjects: Iterable[str]) -> dict[str, str]:
    """The detail of the newest alert of a rule by subject, closed or not."""
    where = (table.c.rule == rule, table.c.subject.in_(sorted(subjects)))
    newest = select(func.max(table.c.n)).where(*where).group_by(table.c.subject)
    found = tx.execute(select(table.c.subject, table.c.detail).where(table.c.n.in_(newest)))
    return {subject: detail for subject, detail in found}  # noqa: C416 - rows are no pairs to the type checkers


def assign(tx: Connection, ident: str, to: str, actor: str, now: int) -> None:
    """Somebody is to answer it, who is told; the same again is harmless. Raises NotFound, or Clash if it is closed."""
    before = rows.raised(_not_closed(tx, ident))
    after = life.assign(before, to)
    if after != before:
        rows.save(tx, ident, after)
        rows.note(tx, ident, "assigned", (actor, now), to)


def await_answer(tx: Connection, ident: str, escalate_at: int | None) -> None:
    """Its first level is told; the next one will be at a time, or never."""
    before = rows.raised(rows.one(tx, ident))
    after = life.await_answer(before, escalate_at)
    if after != before:
        rows.save(tx, ident, after)


def to_escalate(tx: Connection, now: int, limit: int) -> list[str]:
    """Alerts that nobody has answered in time, the longest overdue first."""
    due = select(alert_desk.c.alert_id).where(alert_desk.c.escalate_at <= now)
    return [*tx.scalars(due.order_by(alert_desk.c.escalate_at, alert_desk.c.alert_id).limit(limit))]


def escalate(tx: Connection, ident: str, escalate_at: int | None, actor: str, now: int) -> int:
    """Its next level is to be told; which that is."""
    before = rows.raised(rows.one(tx, ident))
    after = life.escalate(before, now, escalate_at)
    if after.level != before.level:
        rows.save(tx, ident, after)
        rows.note(tx, ident, "escalated", (actor, now), f"level {after.level}")
    return after.level


def _not_closed(tx: Connection, ident: str) -> Row[Any]:
    row = rows.one(tx, ident)
    if row.state == "closed":
        msg = f"alert {ident}: not closed expected, it was closed"
        raise Clash(msg)
    return row
