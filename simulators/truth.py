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


class Broken(Struct, frozen=True, tag_field="what", tag="broken"):
    """A workflow that its person gave up: its effects are anybody's guess."""

    workflow: str
    at: datetime


@dataclass(slots=True)
class Truth:
    """Everything of one or more files."""

    passes: list[Pass] = field(default_factory=list[Pass])
    told: dict[str, Told] = field(default_factory=dict[str, Told])
    scans: list[Scan] = field(default_factory=list[Scan])
    broken: dict[str, Broken] = field(default_factory=dict[str, Broken])

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
        return max((micros(end) for end in ends), default=0)


def read(paths: Iterable[Path]) -> Truth:
    """Read truth files. Raises BadTruth, OSError."""
    truth = Truth()
    decoder = msgspec.json.Decoder(Pass | Told | Scan | Broken)
    for path in paths:
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            try:
                _add(truth, decoder.decode(line))
            except msgspec.MsgspecError as error:
                msg = f"{path}:{number}: {error}"
                raise BadTruth(msg) from error
    return truth


def _add(truth: Truth, line: Pass | Told | Scan | Broken) -> None:
    match line:
        case Pass():
            truth.passes.append(line)
        case Told():
            truth.told[line.tag_pass] = line
        case Scan():
            truth.scans.append(line)
        case Broken():
            truth.broken[line.workflow] = line
