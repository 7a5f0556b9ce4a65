"""Hours in event time: thirty days with twenty outages, the live record first and the backlog after, in any order, come
to the same rows, states and sums, bit for bit, as the orderly run; and to the truth.

`STOCKYARD_SEEDS=50 python -m pytest tests/backend/test_hours_outages.py -s` tries 50 months; without it one is tried.
"""

import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from backend import usage
from backend.book import register
from backend.book.db import read, write
from backend.verify import verify
from models.declared import Asset, Device, Tracker
from models.reading import Fix, Input, Meter, Reading, from_micros
from tests.backend.books import DAY, SECOND, Yard, digest

SEEDS = range(int(os.environ.get("STOCKYARD_SEEDS", "1")))
DAYS, OUTAGES = 30, 20
START = 20_000 * DAY
HOUR = 3600 * SECOND
IMEI = "imei:356307042441013"
EPOCHS = ["A" * 12, "B" * 12]


@dataclass
class Month:
    """Records in the order of their time, the outages, and how long the engine really ran."""

    records: list[tuple[int, list[Reading]]]
    outages: list[tuple[int, int]]
    ran_us: int


def month(chance: random.Random) -> Month:
    """A machine that is used by day; a record at each change, every 120 s while on, hourly while off."""
    runs: list[tuple[int, int]] = []
    for day in range(DAYS):
        at = START + day * DAY + 6 * HOUR + chance.randrange(HOUR)
        while at < START + day * DAY + 18 * HOUR:
            until = at + chance.randrange(2 * HOUR)
            runs.append((at // 1000 * 1000, until // 1000 * 1000))
            at = until + 60 * SECOND + chance.randrange(3 * HOUR)
    ran = 0
    records: list[tuple[int, list[Reading]]] = [(START, _record(START, on=False, ran_us=0))]
    before = START
    for begin, end in runs:
        records += [(at, _record(at, on=False, ran_us=ran)) for at in range(before + HOUR, begin, HOUR)]
        records += [(at, _record(at, on=True, ran_us=ran + at - begin)) for at in range(begin, end, 120 * SECOND)]
        ran += end - begin
        records.append((end, _record(end, on=False, ran_us=ran)))
        before = end
    hours = [START + chance.randrange(1, DAYS * 24 - 13) * HOUR for _ in range(OUTAGES)]
    return Month(records, sorted((at, at + chance.randint(1, 12) * HOUR) for at in hours), ran)


def _record(at: int, *, on: bool, ran_us: int) -> list[Reading]:
    when = from_micros(at)
    hours = 4810 + ran_us // SECOND / 3600
    return [
        Fix(IMEI, when, lat=51.06, lon=3.73, satellites=9, valid=True, speed_mps=0.0),
        Input(IMEI, when, "ignition", on),
        Meter(IMEI, when, "engine_hours", round(hours * 3600) / 3600, "h"),
    ]


def arrivals(made: Month, chance: random.Random) -> list[list[Reading]]:
    """Records as they come: an outage's are kept back, then the newest is sent first and the others after it.

    The backlog comes oldest first, newest first or shuffled; some of it twice.
    """
    kept: list[tuple[int, list[Reading]]] = []
    order: list[list[Reading]] = []
    for at, record in made.records:
        if any(begin <= at < end for begin, end in made.outages):
            kept.append((at, record))
            continue
        order.append(record)
        if kept:
            backlog = [each for _, each in kept]
            match chance.randrange(3):
                case 0:
                    backlog.reverse()
                case 1:
                    chance.shuffle(backlog)
                case _:
                    pass
            order += backlog + chance.sample(backlog, len(backlog) // 10)
            kept = []
    return order + [record for _, record in kept]


def send(yard: Yard, records: Sequence[list[Reading]], chance: random.Random) -> None:
    """Batches of any size over two epochs, the deriver now and then between them."""
    for piece in _pieces([reading for record in records for reading in record], chance):
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
        tracker = Tracker("T-9", hours_from=hours_from, hours_at_start=Decimal(4810))
        register.put(tx, "devices", IMEI, Device(IMEI, tracker=tracker), **stamp)
    return yard


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", SEEDS)
def test_twenty_outages_change_nothing(seed: int, template: Path, tmp_path: Path) -> None:
    made = month(random.Random(seed))
    digests: list[dict[str, str]] = []
    sums: list[object] = []
    for name in ("orderly", "outages"):
        chance = random.Random(f"{seed}/{name}")
        yard = mounted(template, tmp_path / f"{name}.db", "ignition")
        send(yard, [record for _, record in made.records] if name == "orderly" else arrivals(made, chance), chance)
        digests.append(digest(yard.book))
        with read(yard.book) as tx:
            loaded, span = register.load(tx), (START, made.records[-1][0])
            sums.append([usage.used(tx, loaded, "T-9", meter, span) for meter in ("runtime", "engine_hours")])
        assert not [finding for finding in verify(yard.book) if not finding.ok]
        yard.book.dispose()
    assert digests[0] == digests[1]
    assert sums[0] == sums[1]
    runtime, counted = sums[0]  # type: ignore[misc]
    assert runtime.least == runtime.most == made.ran_us // 1000
    assert abs(counted.least - made.ran_us // 1000) <= 1000
    hours = runtime.least / 3_600_000
    print(f"\nseed {seed}: {hours:.4f} h in both, {OUTAGES} outages, {len(made.records)} records")


def test_a_tracker_that_was_on_another_machine_all_along(template: Path, tmp_path: Path) -> None:
    """A correction of the register: the hours follow the machine, from the day on which it holds."""
    made = month(random.Random(7))
    records = [record for at, record in made.records if at < START + 6 * DAY]
    late = mounted(template, tmp_path / "late.db", "ignition")
    send(late, records, random.Random(1))
    known = mounted(template, tmp_path / "known.db", "ignition")
    for yard in (known, late):
        with write(yard.book) as tx:
            stamp = {"valid_from": START + 2 * DAY + 11 * HOUR, "actor": "test", "now": yard.clock.now}
            register.put(tx, "assets", "T-10", Asset("Truck", "S10"), **stamp)
            register.put(tx, "devices", IMEI, Device(IMEI, tracker=Tracker("T-10")), **stamp)
    send(known, records, random.Random(2))
    late.settle()
    assert digest(late.book) == digest(known.book)
    with read(late.book) as tx:
        loaded, end = register.load(tx), START + 6 * DAY
        both = [usage.used(tx, loaded, asset, "runtime", (START, end)) for asset in ("T-9", "T-10")]
    assert all(each is not None and each.least > 0 for each in both)
    assert not [finding for finding in verify(late.book) if not finding.ok]
    for yard in (late, known):
        yard.book.dispose()
