"""Months of a truck and a crane against what is true of them, parked days, orders of arrival, Traccar's rule beside.

`STOCKYARD_BENCH=motion python -m pytest tests/bench/test_motion_month.py -s`; `-k traccar` prints the table only. None
of it is timed, so two processes share the work.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from simulators.machines import Kind
from simulators.month_truth import carried, driven_m, stops
from simulators.reporting import Habit
from tests.backend.books import make_template
from tests.motion import orders, parked, scores, side_by_side
from tests.motion.months import told, travelled
from tests.motion.scores import found, matches, plain, road_error, visits

DAYS = 30
MONTHS: tuple[tuple[Kind, int], ...] = (("truck", 1), ("truck", 2), ("crane", 1), ("crane", 2))
PARKED_SEEDS = 50
DERIVES_EVERY = 4000
FINE_DAYS = int(os.environ.get("STOCKYARD_DAYS", "3"))
"""In any order at a fix each 5 s: the whole month takes a quarter of an hour."""
HABITS = {
    "a fix each 5 s or 10 degrees": (FINE_DAYS, Habit()),
    "a fix each 120 s": (DAYS, Habit(on_s=120, turn_deg=90)),
}
"""For orders of arrival: how many days, and when the tracker makes records."""


@dataclass(frozen=True)
class Score:
    """What a month came to, small enough to be handed over."""

    kind: Kind
    road_true_m: float
    road_m: float
    worst_road: float
    yard_true_m: float
    yard_m: float
    owed: int
    missed: int
    visits: int
    false_visits: int
    trips: int
    missed_trips: int
    false_trips: int
    clear: int
    clear_missed: int
    clear_false: int
    begin_s: float
    end_s: float
    stop_recall: float
    carried: int
    found_carried: int


def score(month: tuple[Kind, int]) -> Score:
    """One month, told, folded and compared."""
    given = told(*month, DAYS)
    rows = travelled(given)
    true = scores.trips(given)
    matched, seen = matches(true, found(rows, "trip")), visits(given.good_ms, scores.stays(given), found(rows, "visit"))
    clear = plain(given, matched)
    still = matches(stops(given.month, true), found(rows, "stop"))
    road = [(one.driven_m, row.metres) for one, row in matched.pairs if one.driven_m >= scores.ROAD_M]
    road_true_m, road_m = sum(one for one, _ in road), sum(row for _, row in road)
    whole_m = sum(row.metres for row in found(rows, "distance"))
    times = found(rows, "transported")
    right = [any(row.begin_ms <= end and begin <= row.end_ms for begin, end in carried(given.month)) for row in times]
    return Score(
        month[0],
        road_true_m,
        road_m,
        road_error(matched)[1],
        driven_m(given.month) - road_true_m,
        whole_m - road_m,
        seen.owed,
        len(seen.missed),
        seen.found,
        len(seen.false),
        len(true),
        len(matched.missed),
        len(matched.false),
        len(clear.pairs) + len(clear.missed),
        len(clear.missed),
        len(clear.false),
        matched.begin_s,
        matched.end_s,
        still.recall,
        len(carried(given.month)),
        sum(right) if all(right) else -len(right),
    )


def in_two(work: Any, of: Sequence[Any]) -> list[Any]:
    """The results of some work, by two processes."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        return list(pool.map(work, of, chunksize=max(1, len(of) // 16)))


@pytest.mark.timeout(600)
def test_months_against_truth(measure: Any) -> None:
    made: list[Score] = in_two(score, MONTHS)
    owed, missed = sum(it.owed for it in made), sum(it.missed for it in made)
    false = sum(it.false_visits for it in made)
    road = sum(it.road_m for it in made) / sum(it.road_true_m for it in made) - 1
    for it in made:
        print(f"\n{it}")
    for kind in ("truck", "crane"):
        yard = [it for it in made if it.kind == kind]
        error = sum(it.yard_m for it in yard) / sum(it.yard_true_m for it in yard) - 1
        measure(row(f"odometer by GPS off the road, {kind}s", error * 100, "% off", "none"), ok=True)
    clear, wrong = sum(it.clear for it in made), sum(it.clear_missed + it.clear_false for it in made)
    measure(row("trips that are clear, missed or false", wrong, f"of {clear}", "none"), ok=True)
    measure(row("odometer by GPS on road trips", road * 100, "% off", "within 1 %"), ok=abs(road) <= 0.01)
    measure(row("visits >= 5 min, >= 10 m inside, missed", missed, f"of {owed}", "0"), ok=missed == 0)
    measure(row("visits that were none", false, f"of {sum(it.visits for it in made)}", "0"), ok=false == 0)
    times = sum(it.carried for it in made)
    right = sum(it.found_carried for it in made)
    measure(row("times on a trailer, found", right, f"of {times}", "all, 0 false"), ok=right == times)


def park(case: tuple[float, float, int]) -> list[parked.Parked]:
    """One day for both states of the ignition."""
    sigma_m, correlated_s, seed = case
    said = parked.fixes(seed, sigma_m, correlated_s)
    category = "crane" if seed % 8 < 4 else "truck"
    return [parked.outcome(parked.facts(said, ignition), category) for ignition in parked.IGNITION]


@pytest.mark.timeout(600)
def test_parked_days(measure: Any) -> None:
    cases = [(s, c, seed) for s in parked.SIGMAS_M for c in parked.CORRELATED_S for seed in range(PARKED_SEEDS)]
    made = [it for day in in_two(park, cases) for it in day]
    most_m, trips, transitions = (
        max(it.metres for it in made),
        sum(it.trips for it in made),
        [it.transitions for it in made],
    )
    days = f"in {len(made)} parked days"
    measure(row("parked 24 h: odometer, at most", most_m, f"m {days}", "< 100 m"), ok=most_m < 100)
    measure(row("parked 24 h: trips", trips, days, "0"), ok=trips == 0)
    most = max(transitions)
    measure(row("parked 24 h, 2 m inside a fence: transitions, at most", most, days, "<= 2"), ok=most <= 2)


def arrive(case: tuple[str, str, str, str]) -> tuple[str, dict[str, str], int, float]:
    """The month in one order of arrival."""
    order, habit, template, file = case
    given = orders.months(*HABITS[habit])
    return order, *orders.outcome(Path(template), Path(file), given, order, DERIVES_EVERY)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("habit", HABITS)
def test_a_month_in_any_order(habit: str, tmp_path: Path, measure: Any) -> None:
    template = make_template(tmp_path / "template.db")
    cases = [(order, habit, str(template), str(tmp_path / f"{k}.db")) for k, order in enumerate(orders.ORDERS)]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        made = list(pool.map(arrive, reversed(cases)))
    print(*(f"\n{order}: {rows} rows, {seconds:.0f} s" for order, _, rows, seconds in made))
    different = sum(digest != made[-1][1] for _, digest, _, _ in made)
    name = f"{HABITS[habit][0]} days of two machines, {habit}, in {len(made)} orders: orders whose rows differ"
    measure(row(name, different, f"of {made[-1][2]} rows", "0"), ok=different == 0)


@pytest.mark.timeout(600)
def test_beside_traccars_rule(measure: Any) -> None:
    lines = [*side_by_side.lines(side_by_side.cases(DAYS, (1,)))]
    print("\n" + side_by_side.table(lines))
    for theirs, own in zip(lines[::2], lines[1::2], strict=True):
        name = f"engine hours over {DAYS} days, {own.arrival}"
        error = max(map(abs, own.hours)) if own.hours[0] == own.hours[1] else 0.0
        facts = {"peer": "Traccar's rule", "peer_value": theirs.hours[0] * 100}
        holds = own.hours[0] <= 1e-4 and own.hours[1] >= -1e-4
        measure(row(name, error * 100, "% off the bounds", "truth within the bounds") | facts, ok=holds)


def row(check: str, value: float, unit: str, bound: str) -> dict[str, Any]:
    return {"group": "motion", "check": check, "value": value, "unit": unit, "bound": bound}
