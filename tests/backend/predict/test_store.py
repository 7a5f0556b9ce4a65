"""The same readings make the same features to the byte, whether they come from a file or from the telemetry store."""

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from backend.book.db import read
from backend.book.risks import Repair
from backend.predict.fleet_file import FleetFile, Recorded
from backend.predict.store import history
from backend.telemetry.assets import spans
from backend.telemetry.rows import Step
from models.predict.features import BACK_US, raw
from models.predict.history import DAY_US, HOUR_US, History, digest
from tests.backend.predict.plant import MINUTE, Plant
from tests.backend.telemetry.samples import sample
from tests.models.predict import fleet

END = fleet.START + 80 * DAY_US
ALWAYS = (0, END)


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    found = Plant(tmp_path, END)
    yield found
    found.close()


def from_store(plant: Plant, asset: str, repairs: list[int], since: int = 0, until: int = END) -> History:
    with read(plant.book) as tx:
        register = plant.scorer._registers.current(tx)
    known = [Repair(at, None) for at in repairs]
    return history(plant.telemetry, spans(register, asset, until), known, since)


def same(one: History, other: History) -> bool:
    none = np.empty(0, np.int64)
    return digest("m", one, none) == digest("m", other, none)


def test_file_and_store_make_the_same_features(plant: Plant, tmp_path: Path) -> None:
    made = fleet.machine(3, 80, 35.0)
    plant.tell(plant.mount("A", 1), made, ALWAYS)
    with FleetFile.open(fleet.write(tmp_path / "fleet.jsonl.gz", [made])) as file:
        (found,) = file.machines()
    assert isinstance(found, Recorded)
    assert same(from_store(plant, "A", made.repairs), found.history)
    for at in range(fleet.START + 20 * DAY_US, END, 11 * DAY_US + HOUR_US):
        known = [each for each in made.repairs if each <= at]
        scoring = raw(from_store(plant, "A", known, at - BACK_US, at), [at])
        training = raw(found.history, [at])
        for name in ("days", "recent", "figures", "day_spread"):
            assert getattr(scoring, name).tobytes() == getattr(training, name).tobytes()


def test_order_repeats_and_denser_readings_change_nothing(plant: Plant) -> None:
    made = fleet.machine(5, 30)
    device = plant.mount("A", 1)
    plant.tell(device, made, ALWAYS)
    before = from_store(plant, "A", [])
    plant.tell(device, made, ALWAYS)
    times, values = made.readings["gearbox_vibration"]
    more = [
        sample(device, at + MINUTE, 10**9 + k, ("gearbox_vibration", "mm/s", value * 2))
        for k, (at, value) in enumerate(zip(times.tolist(), values.tolist(), strict=True))
    ]
    random.Random(1).shuffle(more)
    plant.telemetry.write(Step(samples=more))
    assert same(from_store(plant, "A", []), before)


def test_another_unit_or_name_is_not_used(plant: Plant) -> None:
    made = fleet.machine(6, 10)
    device = plant.mount("A", 1)
    plant.tell(device, made, ALWAYS)
    before = from_store(plant, "A", [])
    at = int(made.readings["engine_load"][0][0]) - MINUTE
    odd = [("gearbox_temperature", "degF"), ("speed_mps", "m/s"), ("engine_load", "1")]
    told = [sample(device, at, k, (name, unit, 500.0)) for k, (name, unit) in enumerate(odd)]
    plant.telemetry.write(Step(samples=told))
    assert same(from_store(plant, "A", []), before)


def test_each_tracker_counts_while_it_is_on_the_asset(plant: Plant) -> None:
    one, two = fleet.machine(7, 40), fleet.machine(8, 40)
    change = fleet.START + 20 * DAY_US
    first, second = plant.mount("A", 1), plant.mount("B", 2)
    plant.mount("B", 1, change)
    plant.mount("A", 2, change)
    plant.tell(first, one, ALWAYS)
    plant.tell(second, two, ALWAYS)
    found = from_store(plant, "A", [])
    upto = int(np.searchsorted(found.bins, change))
    assert found.values[:upto].tobytes() == one.history.values[one.history.bins < change].tobytes()
    assert found.values[upto:].tobytes() == two.history.values[two.history.bins >= change].tobytes()


def test_an_asset_without_a_tracker_has_no_history(plant: Plant) -> None:
    assert len(from_store(plant, "nothing", []).bins) == 0
