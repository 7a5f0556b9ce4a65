"""How long after the read that shows it an asset's exit is an alert: a simulated gate, with a busy door beside it.

Sixty assets go out of a door, each by a pass of the simulated radio that the door's model decides. The clock runs from
when the transaction of the deciding read has returned to when another connection sees the alert. Book on disk, every
commit waits for it; ingest and planner on threads of one process; a second gateway brings goods all the while.
"""

import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, select

from backend import dock_models
from backend.app import clock
from backend.book import schema
from backend.book.db import open_engine, read
from backend.ingest import Ingest
from backend.planner import Planner
from backend.rules import RULES
from models import epc, wire
from models.declared import Asset, Device, Door
from models.dock import portal
from models.dock.leaving import leaving
from models.reading import Reading, Tag, from_micros
from simulators import passes
from tests.backend.books import SECOND, Clock, Yard, batch, make_template
from tests.backend.owned import code, tag
from tests.backend.stories import Change, declare

GATEWAYS = ("dock-a", "dock-b")
EXITS, GOODS_PER_S, MOST_MS, IDLE_S = 60, 200, 500.0, 10.0
PASSES, LEAST_EARLY, MOST_WRONG = 700, 0.95, 0.01
DOOR = Door([1, 2], [3, 4], "warehouse", "supplier", "customer", 3.0, model="two-rows")
PORTAL = portal.Portal("dock-a/door-1", (1, 2), (3, 4), 3_000_000, dock_models.known("two-rows"))


def exits() -> list[list[passes.Sighting]]:
    """Passes of one tag that are seen to leave, each up to the sighting that shows it."""
    head, found, number = passes.head("reference", 11, 0), list[list[passes.Sighting]](), 0
    while len(found) < EXITS:
        one = passes.one(head, number, (5, 5))
        number += 1
        state, told = None, list[passes.Sighting]()
        for each in sorted(one.sightings if one.kind == "out" else [], key=lambda sighting: sighting[1]):
            if each[0] == 0:
                told.append(each)
                state, _ = portal.fold(PORTAL, state, [sighting(each, len(told))])
                if state is not None and leaving(PORTAL, state) is not None:
                    found.append(told)
                    break
    return found


def rings(one: passes.Pass) -> int | None:
    """How long before the last sighting of its first tag a pass rings, in microseconds; None if it never does."""
    state, rang = None, None
    told = sorted((each for each in one.sightings if each[0] == 0), key=lambda each: each[1])
    for number, each in enumerate(told):
        state, _ = portal.fold(PORTAL, state, [sighting(each, number)])
        if rang is None and state is not None and leaving(PORTAL, state) is not None:
            rang = each[1]
    return None if rang is None else told[-1][1] - rang


def sighting(each: passes.Sighting, number: int) -> portal.Sighting:
    _, last_us, first_us, antenna, rssi_cdbm, count, shift_chz = each
    return portal.Sighting(last_us, first_us, "aa", antenna, rssi_cdbm, count, str(number), shift_chz)


def reading(each: passes.Sighting, tag_hex: str, begin: int) -> Tag:
    _, last_us, first_us, antenna, rssi_cdbm, count, shift_chz = each
    times = (from_micros(begin + last_us), from_micros(begin + first_us))
    told = Tag("door-1", times[0], tag_hex, antenna, first_at=times[1], count=count)
    return replace(told, rssi_dbm=rssi_cdbm / 100, doppler_hz=shift_chz / 100)


class Goods:
    """A second gateway, whose door sees pallets all the while."""

    def __init__(self, book: Engine) -> None:
        self.ingest, self.seq = Ingest(book, clock), 1
        self.tags = [epc.encode(f"urn:epc:id:sgtin:9521321.100010.{serial}") for serial in range(5000, 5400)]

    def run(self, stop: threading.Event) -> None:
        each = GOODS_PER_S // 10
        while not stop.wait(0.1):
            now = from_micros(clock())
            tags = [self.tags[(self.seq + k) % len(self.tags)] for k in range(each)]
            heard: list[Reading] = [Tag("door-1", now, each, 1 + self.seq // 20 % 4, rssi_dbm=-55.0) for each in tags]
            self.ingest.take([batch("B" * 12, self.seq, [wire.encode(one) for one in heard], "dock-b")])
            self.seq += each


class Gate:
    """The door that the assets go out of, reading by reading."""

    def __init__(self, book: Engine) -> None:
        self.book, self.ingest, self.seq = book, Ingest(book, clock), 1

    def leave(self, name: str, told: list[passes.Sighting]) -> float:
        """Milliseconds from when the last of these is committed to the alert."""
        begin = clock() - told[-1][1]
        for each in told:
            text = wire.encode(reading(each, tag(name), begin))
            self.ingest.take([batch("A" * 12, self.seq, [text], "dock-a")])
            self.seq += 1
        return wait_for_alert(self.book, name, time.monotonic())


def wait_for_alert(book: Engine, asset: str, since: float) -> float:
    """Milliseconds until another connection sees it."""
    mine = select(schema.alert.c.n).where(schema.alert.c.rule == "exit_unauthorised")
    query = mine.where(schema.alert.c.subject == f"asset:{asset}")
    while time.monotonic() < since + 10:
        with read(book) as tx:
            if tx.execute(query).first() is not None:
                return 1000 * (time.monotonic() - since)
        time.sleep(0.002)
    raise AssertionError(f"no alert of {asset}")


@pytest.mark.timeout(300)
def test_an_exit_is_an_alert_at_once(tmp_path: Path, measure: Any) -> None:
    book = open_engine("sqlite", make_template(tmp_path / "book.db"))
    since = clock() - 3600 * SECOND
    names = [f"DRILL-{number}" for number in range(EXITS)]
    changes = [Change("devices", f"{each}/door-1", Device("door-1", each, door=DOOR), since) for each in GATEWAYS]
    changes += [Change("assets", name, Asset(name, name, "tool", giai=code(name)), since) for name in names]
    declare(Yard(book, Clock(clock())), changes)
    stop, planner = threading.Event(), Planner(book, clock, RULES)
    while planner.step():
        pass
    threads = [threading.Thread(target=run, args=(stop,), daemon=True) for run in (planner.run, Goods(book).run)]
    threads[0].start()
    idle = _idle_ms(IDLE_S)
    threads[1].start()
    gate = Gate(book)
    took = sorted(gate.leave(name, each) for name, each in zip(names, exits(), strict=True))
    stop.set()
    for thread in threads:
        thread.join(10)
    name = f"exit of an asset to its alert, {EXITS} exits, {GOODS_PER_S} other readings/s"
    row = {"group": "assets", "unit": "ms", "bound": f"<= {MOST_MS:g} ms"}
    print(f"\nidle planner: {idle:.2f} ms CPU a second; p50 {took[len(took) // 2]:.0f} ms, most {took[-1]:.0f} ms")
    measure(row | {"check": f"{name}: p50", "value": took[len(took) // 2]}, ok=took[len(took) // 2] <= MOST_MS)
    measure(row | {"check": f"{name}: p99", "value": took[-1]}, ok=took[-1] <= MOST_MS)
    cost = {"group": "assets", "check": "planner with nothing to do, CPU of a second", "unit": "ms", "value": idle}
    measure(cost | {"bound": "<= 30 ms"}, ok=idle <= 30)
    book.dispose()


def _idle_ms(seconds: float) -> float:
    began = time.process_time()
    time.sleep(seconds)
    return 1000 * (time.process_time() - began) / seconds


@pytest.mark.timeout(300)
def test_how_many_exits_ring_early_and_what_rings_wrongly(measure: Any) -> None:
    head = passes.head("reference", 7, 0)
    found: defaultdict[str, list[int | None]] = defaultdict(list)
    for number in range(PASSES):
        one = passes.one(head, number, (5, 5))
        found[one.kind].append(rings(one))
    early = sorted(each for each in found["out"] if each is not None)
    others = [each for kind in ("in", "static", "past") for each in found[kind]]
    turned = [each for each in found["turn"] if each is not None]
    print(
        f"\nrang {early[len(early) // 2] / SECOND:.1f} s before the last read in the middle; "
        f"{len(turned)} of {len(found['turn'])} that came back rang meanwhile"
    )
    row = {"group": "assets", "unit": "share"}
    share, wrong = len(early) / len(found["out"]), sum(each is not None for each in others) / len(others)
    name = f"exits that ring while their pass lasts, of {len(found['out'])}, by the shipped model"
    measure(row | {"check": name, "value": share, "bound": ">= 0.95"}, ok=share >= LEAST_EARLY)
    name = f"what comes in, stands or passes by and rings meanwhile, of {len(others)}"
    measure(row | {"check": name, "value": wrong, "bound": "<= 0.01"}, ok=wrong <= MOST_WRONG)
