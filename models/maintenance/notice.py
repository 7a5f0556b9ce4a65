"""What is told of a plan that is due: one alert per plan and occurrence, with its figures and reasons in words.

A title has no figures, so that an alert says something new only when the state changes.
"""

import json
from decimal import Decimal
from typing import Any

from models.alert import Alert, Severity
from models.maintenance.dates import local_date
from models.maintenance.facts import METERS, By, Due, Facts, Measure, State, amount
from models.motion.meter import Bounds
from models.units import quantity_text

RULE = "service_due"
SEVERITY: dict[State, Severity] = {"due_soon": "info", "may_be_due": "info", "due": "warning", "overdue": "critical"}
SAYS: dict[State, str] = {
    "due_soon": "is due soon",
    "may_be_due": "may be due, for not all use was observed",
    "due": "is due",
    "overdue": "is overdue",
}
UNSURE_US = 600_000_000
"""How long a service must seem to be due for want of observation: a backlog of readings mostly says more by then."""
GRAVEST_FIRST: tuple[State, ...] = ("overdue", "due", "may_be_due", "due_soon", "unknown", "ok", "resting")
SHORT: dict[By, str] = {
    "hours": "h",
    "km": "km",
    "cycles": "cycles",
    "starts": "starts",
    "days": "days",
    "calendar": "days",
    "condition": "",
}
MOST_MARKS = 10
"""So many missed ones are listed, the last."""
HUNDREDTH = Decimal("0.01")


def subject(facts: Facts) -> str:
    """What the alert is about: one service of one plan. A plan's id that begins with the asset's is not said twice.

    The ~, which no id has, keeps the plan "oil" of TRUCK-1 apart from the plan "TRUCK-1/oil". At most 150 characters.
    """
    told = facts.plan_id if facts.plan_id.startswith(f"{facts.asset}/") else f"{facts.asset}/~{facts.plan_id}"
    return f"{told}/{facts.occurrence}"


def alert(due: Due) -> Alert | None:
    """The alert that a plan calls for, or None while it is not yet near."""
    severity = SEVERITY.get(due.state)
    if severity is None:
        return None
    facts = due.facts
    title = f"{facts.asset}: {facts.plan.name} {SAYS[due.state]}"
    return Alert(RULE, subject(facts), severity, title, json.dumps(_detail(due)))


def steady(alert: Alert) -> int:
    """How long what an alert says must hold before it is told, microseconds: what is sure is told at once."""
    return UNSURE_US if alert.title.endswith(SAYS["may_be_due"]) else 0


def reasons(due: Due) -> list[str]:
    """Why it stands so, what matters most first."""
    facts = due.facts
    since = f"since {'the last service on ' if facts.done else ''}{_day(facts, facts.began_at)}"
    told = [
        _reason(facts, each, since) for each in sorted(due.measures, key=lambda each: GRAVEST_FIRST.index(each.state))
    ]
    if due.missed > 1:
        told.append(f"the interval has passed {due.missed} times")
    if due.packages:
        told.append(f"it includes {', '.join(due.packages)}")
    return told


def missed_marks(facts: Facts, measure: Measure) -> list[str]:
    """What was passed without a service: dates, or hours, km and counts since the interval, or the plan, began."""
    if measure.by == "condition":
        return []
    marks = measure.marks[-MOST_MARKS:]
    if measure.by in METERS:
        return [f"{_text(measure.by, each)} {SHORT[measure.by]}" for each in marks]
    return [_day(facts, each) for each in marks]


def _reason(facts: Facts, measure: Measure, since: str) -> str:
    unit, every = SHORT[measure.by], quantity_text(measure.every)
    if measure.by == "condition":
        return measure.what or "its condition cannot be judged, for nothing was heard of it"
    if measure.used is None:
        return f"every {every} {unit}: cannot be judged, for its {measure.by} were never heard"
    if measure.by not in METERS and measure.due_by is not None:
        word = "since" if measure.state in {"due", "overdue"} else "on"
        counted = f"every {every} days" if measure.by == "days" else "by the calendar"
        return f"{counted}, counted {since}: due {word} {_day(facts, measure.due_by)}"
    least, most = _bounds(measure.by, measure.used)
    told = f"{least} of {every} {unit} used {since}"
    if measure.used.least != measure.used.most:
        unseen = _text(measure.by, measure.used.most - measure.used.least)
        told = f"{least} to {most} of {every} {unit} used {since}, as {unseen} {unit} were not observed"
    left = measure.every - amount(measure.by, measure.used.least)
    return f"{told}: {_rounded(abs(left))} {unit} {'left' if left > 0 else 'late'}"


def _detail(due: Due) -> dict[str, Any]:
    """Of what changes with every minute only what matters: hundredths of hours and km, and days."""
    facts = due.facts
    metered = [each for each in due.measures if each.by in METERS]
    dates = [each.due_by for each in due.measures if each.by not in METERS and each.due_by is not None]
    detail = {
        "asset": facts.asset,
        "plan": facts.plan_id,
        "name": facts.plan.name,
        "occurrence": facts.occurrence,
        "state": due.state,
        "since": _day(facts, facts.began_at),
        "interval": {each.by: quantity_text(each.every) for each in due.measures},
        **{f"used_{each.by}": each.used and _bounds(each.by, each.used) for each in metered},
        **{f"left_{each.by}": each.used and _left(each, each.used) for each in metered},
        "due_on": _day(facts, min(dates)) if dates else None,
        "forecast": [None if at is None else _day(facts, at) for at in (due.due_from, due.due_by)],
        "missed": due.missed,
        "reasons": reasons(due),
    }
    return detail | _more(due)


def _more(due: Due) -> dict[str, Any]:
    """What only some plans have."""
    facts, found = due.facts, dict[str, Any]()
    if facts.plan.kind != "service":
        found["kind"] = facts.plan.kind
    if due.packages:
        found["packages"] = [*due.packages]
    if due.missed > 1:
        found["covers"] = [*due.numbers]
        found["passed"] = {each.by: missed_marks(facts, each) for each in due.measures if each.marks}
    if facts.work_order is not None:
        found["work_order"] = facts.work_order
    return found


def _bounds(by: By, used: Bounds) -> list[str]:
    return [_text(by, used.least), _text(by, used.most)]


def _left(measure: Measure, used: Bounds) -> list[str]:
    """Negative when late."""
    return [_rounded(measure.every - amount(measure.by, each)) for each in (used.most, used.least)]


def _text(by: By, units: int) -> str:
    return _rounded(amount(by, units))


def _rounded(quantity: Decimal) -> str:
    return quantity_text(quantity.quantize(HUNDREDTH))


def _day(facts: Facts, at: int) -> str:
    """The day in the plan's time zone."""
    return local_date(at, facts.plan.tz).isoformat()
