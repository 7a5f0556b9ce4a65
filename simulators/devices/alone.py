"""One device by itself, fed by chance: what `stockyard-sim device` runs.

The seed decides what is read and scanned and in which order; the machine's clock decides when. What is told goes to the
truth file before it is sent.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from itertools import count
from math import tau
from random import Random
from threading import Event
from typing import IO

from simulators.devices.llrp import LlrpReader, RawRead
from simulators.devices.llrp_impinj import DOPPLER_STEPS, PHASE_STEPS
from simulators.devices.scanner import Scanner
from simulators.epc import gtin13, sgtin96

TICK_S = 0.02
MAX_BACKLOG_S = 1.0
CARTONS = ("00010", "00020", "00030", "00040")
GOODS = ("50001", "50002", "50003")
ANTENNAS, CHANNELS = 4, 50
SERIALS = 1 << 38
GROUP_SEPARATOR = "\x1d"


class TagStream:
    """Reads of `tags` cartons, or of a new carton at every read.

    `fine`: RSSI in hundredths of a dBm, phase and Doppler, in the steps of an Impinj reader; else RSSI in whole dBm,
    which is all that the protocol carries.
    """

    def __init__(self, seed: int, tags: int, *, distinct: bool, fine: bool = False) -> None:
        self._chance = Random(seed)
        self._fine = fine
        first = self._chance.randrange(SERIALS // 2)
        self._serials = count(first)
        self._epcs = [] if distinct else [self._new_carton() for _ in range(tags)]

    def draw(self, at_us: int, number: int) -> list[RawRead]:
        """`number` reads at one moment."""
        chance = self._chance
        return [
            RawRead(
                at_us,
                chance.choice(self._epcs) if self._epcs else self._new_carton(),
                chance.randint(1, ANTENNAS),
                round(chance.gauss(-58, 7), 2) if self._fine else float(round(chance.gauss(-58, 7))),
                chance.randint(1, CHANNELS),
                chance.randrange(PHASE_STEPS) * tau / PHASE_STEPS if self._fine else None,
                round(chance.gauss(0, 20) * DOPPLER_STEPS) / DOPPLER_STEPS if self._fine else None,
            )
            for _ in range(number)
        ]

    def _new_carton(self) -> str:
        serial = next(self._serials)
        return sgtin96(1, CARTONS[serial % len(CARTONS)], serial % SERIALS)


def scans(seed: int) -> Iterator[tuple[str, str]]:
    """(AIM identifier, data) of a desk that receives and issues for ever: commands, then GS1-128 and EAN-13 codes."""
    chance = Random(seed)
    while True:
        yield "]C0", chance.choice(("SY:RECEIVE", "SY:ISSUE"))
        yield "]C0", "SY:LOC:desk"
        for _ in range(chance.randint(1, 6)):
            item = chance.choice(GOODS)
            if chance.random() < 0.5:  # noqa: PLR2004 - half of the goods carry a GS1-128 label
                yield "]C1", f"010{gtin13(item)}30{chance.randint(1, 40)}{GROUP_SEPARATOR}10LOT{chance.randint(1, 9)}"
            else:
                yield "]E0", gtin13(item)
                yield "]C0", f"SY:QTY:{chance.randint(1, 40)}"
        yield "]C0", "SY:CONFIRM"


class TruthFile:
    """JSON lines, flushed at each write; counts what was told. What goes wrong has its line before it does."""

    def __init__(self, file: IO[str] | None) -> None:
        self._file = file
        self.told = 0

    def reads(self, reads: Sequence[RawRead]) -> None:
        """One line per read."""
        self.told += len(reads)
        self._write([{"kind": "read", **asdict(read)} for read in reads])

    def scan(self, aim: str, data: str) -> None:
        """One line per scan."""
        self.told += 1
        self._write([{"kind": "scan", "at_us": time.time_ns() // 1000, "symbology": aim, "data": data}])

    def fault(self, name: str, value: float) -> None:
        """One line."""
        self._write([{"kind": "fault", "at_us": time.time_ns() // 1000, "name": name, "value": value}])

    def _write(self, facts: Sequence[dict[str, object]]) -> None:
        if self._file is not None:
            self._file.write("".join(json.dumps(fact) + "\n" for fact in facts))
            self._file.flush()


def play_reads(
    reader: LlrpReader, stream: TagStream, rate: float, truth: TruthFile, stop: Callable[[float], bool]
) -> int:
    """Offers `rate` reads a second while somebody reads, until `stop` says so. Returns how many were offered."""
    offered, owed, before = 0, 0.0, time.monotonic()
    while not stop(TICK_S):
        now = time.monotonic()
        owed = min(owed + (now - before) * rate, max(1.0, rate * MAX_BACKLOG_S)) if reader.reading else 0.0
        before = now
        reads = stream.draw(time.time_ns() // 1000, int(owed))
        owed -= len(reads)
        offered += len(reads)
        reader.offer(reads, truth.reads)
    return offered


def play_scans(scanner: Scanner, seed: int, rate: float, truth: TruthFile, stop: Callable[[float], bool]) -> int:
    """Scans about `rate` codes a second, at random gaps, while somebody listens. Returns how many were tried."""
    tried = 0
    chance = Random(f"{seed}/gaps")
    for aim, data in scans(seed):
        if stop(chance.expovariate(rate)):
            break
        while not scanner.connected:
            if stop(TICK_S):
                return tried
        tried += 1
        scanner.scan(data.encode("ascii"), aim, partial(truth.scan, aim, data))
    return tried


def until(stop: Event, seconds: float | None) -> Callable[[float], bool]:
    """A pause that says whether it is over: `stop` was set, or `seconds` have passed since now."""
    end = None if seconds is None else time.monotonic() + seconds

    def over(pause_s: float) -> bool:
        left = pause_s if end is None else max(0.0, min(pause_s, end - time.monotonic()))
        return stop.wait(left) or (end is not None and time.monotonic() >= end)

    return over
