"""Alerts in the book: at most one of a (rule, subject) is not closed, and every step of its life is an alert_event.

The partial unique index decides between two that raise at once; the rules of an alert's life are models.alert.
"""

from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from msgspec.structs import asdict
from sqlalchemy import Connection, Row, Select, delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as insert_or_ignore

from backend.book import events, locks, schema
from models import alert as life
from models.alert import Alert, Raised
from models.errors import Clash, NotFound
from models.reading import from_micros

table = schema.alert
snoozed = schema.alert_snooze
OPEN = table.c.state != "closed"
INDEXED = text("state <> 'closed'")
"""As the index has it: PostgreSQL looks for it by its words, and a parameter has none."""
SNOOZED_UNTIL = select(snoozed.c.until).where(snoozed.c.alert_id == table.c.id).scalar_subquery().label("snoozed_until")


def raise_alert(tx: Connection, alert: Alert, now: int, actor: str) -> bool:
    """Open an alert; False if one of this rule and subject is not closed, which then has the new words.

    A higher severity opens an acknowledged or snoozed one again, and so does another moment, which is counted in the
    detail. `alert.detail` is the text of a JSON object. Other figures in it are kept and told to nobody.
    """
    locks.number(tx)
    ident = str(uuid4())
    values = {"id": ident, **asdict(life.raise_alert(alert, now).alert), "state": "open", "raised_at": now}
    statement = insert_or_ignore(table).values(values)
    ignored = statement.on_conflict_do_nothing(index_elements=["rule", "subject"], index_where=INDEXED)
    if tx.scalar(ignored.returning(table.c.n)) is not None:
        _note(tx, ident, "raised", (actor, now))
        return True
    row = tx.execute(_open(alert.rule, alert.subject).with_for_update()).one()
    after = life.raise_alert(alert, now, _raised(row))
    is_news = (after.state, after.alert.severity, after.alert.title) != (row.state, row.severity, row.title)
    if is_news or after.alert.detail != row.detail:
        _save(tx, row.id, after)
    if is_news:
        _note(tx, row.id, "said again" if after.state == row.state else "reopened", (actor, now))
    return False


def acknowledge(tx: Connection, ident: str, actor: str, now: int) -> None:
    """Somebody has seen it; again is harmless. Raises NotFound, or Clash if it is closed."""
    row = _one(tx, ident)
    if row.state == "closed":
        msg = f"alert {ident}: not closed expected, it was closed"
        raise Clash(msg)
    if row.state != "acknowledged":
        _save(tx, ident, life.acknowledge(_raised(row), actor, now))
        _note(tx, ident, "acknowledged", (actor, now))


def snooze(tx: Connection, ident: str, until: int, actor: str, now: int) -> None:
    """Somebody wants it to be quiet until a time; the same time again is harmless.

    Raises NotFound, Clash if it is closed, or Refused if the time is past or more than 90 days ahead.
    """
    row = _one(tx, ident)
    if row.state == "closed":
        msg = f"alert {ident}: not closed expected, it was closed"
        raise Clash(msg)
    after = life.snooze(_raised(row), actor, until, now)
    if after != _raised(row):
        _save(tx, ident, after)
        _note(tx, ident, "snoozed", (actor, now), f"until {from_micros(until).isoformat()}")


def is_any_to_wake(tx: Connection, now: int) -> bool:
    """Whether the time of a snoozed alert has come."""
    return tx.execute(select(snoozed.c.alert_id).where(snoozed.c.until <= now).limit(1)).first() is not None


def wake_due(tx: Connection, now: int, actor: str = "planner") -> int:
    """Open again every snoozed alert whose time has come; how many."""
    due = select(snoozed.c.alert_id).where(snoozed.c.until <= now).order_by(snoozed.c.until, snoozed.c.alert_id)
    idents = tx.scalars(due).all()
    for ident in idents:
        _save(tx, ident, life.wake(_raised(_one(tx, ident)), now))
        _note(tx, ident, "woken", (actor, now))
    return len(idents)


def close_one(tx: Connection, ident: str, actor: str, now: int) -> None:
    """Somebody says that it is over; again is harmless. Raises NotFound."""
    row = _one(tx, ident)
    if row.state != "closed":
        _save(tx, ident, life.close(_raised(row), actor, now))
        _note(tx, ident, "closed", (actor, now))


def close(tx: Connection, rule: str, subject: str, now: int, actor: str = "planner") -> bool:
    """It is over; False if none of this rule and subject was open."""
    locks.number(tx)
    row = tx.execute(_open(rule, subject).with_for_update()).one_or_none()
    if row is None:
        return False
    _save(tx, row.id, life.close(_raised(row), actor, now))
    _note(tx, row.id, "closed", (actor, now))
    return True


def open_subjects(tx: Connection, rule: str) -> list[str]:
    """The subjects of a rule's alerts that are not closed, in order."""
    return list(tx.scalars(select(table.c.subject).where(table.c.rule == rule, OPEN).order_by(table.c.subject)))


def last_details(tx: Connection, rule: str, subjects: Iterable[str]) -> dict[str, str]:
    """The detail of the newest alert of a rule by subject, closed or not."""
    where = (table.c.rule == rule, table.c.subject.in_(sorted(subjects)))
    newest = select(func.max(table.c.n)).where(*where).group_by(table.c.subject)
    rows = tx.execute(select(table.c.subject, table.c.detail).where(table.c.n.in_(newest)))
    return {subject: detail for subject, detail in rows}  # noqa: C416 - rows are no pairs to the type checkers


def _select() -> Select[Any]:
    return select(table, SNOOZED_UNTIL)


def _one(tx: Connection, ident: str) -> Row[Any]:
    locks.number(tx)
    row = tx.execute(_select().where(table.c.id == ident).with_for_update()).one_or_none()
    if row is None:
        msg = f"alerts: nothing of id {ident!r}"
        raise NotFound(msg)
    return row


def _open(rule: str, subject: str) -> Select[Any]:
    return _select().where(table.c.rule == rule, table.c.subject == subject, OPEN)


def _raised(row: Row[Any]) -> Raised:
    alert = Alert(row.rule, row.subject, row.severity, row.title, row.detail)
    return Raised(
        alert=alert,
        state=row.state,
        opened_at=row.raised_at,
        acknowledged_at=row.acknowledged_at,
        by=row.acknowledged_by,
        snoozed_until=row.snoozed_until,
        closed_at=row.closed_at,
    )


def _save(tx: Connection, ident: str, raised: Raised) -> None:
    values = {
        "severity": raised.alert.severity,
        "title": raised.alert.title,
        "detail": raised.alert.detail,
        "state": raised.state,
        "acknowledged_at": raised.acknowledged_at,
        "acknowledged_by": raised.by,
        "closed_at": raised.closed_at,
    }
    tx.execute(update(table).where(table.c.id == ident).values(values))
    tx.execute(delete(snoozed).where(snoozed.c.alert_id == ident))
    if raised.snoozed_until is not None:
        tx.execute(insert(snoozed).values(alert_id=ident, until=raised.snoozed_until))


def _note(tx: Connection, ident: str, what: str, by: tuple[str, int], note: str | None = None) -> None:
    """A step of its life; `by` is who and when."""
    actor, now = by
    tx.execute(insert(schema.alert_event).values(alert_id=ident, at=now, what=what, actor=actor, note=note))
    row = tx.execute(select(table).where(table.c.id == ident)).one()
    fields = ("id", "rule", "subject", "severity", "title", "state", "raised_at")
    events.emit(tx, "alert", {field: getattr(row, field) for field in fields} | {"what": what, "by": actor}, now)
