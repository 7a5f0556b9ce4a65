"""Worked examples of others: availability, effectiveness, utilisation, Weibull, age replacement, economic life.

STOCKYARD_TEST_DATA names a folder with domain/domain_vectors.json: `kpi` and `reliability`, each a list of examples.
"""

import json
import os
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from models.assets.utilisation import Base, use_of
from models.maintenance.oee import oee
from models.maintenance.replacement import economic_life, equivalent_annual_costs, replacement
from models.maintenance.stops import Stop, judge
from models.maintenance.weibull import Weibull
from models.motion.day import Cell

FOLDER = os.environ.get("STOCKYARD_TEST_DATA")
if FOLDER is None:
    pytest.skip("STOCKYARD_TEST_DATA is not set: no foreign test data here", allow_module_level=True)
VECTORS = json.loads((Path(FOLDER) / "domain" / "domain_vectors.json").read_text())
H = 3_600_000_000
KPI = {name: each[name] for each in VECTORS["kpi"] for name in each if name in {"availability", "utilisation"}}
OEE = [each["oee"] for each in VECTORS["kpi"] if "oee" in each]


def test_availability() -> None:
    told = KPI["availability"]
    stops = [
        Stop(id=str(n), asset="a", begin_at=n * 100 * H, end_at=n * 100 * H + hours * H)
        for n, hours in enumerate(told["downtimes"])
    ]
    found = judge((0, told["hours"] * H), stops)
    assert found.mtbf is not None
    assert found.mttr is not None
    assert found.availability is not None
    assert (found.mtbf.least, found.mtbf.most) == (told["mtbf"] * H, told["mtbf"] * H)
    assert found.mttr.most == told["mttr"] * H
    assert round(float(found.availability.least or 0), 7) == told["availability"]


@pytest.mark.parametrize("told", OEE)
def test_effectiveness(told: dict[str, Any]) -> None:
    figures = (told[name] for name in ("planned_min", "down_min", "ideal_per_min", "total", "good"))
    assert round(float(oee(*map(Fraction, figures)).oee), 7) == told["oee"]


def test_utilisation() -> None:
    told = KPI["utilisation"]
    ran, shift = told["run_h"] * H, told["shift_h"] * H
    (found,) = use_of(
        [Cell(0, ran, "working", (), ()), Cell(ran, shift, "off", (), ())], None, [Base("s", shift, ((0, shift),))]
    )
    assert found.share == (Fraction(told["value"]), Fraction(told["value"]))


@pytest.mark.parametrize("told", [each for each in VECTORS["reliability"] if "cost_pm" in each])
def test_age_replacement(told: dict[str, Any]) -> None:
    found = replacement(Weibull(told["eta"], told["beta"]), told["cost_pm"], told["cost_cm"])
    if "advice" in told:
        assert found.advice == told["advice"]
        return
    expected = (told["t_opt"], told["rate"], told["run_to_failure"])
    assert (found.age, found.rate, found.to_failure) == pytest.approx(expected, rel=told["tol_rel"])


def test_lives_and_the_economic_one() -> None:
    (told,) = (each for each in VECTORS["reliability"] if "mttf" in each)
    life = Weibull(told["eta"], told["beta"])
    assert (life.mean, life.quantile(0.1), life.survival(500)) == pytest.approx(
        (told["mttf"], told["b10"], told["R500"])
    )
    (costs,) = (each["economic_life"] for each in VECTORS["reliability"] if "economic_life" in each)
    years = [[Decimal(each) for each in costs[name]] for name in ("operating", "resale")]
    found = equivalent_annual_costs(Decimal(costs["price"]), Decimal(str(costs["rate"])), *years)
    assert [float(each) for each in found] == costs["eac"]
    assert economic_life(found) == costs["best"]
