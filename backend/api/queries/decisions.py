"""What asks for a person, and what was decided: alerts and reorder proposals."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, case, select

from backend.api import items
from backend.api.queries.intake import time
from backend.book import alert_rows
from backend.book.schema import alert, proposal, proposal_event
from backend.book.schema_orders import purchase_order
from models.reading import from_micros

Where = Sequence[ColumnElement[bool]]
_ALERT = alert_rows.rows()
_DECISION = (
    select(proposal_event.c.note)
    .where(proposal_event.c.proposal_id == proposal.c.id, proposal_event.c.what != "made")
    .order_by(proposal_event.c.n.desc())
    .limit(1)
)
_ORDER = select(purchase_order.c.id).where(purchase_order.c.proposal == proposal.c.id).limit(1)
_PROPOSAL = (
    proposal,
    _DECISION.scalar_subquery().label("decision_reason"),
    _ORDER.scalar_subquery().label("purchase_order"),
)


def alerts(tx: Connection, after: int, limit: int, where: Where = ()) -> list[items.Alert]:
    """Alerts with n above `after`."""
    query = _ALERT.where(alert.c.n > after, *where).order_by(alert.c.n).limit(limit)
    return [_alert(row) for row in tx.execute(query)]


def standing_alerts(tx: Connection, limit: int, where: Where = ()) -> list[items.Alert]:
    """Alerts that are not closed: the open ones first, the snoozed last; the gravest first, the newest first."""
    severity = case({"critical": 0, "warning": 1}, value=alert.c.severity, else_=2)
    state = case({"open": 0, "acknowledged": 1}, value=alert.c.state, else_=2)
    query = _ALERT.where(alert.c.state != "closed", *where)
    rows = tx.execute(query.order_by(state, severity, alert.c.n.desc()).limit(limit))
    return [_alert(row) for row in rows]


def latest_alerts(tx: Connection, limit: int, where: Where) -> list[items.Alert]:
    """The last raised of these, the newest first."""
    return [_alert(row) for row in tx.execute(_ALERT.where(*where).order_by(alert.c.n.desc()).limit(limit))]


def one_alert(tx: Connection, ident: str) -> items.Alert | None:
    """One alert."""
    row = tx.execute(_ALERT.where(alert.c.id == ident)).one_or_none()
    return None if row is None else _alert(row)


def _alert(row: Row[Any]) -> items.Alert:
    return items.Alert(
        id=row.id,
        n=row.n,
        rule=row.rule,
        subject=row.subject,
        severity=row.severity,
        title=row.title,
        detail=_detail(row.detail),
        state=row.state,
        raised_at=from_micros(row.raised_at),
        acknowledged_at=time(row.acknowledged_at),
        acknowledged_by=row.acknowledged_by,
        snoozed_until=time(row.snoozed_until),
        closed_at=time(row.closed_at),
        assignee=row.assignee,
        level=row.level or 0,
        escalates_at=time(row.escalate_at),
        shelf=row.shelf,
    )


def _detail(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.MsgspecError:
        return {"text": text}


def proposals(tx: Connection, after: int, limit: int, where: Where = ()) -> list[items.Proposal]:
    """Reorder proposals with n above `after`."""
    query = select(*_PROPOSAL).where(proposal.c.n > after, *where).order_by(proposal.c.n).limit(limit)
    return [_proposal(row) for row in tx.execute(query)]


def latest_proposals(tx: Connection, limit: int) -> list[items.Proposal]:
    """The open ones first, then what people decided last; not what the planner took back itself."""
    undecided = case((proposal.c.state == "open", 0), else_=1)
    query = select(*_PROPOSAL).where(proposal.c.state != "withdrawn").order_by(undecided, proposal.c.n.desc())
    return [_proposal(row) for row in tx.execute(query.limit(limit))]


def one_proposal(tx: Connection, ident: str) -> items.Proposal | None:
    """One proposal."""
    row = tx.execute(select(*_PROPOSAL).where(proposal.c.id == ident)).one_or_none()
    return None if row is None else _proposal(row)


def _proposal(row: Row[Any]) -> items.Proposal:
    return items.Proposal(
        id=row.id,
        n=row.n,
        sku=row.sku,
        quantity=row.quantity,
        position=row.position,
        reorder_min=row.reorder_min,
        reorder_max=row.reorder_max,
        supplier=row.supplier,
        state=row.state,
        made_at=from_micros(row.made_at),
        decided_at=time(row.decided_at),
        decided_by=row.decided_by,
        reason=row.reason,
        decision_reason=row.decision_reason,
        purchase_order=row.purchase_order,
    )
