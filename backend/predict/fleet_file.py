"""A telemetry file of a fleet: JSON lines, machine after machine, gzip if its name ends in .gz; what training reads.

Each machine begins with a line of its own and only one is held at a time.
"""

import gzip
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from hashlib import sha256
from io import BufferedReader
from pathlib import Path
from typing import Annotated, Any, BinaryIO, cast

import msgspec
from msgspec import Meta, Struct

from models.errors import Refused
from models.predict.history import UNITS, History, collect
from models.reading import Name, Time, micros

COMPONENT = "gearbox"
BEGINS = b'"what":"machine"'
Value = Annotated[float, Meta(ge=-1e12, le=1e12)]


class Line(Struct, frozen=True):
    """One line: the beginning of a machine, its signals at a time, or what became of it."""

    asset: Name
    what: str
    at: Time | None = None
    component: str | None = None
    gearbox_temperature: Value | None = None
    gearbox_vibration: Value | None = None
    oil_pressure: Value | None = None
    engine_load: Value | None = None
    engine_hours: Value | None = None


class Recorded(Struct, frozen=True):
    """One machine as the file has it."""

    name: str
    history: History
    failures: list[int]
    """Microseconds, of the gearbox."""


class BadFile(Refused):
    """A line that is not of a telemetry file; the message names file and line."""


def digest(path: Path) -> str:
    """SHA-256 of the file."""
    total = sha256()
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            total.update(part)
    return total.hexdigest()


class FleetFile:
    """An open file, read machine by machine. Use it as `with FleetFile.open(path) as file`."""

    def __init__(self, path: Path, raw: BinaryIO, lines: Iterator[bytes]) -> None:
        self._path, self._raw, self._lines = path, raw, enumerate(lines, 1)
        self._next: tuple[int, Line] | None = None
        self.size = path.stat().st_size

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Generator["FleetFile"]:
        """Raises OSError."""
        with path.open("rb") as raw:
            if path.suffix == ".gz":
                with gzip.GzipFile(fileobj=raw) as unpacked:
                    yield cls(path, raw, iter(BufferedReader(cast("Any", unpacked), 1 << 20)))
            else:
                yield cls(path, raw, iter(raw))

    @property
    def done(self) -> int:
        """Bytes of the file that have been read."""
        return self._raw.tell()

    def machines(self, known: frozenset[str] = frozenset()) -> Iterator[Recorded | str]:
        """Every machine in turn; of one that is `known`, only the name. Raises BadFile."""
        self._next = self._read()
        while self._next is not None:
            number, line = self._next
            if line.what != "machine":
                raise self._bad(number, f'the first line of a machine expected ("what": "machine"), got {line.what!r}')
            if line.asset in known:
                self._skip()
                yield line.asset
            else:
                yield self._machine(line.asset)

    def _skip(self) -> None:
        """To the next machine, without a look at the lines between."""
        for number, text in self._lines:
            if BEGINS in text.replace(b" ", b""):
                self._next = (number, self._parse(number, text))
                return
        self._next = None

    def _machine(self, name: str) -> Recorded:
        times: dict[str, list[int]] = {column: [] for column in UNITS}
        values: dict[str, list[float]] = {column: [] for column in UNITS}
        events: dict[str, list[int]] = {"failure": [], "repair": []}
        while (following := self._read()) is not None and following[1].what != "machine":
            number, line = following
            if line.asset != name or line.at is None:
                raise self._bad(number, f"a time and a line of {name!r} expected, got one of {line.asset!r}")
            at = micros(line.at)
            if line.what == "signals":
                for column in UNITS:
                    if (value := getattr(line, column)) is not None:
                        times[column].append(at)
                        values[column].append(value)
            elif line.what in events and line.component == COMPONENT:
                events[line.what].append(at)
        self._next = following
        readings = {column: (times[column], values[column]) for column in UNITS if times[column]}
        return Recorded(name, collect(readings, events["repair"]), sorted(events["failure"]))

    def _read(self) -> tuple[int, Line] | None:
        try:
            number, text = next(self._lines, (0, b""))
        except (EOFError, gzip.BadGzipFile, OSError) as error:
            raise BadFile(f"{self._path}: {error}") from error
        return (number, self._parse(number, text)) if text else None

    def _parse(self, number: int, text: bytes) -> Line:
        try:
            return msgspec.json.decode(text, type=Line)
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise self._bad(number, str(error)) from error

    def _bad(self, number: int, what: str) -> BadFile:
        return BadFile(f"{self._path}:{number}: {what}")
