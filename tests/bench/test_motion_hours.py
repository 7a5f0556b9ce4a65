"""Running hours under real loss: how many months have their truth within the bounds; and how fast the fold is."""

import os
import random
from time import process_time
from typing import Any

import pytest

from models.motion import meter
from models.motion.gain import Heard
from models.motion.meter import Metering
from tests.models.motion.outage_month import HOUR, SECOND, month
from tests.models.motion.test_meter_bounds import counters_hold, inputs_hold, lossy, missed_ms

SEEDS = int(os.environ.get("STOCKYARD_SEEDS", "1000"))
DEFAULT_OFF_S, FEWER = 7200, 100


def holds(seed: int) -> bool:
    """Whether a month's truth is within the bounds, and these as far apart as what was not observed."""
    made, heard, rows = lossy(seed)
    try:
        inputs_hold(made, heard, rows, random.Random(seed))
        counters_hold(made, heard, rows)
    except AssertionError as wrong:
        print(f"\nseed {seed}: {wrong}")
        return False
    return True


@pytest.mark.timeout(3600)
def test_the_truth_is_within_the_bounds(measure: Any) -> None:
    inside = sum(holds(seed) for seed in range(SEEDS))
    check = "hours of 30 days with 20 outages of 1-12 h that lose records: truth in the bounds, width = unobserved time"
    row = {"group": "motion", "check": check, "unit": f"of {SEEDS} seeds", "bound": f"{SEEDS} of {SEEDS}"}
    measure(row | {"value": inside}, ok=inside == SEEDS)


@pytest.mark.timeout(3600)
def test_what_a_limit_of_two_reporting_intervals_misses(measure: Any) -> None:
    """With a limit of 2 h for a tracker that reports hourly, an outage of an hour does not show: told, not bounded."""
    wrong = [ms for ms, _ in (missed_ms(seed, DEFAULT_OFF_S, HOUR) for seed in range(FEWER)) if ms]
    check = f"the same with silent_off_s {DEFAULT_OFF_S} at hourly reports: a stretch told wrongly"
    measure({"group": "motion", "check": check, "unit": f"of {FEWER} seeds", "value": len(wrong)}, ok=True)
    check = "the same: the most that is told wrongly in a month"
    measure({"group": "motion", "check": check, "unit": "h", "value": max(wrong, default=0) / 3_600_000}, ok=True)


def test_facts_a_second(measure: Any) -> None:
    """Inputs and counters of a month, in pieces of 400 as a batch has them."""
    made = month(random.Random(1))
    facts = [
        Heard(each.at, name, f"{each.at:056x}{name:>8}", on=each.on.get(name), value=each.counters.get(name))
        for each in made.records
        for name in ("ignition", "hoist", "engine_hours", "odometer")
    ]
    params = Metering("T-9", "ignition", 600 * SECOND, 3600 * SECOND)
    state, begin = None, process_time()
    for low in range(0, len(facts), 400):
        state, _ = meter.fold(params, state, facts[low : low + 400])
    rate = len(facts) / (process_time() - begin)
    row = {"group": "motion", "check": "inputs and counters folded to stretches of use", "unit": "facts/s"}
    measure(row | {"value": rate}, ok=True)
