"""Preventive maintenance: one alert per plan and occurrence, from soon until the service is done."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct
from sqlalchemy import select

from backend.book import schema
from backend.dues import facts, plans_of
from backend.plan.rule import SECOND_US, Rule, View
from models.alert import Alert
from models.maintenance import notice
from models.maintenance.due import Facts, judge

EVERY_US = 60 * SECOND_US
"""Calendars and unobserved hours go on though nothing is heard."""


def load_plans(view: View, assets: Sequence[str]) -> list[tuple[str, Facts | None]]:
    """What is known of the plans of these assets; nothing of alerts that are open about anything else of them.

    That is an occurrence which was done, or is counted otherwise since a service was withdrawn or told late; and a plan
    or an asset that is gone, or in a state in which no plan is judged.
    """
    known = {notice.subject(each): each for each in facts(view.tx, view.register, assets, view.now)}
    wanted = {*assets}
    over = [subject for subject, asset in _told(view) if asset in wanted and subject not in known]
    return [*((subject, None) for subject in over), *known.items()]


def every_asset(view: View) -> list[str]:
    """Assets with plans, and those that an alert is open about."""
    return sorted({*plans_of(view.register, view.now), *(asset for _, asset in _told(view))})


def service_due(known: Facts | None, now: int) -> Alert | None:
    """What the plan calls for now, or None."""
    return None if known is None else notice.alert(judge(known, now))


def _told(view: View) -> list[tuple[str, str]]:
    """(subject, asset) of the alerts that are not closed."""
    table = schema.alert.c
    rows = select(table.subject, table.detail).where(table.rule == notice.RULE, table.state != "closed")
    return [(row.subject, _asset(row.detail)) for row in view.tx.execute(rows.order_by(table.n))]


class _Detail(Struct):
    asset: str = ""


def _asset(detail: str) -> str:
    """Which asset an alert is about; "", of which nothing is known, so that it closes, if its detail does not say."""
    try:
        return msgspec.json.decode(detail, type=_Detail).asset
    except msgspec.MsgspecError:
        return ""


SERVICE_DUE: Rule[Facts | None] = Rule(
    notice.RULE, "asset", load_plans, service_due, every_asset, EVERY_US, steady=notice.steady
)
