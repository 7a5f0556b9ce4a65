"""A site of real processes for one test, in a folder of its own; all of them are gone afterwards."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.plant import MOSQUITTO, Plant

READS_A_SECOND = 150.0


@pytest.fixture
def seed() -> int:
    return int(os.environ.get("STOCKYARD_SEED", "1"))


@pytest.fixture
def plant(tmp_path: Path, seed: int) -> Iterator[Plant]:
    """Started: readings of both doors are journalled."""
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed")
    plant = Plant(tmp_path, seed, READS_A_SECOND)
    try:
        plant.start()
        yield plant
    finally:
        plant.drop()
