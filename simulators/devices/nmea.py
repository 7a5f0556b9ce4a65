"""A GPS receiver that speaks NMEA 0183, on a TCP port or a pty, on a machine that drives around.

It says a burst of sentences at each whole multiple of its interval, whether somebody listens or not; what is told goes
to the truth file before it is sent. The line is that of a scanner: one listener, bytes outward, no acknowledgement.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from random import Random

import msgspec

from models.reading import from_micros
from simulators.devices.alone import TruthFile
from simulators.devices.driving import Machine
from simulators.devices.faults import Kind
from simulators.devices.nmea_codec import Position, burst, told
from simulators.devices.scanner import Framing, Scanner
from simulators.record import HDOP

BARE = Framing(suffix=b"", aim=False)
"""Nothing is put around what a receiver says."""
WEEKS = timedelta(weeks=1024)
SECOND_US = 1_000_000


class FixTruth(TruthFile):
    """The truth file of a receiver: a line for each time that it told somebody."""

    told: int

    def fix(self, position: Position) -> None:
        """One line. Position and speed are those that the sentences say."""
        self.told += 1
        fact: dict[str, object] = {"kind": "fix", "at": position.at, "valid": position.has_fix}
        if position.has_fix:
            fact |= {
                "lat": told(position.lat),
                "lon": told(position.lon),
                "altitude_m": position.altitude_m,
                "speed_mps": position.speed_kmh / 3.6,
                "course_deg": position.course_deg,
                "satellites": position.satellites,
                "hdop": position.hdop,
            }
        self._write([msgspec.to_builtins(fact)])


class Receiver:
    """One receiver at the end of a line. What happens to receivers can be done to it."""

    def __init__(self, line: Scanner) -> None:
        self._line = line
        self._weeks_back = timedelta()
        self._blind_until = 0.0
        self._cut_s: float | None = None

    def start(self) -> None:
        """Switches it on. Raises OSError when the line cannot be had."""
        self._line.start()

    def stop(self) -> None:
        """Switches it off."""
        self._line.stop()

    @property
    def connected(self) -> bool:
        """Somebody listens."""
        return self._line.connected

    def tell(self, position: Position, truth: FixTruth) -> None:
        """Say all of one time. In the truth is what was said whole to somebody."""
        if time.monotonic() < self._blind_until:
            position = replace(position, has_fix=False, satellites=0)
        said = "".join(burst(replace(position, at=position.at - self._weeks_back))).encode("ascii")
        with contextlib.suppress(BrokenPipeError):
            if self._cut_s is None:
                self._line.scan(said, None, partial(truth.fix, position))
            else:
                self._line.scan(said[: len(said) // 8], None)
                self._line.unplug(self._cut_s)
                self._cut_s = None

    def no_fix(self, seconds: float) -> None:
        """Sees no satellites for so long."""
        self._blind_until = time.monotonic() + seconds

    def weeks_back(self) -> None:
        """Loses count of the weeks, as at a rollover: from now on its dates are 1024 weeks too old."""
        self._weeks_back = WEEKS

    def half_sentence(self, seconds: float) -> None:
        """Pulled out in the middle of its next sentence, and plugged in again after so long."""
        self._cut_s = seconds


def faults_of_receiver(receiver: Receiver, line: Scanner) -> dict[str, Kind]:
    """What can go wrong with a receiver; values are seconds."""
    return {
        "unplug": Kind(line.unplug, 2),
        "stall": Kind(line.stall, 5),
        "half_sentence": Kind(receiver.half_sentence, 1),
        "garbage": Kind(lambda _: line.garbage()),
        "week_back": Kind(lambda _: receiver.weeks_back()),
        "no_fix": Kind(receiver.no_fix, 5),
    }


def play_fixes(receiver: Receiver, seed: int, rate: float, truth: FixTruth, stop: Callable[[float], bool]) -> int:
    """A fix at every multiple of 1/rate seconds until `stop` says so. Returns how many there were."""
    step_us = max(1000, round(SECOND_US / rate / 1000) * 1000)
    at_us = time.time_ns() // 1000 // step_us * step_us
    machine = Machine(Random(f"{seed}/receiver"), at_us)
    made = 0
    while True:
        at_us = max(at_us, time.time_ns() // 1000 // step_us * step_us) + step_us
        if stop(max(0.0, at_us / SECOND_US - time.time())):
            return made
        record = machine.record(at_us)
        receiver.tell(
            Position(
                from_micros(at_us),
                record.satellites > 0,
                record.lat,
                record.lon,
                float(record.altitude_m),
                float(record.speed_kmh),
                float(record.course_deg),
                record.satellites,
                dict(record.io)[HDOP] / 10,
            ),
            truth,
        )
        made += 1
