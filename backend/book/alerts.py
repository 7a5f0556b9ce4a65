"""Alerts in the book: at most one of a (rule, subject) is not closed, and every step of its life is an alert_event.

The partial unique index decides between two that raise at once; the rules of an alert's life are models.alert.
"""

from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from msgspec.structs import asdict
from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_ignore

from backend.book import events, schema
from models import alert as life
from models.alert import Alert, Raised
from models.errors import Clash, NotFound

table = schema.alert
OPEN = table.c.state != "closed"


def raise_alert(tx: Connection, alert: Alert, now: int, actor: str) -> bool:
    """Open an alert; False if one of this rule and subject is not closed, which then has the new words.

    A higher severity opens an acknowledged one again, and so does another moment, which is counted in the detail.
    `alert.detail` is the text of a JSON object.
    """
    ident = str(uuid4())
    values = {"id": ident, **asdict(life.raise_alert(alert, now).alert), "state": "open", "raised_at": now}
    statement = insert_or_ignore(table).values(values)
    ignored = statement.on_conflict_do_nothing(index_elements=["rule", "subject"], index_where=OPEN)
    if tx.execute(ignored).rowcount == 1:
        _note(tx, ident, "raised", actor, now)
        return True
    row = tx.execute(_open(alert.rule, alert.subject).with_for_update()).one()
    after = life.raise_alert(alert, now, _raised(row))
    is_news = (after.state, after.alert.severity, after.alert.title) != (row.state, row.severity, row.title)
    if is_news or alert.rule in life.MOMENTS:
        _save(tx, row.id, after)
    if is_news:
        _note(tx, row.id, "said again" if after.state == row.state else "reopened", actor, now)
    return False


def acknowledge(tx: Connection, ident: str, actor: str, now: int) -> None:
    """Somebody has seen it; again is harmless. Raises NotFound, or Clash if it is closed."""
    row = _one(tx, ident)
    if row.state == "closed":
        msg = f"alert {ident}: not closed expected, it was closed"
        raise Clash(msg)
    if row.state == "open":
        _save(tx, ident, life.acknowledge(_raised(row), actor, now))
        _note(tx, ident, "acknowledged", actor, now)


def close_one(tx: Connection, ident: str, actor: str, now: int) -> None:
    """Somebody says that it is over; again is harmless. Raises NotFound."""
    row = _one(tx, ident)
    if row.state != "closed":
        _save(tx, ident, life.close(_raised(row), actor, now))
        _note(tx, ident, "closed", actor, now)


def close(tx: Connection, rule: str, subject: str, now: int, actor: str = "planner") -> bool:
    """It is over; False if none of this rule and subject was open."""
    row = tx.execute(_open(rule, subject).with_for_update()).one_or_none()
    if row is None:
        return False
    _save(tx, row.id, life.close(_raised(row), actor, now))
    _note(tx, row.id, "closed", actor, now)
    return True


def open_subjects(tx: Connection, rule: str) -> list[str]:
    """The subjects of a rule's alerts that are not closed, in order."""
    return list(tx.scalars(select(table.c.subject).where(table.c.rule == rule, OPEN).order_by(table.c.subject)))


def last_details(tx: Connection, rule: str, subjects: Iterable[str]) -> dict[str, str]:
    """The detail of the newest alert of a rule by subject, closed or not."""
    where = (table.c.rule == rule, table.c.subject.in_(sorted(subjects)))
    rows = tx.execute(select(table.c.subject, table.c.detail).where(*where).order_by(table.c.n))
    return {subject: detail for subject, detail in rows}  # noqa: C416 - rows are no pairs to the type checkers


def _one(tx: Connection, ident: str) -> Row[Any]:
    row = tx.execute(select(table).where(table.c.id == ident).with_for_update()).one_or_none()
    if row is None:
        msg = f"alerts: nothing of id {ident!r}"
        raise NotFound(msg)
    return row


def _open(rule: str, subject: str) -> Any:  # noqa: ANN401 - a Select of every column
    return select(table).where(table.c.rule == rule, table.c.subject == subject, OPEN)


def _raised(row: Row[Any]) -> Raised:
    alert = Alert(row.rule, row.subject, row.severity, row.title, row.detail)
    return Raised(
        alert=alert,
        state=row.state,
        opened_at=row.raised_at,
        acknowledged_at=row.acknowledged_at,
        by=row.acknowledged_by,
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


def _note(tx: Connection, ident: str, what: str, actor: str, now: int) -> None:
    tx.execute(insert(schema.alert_event).values(alert_id=ident, at=now, what=what, actor=actor))
    row = tx.execute(select(table).where(table.c.id == ident)).one()
    fields = ("id", "rule", "subject", "severity", "title", "state", "raised_at")
    events.emit(tx, "alert", {field: getattr(row, field) for field in fields} | {"what": what, "by": actor}, now)
