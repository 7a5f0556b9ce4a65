"""From risks to alerts, what they were worth, and the threshold that costs least."""

import numpy as np
import pytest

from models.predict.alarm import HOUR_US, in_force
from models.predict.card import Costs
from models.predict.features import Raw
from models.predict.history import DAY_US
from models.predict.labels import Machine
from models.predict.policy import Outcome, choose, episodes, outcome

SIX_H = 6 * HOUR_US


def machine(days: int, failures: list[float] = [], repairs: list[float] = []) -> Machine:  # noqa: B006 - not changed
    times = np.arange(0, days * DAY_US, SIX_H, dtype=np.int64)
    nothing = np.empty((len(times), 0))
    raw = Raw(times, np.zeros(len(times), np.int64), np.zeros(len(times), np.int64), nothing, nothing)
    failed, repaired = (np.array([round(day * DAY_US) for day in each], np.int64) for each in (failures, repairs))
    return Machine("m", raw, failed, repaired, (0, days * DAY_US), "")


def risks(of: Machine, *spans: tuple[float, float, float]) -> np.ndarray:
    """(from day, to day, risk); else 0.1."""
    found = np.full(len(of.raw.times), 0.1)
    for begin, end, risk in spans:
        found[(of.raw.times >= begin * DAY_US) & (of.raw.times < end * DAY_US)] = risk
    return found


def in_days(of: Machine, found: np.ndarray) -> list[tuple[float, float]]:
    return [(a / DAY_US, b / DAY_US) for a, b in episodes(of.raw.times, found, of.repairs, 0.5)]


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([(5, 6, 0.6)], [(5, 8)]),  # three days at least
        ([(5, 6, 0.6), (7, 7.5, 0.6)], [(5, 8)]),  # a risk that wavers is one alert
        ([(5, 10, 0.6)], [(5, 10)]),
        ([(5, 10, 0.6), (10, 12, 0.4)], [(5, 12)]),  # not well below the threshold
        ([(5, 10, 0.6), (10, 12, np.nan)], [(5, 12)]),  # nothing known: it stays
        ([(5, 6, 0.6), (9, 10, 0.6)], [(5, 8), (9, 12)]),
        ([(19, 20, 0.6)], [(19, 19.75 + 1 / DAY_US)]),
        ([(5, 6, 0.49)], []),
    ],
)
def test_alerts_begin_last_and_end(
    spans: list[tuple[float, float, float]], expected: list[tuple[float, float]]
) -> None:
    of = machine(20)
    assert in_days(of, risks(of, *spans)) == expected


def test_a_repair_ends_an_alert_and_what_comes_then_is_another() -> None:
    of = machine(20, repairs=[6.1])
    assert in_days(of, risks(of, (5, 9, 0.6))) == [(5, 6.25), (6.25, 9.25)]


def test_operation_has_the_same_alerts() -> None:
    chance = np.random.default_rng(2)
    of = machine(300)
    found = np.clip(np.cumsum(chance.normal(0, 0.05, len(of.raw.times))) % 1.0, 0, 1)
    raised: int | None = None
    seen: list[tuple[int, int]] = []
    for at, risk in zip(of.raw.times.tolist(), found.tolist(), strict=True):
        stands = in_force(risk, 0.5, at, raised)
        if stands and raised is None:
            raised = at
        elif raised is not None and not stands:
            seen.append((raised, at))
            raised = None
    told = episodes(of.raw.times, found, of.repairs, 0.5)
    assert len(seen) > 20
    assert told[: len(seen)] == seen


@pytest.mark.parametrize(
    ("raised", "announced", "false"),
    [
        (15.0, 1, 0),
        (18.75, 1, 0),
        (19.25, 0, 0),  # too late to be of use, and not false
        (6.25, 1, 0),
        (5.5, 0, 1),  # two weeks before is not about this failure
    ],
)
def test_what_counts_as_announced(raised: float, announced: int, false: int) -> None:
    of = machine(40, failures=[20.0])
    done = outcome(of, risks(of, (raised, 21, 0.6)), 0.5)
    assert (done.failures, done.announced, done.false) == (1, announced, false)
    assert [round(notice / DAY_US, 2) for notice in done.notices] == ([20 - raised] if announced else [])


def test_an_alert_that_was_over_a_day_before_announced_nothing() -> None:
    of = machine(40, failures=[20.0])
    done = outcome(of, risks(of, (10, 12, 0.6)), 0.5)
    assert (done.announced, done.false) == (0, 0)


def test_outcomes_add_up() -> None:
    total = Outcome(1, 1, 3, 2, 1.5, (7,)) + Outcome(1, 0, 1, 1, 0.5, ())
    assert total == Outcome(2, 1, 4, 3, 2.0, (7,))
    assert (total.share, total.false_per_month) == (0.5, 1.5)
    assert total.cost(Costs(10, 1, 2)) == 10 + 3 + 2


def test_the_cheapest_threshold_within_the_budget_is_chosen() -> None:
    ill, well = machine(60, failures=[30.0]), machine(60)
    found = [risks(ill, (27, 30, 0.9)), risks(well, (10, 11, 0.6), (20, 21, 0.6), (30, 31, 0.6))]
    chosen, curve = choose([ill, well], found, Costs(budget=0.3))
    assert 0.6 < chosen <= 0.9
    assert {round(point.false_per_month, 2) for _, point in curve} >= {0.0, 0.75}
    cheap, _ = choose([ill, well], found, Costs(miss=0.1, false=1, planned=1, budget=0.3))
    assert cheap > 0.6


def test_where_no_threshold_keeps_to_the_budget_the_highest_is_taken() -> None:
    well = machine(60)
    found = [risks(well, *((day, day + 1, 0.9) for day in range(0, 60, 5)))]
    chosen, curve = choose([well], found, Costs(budget=0.0))
    assert chosen == curve[-1][0] == 0.9
