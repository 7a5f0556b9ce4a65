"""Steps of alerts, shelves, messages and the alarm rate, as the API has them."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select

from backend.api import items_alerts as items
from backend.api.queries.figures import MICROS, Figure
from backend.api.queries.intake import time
from backend.book import alert_counts, messages, shelves
from backend.book.schema import alert_event
from backend.book.schema_desk import alert_desk, message
from models import alarm_rate
from models.reading import from_micros
from models.units import quantity_text


def steps(tx: Connection, ident: str) -> list[items.Step]:
    """The life of an alert, in order."""
    rows = tx.execute(select(alert_event).where(alert_event.c.alert_id == ident).order_by(alert_event.c.n))
    return [items.Step(row.n, from_micros(row.at), row.what, row.actor, row.note) for row in rows]


def shelf(tx: Connection, row: Row[Any]) -> items.Shelf:
    """One shelf, with how many alerts sleep on it."""
    held = shelves.of(row)
    asleep = tx.scalar(select(func.count()).select_from(alert_desk).where(alert_desk.c.shelf == row.id)) or 0
    return items.Shelf(
        id=row.id,
        n=row.n,
        rules=[*held.rules],
        subjects=[*held.subjects],
        most=held.most,
        reason=held.reason,
        actor=row.actor,
        begun_at=from_micros(row.begun_at),
        until=from_micros(row.until),
        ended_at=time(row.ended_at),
        ended_by=row.ended_by,
        asleep=asleep,
    )


def listed_messages(
    tx: Connection, after: int, limit: int, where: Sequence[ColumnElement[bool]] = ()
) -> list[items.Message]:
    """Messages with n above `after`."""
    query = select(message).where(message.c.n > after, *where).order_by(message.c.n).limit(limit)
    return [_message(row) for row in tx.execute(query)]


def _message(row: Row[Any]) -> items.Message:
    return items.Message(
        n=row.n,
        id=row.id,
        alert=row.alert_id or None,
        step=row.step,
        channel=row.channel,
        recipient=row.recipient,
        contact=row.contact,
        subject=row.subject,
        made_at=from_micros(row.made_at),
        state=row.state,
        tries=row.tries,
        due_at=from_micros(row.due_at),
        done_at=time(row.done_at),
        code=row.code,
        problem=row.problem,
    )


def rates(tx: Connection, teams: Sequence[str], since: int, until: int) -> list[items.AlarmRate]:
    """The alarm rate of all alerts, and of each of these teams, in whole ten minutes."""
    counted: defaultdict[str, list[tuple[int, str, int]]] = defaultdict(list)
    for row in alert_counts.between(tx, since, until):
        counted[row.team].append((row.bucket, row.rule, row.told))
    return [_rate(team, counted[team], since, until) for team in (alert_counts.EVERYBODY, *teams)]


def _rate(team: str, counts: list[tuple[int, str, int]], since: int, until: int) -> items.AlarmRate:
    found = alarm_rate.rate(counts, since, until)
    return items.AlarmRate(
        team=team or None,
        since=from_micros(since),
        until=from_micros(until),
        alerts=found.alerts,
        per_ten_minutes=quantity_text(found.per_ten_minutes),
        goal=str(alarm_rate.GOAL),
        is_within_goal=found.per_ten_minutes < alarm_rate.GOAL,
        peak=found.peak,
        peak_at=time(found.peak_at),
        floods=[items.Flood(from_micros(f.begin_at), from_micros(f.end_at), f.alerts) for f in found.floods],
        worst=[items.WorstRule(rule, count) for rule, count in found.worst],
    )


def figures(tx: Connection, now: int) -> list[Figure]:
    """What /metrics has of messages, and of alerts told in the ten minutes that were over last."""
    counts = messages.counts(tx)
    oldest = tx.scalar(select(func.min(message.c.made_at)).where(message.c.state == messages.WAITING))
    last = alarm_rate.bucket_of(now) * alarm_rate.TEN_MINUTES_US
    told: defaultdict[str, float] = defaultdict(float)
    for row in alert_counts.between(tx, last - alarm_rate.TEN_MINUTES_US, last):
        told[row.team] += row.told
    teams = [([team or "all"], count) for team, count in sorted(told.items())] or [(["all"], 0.0)]
    return [
        Figure(
            "stockyard_messages",
            "Messages about alerts that wait, or are dead",
            ["state"],
            [([state], float(count)) for state, count in counts.items()],
        ),
        Figure(
            "stockyard_message_oldest_seconds",
            "Unix time at which the oldest message that waits was made",
            [],
            [] if oldest is None else [([], oldest / MICROS)],
        ),
        Figure("stockyard_alerts_told", "Alerts in the last whole ten minutes, by team", ["team"], teams),
    ]
