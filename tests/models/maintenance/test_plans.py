"""Plans of every sort: fixed, floating and shifted, packages, all of several, what was missed, seasons, conditions.

The figures of the worked examples are those of SAP's and Fleetio's help pages and of the arithmetic beside them.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from models.declared_plans import Condition, Package, Plan, Recurrence, Season
from models.maintenance.condition import of_inspection
from models.maintenance.due import DAY_US, Due, Facts, Found, State, Use, judge
from models.maintenance.interval import Shift
from models.maintenance.next_look import next_look
from models.maintenance.outlook import ahead
from models.motion.meter import Bounds
from models.reading import from_micros, micros

H = 3_600_000


def day(text: str) -> int:
    return micros(datetime.fromisoformat(text).replace(tzinfo=UTC))


def on(at: int | None) -> str | None:
    return None if at is None else f"{from_micros(at):%Y-%m-%d}"


def hours(*parts: float, more: float = 0) -> Use:
    """What ran from service to service, and since the last; `more` of it nobody observed."""
    *before, since = (Bounds(int(each * H), int(each * H)) for each in parts)
    return Use(Bounds(since.least, since.most + int(more * H)), before=tuple(before))


def due(now: str, begins: str = "2026-04-01", done: tuple[str, ...] = (), **said: Any) -> Due:
    known = {name: said.pop(name) for name in ("hours", "km", "cycles", "starts", "found", "inactive") if name in said}
    plan = Plan("A", "Service", **said)
    facts = Facts(asset="A", plan_id="A/p", plan=plan, starts_at=day(begins), done=tuple(map(day, done)), **known)
    return judge(facts, day(now))


@pytest.mark.parametrize(
    ("done", "expected"),
    [
        ((), "2026-06-30"),
        (("2026-07-04",), "2026-09-28"),
        (("2026-06-20",), "2026-09-28"),
        (("2026-07-04", "2026-10-30"), "2026-12-27"),
        (("2026-10-30",), "2026-12-27"),
    ],
)
def test_fixed_dates_come_whatever_is_done(done: tuple[str, ...], expected: str) -> None:
    assert on(due("2026-11-01", done=done, every_days=90, timing="fixed").due_by) == expected


def test_floating_dates_come_from_when_it_was_done() -> None:
    found = [due("2026-08-01", done=done, every_days=90) for done in (("2026-04-15",), ("2026-04-15", "2026-07-20"))]
    assert [on(each.due_by) for each in found] == ["2026-07-14", "2026-10-18"]


@pytest.mark.parametrize(
    ("done", "tolerance", "late", "expected"),
    [
        ("1998-06-15", 0.1, 0.5, "1998-09-08"),
        ("1998-06-08", 0.1, 0.5, "1998-09-01"),
        ("1998-06-10", 0.1, 0.5, "1998-09-01"),
        ("1998-06-15", 0.1, 1.0, "1998-09-15"),
        ("1998-06-15", 0.2, 1.0, "1998-09-01"),
        ("1998-06-15", 0.0, 0.0, "1998-09-01"),
        ("1998-05-18", 0.1, 0.5, "1998-08-18"),
    ],
)
def test_a_service_moves_the_next_one_by_a_share_of_its_delay(
    done: str, tolerance: float, late: float, expected: str
) -> None:
    """Planned on 1 June, every three months; a tenth of the cycle is nine days."""
    shifts = {"shift_tolerance": tolerance, "shift_late": late, "shift_early": 1.0}
    found = due("1998-07-01", "1998-03-01", (done,), calendar=Recurrence(3, "month"), timing="shifted", **shifts)
    assert on(found.due_by) == expected


@pytest.mark.parametrize(("delay", "moved"), [(14, 7), (9, 0), (10, 5), (-9, 0), (-14, -4), (15, 8)])
def test_shift_factors(delay: int, moved: int) -> None:
    """A cycle of 90 days, a tolerance of a tenth, half of a delay, three tenths of a head start; halves go up."""
    assert Shift(Fraction(1, 2), Fraction(3, 10), Fraction(1, 10)).by(delay, 90) == moved


def test_several_that_were_missed_are_one() -> None:
    """Every 250 h from 0, read at 240 and then at 790: one service, of 250, 500 and 750; then 1000 or 250 h later."""
    for timing, left in (("floating", 250 - 10), ("fixed", 1000 - 800)):
        plan = {"every_hours": Decimal(250), "timing": timing}
        assert due("2026-05-01", hours=hours(240), **plan).missed == 0
        found = due("2026-05-01", hours=hours(790), **plan)
        assert (found.facts.occurrence, found.missed, [*found.numbers]) == (1, 3, [1, 2, 3])
        assert [mark // H for mark in found.measures[0].marks] == [250, 500, 750]
        after = due("2026-05-02", done=("2026-05-01",), hours=hours(790, 10), **plan).measures[0]
        assert (after.every - (after.least or 0), after.missed) == (left, 0)
    dates = due("2026-07-01", "2026-01-31", calendar=Recurrence(1, "month"), timing="fixed")
    assert [on(each) for each in dates.measures[0].marks] == [
        f"2026-{each}" for each in ("02-28", "03-31", "04-30", "05-31", "06-30")
    ]


@pytest.mark.parametrize(
    ("ran", "timing", "used"),
    [
        ((240, 5), "fixed", -5),
        ((255, 5), "fixed", 10),
        ((740, 20), "fixed", 260),
        ((760, 20), "fixed", 30),
        ((255, 5), "floating", 5),
        ((255, 260, 5), "fixed", 20),
    ],
)
def test_fixed_hours_go_on_from_where_it_was_due(ran: tuple[float, ...], timing: str, used: int) -> None:
    done = tuple(f"2026-05-0{k}" for k in range(1, len(ran)))
    found = due("2026-06-01", done=done, every_hours=Decimal(250), timing=timing, hours=hours(*ran)).measures[0]
    assert found.least == used


@pytest.mark.parametrize(
    ("ran", "expected"),
    [
        ((255,), []),
        ((255, 255), ["B"]),
        ((255, 255, 255, 255), ["C"]),
        ((255, 510, 255), ["C"]),
        ((255, 255, 510), ["C"]),
        ((255, 255, 255, 255, 255, 255), ["B"]),
    ],
)
def test_packages(ran: tuple[float, ...], expected: list[str]) -> None:
    """Every second service has B, every fourth C in its place; one that answers for two has what both have."""
    packages = [Package("B", 2), Package("C", 4, replaces=True)]
    done = tuple(f"2026-05-0{k}" for k in range(1, len(ran)))
    found = due("2026-06-01", done=done, every_hours=Decimal(250), packages=packages, hours=hours(*ran))
    assert [*found.packages] == expected


@pytest.mark.parametrize(
    ("ran", "now", "any_state", "all_state"),
    [
        (100, "2026-05-01", "ok", "ok"),
        (260, "2026-05-01", "due", "ok"),
        (100, "2026-07-02", "due", "ok"),
        (260, "2026-07-02", "due", "due"),
        (300, "2026-07-02", "overdue", "due"),
        (300, "2026-08-02", "overdue", "overdue"),
        (240, "2026-07-02", "due", "due_soon"),
    ],
)
def test_the_first_that_comes_or_all_of_them(ran: float, now: str, any_state: State, all_state: State) -> None:
    plan = {"every_hours": Decimal(250), "every_days": 90, "hours": hours(ran)}
    assert [due(now, **plan, match=match).state for match in ("any", "all")] == [any_state, all_state]


def test_all_of_them_is_when_the_last_has_come() -> None:
    use = Use(Bounds(100 * H, 100 * H), Bounds(140 * H, 140 * H), 28 * DAY_US)
    found = due("2026-05-01", every_hours=Decimal(250), every_days=90, hours=use, match="all")
    assert on(found.due_by) == "2026-06-30"
    assert on(due("2026-05-01", every_hours=Decimal(250), every_days=40, hours=use, match="all").due_by) == "2026-05-31"
    assert (
        due("2026-05-01", every_hours=Decimal(250), every_days=10, hours=Use(Bounds(0, 0)), match="all").due_by is None
    )


def test_cycles_and_starts_are_counts() -> None:
    found = due(
        "2026-05-01",
        every_cycles=500,
        every_starts=100,
        cycles=Use(Bounds(460_000, 460_000)),
        starts=Use(Bounds(111_000, 111_000)),
    )
    assert [(each.by, each.state, each.least) for each in found.measures] == [
        ("cycles", "due_soon", 460),
        ("starts", "overdue", 111),
    ]


@pytest.mark.parametrize(
    ("plan", "now", "state"),
    [
        ({"call_days": 14}, "2026-06-15", "ok"),
        ({"call_days": 14}, "2026-06-16", "due_soon"),
        ({"call_hours": Decimal(20), "every_hours": Decimal(250), "hours": hours(229)}, "2026-05-01", "ok"),
        ({"call_hours": Decimal(20), "every_hours": Decimal(250), "hours": hours(231)}, "2026-05-01", "due_soon"),
        ({"every_hours": Decimal(250), "hours": hours(231)}, "2026-05-01", "due_soon"),
    ],
)
def test_called_so_long_or_so_much_before(plan: dict[str, Any], now: str, state: State) -> None:
    assert due(now, every_days=90, **plan).state == state


def test_called_by_the_forecast_and_kept() -> None:
    use = Use(Bounds(100 * H, 100 * H), Bounds(280 * H, 280 * H), 28 * DAY_US)
    plan = Plan("A", "Service", every_hours=Decimal(250), call_days=14)
    states = [
        judge(Facts(asset="A", plan_id="p", plan=plan, starts_at=0, hours=use, called=called), day("2026-05-01")).state
        for called in (False, True)
    ]
    assert states == ["ok", "due_soon"], "in 15 days; what was told stays until it is 17.5 days away"


WINTER = (Season("11-15", "03-15"),)


@pytest.mark.parametrize(
    ("rule", "starts", "when", "expected"),
    [
        (Recurrence(1, "month"), "2026-10-20", "shift", "2027-03-16"),
        (Recurrence(1, "month"), "2026-10-20", "skip", "2027-03-20"),
        (Recurrence(1, "month"), "2026-10-01", "shift", "2026-11-01"),
        (Recurrence(2, "week"), "2026-11-10", "skip", "2027-03-16"),
    ],
)
def test_dates_in_a_season_of_rest(rule: Recurrence, starts: str, when: Any, expected: str) -> None:
    found = due("2026-10-30", starts, calendar=rule, inactive=WINTER, when_inactive=when)
    assert (on(found.due_by), found.state != "resting") == (expected, True)
    assert due("2026-12-24", starts, calendar=rule, inactive=WINTER, when_inactive=when).state == "resting"


def test_what_is_found_makes_it_due() -> None:
    condition = Condition(inspection="A/look", results=["worn", "broken"])
    assert of_inspection(condition, []) is None
    seen = [of_inspection(condition, [(1, "worn"), (2, text)]) for text in ("good", "worn")]
    plan = {"conditions": [condition], "every_days": 90}
    states = [due("2026-05-01", **plan, found=(each,)).state for each in (None, *seen)]
    assert states == ["ok", "ok", "due"], "what was not looked at is no reason to wait: the days count"
    alone = due("2026-05-01", conditions=[condition], found=(Found(holds=True, at=day("2026-04-20"), what="x"),))
    assert (alone.state, on(alone.due_from)) == ("due", "2026-04-20")
    assert due("2026-05-01", conditions=[condition], found=(None,)).state == "unknown"


def test_the_calendar_of_what_is_to_come() -> None:
    now = day("2026-01-10")
    found = due("2026-01-10", "2025-12-31", calendar=Recurrence(1, "month"), timing="fixed", packages=[Package("B", 3)])
    coming = [*ahead(found, now, day("2026-06-01"))]
    assert [on(each.due_by) for each in coming] == [
        f"2026-{each}" for each in ("01-31", "02-28", "03-31", "04-30", "05-31")
    ]
    assert [each.occurrence for each in coming] == [1, 2, 3, 4, 5]
    assert [each.state for each in coming][1:] == ["forecast"] * 4
    assert [each.packages for each in coming] == [(), (), ("B",), (), ()]
    use = Use(Bounds(200 * H, 200 * H), Bounds(280 * H, 280 * H), 28 * DAY_US)
    by_use = [*ahead(due("2026-01-10", "2025-12-01", every_hours=Decimal(250), hours=use), now, day("2026-03-01"))]
    assert [on(each.due_from) for each in by_use] == ["2026-01-15", "2026-02-09"]
    assert next(ahead(due("2026-01-10", every_hours=Decimal(250)), now, now)).due_from is None


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"every_days": 90}, timedelta(7)),
        ({"every_days": 40}, timedelta(6)),
        ({"every_hours": Decimal(250), "hours": hours(200)}, timedelta(hours=50)),
        ({"every_hours": Decimal(250), "hours": hours(251)}, timedelta(hours=1)),
        ({"every_hours": Decimal(250), "hours": hours(240, more=20)}, timedelta(0)),
        ({"every_km": Decimal(250)}, timedelta(7)),
    ],
)
def test_when_it_is_worth_another_look(said: dict[str, Any], expected: timedelta) -> None:
    now = day("2026-05-01")
    assert next_look(due("2026-05-01", **said), now) - now == expected / timedelta(microseconds=1)
