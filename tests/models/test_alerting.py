"""Rules of alerting as tables: how a rule is set, how long and how often, who is told, quiet hours, floods, retries."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from models import alarm_rate, mail
from models.alert import Alert, Severity
from models.alert_defaults import BY_SORT, Called, called_again, is_held, is_lasting, settings
from models.declared_alerts import AlertRule, Quiet, Sort, Team
from models.errors import Refused
from models.escalation import addressed, contacts, is_for_digest, is_last
from models.local_times import last_due, quiet_until, zone_named
from models.reading import from_micros, micros
from models.shelving import LONGEST_US, Shelf, check, covers

S = 1_000_000
HOUR = 3600 * S


def us(text: str) -> int:
    return micros(datetime.fromisoformat(text).replace(tzinfo=UTC))


def text(at: int | None) -> str | None:
    return None if at is None else f"{from_micros(at):%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("rule", "sort", "said", "expected"),
    [
        ("service_due", "assets", None, (900, 4 * 3600, 1, 1.0, None)),
        ("reorder", "stock", None, (3600, 24 * 3600, 1, 1.0, None)),
        ("odometer_drift", "assets", None, (4 * 3600, 24 * 3600, 1, 0.8, None)),
        ("odometer_drift", "assets", AlertRule(clear_share=0.5, count=3), (4 * 3600, 24 * 3600, 3, 0.5, None)),
        ("reorder", "stock", AlertRule(escalate_after_s=60, steady_s=5), (60, 60, 1, 1.0, 5 * S)),
        ("reorder", "stock", AlertRule(escalate_after_s=0, steady_s=0), (None, None, 1, 1.0, 0)),
    ],
)
def test_stock_and_assets_have_defaults_of_their_own_and_the_register_says_more(
    rule: str, sort: Sort, said: AlertRule | None, expected: tuple[Any, ...]
) -> None:
    found = settings(rule, sort, said)
    seconds = [None if us is None else us // S for us in (found.escalate_us["critical"], found.escalate_us["warning"])]
    assert (*seconds, found.count, found.clear_share, found.steady_us) == expected
    assert found.escalate_us["info"] is None
    assert BY_SORT["stock"] != BY_SORT["assets"]


@pytest.mark.parametrize(
    ("calls", "steady_us", "count", "expected"),
    [
        ([0], 0, 1, [True]),
        ([0, 9, 10], 10, 1, [False, False, True]),
        ([0, 1, 2], 0, 3, [False, False, True]),
        ([0, 20, 21], 10, 3, [False, False, True]),
        ([0, None, 10, 20], 10, 1, [False, False, True]),
        ([0, 1, None, 2, 3], 0, 3, [False, False, False, False]),
    ],
)
def test_long_enough_and_often_enough_in_a_row(
    calls: list[int | None], steady_us: int, count: int, expected: list[bool]
) -> None:
    called: Called | None = None
    found: list[bool] = []
    for now in calls:
        called = None if now is None else called_again(called, now)
        if called is not None and now is not None:
            found.append(is_lasting(called, now, steady_us, count))
    assert found == expected


@pytest.mark.parametrize(
    ("level", "share", "held"), [(None, 0.8, False), (0.8, 0.8, False), (0.81, 0.8, True), (0.9, 1, False)]
)
def test_hysteresis(level: float | None, share: float, held: bool) -> None:  # noqa: FBT001 - a table
    assert is_held(level, share) == held


TEAMS: Mapping[str, Team] = {
    "fleet": Team("Fleet", ["assets"], [["ann"], ["ben", "ann"], ["boss"]], digest_at=["07:00"]),
    "north": Team(
        "North", ["assets", "devices"], [["nil"]], fleets=["n"], digest_at=["07:00"], digest_below="critical"
    ),
    "stores": Team("Stores", ["stock"], [["sue", "ann"]]),
}


@pytest.mark.parametrize(
    ("sort", "named", "fleet", "expected"),
    [
        ("assets", None, None, ["fleet", "north"]),
        ("assets", None, "n", ["fleet", "north"]),
        ("assets", None, "", ["fleet"]),
        ("stock", None, None, ["stores"]),
        ("devices", None, None, ["north"]),
        ("stock", ["fleet", "gone"], None, ["fleet"]),
        ("assets", [], "n", []),
    ],
)
def test_who_answers(sort: Sort, named: list[str] | None, fleet: str | None, expected: list[str]) -> None:
    assert addressed(TEAMS, settings("r", sort, AlertRule(teams=named)), fleet) == expected


def test_levels_and_digests() -> None:
    both = [TEAMS["fleet"], TEAMS["stores"]]
    assert [contacts(both, level) for level in (1, 2, 3, 4)] == [["ann", "sue"], ["ben", "ann"], ["boss"], []]
    assert [is_last(both, level) for level in (1, 2, 3)] == [False, False, True]
    assert is_last([], 1)
    severities: list[Severity] = ["info", "warning", "critical"]
    left = {name: [each for each in severities if is_for_digest(team, each)] for name, team in TEAMS.items()}
    assert left == {"fleet": ["info"], "north": ["info", "warning"], "stores": []}


@pytest.mark.parametrize(
    ("quiet", "zone", "now", "until"),
    [
        (("22:00", "06:00"), "UTC", "2026-11-24T21:59", None),
        (("22:00", "06:00"), "UTC", "2026-11-24T22:00", "11-25 06:00"),
        (("22:00", "06:00"), "UTC", "2026-11-25T05:59", "11-25 06:00"),
        (("22:00", "06:00"), "UTC", "2026-11-25T06:00", None),
        (("12:00", "13:00"), "Europe/Brussels", "2026-07-01T10:30", "07-01 11:00"),
        (("12:00", "12:00"), "UTC", "2026-07-01T11:00", "07-01 12:00"),
        (("22:00", "02:30"), "Europe/Brussels", "2026-03-28T22:30", "03-29 01:30"),
        (("22:00", "02:30"), "Europe/Brussels", "2026-10-24T23:00", "10-25 00:30"),
        (("22:00", "06:00"), "Australia/Lord_Howe", "2026-04-04T12:00", "04-04 19:30"),
    ],
)
def test_quiet_hours(quiet: tuple[str, str], zone: str, now: str, until: str | None) -> None:
    assert text(quiet_until(Quiet(*quiet), zone, us(now))) == until


@pytest.mark.parametrize(
    ("times", "zone", "now", "due"),
    [
        ([], "UTC", "2026-11-24T12:00", None),
        (["07:00"], "UTC", "2026-11-24T06:59", "11-23 07:00"),
        (["07:00", "19:00"], "UTC", "2026-11-24T07:00", "11-24 07:00"),
        (["*:05"], "UTC", "2026-11-24T00:04", "11-23 23:05"),
        (["*:05"], "UTC", "2026-11-24T14:59", "11-24 14:05"),
        (["07:00"], "America/New_York", "2026-11-24T12:00", "11-24 12:00"),
        (["02:30"], "Europe/Brussels", "2026-03-29T12:00", "03-29 01:30"),
        (["02:30"], "Europe/Brussels", "2026-10-25T12:00", "10-25 00:30"),
    ],
)
def test_when_a_digest_is_due(times: list[str], zone: str, now: str, due: str | None) -> None:
    assert text(last_due(times, zone, us(now))) == due


def test_a_time_zone_that_there_is_not() -> None:
    for name in ("Mars/Base", "../UTC", ""):
        with pytest.raises(Refused, match="time_zone"):
            zone_named(name)


def alert(rule: str = "r", subject: str = "asset:A/x", severity: Severity = "warning") -> Alert:
    return Alert(rule, subject, severity, "t", "{}")


@pytest.mark.parametrize(
    ("rules", "subjects", "most", "covered"),
    [
        (["r"], [], "warning", True),
        (["s"], [], "warning", False),
        ([], ["asset:A/*"], "warning", True),
        ([], ["asset:A"], "warning", False),
        ([], ["asset:A/x"], "info", False),
        (["r"], ["asset:B*"], "warning", False),
        (["r", "s"], ["asset:B*", "asset:*"], "critical", True),
    ],
)
def test_what_a_shelf_covers(rules: list[str], subjects: list[str], most: Severity, covered: bool) -> None:  # noqa: FBT001 - a table
    assert covers(Shelf(rules, subjects, "why", 10, most), alert()) == covered
    assert not covers(Shelf(rules, subjects, "why", 10, "warning"), alert(severity="critical"))


@pytest.mark.parametrize(
    ("shelf", "says"),
    [
        (Shelf([], [], "why", 11), "rules, subjects"),
        (Shelf(["r"], [], " ", 11), "reason"),
        (Shelf(["r"], [], "why", 10), "until"),
        (Shelf(["r"], [], "why", 11 + LONGEST_US), "at most 30 days"),
    ],
)
def test_a_shelf_that_cannot_be(shelf: Shelf, says: str) -> None:
    with pytest.raises(Refused, match=says):
        check(shelf, 10)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({}, []),
        ({5: 10}, []),
        ({5: 11}, [(5, 6, 11)]),
        ({5: 11, 6: 5, 7: 4, 8: 9}, [(5, 7, 16)]),
        ({5: 11, 7: 12, 8: 30}, [(5, 6, 11), (7, 9, 42)]),
    ],
)
def test_floods(counts: dict[int, int], expected: list[tuple[int, int, int]]) -> None:
    ten = alarm_rate.TEN_MINUTES_US
    assert [(f.begin_at // ten, f.end_at // ten, f.alerts) for f in alarm_rate.floods(counts)] == expected


def test_the_rate_counts_quiet_times_too_and_names_the_worst() -> None:
    counts = [(144, "b", 2), (144, "a", 2), (150, "c", 5)]
    found = alarm_rate.rate(counts, 0, 144 * alarm_rate.TEN_MINUTES_US)
    assert (found.alerts, found.per_ten_minutes) == (9, Decimal("0.06"))
    assert (found.peak, found.peak_at) == (5, 150 * alarm_rate.TEN_MINUTES_US)
    assert found.worst == (("c", 5), ("a", 2), ("b", 2))
    assert alarm_rate.rate([], 0, 0).per_ten_minutes == 0


@pytest.mark.parametrize(
    ("tries", "code", "age_s", "again_s"),
    [
        (1, None, 0, 10),
        (2, 421, 0, 20),
        (7, 451, 0, 640),
        (8, 450, 0, 900),
        (400, None, 0, 900),
        (1, 550, 0, None),
        (1, 554, 0, None),
        (9, 451, 3 * 86_400 - 900, 900),
        (9, 451, 3 * 86_400 - 899, None),
    ],
)
def test_when_a_mail_is_tried_again(tries: int, code: int | None, age_s: int, again_s: int | None) -> None:
    now = 1000 * S + age_s * S
    assert mail.next_try(1000 * S, tries, code, now) == (None if again_s is None else now + again_s * S)


def test_the_words_of_a_mail() -> None:
    detail = '{"reasons": ["60 of 80 h used\\r\\nBcc: x", 7], "left": 3}'
    told = mail.text(Alert("service_due", "A/oil/2", "warning", "A: oil\nis due", detail), 0, ["why"], "https://x/")
    assert told.splitlines() == [
        "A: oil is due",
        "",
        "- 60 of 80 h used Bcc: x",
        "Severity: warning",
        "About: A/oil/2",
        "Rule: service_due",
        "Since: 1970-01-01 00:00:00 UTC",
        "",
        "why",
        "https://x/",
    ]
    assert len(mail.subject(alert(subject="x" * 200))) <= mail.LONGEST_SUBJECT
