"""How rules behave where the register says nothing: one literal table by sort, for stock and assets apart, one by rule.

A machine that stands or leaves costs money by the minute, so alerts of assets are answered within the quarter of an
hour; those of stock are a day's work. What is a notice (info) never escalates.
"""

from collections.abc import Mapping

from msgspec import Struct

from models.alert import MOMENTS, Severity
from models.declared_alerts import AlertRule, Sort

SECOND_US = 1_000_000
MINUTE_S, HOUR_S = 60, 3600


class Defaults(Struct, frozen=True):
    """Seconds until the next level is told, by severity; how often in a row; below which share an alert closes."""

    critical_s: int
    warning_s: int
    count: int = 1
    clear_share: float = 1.0


BY_SORT: Mapping[Sort, Defaults] = {
    "assets": Defaults(critical_s=15 * MINUTE_S, warning_s=4 * HOUR_S),
    "stock": Defaults(critical_s=HOUR_S, warning_s=24 * HOUR_S),
    "devices": Defaults(critical_s=15 * MINUTE_S, warning_s=4 * HOUR_S),
}
BY_RULE: Mapping[str, Defaults] = {
    "exit_unauthorised": Defaults(critical_s=5 * MINUTE_S, warning_s=15 * MINUTE_S),
    "odometer_drift": Defaults(critical_s=4 * HOUR_S, warning_s=24 * HOUR_S, clear_share=0.8),
}
"""Rules that differ from their sort."""
OUTSIDE = MOMENTS - {"unknown_tag", "zone_alert", "transported", "exit_unauthorised"} | {
    "gateway_quota",
    "mail_dead",
    "model_refused",
    "not_judged",
    "too_late",
    "not_valued",
    "webhook_dead",
}
"""Alerts that no rule of the planner raises: of them only who is told, and when, can be declared."""
JUDGED = ("off", "severity", "steady_s", "count", "clear_share")
"""What the planner heeds."""


class Settings(Struct, frozen=True):
    """How a rule behaves now. `steady_us` None: as the rule has it; `teams` None: those of its sort."""

    sort: Sort
    off: bool
    severity: Severity | None
    steady_us: int | None
    count: int
    clear_share: float
    escalate_us: Mapping[Severity, int | None]
    teams: tuple[str, ...] | None


def settings(rule: str, sort: Sort, declared: AlertRule | None) -> Settings:
    """The built-in behaviour of a rule with what the register says instead."""
    built_in = BY_RULE.get(rule, BY_SORT[sort])
    said = declared or AlertRule()
    after = {"critical": float(built_in.critical_s), "warning": float(built_in.warning_s)}
    if said.escalate_after_s is not None:
        after = dict.fromkeys(after, said.escalate_after_s)
    escalate: dict[Severity, int | None] = {
        "info": None,
        "warning": _micros(after["warning"]),
        "critical": _micros(after["critical"]),
    }
    return Settings(
        sort=sort,
        off=said.off,
        severity=said.severity,
        steady_us=None if said.steady_s is None else round(said.steady_s * SECOND_US),
        count=built_in.count if said.count is None else said.count,
        clear_share=built_in.clear_share if said.clear_share is None else said.clear_share,
        escalate_us=escalate,
        teams=None if said.teams is None else tuple(said.teams),
    )


def _micros(seconds: float) -> int | None:
    return round(seconds * SECOND_US) or None


class Called(Struct, frozen=True):
    """Since when an alert has been called for, and how often in a row."""

    since: int
    times: int


def called_again(before: Called | None, now: int) -> Called:
    """One more call in a row."""
    return Called(now, 1) if before is None else Called(before.since, before.times + 1)


def is_lasting(called: Called, now: int, steady_us: int, count: int) -> bool:
    """Whether an alert has been called for long enough, and often enough in a row, to be raised."""
    return now - called.since >= steady_us and called.times >= count


def is_held(level: float | None, clear_share: float) -> bool:
    """Whether an alert stands though its rule no longer calls for it: hysteresis.

    `level` is a share of what raises it, None where there is nothing to measure any more.
    """
    return level is not None and level > clear_share
