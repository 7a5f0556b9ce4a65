"""Trackers on the site's machines while its parts are killed, and what the site makes of all that they told.

What they told is kept here, record by record; hours and kilometres are counted from that, and not by any code that the
site runs on.
"""

import json
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Any

from models.reading import from_micros
from models.wire import encode
from simulators.devices.driving import Machine
from simulators.devices.teltonika import Habits, TeltonikaTracker
from simulators.record import ENGINE_S, IGNITION, ODOMETER_M, Record, readings
from simulators.torture import books

MACHINES = {"356307042441013": "TRUCK-1", "356307042441021": "CRANE-1"}
EVERY_S, ON_OFF_S, FLUSH_S, LAG_S = 0.1, (4.0, 3.0), 20.0, 30.0
HABITS = Habits(
    first_backoff_s=0.2,
    most_backoff_s=1.0,
    refused_wait_s=1.0,
    resend_share=0.05,
    drop_ack_share=0.03,
    split_share=0.1,
    burst_share=0.1,
)


@dataclass
class Told:
    """The records of one tracker."""

    offered: list[Record] = field(default_factory=list[Record])
    acked: list[Record] = field(default_factory=list[Record])


class Fleet:
    """Trackers that tell ten records a second each, and lose their network now and then."""

    def __init__(self, address: tuple[str, int], seed: int, every_s: float = EVERY_S) -> None:
        self._every_s = every_s
        self.told = {imei: Told() for imei in MACHINES}
        self._chance = Random(f"fleet/{seed}")
        self._trackers = {
            imei: TeltonikaTracker(address, imei, told.acked.append, habits=replace(HABITS, seed=seed))
            for imei, told in self.told.items()
        }
        self._stop = Event()
        self._thread = Thread(target=partial(self._drive, seed), name="fleet", daemon=True)

    def start(self) -> None:
        """Switch the trackers on."""
        for tracker in self._trackers.values():
            tracker.start()
        self._thread.start()

    def end(self) -> int:
        """No more records; everything is sent. How many were never acknowledged."""
        self._stop.set()
        self._thread.join()
        for tracker in self._trackers.values():
            tracker.offline(lost=False)
        return sum(tracker.stop(FLUSH_S) for tracker in self._trackers.values())

    def drop(self) -> None:
        """However they are, they are silent after this."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()
        for tracker in self._trackers.values():
            tracker.stop(0)

    def _drive(self, seed: int) -> None:
        last = dict.fromkeys(self._trackers, time.time_ns() // 1_000_000)
        machines = {imei: Machine(Random(f"{seed}/{imei}"), last[imei] * 1000, ON_OFF_S) for imei in last}
        while not self._stop.wait(self._every_s):
            for imei, tracker in self._trackers.items():
                last[imei] = max(time.time_ns() // 1_000_000, last[imei] + 1)
                record = machines[imei].record(last[imei] * 1000)
                self.told[imei].offered.append(record)
                tracker.offer(record)
                if self._chance.random() < self._every_s / 15:
                    tracker.outage(self._chance.uniform(0.5, 2))


@dataclass(frozen=True)
class Uses:
    """What a machine did from its first record to its last, by what its tracker told: exact, as it told everything."""

    run_ms: int
    engine_s: int
    driven_m: int


def uses(records: Sequence[Record]) -> Uses:
    """The engine is as it was told until it is told otherwise."""
    ordered = sorted(records, key=lambda record: record.at_us)
    values = [dict(record.io) for record in ordered]
    ran_us = sum(
        after.at_us - before.at_us
        for before, after, said in zip(ordered, ordered[1:], values, strict=False)
        if said[IGNITION]
    )
    counted = (values[-1][name] - values[0][name] for name in (ENGINE_S, ODOMETER_M))
    return Uses(ran_us // 1000, *counted)


@dataclass(frozen=True)
class Account:
    """What the trackers told, and what of it is on record."""

    records: int
    never_acked: int
    lost: list[str]
    invented: list[str]
    resent: int
    """Readings in the journal beyond the first of their content."""


def account(fleet: Fleet, never_acked: int, book: Path) -> Account:
    """Compare every reading of every record with the journal, by content."""
    journalled = Counter(
        content(json.loads(body)) for (body,) in books.query(book, "SELECT body FROM journal") if b'"imei:' in body
    )
    made = {imei: set(_contents(imei, told.offered)) for imei, told in fleet.told.items()}
    acked = {imei: set(_contents(imei, told.acked)) for imei, told in fleet.told.items()}
    return Account(
        records=sum(len(told.offered) for told in fleet.told.values()),
        never_acked=never_acked,
        lost=sorted(set[str]().union(*acked.values()) - journalled.keys()),
        invented=sorted(journalled.keys() - set[str]().union(*made.values())),
        resent=journalled.total() - len(journalled),
    )


def _contents(imei: str, records: Iterable[Record]) -> list[str]:
    return [content(json.loads(encode(reading))) for record in records for reading in readings(imei, record)]


def content(reading: dict[str, Any]) -> str:
    """One text per content; times to the microsecond, absent fields left out."""
    said = {name: value for name, value in reading.items() if value is not None}
    return json.dumps(said | {"at": books.micros(said["at"])}, sort_keys=True)


def differences(api: str, fleet: Fleet) -> list[str]:
    """Where the site's figures are not what the trackers told, once it had some time to come to all of it."""
    deadline = time.monotonic() + LAG_S
    while True:
        found = [line for imei, asset in MACHINES.items() for line in _differences(api, asset, fleet.told[imei].acked)]
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.2)


def _differences(api: str, asset: str, records: Sequence[Record]) -> list[str]:
    times = Counter(record.at_us for record in records)
    span = (from_micros(min(times)).isoformat(), from_micros(max(times)).isoformat())
    wanted = uses(records)
    expected = {
        "runtime": wanted.run_ms / 3_600_000,
        "engine_hours": wanted.engine_s / 3600,
        "odometer": wanted.driven_m / 1000,
    }
    meters = {each["meter"]: (each["least"], each["most"]) for each in _get(api, f"assets/{asset}/meters", span)}
    found = [
        f"{asset} {meter}: {meters.get(meter)}, {figure:.6f} expected"
        for meter, figure in expected.items()
        if [round(float(each), 6) for each in meters.get(meter, ())] != [round(figure, 6)] * 2
    ]
    there = Counter(books.micros(point["at"]) for point in _get(api, f"assets/{asset}/track", span, limit=10_000))
    differing = sorted(at for at in {*there, *times} if there[at] != times[at])
    return found + [f"{asset} {from_micros(at)}: {there[at]} times in the track" for at in differing]


def _get(api: str, path: str, span: tuple[str, str], **more: object) -> list[dict[str, Any]]:
    query = urllib.parse.urlencode({"since": span[0], "until": span[1], **more})
    with urllib.request.urlopen(f"{api}/api/v1/{path}?{query}", timeout=20) as answer:  # noqa: S310 - our own backend
        items: list[dict[str, Any]] = json.load(answer)["items"]
    return items
