"""The telemetry file of a fleet: what its trackers would say of each gearbox, what failed, what was done; for training.

JSON lines in order of time, machine after machine, so that a reader holds one machine at a time. Each machine depends
on its own chance only, so a run that was stopped goes on after the last machine that is whole. In a .gz file a machine
is one gzip member.
"""

import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import msgspec

from simulators import planner, roster
from simulators.machine_truth import stamp_ms
from simulators.machines import Machine, Meters
from simulators.past import Past, Story, past
from simulators.record import EXTERNAL_MV, SIGNALS
from simulators.scenario import Plan, Scenario
from simulators.signals import sensors
from simulators.trackers import SIGNALS_EVERY_MS
from simulators.wear import COMPONENT
from simulators.weather import Weather

GZIP_LEVEL = 6
GZIP_HEADER = 31
"""zlib's word for: one gzip member."""
OIL = {"truck": 80.0, "crane": 60.0}
OIL_DAYS = 60.0
FIRST = b'"what":"machine"}\n'
Line = tuple[int, dict[str, object]]


@dataclass(frozen=True, slots=True)
class Written:
    """What the file has; `done` is false when it was stopped."""

    machines: int
    resumed: int
    done: bool


def write(scenario: Scenario, path: Path, show: Callable[[int, int], None], stop: Event) -> Written:
    """The file of all machines over the scenario's history. Raises OSError."""
    machines = [*roster.named(scenario), *roster.fleet(scenario)]
    part = path.with_name(f"{path.name}.part")
    pack = _member if path.suffix == ".gz" else bytes
    kept = _ends(part, packed=path.suffix == ".gz")[: len(machines)]
    if kept and part.read_bytes()[: kept[0]] != pack(block(scenario, machines[0])):
        kept = []  # another scenario's
    with part.open("r+b" if kept else "wb") as file:
        file.truncate(kept[-1] if kept else 0)
        file.seek(0, 2)
        for number, machine in enumerate(machines[len(kept) :], len(kept)):
            if stop.is_set():
                return Written(number, len(kept), done=False)
            show(number, len(machines))
            file.write(pack(block(scenario, machine)))
            file.flush()
    part.replace(path)
    return Written(len(machines), len(kept), done=True)


def block(scenario: Scenario, machine: Machine) -> bytes:
    """One machine's lines."""
    lived = past(machine, scenario.seed, roster.span(scenario), Story())
    plans = [plan for plan in scenario.plan if plan.asset == machine.asset] or [_oil(machine)]
    head = {"asset": machine.asset, "kind": machine.kind, "imei": machine.imei, "what": "machine"}
    lines = [*_signals(lived), *_events(lived, plans)]
    lines.sort(key=lambda line: line[0])
    encode = msgspec.json.encode
    return b"".join(encode(fields) + b"\n" for fields in (head, *(fields for _, fields in lines)))


def _oil(machine: Machine) -> Plan:
    return Plan(f"{machine.asset}/oil", machine.asset, OIL[machine.kind], OIL_DAYS)


def _signals(lived: Past) -> Iterator[Line]:
    """A line at each multiple of 20 minutes with the engine on."""
    asset = lived.machine.asset
    meters, box = Meters(lived.machine, Weather(lived.seed)), sensors(lived.machine, lived.seed)
    for segment in lived.segments:
        if segment.engine:
            first_ms = -(-segment.begin_ms // SIGNALS_EVERY_MS) * SIGNALS_EVERY_MS
            for at_ms in range(first_ms, segment.end_ms, SIGNALS_EVERY_MS):
                state = meters.at(segment, at_ms)
                fields: dict[str, object] = {"asset": asset, "what": "signals", "at": stamp_ms(at_ms)}
                fields["engine_hours"] = state.engine_ms // 1000 / 3600
                raw = dict(box.sample(state, lived.signs(at_ms), at_ms))
                for ident, (name, _, divide_by) in SIGNALS.items():
                    if ident != EXTERNAL_MV:
                        fields[name] = raw[ident] / divide_by
                yield at_ms, fields
        meters.past(segment)


def _events(lived: Past, plans: Sequence[Plan]) -> Iterator[Line]:
    """Failures, repairs and services."""
    asset = lived.machine.asset
    for failure in lived.failures:
        for what, at_ms in (("failure", failure.at_ms), ("repair", failure.repaired_ms)):
            if at_ms < lived.end_ms:
                yield at_ms, {"asset": asset, "what": what, "component": COMPONENT, "at": stamp_ms(at_ms)}
    for one in planner.services(lived, plans):
        yield one.at_ms, {"asset": asset, "what": "service", "plan": one.plan, "at": stamp_ms(one.at_ms)}


def _member(text: bytes) -> bytes:
    return gzip.compress(text, GZIP_LEVEL, mtime=0)


def _ends(part: Path, *, packed: bool) -> list[int]:
    """Where each whole machine of an earlier run ends."""
    if not part.exists():
        return []
    data = part.read_bytes()
    return list(_member_ends(data) if packed else _block_ends(data))


def _member_ends(data: bytes) -> Iterator[int]:
    at = 0
    while at < len(data):
        stream = zlib.decompressobj(GZIP_HEADER)
        try:
            stream.decompress(data[at:])
        except zlib.error:
            return
        if not stream.eof:
            return
        at = len(data) - len(stream.unused_data)
        yield at


def _block_ends(data: bytes) -> Iterator[int]:
    """Only another machine's beginning says that one is whole."""
    at = data.find(FIRST)
    while (at := data.find(FIRST, at + 1)) > 0:
        yield data.rfind(b"\n", 0, at) + 1
