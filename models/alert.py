"""Alerts: what a rule says about a subject, and its life as recorded history: open, acknowledged, snoozed, closed.

At most one alert per (rule, subject) is not closed. Raising one about a state again changes nothing but its words; one
about a moment says how often it happened, and opens again, for what happened now nobody has seen. A snoozed one opens
again at its time, or before if it becomes graver. Only an open one escalates: whoever acknowledges, snoozes, shelves
or closes it has answered.
"""

from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from models.errors import Refused
from models.reading import from_micros

Severity = Literal["info", "warning", "critical"]
State = Literal["open", "acknowledged", "snoozed", "closed"]
MOMENTS = frozenset(
    {
        "gap",
        "conflict",
        "quarantine",
        "envelope",
        "outbox_shared",
        "outbox_refused",
        "book_away",
        "unknown_tag",
        "zone_alert",
        "transported",
        "seen_after_disposal",
    }
)
"""Rules about a moment, which is over when it is told; the others are about a state, which lasts until it does not."""
LONGEST_SNOOZE_US = 90 * 86_400_000_000


class Alert(Struct, frozen=True):
    """What a rule has to say: `title` in one line, `detail` with the figures."""

    rule: str
    subject: str
    severity: Severity
    title: str
    detail: str


class Raised(Struct, frozen=True, kw_only=True):
    """An alert with its life; times in microseconds UTC. `by` acknowledged it; `closed_by` is a person or a rule."""

    alert: Alert
    state: State = "open"
    opened_at: int
    acknowledged_at: int | None = None
    by: str | None = None
    snoozed_until: int | None = None
    closed_at: int | None = None
    closed_by: str | None = None
    assignee: str | None = None
    level: int = 0
    """The last level that was told of it since it opened."""
    escalate_at: int | None = None
    """When the next one is, if nobody has answered."""
    shelf: str | None = None
    """The shelf that it sleeps on."""


def raise_alert(alert: Alert, now: int, present: Raised | None = None) -> Raised:
    """A new open alert; or the present one with the new words, if one of this rule and subject is not closed.

    A higher severity opens an acknowledged or snoozed one again, and so does another moment. The detail of one about a
    moment is a JSON object, and `times` in it how often it happened; given to this function, how many moments this one
    stands for, 1 if absent. Raises Refused if `present` is about something else.
    """
    if present is None or present.state == "closed":
        return Raised(alert=_counted(alert, 0), opened_at=now)
    if (present.alert.rule, present.alert.subject) != (alert.rule, alert.subject):
        msg = f"alert: {present.alert.rule} of {present.alert.subject} is not {alert.rule} of {alert.subject}"
        raise Refused(msg)
    is_graver = RANK[alert.severity] > RANK[present.alert.severity]
    alert = _counted(alert, _times(_detail(present.alert.detail)))
    again = replace(present, alert=alert)
    return _opened(again) if is_graver or alert.rule in MOMENTS else again


def _opened(raised: Raised) -> Raised:
    return replace(_answered(raised), state="open", acknowledged_at=None, by=None, level=0)


def _answered(raised: Raised) -> Raised:
    return replace(raised, snoozed_until=None, escalate_at=None, shelf=None)


def _counted(alert: Alert, before: int) -> Alert:
    if alert.rule not in MOMENTS:
        return alert
    detail = _detail(alert.detail)
    detail["times"] = before + _times(detail)
    return replace(alert, detail=msgspec.json.encode(detail).decode())


def _times(detail: dict[str, Any]) -> int:
    times = detail.get("times")
    return times if isinstance(times, int) and times > 0 else 1


def _detail(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.MsgspecError:
        return {"text": text}


RANK = {"info": 0, "warning": 1, "critical": 2}


def acknowledge(raised: Raised, by: str, now: int) -> Raised:
    """Somebody has seen it; the first keeps it. Raises Refused for a closed alert or without a name."""
    if raised.state == "closed":
        msg = f"alert: {raised.alert.title!r} is closed, an open one expected"
        raise Refused(msg)
    if not by:
        msg = "by: who acknowledges expected, got nothing"
        raise Refused(msg)
    if raised.state == "acknowledged":
        return raised
    return replace(_answered(raised), state="acknowledged", acknowledged_at=now, by=by)


def snooze(raised: Raised, by: str, until: int, now: int) -> Raised:
    """Somebody wants it to be quiet until a time; again changes the time. Whoever acknowledged it stays named.

    Raises Refused for a closed alert, without a name, or if `until` is not after now or more than 90 days ahead.
    """
    if raised.state == "closed":
        msg = f"alert: {raised.alert.title!r} is closed, an open one expected"
        raise Refused(msg)
    if not by:
        msg = "by: who snoozes expected, got nothing"
        raise Refused(msg)
    if not now < until <= now + LONGEST_SNOOZE_US:
        msg = f"until: a time after now and at most 90 days ahead expected, got {from_micros(until).isoformat()}"
        raise Refused(msg)
    return replace(_answered(raised), state="snoozed", snoozed_until=until)


def put_on_shelf(raised: Raised, shelf: str, until: int) -> Raised:
    """Quiet with a whole set, until the shelf ends; one that is closed, or sleeps for longer, stays as it is."""
    if raised.state == "closed" or (raised.snoozed_until or 0) >= until:
        return raised
    return replace(_answered(raised), state="snoozed", snoozed_until=until, shelf=shelf)


def take_off_shelf(raised: Raised, shelf: str) -> Raised:
    """Open again, if it sleeps on this shelf."""
    return _opened(raised) if raised.shelf == shelf else raised


def assign(raised: Raised, to: str) -> Raised:
    """Somebody is to answer it; that is no answer yet. Raises Refused for a closed alert or without a name."""
    if raised.state == "closed":
        msg = f"alert: {raised.alert.title!r} is closed, an open one expected"
        raise Refused(msg)
    if not to:
        msg = "to: who is to answer expected, got nothing"
        raise Refused(msg)
    return replace(raised, assignee=to)


def await_answer(raised: Raised, escalate_at: int | None) -> Raised:
    """Its first level is told, and the next one at a time; one that is not open is not waited for."""
    if raised.state != "open":
        return raised
    return replace(raised, level=max(raised.level, 1), escalate_at=escalate_at)


def escalate(raised: Raised, now: int, escalate_at: int | None) -> Raised:
    """The next level is told, and the one after it at `escalate_at`; as it is if that is not due."""
    if raised.state != "open" or raised.escalate_at is None or raised.escalate_at > now:
        return raised
    return replace(raised, level=raised.level + 1, escalate_at=escalate_at)


def wake(raised: Raised, now: int) -> Raised:
    """Open again if its time has come: nobody is said to have seen it. Another state, or an earlier time, stays."""
    if raised.state != "snoozed" or raised.snoozed_until is None or raised.snoozed_until > now:
        return raised
    return _opened(raised)


def close(raised: Raised, by: str, now: int) -> Raised:
    """It is over: a person closes it, or its rule finds it no longer true. Closing again changes nothing."""
    if raised.state == "closed":
        return raised
    if not by:
        msg = "by: who closes expected, got nothing"
        raise Refused(msg)
    return replace(_answered(raised), state="closed", closed_at=now, closed_by=by)
