"""Any permutation, duplication and delay of one day of readings comes to the same books: net ledger, balances, rows."""

import os
import random
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from backend import site
from backend.book import ledger
from backend.book.db import open_engine, read
from backend.book.schema import balance, crossing, journal, metadata, scan_act
from backend.deriver import Deriver
from backend.ingest import Ingest, Message
from backend.verify import verify
from models import wire
from models.reading import Reading, Unknown, from_micros, micros
from models.stock.ledger import net_digest
from simulators import agenda, history
from simulators.scenario import Scenario, load
from simulators.world import World

SITE = Path(__file__).parents[2] / "deploy" / "site.example.toml"
SEEDS = range(int(os.environ.get("STOCKYARD_SEEDS", "5")))
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


SCENARIO = Path(history.__file__).parent / "scenarios" / "demo.toml"


def day_of_readings(seed: int) -> list[Reading]:
    """One simulated day at the site, as the readings of its history."""
    scenario: Scenario = load(SCENARIO)
    world = World(seed, scenario.start)
    site = agenda.build(world, scenario.doors)
    stage = history.HistoryStage(world, scenario, 1_000_000)
    texts = [text for _, chunk in history.readings(site, stage, 1) for text in chunk]
    return [reading for reading in map(wire.decode, texts) if not isinstance(reading, Unknown)]


class Clock:
    """A clock that the test moves."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


def fresh(folder: Path, now: int) -> Engine:
    folder.mkdir()
    book = open_engine("sqlite", folder / "book.db")
    metadata.create_all(book)
    site.apply(book, SITE, now, "test")
    return book


def settle(book: Engine, clock: Clock) -> None:
    clock.now += 3_600_000_000
    deriver = Deriver(book, clock)
    for _ in range(10_000):
        if not deriver.step():
            return
    pytest.fail("the deriver does not come to rest")


def digest(book: Engine) -> dict[str, str]:
    """What must be equal for every order: the net ledger, all balances, every derived row."""
    with read(book) as tx:
        derived = [
            sorted(
                str({k: v for k, v in row.items() if k not in {"n", "device_id"}})
                for row in tx.execute(select(table)).mappings()
            )
            for table in (crossing, scan_act)
        ]
        kept = sorted((r.sku, r.location, r.lot, r.on_hand) for r in tx.execute(select(balance)) if r.on_hand != "0")
        return {
            "net ledger": net_digest(entry.movement for entry in ledger.entries_of(tx)),
            "balances": sha256(str(kept).encode()).hexdigest(),
            "derived": sha256(str(derived).encode()).hexdigest(),
        }


def send(book: Engine, clock: Clock, readings: Sequence[Reading], chance: random.Random) -> None:
    """The readings in this order, over a few epochs, in batches of any size, the deriver running now and then."""
    ingest, deriver = Ingest(book, clock), Deriver(book, clock)
    next_seq: dict[str, int] = {}
    epochs = ["".join(chance.choices(CROCKFORD, k=12)) for _ in range(3)]
    at = 0
    while at < len(readings):
        epoch = chance.choice(epochs)
        batch = readings[at : at + chance.randint(1, 500)]
        seq = next_seq.get(epoch, 1)
        payload = wire.encode_batch(epoch, seq, from_micros(clock.now), [wire.encode(each) for each in batch])
        message = Message(wire.topic("dock-a", "readings"), payload)
        ingest.take([message] * chance.choice((1, 1, 1, 2)))
        next_seq[epoch] = seq + len(batch)
        at += len(batch)
        clock.now += chance.randint(0, 40_000_000)
        if chance.random() < 0.3:
            deriver.step()


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


@pytest.mark.parametrize("seed", SEEDS)
def test_any_order_comes_to_the_same_books(seed: int, tmp_path: Path) -> None:
    readings = day_of_readings(seed)
    begin = max(micros(reading.at) for reading in readings) + 60_000_000
    digests: list[dict[str, str]] = []
    for name, order in (("orderly", readings), ("disorder", disorder(readings, random.Random(seed)))):
        clock = Clock(begin)
        book = fresh(tmp_path / name, begin)
        send(book, clock, order, random.Random(seed))
        settle(book, clock)
        digests.append(digest(book))
        broken = [finding for finding in verify(book) if not finding.ok]
        assert not broken
        with read(book) as tx:
            assert len(tx.execute(select(journal.c.seq)).all()) >= len(readings)
        book.dispose()
    assert digests[0] == digests[1]
