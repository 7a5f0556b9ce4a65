"""What is to go wrong with a device, and when: `NAME[:VALUE]@SECONDS` from its start, as the command line says it.

Each is written to the truth file before it is done.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from simulators.devices.llrp import LlrpReader
from simulators.devices.scanner import Scanner

Over = Callable[[float], bool]
"""A pause of so many seconds that says whether all is over."""
Fits = Callable[[float], bool]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong; the unit of `value` is that of its kind."""

    at_s: float
    name: str
    value: float


@dataclass(frozen=True, slots=True)
class Kind:
    """What a name does to a device, and with which value if none is given."""

    act: Callable[[float], None]
    value: float = 0.0
    fits: Fits = lambda value: 0 <= value <= 86_400  # noqa: PLR2004 - a day, in seconds


def parse(text: str, known: Mapping[str, Kind]) -> Fault:
    """One fault of a command line. Raises ValueError naming what was expected.

    >>> parse("stall:3@1.5", {"stall": Kind(print)})
    Fault(at_s=1.5, name='stall', value=3.0)
    """
    what, at, when = text.rpartition("@")
    name, colon, value = what.partition(":")
    if not at or name not in known:
        raise ValueError(f"{text}: NAME[:VALUE]@SECONDS expected with one of {', '.join(known)}")
    try:
        fault = Fault(float(when), name, float(value) if colon else known[name].value)
    except ValueError:
        raise ValueError(f"{text}: numbers expected after : and @") from None
    if not (math.isfinite(fault.at_s) and fault.at_s >= 0):
        raise ValueError(f"{text}: seconds from the start expected after @")
    if not known[name].fits(fault.value):
        raise ValueError(f"{text}: {name} does not take {value}")
    return fault


def of_reader(reader: LlrpReader) -> dict[str, Kind]:
    """Those of an LLRP reader: values are seconds, or the number of an antenna or input."""

    def port(value: float) -> bool:
        return value in (1, 2, 3, 4)

    def antenna(value: float, *, on: bool) -> None:
        reader.antenna(int(value), on=on)

    def gpi(value: float, *, on: bool) -> None:
        reader.gpi(int(value), on=on)

    return {
        "drop": Kind(lambda _: reader.drop()),
        "stall": Kind(reader.stall, 10),
        "half_frame": Kind(lambda _: reader.half_frame()),
        "garbage": Kind(lambda _: reader.garbage()),
        "clock_step": Kind(reader.clock_step, 60, lambda value: abs(value) <= 1e9),  # noqa: PLR2004 - about 32 years
        "reboot": Kind(reader.reboot, 5),
        "half_open": Kind(partial(reader.reboot, half_open=True), 5),
        "antenna_off": Kind(partial(antenna, on=False), 1, port),
        "antenna_on": Kind(partial(antenna, on=True), 1, port),
        "gpi_on": Kind(partial(gpi, on=True), 1, port),
        "gpi_off": Kind(partial(gpi, on=False), 1, port),
        "exception": Kind(lambda _: reader.exception("simulated")),
    }


def of_scanner(scanner: Scanner) -> dict[str, Kind]:
    """Those of a scanner: values are seconds."""
    return {
        "unplug": Kind(scanner.unplug, 2),
        "stall": Kind(scanner.stall, 5),
        "half_frame": Kind(scanner.half_frame, 1),
        "garbage": Kind(lambda _: scanner.garbage()),
    }


def between(over: Over, faults: Sequence[Fault], act: Callable[[Fault], None]) -> Over:
    """The same pause, in which what is due goes wrong; counted from this call on."""
    begun = time.monotonic()
    left = sorted(faults, key=lambda fault: fault.at_s)

    def pause(seconds: float) -> bool:
        end = time.monotonic() + seconds
        while True:
            while left and begun + left[0].at_s <= time.monotonic():
                act(left.pop(0))
            wake = min(end, begun + left[0].at_s) if left else end
            if over(max(0.0, wake - time.monotonic())):
                return True
            if wake >= end:
                return False

    return pause
