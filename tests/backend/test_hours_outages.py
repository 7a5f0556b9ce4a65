"""Hours in event time: thirty days with twenty outages, the live record first and the backlog after, or in any order at
all, and records twice, come to the same rows, states and sums, bit for bit, as the orderly run; and to the truth.

`STOCKYARD_SEEDS=50 python -m pytest tests/backend/test_hours_outages.py -s` tries 50 months; without it one is tried.
"""

import os
import random
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from backend import usage
from backend.book import register
from backend.book.db import read, write
from backend.verify import verify
from models.declared import Asset, Device, RollsOver, Tracker
from models.motion.meter import Bounds
from models.reading import Fix, Input, Meter, Reading, from_micros
from tests.backend.books import DAY, SECOND, Yard, digest
from tests.models.motion.outage_month import (
    DAYS,
    MM_PER_MS,
    START,
    WIDTH_MM,
    Month,
    Record,
    around,
    arrived,
    month,
    outages,
)

SEEDS = range(int(os.environ.get("STOCKYARD_SEEDS", "1")))
ON_EVERY_S = 600
IMEI = "imei:356307042441013"
EPOCHS = ["A" * 12, "B" * 12]
METERS = ("runtime", "hoist", "pto", "engine_hours", "odometer", "tracker_odometer")


def readings(each: Record) -> list[Reading]:
    """A record as the edge passes it on."""
    when = from_micros(each.at)
    hours = each.counters["engine_hours"] / 3_600_000
    return [
        Fix(IMEI, when, lat=51.06, lon=3.73, satellites=9, valid=True, speed_mps=0.0),
        *(Input(IMEI, when, name, on) for name, on in each.on.items()),
        Meter(IMEI, when, "engine_hours", hours, "h"),
        *(Meter(IMEI, when, name, each.counters[name] / 1000, "m") for name in ("odometer", "tracker_odometer")),
    ]


def arrivals(made: Month, chance: random.Random) -> list[Record]:
    """Records as they come: an outage's are kept back, then the newest is sent first and the others after it.

    The backlog comes oldest first, newest first or shuffled; some of it twice.
    """
    passed = {each.at for each in arrived(made, outages(chance))}
    kept: list[Record] = []
    order: list[Record] = []
    for record in made.records:
        if record.at not in passed:
            kept.append(record)
            continue
        order.append(record)
        if kept:
            match chance.randrange(3):
                case 0:
                    kept.reverse()
                case 1:
                    chance.shuffle(kept)
                case _:
                    pass
            order += kept + chance.sample(kept, len(kept) // 10)
            kept = []
    return order + kept


def permuted(made: Month, chance: random.Random) -> list[Record]:
    """Any order, every record up to three times."""
    order = [*made.records, *chance.choices(made.records, k=len(made.records) // 5)]
    chance.shuffle(order)
    return order


def send(yard: Yard, records: Sequence[Record], chance: random.Random) -> None:
    """Batches of any size over two epochs, the deriver now and then between them."""
    for piece in _pieces([reading for record in records for reading in readings(record)], chance):
        yard.ingest.take([yard.message(piece, chance.choice(EPOCHS))])
        yard.clock.now += chance.randint(0, 5 * SECOND)
        if chance.random() < 0.05:
            yard.deriver.step()
    yard.settle()


def _pieces(readings: list[Reading], chance: random.Random) -> Iterator[list[Reading]]:
    at = 0
    while at < len(readings):
        piece = readings[at : at + chance.randint(1, 400)]
        at += len(piece)
        yield piece


def mounted(template: Path, file: Path, hours_from: str) -> Yard:
    """A book with the tracker on a truck."""
    yard = Yard.copy(template, file, START + DAYS * DAY)
    with write(yard.book) as tx:
        stamp = {"valid_from": START - DAY, "actor": "test", "now": yard.clock.now}
        register.put(tx, "assets", "T-9", Asset("Truck", "S9"), **stamp)
        rolls = RollsOver(odometer=Decimal(WIDTH_MM) / 1_000_000)
        tracker = Tracker("T-9", hours_from=hours_from, hours_at_start=Decimal(4810), rolls_over_at=rolls)
        register.put(tx, "devices", IMEI, Device(IMEI, tracker=tracker), **stamp)
    return yard


ORDERS = {
    "orderly": lambda made, _chance: made.records,
    "outages": arrivals,
    "permuted": permuted,
}  # fmt: skip


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", SEEDS)
def test_twenty_outages_change_nothing(seed: int, template: Path, tmp_path: Path) -> None:
    made = month(random.Random(seed), ON_EVERY_S)
    digests: list[dict[str, str]] = []
    sums: list[dict[str, Bounds | None]] = []
    for name, order in ORDERS.items():
        chance = random.Random(f"{seed}/{name}")
        yard = mounted(template, tmp_path / f"{name}.db", "ignition")
        send(yard, order(made, chance), chance)
        digests.append(digest(yard.book))
        with read(yard.book) as tx:
            loaded, span = register.load(tx), (START, made.records[-1].at)
            sums.append({meter: usage.used(tx, loaded, "T-9", meter, span) for meter in METERS})
            best = next(iter(usage.odometers(tx, loaded, "T-9", span).items()))
            assert best == ("odometer", sums[-1]["odometer"])
        assert name != "permuted" or not [finding for finding in verify(yard.book) if not finding.ok]
        yard.book.dispose()
    assert digests[1:] == digests[:1] * 2
    assert sums[1:] == sums[:1] * 2
    assert sums[0] == truth(made)
    print(f"\nseed {seed}: {made.ran_ms() / 3_600_000:.4f} h in all orders, {len(made.records)} records")


def truth(made: Month) -> dict[str, Bounds | None]:
    """What the meters come to if nothing is lost: unknown is what the hours' counter did when it was set anew."""
    exact = {"runtime": made.ran_ms(), "hoist": made.ran_ms(name="hoist"), "pto": made.ran_ms(name="pto")}
    exact |= dict.fromkeys(("odometer", "tracker_odometer"), made.ran_ms() * MM_PER_MS)
    jumps = [around(made.records, at) for at in (made.reset_at, made.replaced_at)]
    least = made.ran_ms() - sum(made.ran_ms(jump) for jump in jumps)
    most = least + sum(end - begin for begin, end in jumps) // 1000
    return {"engine_hours": Bounds(least, most)} | {name: Bounds(ms, ms) for name, ms in exact.items()}


def test_a_tracker_that_was_on_another_machine_all_along(template: Path, tmp_path: Path) -> None:
    """A correction of the register: the hours follow the machine, from the day on which it holds."""
    made = month(random.Random(7), ON_EVERY_S)
    moved = next(begin for begin, _ in made.on["ignition"] if begin > START + 2 * DAY) + 431 * SECOND
    records = [each for each in made.records if each.at < START + 6 * DAY]
    late = mounted(template, tmp_path / "late.db", "ignition")
    send(late, records, random.Random(1))
    known = mounted(template, tmp_path / "known.db", "ignition")
    for yard in (known, late):
        with write(yard.book) as tx:
            stamp = {"valid_from": moved, "actor": "test", "now": yard.clock.now}
            register.put(tx, "assets", "T-10", Asset("Truck", "S10"), **stamp)
            register.put(tx, "devices", IMEI, Device(IMEI, tracker=Tracker("T-10")), **stamp)
    send(known, records, random.Random(2))
    late.settle()
    assert digest(late.book) == digest(known.book)
    with read(late.book) as tx:
        loaded, end = register.load(tx), START + 6 * DAY
        both = [usage.used(tx, loaded, asset, "runtime", (START, end)) for asset in ("T-9", "T-10")]
    last, first = around(made.records, moved)
    ran = made.ran_ms((START, last))
    assert both[0] == Bounds(ran, ran + (moved - last) // 1000)
    assert both[1] == Bounds(*[made.ran_ms((first, START + 6 * DAY))] * 2)
    assert not [finding for finding in verify(late.book) if not finding.ok]
    for yard in (late, known):
        yard.book.dispose()
