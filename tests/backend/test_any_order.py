"""Any permutation, duplication and delay of one day of readings comes to the same books: net ledger, balances, rows.

`STOCKYARD_SEEDS=50 python -m pytest tests/backend/test_any_order.py` tries 50 days; without it parts of two are tried.
"""

import os
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from backend.book import register
from backend.book.db import write
from backend.book.schema import crossing, journal
from backend.book.schema_contents import content_move
from backend.verify import verify
from models import epc, wire
from models.declared import Desk, Device, Door
from models.reading import Input, Reading, Scan, Tag, Unknown, from_micros, micros
from simulators import agenda, history
from simulators.scenario import Scenario, load
from simulators.world import World
from tests.backend.books import SECOND, Yard, digest
from tests.backend.pallets import BOLT

SEEDS = range(int(os.environ.get("STOCKYARD_SEEDS", "2")))
PART = None if "STOCKYARD_SEEDS" in os.environ else 5000
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
DECLARED = 1_600_000_000 * SECOND
SCENARIO = Path(history.__file__).parent / "scenarios" / "demo.toml"


def day_of_readings(seed: int) -> list[Reading]:
    """One simulated day at the site, as the readings of its history."""
    scenario: Scenario = load(SCENARIO)
    world = World(seed, scenario.start)
    site = agenda.build(world, scenario.doors)
    stage = history.HistoryStage(world, scenario, 1_000_000)
    texts = [text for _, chunk in history.readings(site, stage, 1) for text in chunk]
    return [reading for reading in map(wire.decode, texts) if not isinstance(reading, Unknown)]


def watched(readings: Sequence[Reading]) -> list[Reading]:
    """The same day with a photo-eye at door-2, whose beam is broken now and then."""
    at_door = [each for each in readings if isinstance(each, Tag) and each.device == "door-2"]
    eye = [Input("door-2", each.at, "photo_eye", on=True) for each in at_door[:: len(at_door) // 3 or 1]]
    return sorted([*readings, *eye], key=lambda each: each.at)


def loaded(readings: Sequence[Reading]) -> list[Reading]:
    """The same day with cartons without tags on every pallet that is read, packed a minute before it is first heard."""
    first: dict[str, int] = {}
    for each in readings:
        if isinstance(each, Tag) and each.epc.startswith("31"):
            first.setdefault(each.epc, micros(each.at))
    scans: list[Reading] = []
    for number, (tag, at) in enumerate(first.items()):
        codes = ["SY:PACK", f"00{epc.decode(tag).sscc}", f"01{BOLT}21{number}A", f"01{BOLT}21{number}B", "SY:CONFIRM"]
        moment = at - 60 * SECOND + number
        scans += [Scan("scanner-9", from_micros(moment + k * SECOND), code, "]C1") for k, code in enumerate(codes)]
    return sorted([*readings, *scans], key=lambda each: each.at)


def declare(yard: Yard) -> None:
    """Door-2 gets its photo-eye, and there is a packing desk."""
    door = Door([1, 2], [3, 4], "warehouse", "supplier", "customer", 3.0, photo_eye="photo_eye")
    with write(yard.book) as tx:
        body = Device(gateway="dock-a", name="door-2", door=door)
        register.put(tx, "devices", "dock-a/door-2", body, actor="test", valid_from=DECLARED, now=yard.clock.now)
        desk = Device(gateway="dock-a", name="scanner-9", desk=Desk("desk", "supplier", "customer"))
        register.put(tx, "devices", "dock-a/scanner-9", desk, actor="test", valid_from=DECLARED, now=yard.clock.now)


def send(yard: Yard, readings: Sequence[Reading], chance: random.Random) -> None:
    """The readings in this order, over a few epochs, in batches of any size, the deriver running now and then."""
    epochs = ["".join(chance.choices(CROCKFORD, k=12)) for _ in range(3)]
    at = 0
    while at < len(readings):
        piece = readings[at : at + chance.randint(1, 500)]
        at += len(piece)
        yard.ingest.take([yard.message(piece, chance.choice(epochs))] * chance.choice((1, 1, 1, 2)))
        yard.clock.now += chance.randint(0, 40 * SECOND)
        if chance.random() < 0.3:
            yard.deriver.step()


def disorder(readings: Sequence[Reading], chance: random.Random) -> list[Reading]:
    """Any order: delayed pieces, shuffled stretches or all of it, and some of it twice."""
    pieces = list(readings)
    match chance.randrange(3):
        case 0:
            chance.shuffle(pieces)
        case 1:
            keyed = sorted((i + chance.expovariate(1 / 300), i) for i in range(len(pieces)))
            pieces = [pieces[i] for _, i in keyed]
        case _:
            low = chance.randrange(len(pieces))
            high = chance.randrange(low, len(pieces)) + 1
            pieces = pieces[:low] + pieces[high:] + pieces[low:high]
    for twice in chance.sample(readings, len(readings) // 50):
        pieces.insert(chance.randrange(len(pieces)), twice)
    return pieces


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", SEEDS)
def test_any_order_comes_to_the_same_books(seed: int, template: Path, tmp_path: Path) -> None:
    readings = loaded(watched(day_of_readings(seed)[:PART]))
    begin = max(micros(reading.at) for reading in readings) + 60 * SECOND
    digests: list[dict[str, str]] = []
    for name, order in (("orderly", readings), ("disorder", disorder(readings, random.Random(seed)))):
        yard = Yard.copy(template, tmp_path / f"{name}.db", begin)
        declare(yard)
        send(yard, order, random.Random(seed))
        yard.settle()
        reasons = [row["reasons"] for row in yard.rows(crossing)]
        assert any("tags of this pass" in each for each in reasons)
        assert any("photo_eye was broken" in each for each in reasons)
        assert any("photo_eye was not broken" in each for each in reasons)
        assert len(yard.rows(content_move)) > 10
        digests.append(digest(yard.book))
        assert not [finding for finding in verify(yard.book) if not finding.ok]
        assert len(yard.rows(journal)) >= len(readings)
        yard.book.dispose()
    assert digests[0] == digests[1]
