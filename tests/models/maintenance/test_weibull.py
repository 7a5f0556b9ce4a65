"""Weibull fits and age replacement against lifelines and reliability, by figures that they printed once.

lifelines 0.30.3 and reliability 0.9.0 (numpy 2.4.6, scipy 1.17.1, pandas 2.3.3; they need other versions than this
project) in an environment of their own: `WeibullFitter().fit(lives, ended, fit_options={"ftol": 1e-15, "gtol": 1e-12})`
lambda_ and rho_; `Fit_Weibull_2P(failures, right_censored, method="MLE", optimizer="best")` alpha and beta, each with
its lower and upper; `optimal_replacement_time(cost_PM, cost_CM, weibull_alpha, weibull_beta, q=0)` ORT.
"""

import random
from collections.abc import Callable
from decimal import Decimal
from math import exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import Refused
from models.maintenance.replacement import economic_life, equivalent_annual_costs, lived, rate, replacement
from models.maintenance.weibull import NotEnough, Weibull, fit

Lives = tuple[list[float], list[float]]
Pair = tuple[float, float]
BEARINGS = [
    17.88, 28.92, 33.00, 41.52, 42.12, 45.60, 48.40, 51.84, 51.96, 54.12, 55.56, 67.80, 68.64, 68.64,
    68.88, 84.12, 93.12, 98.64, 105.12, 105.84, 127.92, 128.04, 173.40,
]  # fmt: skip
"""Millions of revolutions of 23 ball bearings: Lieblein and Zelen, J. Res. NBS 57 (1956), 273."""
CARS = [
    5248.0, 7454, 16890, 17200, 38700, 45000, 49390, 69040, 72280, 131900,
]  # fmt: skip
CARS_GOING_ON = [
    3961.0, 4007, 4734, 6054, 7298, 10190, 23060, 27160, 28690, 37100, 40060, 45670, 53000, 67000,
    69630, 77350, 78470, 91680, 105700, 106300, 150400,
]  # fmt: skip
"""Kilometres of vehicle parts: the `automotive` data of reliability."""


def drawn(seed: int, life: Pair, number: int, until: float = 1e99, going_on: Pair | None = None) -> Lives:
    """Lives of a Weibull distribution (eta, beta), watched until a time, or each until one of its own."""
    chance, ended, lasting = random.Random(seed), list[float](), list[float]()
    for _ in range(number):
        each = chance.weibullvariate(*life)
        limit = chance.uniform(*going_on) if going_on else until
        (ended if each <= limit else lasting).append(round(min(each, limit), 3))
    return ended, lasting


SETS: dict[str, Callable[[], Lives]] = {
    "automotive": lambda: (CARS, CARS_GOING_ON),
    "ball bearings": lambda: (BEARINGS, []),
    "six units": lambda: ([16, 34, 53, 75, 93, 120], []),
    "wear": lambda: drawn(1, (1000, 2.5), 60, 900),
    "chance": lambda: drawn(2, (500, 1.0), 80, going_on=(0, 1500)),
    "early": lambda: drawn(3, (800, 0.6), 50, 1000),
    "steep": lambda: drawn(4, (20000, 8), 25),
    "few of many": lambda: drawn(5, (5000, 1.8), 200, 1000),
    "hours": lambda: drawn(6, (12.5, 3.2), 40, going_on=(5, 20)),
    "flat": lambda: drawn(7, (300, 0.75), 120, 2000),
    "two failures": lambda: drawn(12, (4000, 2.2), 30, 1100),
    "many": lambda: drawn(9, (1e6, 1.3), 500, going_on=(1e5, 3e6)),
}
PRINTED: dict[str, tuple[tuple[int, int], Pair, Pair, Pair, Pair]] = {
    "automotive": ((10, 21), (134651.0356, 1.154426662), (134651.0299, 1.154426663),
     (72252.90904, 250936.6072), (0.6982500758, 1.908629824)),
    "ball bearings": ((23, 0), (81.87452749, 2.101846458), (81.87455829, 2.101846848),
     (66.63926602, 100.5929941), (1.547042024, 2.855617433)),
    "six units": ((6, 0), (73.52609108, 1.932678195), (73.52607452, 1.932677945),
     (47.57730325, 113.6273657), (1.000823519, 3.732170527)),
    "wear": ((34, 26), (985.5478074, 2.197545188), (985.5478141, 2.197545001),
     (837.2031265, 1160.177815), (1.611230888, 2.997214159)),
    "chance": ((55, 25), (528.8241516, 0.9482432288), (528.8241461, 0.9482432088),
     (400.1612201, 698.8557697), (0.7634111834, 1.177825532)),
    "early": ((34, 16), (866.5422094, 0.6896222567), (866.5422338, 0.6896222285),
     (528.9922096, 1419.482989), (0.5091363632, 0.9340892783)),
    "steep": ((25, 0), (19940.15511, 8.673987876), (19940.1551, 8.673987578),
     (19010.95322, 20914.77375), (6.320883401, 11.90309261)),
    "few of many": ((13, 187), (5747.566877, 1.542887959), (5747.566495, 1.542888035),
     (2089.833061, 15807.25333), (0.9002885905, 2.64415601)),
    "hours": ((21, 19), (13.12847246, 2.579713261), (13.12847141, 2.579713439),
     (11.06464456, 15.57725246), (1.828870251, 3.638815508)),
    "flat": ((119, 1), (265.5739309, 0.7544828753), (265.5739678, 0.7544828934),
     (206.8237039, 341.0128098), (0.6549062254, 0.8691999164)),
    "two failures": ((2, 28), (5792.47753, 1.604123065), (5792.477978, 1.604123011),
     (498.5519771, 67300.5076), (0.4080975296, 6.305381549)),
    "many": ((354, 146), (945685.2274, 1.176127038), (945685.225, 1.176127065),
     (865519.9673, 1033275.463), (1.081216006, 1.279369585)),
}  # fmt: skip
"""(failed, going on), lifelines, reliability (eta, beta), its 95 % bounds of eta, of beta."""


@pytest.mark.parametrize("name", SETS)
def test_a_fit_is_that_of_both_oracles(name: str) -> None:
    counts, lifelines, reliability, eta, beta = PRINTED[name]
    found = fit(*SETS[name]())
    assert (found.failures, found.censored) == counts
    for other in (lifelines, reliability):
        assert (found.weibull.eta, found.weibull.beta) == pytest.approx(other, rel=1e-5)
    assert found.eta == pytest.approx(eta, rel=1e-5)
    assert found.beta == pytest.approx(beta, rel=1e-5)


@given(st.integers(0, 2**32), st.floats(0.3, 6), st.floats(0.5, 1e6), st.floats(0.3, 3))
def test_no_other_distribution_is_likelier(seed: int, beta: float, eta: float, until: float) -> None:
    ended, lasting = drawn(seed, (1.0, beta), 30, until)
    ended, lasting = ([max(each, 0.001) * eta for each in lives] for lives in (ended, lasting))
    try:
        found = fit(ended, lasting)
    except NotEnough:
        return

    def likelihood(life: Weibull) -> float:
        powers = sum((each / life.eta) ** life.beta for each in (*ended, *lasting))
        hazards = [life.hazard(each) for each in ended]
        return sum(map(log, hazards)) - powers

    best = likelihood(found.weibull)
    assert best == pytest.approx(found.log_likelihood, rel=1e-9, abs=1e-9)
    for up in (0.99, 1.01):
        for scale, shape in ((up, 1.0), (1.0, up)):
            assert likelihood(Weibull(found.weibull.eta * scale, found.weibull.beta * shape)) < best + 1e-9


@pytest.mark.parametrize(
    ("ended", "lasting", "says"),
    [
        ([], [5.0], "failures"),
        ([3.0], [5.0, 6.0], "failures"),
        ([3.0, 3.0], [1.0], "failures"),
        ([3.0, 0.0], [], "life"),
        ([3.0, 2.0], [float("nan")], "life"),
        ([3.0, float("inf")], [], "life"),
    ],
)
def test_what_cannot_be_fitted(ended: list[float], lasting: list[float], says: str) -> None:
    with pytest.raises(Refused, match=says):
        fit(ended, lasting)


def test_lives_of_a_distribution() -> None:
    life = Weibull(1000, 2.5)
    assert life.mean == pytest.approx(887.2638175, rel=1e-9)
    assert life.quantile(0.1) == pytest.approx(406.5099265, rel=1e-9)
    assert life.survival(500) == pytest.approx(0.8379668856, rel=1e-9)


Figures = tuple[float, float, float, float]
AGES: dict[Figures, Pair] = {
    (1000.0, 2.5, 1.0, 5.0): (493.1851185, 0.00346204292),
    (1200.0, 3.0, 500.0, 4000.0): (499.5113511, 1.51532969),
    (800.0, 1.4, 1.0, 20.0): (191.7395740, 0.01877492228),
    (1000.0, 2.5, 5.0, 6.0): (1941.2471247, 0.00676183035),
}
"""By (eta, beta, planned, failed): the age and the rate that the grid of reliability's function finds."""


@pytest.mark.parametrize("figures", AGES)
def test_the_best_age_is_that_of_a_fine_search(figures: Figures) -> None:
    eta, beta, planned, failed = figures
    found = replacement(Weibull(eta, beta), planned, failed, material=0)
    assert found.age is not None
    assert (found.age, found.rate) == pytest.approx(searched(Weibull(eta, beta), planned, failed), rel=1e-5)
    assert (found.age, found.rate) == pytest.approx(AGES[figures], rel=1e-3)


PUBLISHED: dict[Figures, tuple[str, str, str]] = {
    (1000, 2.5, 1, 5): ("493.05", "0.003462", "0.0056353"),
    (1200, 3, 500, 4000): ("499.38", "1.51533", "3.732822"),
}


@pytest.mark.parametrize("figures", PUBLISHED)
def test_worked_examples_to_their_last_digit(figures: Figures) -> None:
    eta, beta, planned, failed = figures
    found = replacement(Weibull(eta, beta), planned, failed)
    assert found.advice == "replace_at_age"
    told = PUBLISHED[figures]
    said = (found.age or 0.0, found.rate or 0.0, found.to_failure)
    assert tuple(f"{each:.{len(text.partition('.')[2])}f}" for each, text in zip(said, told, strict=True)) == told


def searched(life: Weibull, planned: float, failed: float) -> tuple[float, float]:
    """The age of the least rate, and that, by Simpson's rule and by where the rate's slope changes its sign."""

    def cost(age: float) -> float:
        alive = life.survival(age)
        return (planned * alive + failed * (1 - alive)) / simpson(life, age)

    low, high = life.eta / 100, life.eta * 3
    while high / low > 1 + 1e-7:
        middle = (low + high) / 2
        step = middle * 1e-4
        low, high = (middle, high) if cost(middle + step) < cost(middle - step) else (low, middle)
    return low, cost(low)


def simpson(life: Weibull, age: float, parts: int = 400) -> float:
    """The integral of the survival; in the square of the place, where it is smooth at 0."""
    root = age**0.5
    ends = [exp(-(((root * k / parts) ** 2 / life.eta) ** life.beta)) * 2 * root * k / parts for k in range(parts + 1)]
    return (ends[0] + 4 * sum(ends[1::2]) + 2 * sum(ends[2:-1:2]) + ends[-1]) * root / parts / 3


@given(st.floats(1.01, 8), st.floats(0.01, 1e6), st.floats(0.02, 0.98))
def test_no_other_age_costs_less(beta: float, eta: float, share: float) -> None:
    life = Weibull(eta, beta)
    found = replacement(life, share, 1.0, material=0)
    if found.age is None or found.rate is None:
        return
    for up in (0.5, 0.99, 1.01, 2):
        assert rate(life, share, 1.0, found.age * up) >= found.rate * (1 - 1e-12)
    assert lived(life, eta * 50) == pytest.approx(life.mean, rel=1e-9)
    assert lived(life, eta / 2) == pytest.approx(simpson(life, eta / 2), rel=1e-6)


RUN_TO_FAILURE: dict[str, tuple[float, float, float, float, str]] = {
    "chance": (1000, 1.0, 1, 5, "beta"),
    "early failures": (800, 0.8, 1, 5, "beta"),
    "a failure costs no more": (1000, 2.5, 5, 5, "no more"),
    "it saves next to nothing": (1000, 2.5, 5, 6, "0.01%"),
}


@pytest.mark.parametrize("name", RUN_TO_FAILURE)
def test_what_is_run_to_failure(name: str) -> None:
    eta, beta, planned, failed, why = RUN_TO_FAILURE[name]
    found = replacement(Weibull(eta, beta), planned, failed)
    assert (found.advice, why in found.why) == ("run_to_failure", True)


def test_costs_that_cannot_be() -> None:
    for planned, failed in ((0, 5), (1, -5), (float("nan"), 5)):
        with pytest.raises(Refused, match="cost"):
            replacement(Weibull(1000, 2.5), planned, failed)


def test_the_economic_life_is_the_year_of_the_least_annual_cost() -> None:
    operating, resale = (
        [Decimal(each * 1000) for each in years]
        for years in ((10, 12, 15, 19, 24, 32, 40, 50), (90, 70, 55, 43, 34, 27, 21, 16))
    )
    found = equivalent_annual_costs(Decimal(120_000), Decimal("0.08"), operating, resale)
    expected = ["49600.00", "44600.00", "41827.70", "40401.26", "39726.04", "39997.84", "40912.60", "42394.97"]
    assert ([str(each) for each in found], economic_life(found)) == (expected, 5)
    assert equivalent_annual_costs(Decimal(100), Decimal(0), [Decimal(5)], [Decimal(0)]) == [Decimal("105.00")]
    with pytest.raises(Refused, match="operating"):
        equivalent_annual_costs(Decimal(1), Decimal(0), [], [])
