"""A gearbox that is likely to fail: an alert while the newest risk calls for one (models/predict/alarm.py)."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct
from sqlalchemy import func, select

from backend.book import risks, schema
from backend.book.risks import Risk
from backend.plan.rule import Rule, View
from models.alert import Alert
from models.declared import Asset
from models.predict.alarm import LASTS_US, in_force

NAME = "failure_risk"
DAYS = 7
"""The horizon of the model."""
RULES = "planner"
"""Who closes what a rule no longer calls for."""


class Told(Struct, frozen=True):
    """The newest alert about an asset; `overhauled_at` is the repair before it, if any."""

    raised_at: int
    state: str
    title: str
    by: str | None = None
    """Who closed it."""
    overhauled_at: int | None = None


class Danger(Struct, frozen=True):
    """What is known of an asset since its last repair."""

    name: str
    risk: Risk | None
    """The newest, if it was scored and knew of that repair."""
    told: Told | None
    """The newest alert, if it was raised since that repair."""


def load_dangers(view: View, assets: Sequence[str]) -> list[tuple[str, Danger]]:
    """What is known of assets. One without a risk now is left out, and its alert stays, unless a repair was done."""
    repaired = risks.repairs(view.tx, assets, view.now)
    told = _told(view, assets)
    newest = risks.newest(view.tx, assets)
    found: list[tuple[str, Danger]] = []
    for asset in assets:
        overhauled_at = max((each.at for each in repaired[asset]), default=None)
        row, alert = newest.get(asset), told.get(asset)
        is_known = row is not None and row.risk is not None and row.overhauled_at == overhauled_at
        is_same_life = alert is not None and alert.overhauled_at == overhauled_at
        if is_known or (alert is not None and not is_same_life):
            danger = Danger(_name(view, asset), row if is_known else None, alert if is_same_life else None)
            found.append((subject(asset), danger))
    return found


def every_asset(view: View) -> list[str]:
    """Assets that a risk was told of."""
    return list(view.tx.scalars(select(schema.risk.c.asset).distinct().order_by(schema.risk.c.asset)))


def likely_to_fail(danger: Danger, now: int) -> Alert | None:
    """The alert that the risk calls for now.

    What a person closes within the three days that it lasts at least is not raised again in them. The title stays as
    it was raised: the figures of each hour are in the detail.
    """
    row, told = danger.risk, danger.told
    if row is None or row.risk is None or row.threshold is None:
        return None
    is_closed = told is not None and told.state == "closed"
    if is_closed and told is not None and told.by != RULES and now < told.raised_at + LASTS_US:
        return None
    raised_at = None if told is None or is_closed else told.raised_at
    if not in_force(row.risk, row.threshold, now, raised_at):
        return None
    title = told.title if told is not None and raised_at is not None else _title(danger.name, row)
    return Alert(NAME, subject(row.asset), "warning", title, msgspec.json.encode(_detail(row)).decode())


def subject(asset: str) -> str:
    """What the alert is about."""
    return f"asset:{asset}/{risks.COMPONENT}"


def _title(name: str, row: Risk) -> str:
    return f"{name}: {risks.COMPONENT} likely to fail within {DAYS} days ({row.risk:.0%})"


def _detail(row: Risk) -> dict[str, object]:
    fields = ("asset", "risk", "threshold", "reasons", "model", "at", "overhauled_at")
    return {field: getattr(row, field) for field in fields}


class _Detail(Struct):
    overhauled_at: int | None = None


def _told(view: View, assets: Sequence[str]) -> dict[str, Told]:
    """The newest alert of each asset."""
    table = schema.alert.c
    of = {subject(asset): asset for asset in assets}
    last = select(func.max(table.n)).where(table.rule == NAME, table.subject.in_(of)).group_by(table.subject)
    life = schema.alert_event.c
    closed = select(life.actor).where(life.alert_id == table.id, life.what == "closed").order_by(life.n.desc()).limit(1)
    rows = view.tx.execute(select(schema.alert, closed.scalar_subquery().label("by")).where(table.n.in_(last)))
    return {
        of[row.subject]: Told(row.raised_at, row.state, row.title, row.by, _overhauled_at(row.detail)) for row in rows
    }


def _overhauled_at(detail: str) -> int | None:
    return msgspec.json.decode(detail, type=_Detail).overhauled_at


def _name(view: View, asset: str) -> str:
    body = view.register.get("assets", asset, view.now)
    return body.name if isinstance(body, Asset) else asset


FAILURE_RISK = Rule(NAME, "asset", load_dangers, likely_to_fail, everything=every_asset)
