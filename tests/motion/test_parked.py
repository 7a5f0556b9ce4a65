"""Parked for a day 2 m inside a fence: a receiver's wandering is no way, no trip and no coming and going.

tests/bench/test_motion_month.py does the same with many seeds.
"""

from functools import cache
from itertools import pairwise

import pytest

from models.reading import Fix
from tests.motion.parked import CORRELATED_S, FENCE, IGNITION, SIGMAS_M, Parked, facts, fixes, outcome

SEEDS = (1, 2)
MOST_M, MOST_TRANSITIONS = 100, 2


@cache
def day(seed: int, sigma_m: float, correlated_s: float) -> tuple[Fix, ...]:
    return tuple(fixes(seed, sigma_m, correlated_s))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("correlated_s", CORRELATED_S)
@pytest.mark.parametrize("sigma_m", SIGMAS_M)
@pytest.mark.parametrize("ignition", IGNITION)
def test_parked_for_a_day(ignition: str, sigma_m: float, correlated_s: float, seed: int) -> None:
    assert_parked(outcome(facts(day(seed, sigma_m, correlated_s), ignition), "crane" if seed % 2 else "truck"))


def assert_parked(it: Parked) -> None:
    assert it.metres < MOST_M
    assert it.trips == 0
    assert it.transitions <= MOST_TRANSITIONS


def test_the_receiver_wanders_as_it_should() -> None:
    """Summed up, its legs would be kilometres, and it crosses the fence hundreds of times."""
    said = fixes(3, 3.0, 120.0)
    border = min(lon for _, lon in FENCE)
    crossings = sum((a.lon or 0) < border <= (b.lon or 0) for a, b in pairwise(said))
    assert crossings > 100
