"""Trackers by themselves, on machines that drive around by chance: what `stockyard-sim device teltonika` runs.

The seed decides what the machines do; the clock of this computer decides when. Every record gets one line of truth:
when it is acknowledged, or at the end if it never was.
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle
from math import cos, hypot, radians, sin
from random import Random
from threading import Lock
from typing import IO

import msgspec

from models.reading import from_micros
from simulators.devices.alone import MAX_BACKLOG_S, TICK_S
from simulators.devices.teltonika import Habits, TeltonikaTracker
from simulators.devices.upsets import Clock, Trouble, upset
from simulators.record import (
    ENGINE_S,
    EXTERNAL_MV,
    GEARBOX_DECIDEGREES,
    HDOP,
    IGNITION,
    LOAD_PERCENT,
    MOVING,
    ODOMETER_M,
    OIL_MBAR,
    TRACKER_M,
    VIBRATION_UM_S,
    Record,
)

LAT, LON = 51.0600, 3.7300
METRES_A_DEGREE = 111_320
FARTHEST_M = 5_000
MEAN_ON_S, MEAN_OFF_S, MEAN_LEG_S = 1200, 300, 60
NO_FIX_SHARE = 0.02
WARM_C, WARMING_S = 70, 900
MS_US, SECOND_US = 1_000, 1_000_000
HABITS, NO_TROUBLE = Habits(), Trouble()


class Machine:
    """One machine: its engine goes on and off, and while it runs it drives and stands.

    `mean_s`: how long it is on, and off, in the mean.
    """

    def __init__(self, chance: Random, at_us: int, mean_s: tuple[float, float] = (MEAN_ON_S, MEAN_OFF_S)) -> None:
        self._chance = chance
        self._mean_on_s, self._mean_off_s = mean_s
        self._at_us = at_us
        self._x = self._y = 0.0
        self._course_deg = chance.randrange(360)
        self._speed_kmh = 0
        self._on = chance.random() < self._mean_on_s / (self._mean_on_s + self._mean_off_s)
        self._temperature_c = chance.uniform(-15, 15)
        self._engine_us = chance.randrange(10_000_000) * SECOND_US
        self._driven_m = float(chance.randrange(100_000_000))
        self._fix = (LAT, LON)

    def record(self, at_us: int) -> Record:
        """What its tracker says at that time, a whole millisecond after the last one or more."""
        passed_us, self._at_us = at_us - self._at_us, at_us
        self._pass(passed_us)
        was_on, passed_s = self._on, passed_us / SECOND_US
        if self._chance.random() < passed_s / (self._mean_on_s if was_on else self._mean_off_s):
            self._on = not was_on
        if not self._on:
            self._speed_kmh = 0
        elif self._chance.random() < passed_s / MEAN_LEG_S or not was_on:
            self._turn()
        has_fix = self._chance.random() >= NO_FIX_SHARE
        if has_fix:
            north, east = self._y / METRES_A_DEGREE, self._x / METRES_A_DEGREE / cos(radians(LAT))
            self._fix = round(LAT + north, 7), round(LON + east, 7)
        return Record(
            at_us,
            *self._fix,
            altitude_m=8,
            course_deg=self._course_deg if has_fix else 0,
            satellites=self._chance.randint(6, 18) if has_fix else 0,
            speed_kmh=self._speed_kmh if has_fix else 0,
            io=tuple(sorted(self._elements())),
            event_id=IGNITION if self._on != was_on else 0,
            priority=int(self._on != was_on),
        )

    def _pass(self, passed_us: int) -> None:
        if not self._on:
            return
        seconds = passed_us / SECOND_US
        metres = self._speed_kmh / 3.6 * seconds
        self._engine_us += passed_us
        self._driven_m += metres
        self._x += metres * sin(radians(self._course_deg))
        self._y += metres * cos(radians(self._course_deg))
        self._temperature_c += (WARM_C - self._temperature_c) * min(1.0, seconds / WARMING_S)

    def _turn(self) -> None:
        """A new leg: home when far out, standing one time in three."""
        if hypot(self._x, self._y) > FARTHEST_M:
            self._course_deg = (self._course_deg + 180) % 360
        else:
            self._course_deg = self._chance.randrange(360)
        self._speed_kmh = self._chance.choice((0, self._chance.randint(5, 30), self._chance.randint(20, 80)))

    def _elements(self) -> Iterator[tuple[int, int]]:
        chance = self._chance
        yield IGNITION, int(self._on)
        yield MOVING, int(self._speed_kmh > 0)
        yield HDOP, chance.randint(6, 20)
        yield EXTERNAL_MV, chance.randint(27_000, 28_500) if self._on else chance.randint(24_000, 25_500)
        yield TRACKER_M, int(self._driven_m)
        yield ODOMETER_M, int(self._driven_m)
        yield ENGINE_S, self._engine_us // SECOND_US
        if self._on:
            yield GEARBOX_DECIDEGREES, round(self._temperature_c * 10)
            yield VIBRATION_UM_S, chance.randint(1_500, 3_000)
            yield OIL_MBAR, chance.randint(3_000, 4_500)
            yield LOAD_PERCENT, chance.randint(10, 90)


@dataclass(frozen=True, slots=True)
class Sending:
    """How the trackers send."""

    records_per_frame: int = 10
    habits: Habits = HABITS


@dataclass(frozen=True, slots=True)
class Play:
    """What is played: `rate` records a second of each tracker."""

    seed: int
    rate: float
    trouble: Trouble = NO_TROUBLE


class RecordTruth:
    """JSON lines, flushed at each write: a record is told when acknowledged, the others when this is closed.

    `at` is when it happened; `told`, where the tracker's clock was wrong, what its record says.
    """

    def __init__(self, file: IO[str] | None) -> None:
        self._file = file
        self._lock = Lock()
        self._open: dict[tuple[str, int], int] = {}
        self.acked = 0

    def offer(self, imei: str, record: Record, at_us: int | None = None) -> None:
        """A record that its tracker will get now; `at_us`: when it happens, if its clock is wrong."""
        with self._lock:
            self._open[imei, record.at_us] = record.at_us if at_us is None else at_us

    def acknowledge(self, imei: str, record: Record) -> None:
        """From any tracker's thread."""
        with self._lock:
            at_us = self._open.pop((imei, record.at_us))
            self.acked += 1
            self._write(imei, at_us, record.at_us, acked=True)

    def close(self) -> None:
        """After the trackers stopped."""
        for (imei, told_us), at_us in self._open.items():
            self._write(imei, at_us, told_us, acked=False)
        self._open.clear()

    def _write(self, imei: str, at_us: int, told_us: int, *, acked: bool) -> None:
        if self._file is not None:
            line = {"what": "record", "imei": imei, "at": from_micros(at_us), "acked": acked}
            if told_us != at_us:
                line["told"] = from_micros(told_us)
            self._file.write(msgspec.json.encode(line).decode() + "\n")
            self._file.flush()


@contextmanager
def trackers(
    address: tuple[str, int], imeis: Sequence[str], truth: RecordTruth, flush_s: float, sending: Sending = Sending()
) -> Generator[dict[str, TeltonikaTracker]]:
    """Trackers that run, by their IMEIs; in the end all of them together have `flush_s` to send what they hold."""
    made = {
        imei: TeltonikaTracker(
            address,
            imei,
            partial(truth.acknowledge, imei),
            records_per_frame=sending.records_per_frame,
            habits=sending.habits,
        )
        for imei in imeis
    }
    for tracker in made.values():
        tracker.start()
    try:
        yield made
    finally:
        until = time.monotonic() + flush_s
        for tracker in made.values():
            tracker.stop(max(0.0, until - time.monotonic()))
        truth.close()


def play_records(
    made: dict[str, TeltonikaTracker], play: Play, truth: RecordTruth, stop: Callable[[float], bool]
) -> int:
    """Offers each tracker its records, connected or not, until `stop` says so. Returns how many in all."""
    before = time.monotonic()
    last_us = dict.fromkeys(made, _now_us())
    machines = {imei: Machine(Random(f"{play.seed}/{imei}"), last_us[imei]) for imei in made}
    chances = {imei: Random(f"{play.seed}/{imei}/trouble") for imei in made}
    clocks = {imei: Clock(chances[imei], play.trouble) for imei in made}
    offered, owed, turns = 0, 0.0, cycle(made.items())
    while not stop(TICK_S):
        now = time.monotonic()
        owed = min(owed + (now - before) * play.rate * len(made), max(1.0, play.rate * len(made) * MAX_BACKLOG_S))
        before = now
        for _ in range(int(owed)):
            imei, tracker = next(turns)
            last_us[imei] = max(_now_us(), last_us[imei] + MS_US)
            record = machines[imei].record(last_us[imei])
            record = replace(record, at_us=record.at_us + clocks[imei].error_us())
            truth.offer(imei, record, last_us[imei])
            tracker.offer(record)
            upset(tracker, chances[imei], play.trouble)
            offered += 1
        owed -= int(owed)
    return offered


def _now_us() -> int:
    """Of a whole millisecond: no record can say more."""
    return time.time_ns() // 1_000_000 * MS_US
