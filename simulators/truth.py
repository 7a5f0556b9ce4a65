"""Truth files, read back: what really happened, whoever says what."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from models.reading import micros


class BadTruth(Exception):
    """A line that is no truth; the message says where."""


class Pass(Struct, frozen=True, tag_field="what", tag="pass"):
    """One tag at one door."""

    id: str
    door: str
    epc: str
    sku: str | None
    units: int
    kind: str
    begin: datetime
    end: datetime
    direction: str
    last_seen: datetime | None = None


class Told(Struct, frozen=True, tag_field="what", tag="told", rename={"tag_pass": "pass"}):
    """How many of the `of` reads of a pass a device told."""

    tag_pass: str
    reads: int
    of: int
    last_seen: datetime | None = None


class Scan(Struct, frozen=True, tag_field="what", tag="scan"):
    """One scan, and what it must cause."""

    id: str
    workflow: str
    device: str
    at: datetime
    data: str
    symbology: str
    action: str | None = None
    sku: str | None = None
    lot: str | None = None
    quantity: int | None = None
    location: str | None = None
    of: str | None = None
    target: str | None = None
    parent: str | None = None
    child: str | None = None
    epc: str | None = None
    asset: str | None = None


class Broken(Struct, frozen=True, tag_field="what", tag="broken"):
    """A workflow that its person gave up: its effects are anybody's guess."""

    workflow: str
    at: datetime


class Run(Struct, frozen=True, tag_field="what", tag="run"):
    """A machine's engine ran, exact to the millisecond."""

    asset: str
    imei: str
    begin: datetime
    end: datetime


class Blind(Struct, frozen=True, tag_field="what", tag="blind"):
    """A tracker had no power: it made no record of this time."""

    asset: str
    imei: str
    begin: datetime
    end: datetime


class RecordTold(Struct, frozen=True, tag_field="what", tag="record"):
    """A record that a tracker made, and whether its server acknowledged it."""

    imei: str
    at: datetime
    acked: bool


class MachineDay(Struct, frozen=True, tag_field="what", tag="machine_day"):
    """What a machine did on a UTC day, as far as this world's clock went; a day may have a line of each world."""

    asset: str
    day: str
    run_ms: int
    driven_m: int
    hoist_ms: int


class Place(Struct, frozen=True, tag_field="what", tag="place"):
    """Where a machine is at its last record; `zone` is the innermost."""

    asset: str
    at: datetime
    lat: float
    lon: float
    zone: str | None


class Service(Struct, frozen=True, tag_field="what", tag="service"):
    """A planned service, done at so many engine hours since new."""

    id: str
    asset: str
    plan: str
    at: datetime
    hours: float


class Failure(Struct, frozen=True, tag_field="what", tag="failure"):
    """A component failed."""

    asset: str
    component: str
    at: datetime


class Repair(Struct, frozen=True, tag_field="what", tag="repair"):
    """A component that failed is as new again."""

    id: str
    asset: str
    component: str
    at: datetime


class Plan(Struct, frozen=True, tag_field="what", tag="plan"):
    """A maintenance plan: engine hours or days since the last service, whichever comes first."""

    id: str
    asset: str
    every_hours: float | None = None
    every_days: float | None = None
    starts_at: datetime | None = None
    """When its first interval begins, if that is known."""


Line = Pass | Told | Scan | Broken | Run | Blind | RecordTold | MachineDay | Place | Plan | Service | Failure | Repair


@dataclass(slots=True)
class Truth:
    """Everything of one or more files."""

    passes: list[Pass] = field(default_factory=list[Pass])
    told: dict[str, Told] = field(default_factory=dict[str, Told])
    scans: list[Scan] = field(default_factory=list[Scan])
    broken: dict[str, Broken] = field(default_factory=dict[str, Broken])
    runs: list[Run] = field(default_factory=list[Run])
    blinds: list[Blind] = field(default_factory=list[Blind])
    records: list[RecordTold] = field(default_factory=list[RecordTold])
    machine_days: list[MachineDay] = field(default_factory=list[MachineDay])
    places: dict[str, Place] = field(default_factory=dict[str, Place])
    """The last of each asset."""
    plans: dict[str, Plan] = field(default_factory=dict[str, Plan])
    services: list[Service] = field(default_factory=list[Service])
    failures: list[Failure] = field(default_factory=list[Failure])
    repairs: list[Repair] = field(default_factory=list[Repair])

    def heard_of(self, one: Pass) -> int:
        """How many reads of a pass were told."""
        told = self.told.get(one.id)
        return told.reads if told else 0

    def partly(self, one: Pass) -> bool:
        """Whether a device told some reads of a pass but not all."""
        told = self.told.get(one.id)
        return told is not None and 0 < told.reads < told.of

    def last_us(self) -> int:
        """When the last thing happened."""
        ends = [one.end for one in self.passes] + [scan.at for scan in self.scans]
        ends += [run.end for run in self.runs] + [record.at for record in self.records]
        return micros(max(ends)) if ends else 0


def read(paths: Iterable[Path]) -> Truth:
    """Read truth files. Raises BadTruth, OSError."""
    truth = Truth()
    decoder = msgspec.json.Decoder(Line)
    for path in paths:
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            try:
                _add(truth, decoder.decode(line))
            except msgspec.MsgspecError as error:
                msg = f"{path}:{number}: {error}"
                raise BadTruth(msg) from error
    return truth


def _add(truth: Truth, line: Line) -> None:
    match line:
        case Pass():
            truth.passes.append(line)
        case Told():
            truth.told[line.tag_pass] = line
        case Scan():
            truth.scans.append(line)
        case Broken():
            truth.broken[line.workflow] = line
        case Plan():
            truth.plans[line.id] = line
        case Service():
            truth.services.append(line)
        case Failure():
            truth.failures.append(line)
        case Repair():
            truth.repairs.append(line)
        case _:
            _add_machine(truth, line)


def _add_machine(truth: Truth, line: Run | Blind | RecordTold | MachineDay | Place) -> None:
    match line:
        case Run():
            truth.runs.append(line)
        case Blind():
            truth.blinds.append(line)
        case RecordTold():
            truth.records.append(line)
        case MachineDay():
            truth.machine_days.append(line)
        case Place():
            known = truth.places.get(line.asset)
            if known is None or known.at <= line.at:
                truth.places[line.asset] = line
