"""Some simulated days at the desk, told to a backend in order and in disorder: it says of each what the truth says."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient

from backend.api import create_app
from backend.api.services import Services
from models import wire
from models.reading import Reading, Scan, micros
from simulators import agenda, history, truth
from simulators.answers import System
from simulators.checks import acts, scans
from simulators.checks.ledger import Ledger, Levels, net
from simulators.checks.stock import true_levels
from simulators.checks.streams import HeardScan
from simulators.scenario import Door, Scanner, Scenario
from simulators.world import World
from tests.backend.books import DAY, SECOND, Yard, make_template

START = datetime(2026, 11, 16, 9, 30, tzinfo=UTC)
SCENARIO = Scenario(5, START, "", [Door("door-1", "h:1")], [Scanner("scanner-1", "")], 1)
DAYS = 3


class Asked(System):
    """The API without sockets."""

    def __init__(self, client: TestClient) -> None:
        super().__init__("http://127.0.0.1:8000")
        self._client = client

    def _get(self, target: str) -> bytes:
        parts = urlsplit(target)
        answer = self._client.get(f"{parts.path}?{parts.query}")
        assert answer.status_code == 200, answer.text
        return answer.content


def some_days(folder: Path) -> list[Reading]:
    """The scans of some days, and their truth in a file; nobody listens at the doors."""
    with (folder / "truth.jsonl").open("w") as lines:
        world = World(5, START - timedelta(days=DAYS), lines)
        site = agenda.build(world, SCENARIO.doors)
        stage = history.HistoryStage(world, SCENARIO, 0)
        texts = [text for _, chunk in history.readings(site, stage, DAYS) for text in chunk]
    return [reading for reading in map(wire.decode, texts) if isinstance(reading, Scan)]


@pytest.mark.parametrize("seed", [None, 1], ids=["in order", "in disorder"])
def test_the_books_say_what_the_truth_says(seed: int | None, tmp_path: Path) -> None:
    told = some_days(tmp_path)
    heard = [HeardScan(each.device, each.data, micros(each.at), wire.content_hash(each).hex()) for each in told]  # type: ignore[union-attr]
    yard = Yard.copy(make_template(tmp_path / "template.db"), tmp_path / "book.db", micros(START) + DAY)
    if seed is not None:
        chance = random.Random(seed)
        keyed = sorted((k + chance.choice((0, 0, 40, 300)), k) for k in range(len(told)))
        told = [told[k] for _, k in keyed]
    for low in range(0, len(told), 40):
        yard.send(told[low : low + 40])
    yard.settle(60 * SECOND)
    real = truth.read([tmp_path / "truth.jsonl"])
    with TestClient(create_app(Services(yard.book, yard.clock, lambda *_: True)), "http://127.0.0.1:8000") as client:
        system = Asked(client)
        levels: Levels = {}
        ledger = Ledger(net(system.movements()))
        effects = scans.check(real, heard, ledger, levels, killed=False)
        said = acts.check(system, real, heard)
        places = {line.location for line in system.stock() if line.on_hand != "0"}
    yard.book.dispose()
    assert not effects.differences
    assert not said.differences
    assert said.figures["scans that say so"] > 10
    assert ledger.explained == {entry.id for entry in ledger.entries}
    moved = {key: level for key, level in true_levels(real).items() if key[1] != "warehouse"}
    assert {key: level for key, level in levels.items() if level} == {
        key: level for key, level in moved.items() if level
    }
    assert {"shelf-a", "desk"} <= places
