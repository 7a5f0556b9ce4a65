"""An alert's rows in the book, to and from `models.alert.Raised`, and the steps of its life as they are recorded."""

from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, delete, insert, select, text, update

from backend.book import events, locks, schema
from backend.book.schema_desk import alert_desk
from models.alert import Alert, Raised
from models.errors import NotFound

table = schema.alert
snoozed = schema.alert_snooze
OPEN = table.c.state != "closed"
INDEXED = text("state <> 'closed'")
"""As the index has it: PostgreSQL looks for it by its words, and a parameter has none."""
SNOOZED_UNTIL = snoozed.c.until.label("snoozed_until")
_NOTE = insert(schema.alert_event)
_TOLD = select(table).where(table.c.id == bindparam("ident"))
DESK = (alert_desk.c.assignee, alert_desk.c.level, alert_desk.c.escalate_at, alert_desk.c.shelf)


def rows() -> Select[Any]:
    """Alerts with until when they sleep, and how far they have escalated."""
    beside = table.outerjoin(snoozed, snoozed.c.alert_id == table.c.id).outerjoin(
        alert_desk, alert_desk.c.alert_id == table.c.id
    )
    return select(table, SNOOZED_UNTIL, *DESK).select_from(beside)


def one(tx: Connection, ident: str) -> Row[Any]:
    """An alert, held until the transaction ends. Raises NotFound."""
    locks.number(tx)
    row = tx.execute(rows().where(table.c.id == ident).with_for_update(of=table)).one_or_none()
    if row is None:
        msg = f"alerts: nothing of id {ident!r}"
        raise NotFound(msg)
    return row


def standing(rule: str, subject: str) -> Select[Any]:
    """The alert of a rule and subject that is not closed, to be held."""
    return rows().where(table.c.rule == rule, table.c.subject == subject, OPEN).with_for_update(of=table)


def raised(row: Row[Any]) -> Raised:
    """The alert that a row has."""
    alert = Alert(row.rule, row.subject, row.severity, row.title, row.detail)
    return Raised(
        alert=alert,
        state=row.state,
        opened_at=row.raised_at,
        acknowledged_at=row.acknowledged_at,
        by=row.acknowledged_by,
        snoozed_until=row.snoozed_until,
        closed_at=row.closed_at,
        assignee=row.assignee,
        level=row.level or 0,
        escalate_at=row.escalate_at,
        shelf=row.shelf,
    )


def save(tx: Connection, ident: str, after: Raised) -> None:
    """The alert as it is now."""
    values = {
        "severity": after.alert.severity,
        "title": after.alert.title,
        "detail": after.alert.detail,
        "state": after.state,
        "acknowledged_at": after.acknowledged_at,
        "acknowledged_by": after.by,
        "closed_at": after.closed_at,
    }
    tx.execute(update(table).where(table.c.id == ident).values(values))
    tx.execute(delete(snoozed).where(snoozed.c.alert_id == ident))
    if after.snoozed_until is not None:
        tx.execute(insert(snoozed).values(alert_id=ident, until=after.snoozed_until))
    tx.execute(delete(alert_desk).where(alert_desk.c.alert_id == ident))
    at_desk = {name: getattr(after, name) for name in ("assignee", "level", "escalate_at", "shelf")}
    if any(at_desk.values()):
        tx.execute(insert(alert_desk).values(alert_id=ident, **at_desk))


def note(tx: Connection, ident: str, what: str, by: tuple[str, int], said: str | None = None) -> None:
    """A step of its life, told as an event; `by` is who and when."""
    actor, now = by
    tx.execute(_NOTE, {"alert_id": ident, "at": now, "what": what, "actor": actor, "note": said})
    row = tx.execute(_TOLD, {"ident": ident}).one()
    fields = ("id", "rule", "subject", "severity", "title", "state", "raised_at")
    events.emit(tx, "alert", {field: getattr(row, field) for field in fields} | {"what": what, "by": actor}, now)
