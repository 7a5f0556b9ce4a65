"""GT06 trackers by themselves, on machines that drive around by chance: what `stockyard-sim device gt06` runs.

The seed decides what the machines do and what goes wrong; the clock of this computer decides when. Every report gets
one line of truth: when it is answered, or at the end if it never was.
"""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from itertools import cycle
from random import Random
from threading import Lock
from typing import IO

import msgspec

from models.reading import from_micros, micros
from simulators.devices.alone import MAX_BACKLOG_S, TICK_S
from simulators.devices.driving import Machine
from simulators.devices.gt06 import Gt06Habits, Gt06Tracker
from simulators.devices.gt06_codec import ALARMS, MOST_SATELLITES, MOST_SPEED, ROLLOVER, UNITS_A_DEGREE, Report
from simulators.record import IGNITION, TRACKER_M

ALARM_SHARE = 0.01
MOST_WRONG = 20
SECOND_US, DAY_US = 1_000_000, 86_400_000_000
ROLLOVER_US = micros(from_micros(0) + ROLLOVER)
FUTURE_US = 30 * DAY_US


@dataclass(frozen=True, slots=True)
class Trouble:
    """What goes wrong beside the network: shares of reports after which it begins."""

    week_share: float = 0.0
    """The clock loses 1024 weeks, for up to 20 reports."""
    future_share: float = 0.0
    """The clock is 30 days ahead, for up to 20 reports."""
    reset_share: float = 0.0
    outage_share: float = 0.0


class Reporter:
    """The reports of one machine. `acc`: whether they say the ignition; else heartbeats alone do."""

    def __init__(self, chance: Random, at_us: int, trouble: Trouble = Trouble(), *, acc: bool = True) -> None:
        self._chance, self._trouble, self._acc = chance, trouble, acc
        self._machine = Machine(chance, at_us)
        self._error_us = self._wrong = 0
        self.on = False
        """Whether the ignition was on at the last report."""

    def report(self, at_us: int) -> Report:
        """What the tracker says at that time, a whole second after the last one or more."""
        record, chance = self._machine.record(at_us), self._chance
        values = dict(record.io)
        self.on = bool(values[IGNITION])
        alarm = chance.choice(list(ALARMS)) if chance.random() < ALARM_SHARE else 0
        return Report(
            at_us,
            at_us + self._clock_error_us(),
            round(record.lat * UNITS_A_DEGREE),
            round(record.lon * UNITS_A_DEGREE),
            record.course_deg % 360,
            min(record.speed_kmh, MOST_SPEED),
            min(record.satellites, MOST_SATELLITES),
            self.on if self._acc or alarm else None,
            values[TRACKER_M],
            alarm,
        )

    def _clock_error_us(self) -> int:
        if self._wrong:
            self._wrong -= 1
            return self._error_us
        for share, error_us in ((self._trouble.week_share, -ROLLOVER_US), (self._trouble.future_share, FUTURE_US)):
            if self._chance.random() < share:
                self._wrong, self._error_us = self._chance.randint(0, MOST_WRONG - 1), error_us
                return error_us
        return 0


class ReportTruth:
    """JSON lines, flushed at each write: a report is told when answered, the others when this is closed."""

    def __init__(self, file: IO[str] | None) -> None:
        self._file = file
        self._lock = Lock()
        self._open: dict[tuple[str, Report], None] = {}
        self.acked = 0

    def offer(self, imei: str, report: Report) -> None:
        """A report that its tracker will get now."""
        with self._lock:
            self._open[imei, report] = None

    def acknowledge(self, imei: str, report: Report) -> None:
        """From any tracker's thread."""
        with self._lock:
            del self._open[imei, report]
            self.acked += 1
            self._write(imei, report, acked=True)

    def close(self) -> None:
        """After the trackers stopped."""
        for imei, report in self._open:
            self._write(imei, report, acked=False)
        self._open.clear()

    def _write(self, imei: str, report: Report, *, acked: bool) -> None:
        if self._file is not None:
            times = {"at": from_micros(report.at_us), "told": from_micros(report.told_us)}
            line = {"what": "record", "imei": imei, **times, "acked": acked, **asdict(report)}
            self._file.write(msgspec.json.encode(line).decode() + "\n")
            self._file.flush()


@contextmanager
def gt06_trackers(
    address: tuple[str, int], imeis: Sequence[str], habits: Gt06Habits, truth: ReportTruth, flush_s: float
) -> Generator[dict[str, Gt06Tracker]]:
    """Trackers that run, by their IMEIs; in the end all of them together have `flush_s` to send what they hold."""
    made = {imei: Gt06Tracker(address, imei, partial(truth.acknowledge, imei), habits) for imei in imeis}
    for tracker in made.values():
        tracker.start()
    try:
        yield made
    finally:
        until = time.monotonic() + flush_s
        for tracker in made.values():
            tracker.stop(max(0.0, until - time.monotonic()))
        truth.close()


@dataclass(frozen=True, slots=True)
class Play:
    """What is played: `rate` reports a second of each tracker."""

    seed: int
    rate: float
    trouble: Trouble = Trouble()
    acc: bool = True


def play_reports(made: dict[str, Gt06Tracker], play: Play, truth: ReportTruth, stop: Callable[[float], bool]) -> int:
    """Offers each tracker its reports, connected or not, until `stop` says so. Returns how many in all.

    A report's time is a whole second of its own: at more than one a second, or after a start, they run ahead.
    """
    before, began_us = time.monotonic(), time.time_ns() // 1_000_000_000 * SECOND_US
    last_us = dict.fromkeys(made, began_us)
    chances = {imei: Random(f"{play.seed}/{imei}") for imei in made}
    reporters = {imei: Reporter(chances[imei], began_us, play.trouble, acc=play.acc) for imei in made}
    offered, owed, turns = 0, 0.0, cycle(made.items())
    while not stop(TICK_S):
        now = time.monotonic()
        owed = min(owed + (now - before) * play.rate * len(made), max(1.0, play.rate * len(made) * MAX_BACKLOG_S))
        before = now
        for _ in range(int(owed)):
            imei, tracker = next(turns)
            last_us[imei] = max(time.time_ns() // 1_000_000_000 * SECOND_US, last_us[imei] + SECOND_US)
            report = reporters[imei].report(last_us[imei])
            truth.offer(imei, report)
            tracker.offer(report, on=reporters[imei].on)
            _upset(tracker, chances[imei], play.trouble)
            offered += 1
        owed -= int(owed)
    return offered


def _upset(tracker: Gt06Tracker, chance: Random, trouble: Trouble) -> None:
    if chance.random() < trouble.reset_share:
        tracker.reset(chance.uniform(0, 5))
    elif chance.random() < trouble.outage_share:
        tracker.outage(chance.uniform(0, 20))
