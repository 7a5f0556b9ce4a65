"""A file of labelled passes at one door: JSON lines, gzip if its name ends in .gz; what training a door's model reads.

Its sightings are folded as the door itself would: a model learns from what it will be shown.
"""

import gzip
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, BinaryIO, TypeVar, cast

import msgspec
from msgspec import Meta, Struct

from backend.predict.fleet_file import BadFile
from models.dock import portal
from models.dock.direction import Direction, judge
from models.dock.portal import Portal, Sighting
from models.predict.direction import Passes, TagPass, tag_verdict
from models.predict.folds import Tell

TIMEOUT_S = 10.0
"""That of a door which declares none."""
SECOND_US = 1_000_000
TRUTHS: dict[str, Direction] = {"in": "in", "out": "out"}

Micros = Annotated[int, Meta(ge=0, le=1 << 60)]
Count = Annotated[int, Meta(ge=0, le=1 << 31)]
Antenna = Annotated[int, Meta(ge=1, le=65535)]
Level = Annotated[int, Meta(ge=-20_000, le=10_000)]
Shift = Annotated[int, Meta(ge=-100_000, le=100_000)]
T = TypeVar("T")


class Seen(Struct, frozen=True, array_like=True):
    """Times of the last and first read in microseconds, strongest RSSI in centi-dBm, its Doppler shift in centi-Hz."""

    tag: Count
    at: Micros
    first_at: Micros
    antenna: Antenna
    rssi_cdbm: Level | None
    count: Count
    shift_chz: Shift | None = None


class Head(Struct, frozen=True, tag_field="what", tag="passes"):
    """The first line: the door."""

    layout: Annotated[str, Meta(min_length=1, max_length=64)]
    inside: Annotated[list[Antenna], Meta(max_length=32)]
    outside: Annotated[list[Antenna], Meta(max_length=32)]
    seed: int


class Line(Struct, frozen=True, tag_field="what", tag="pass"):
    """One pallet."""

    number: Count
    kind: Annotated[str, Meta(min_length=1, max_length=64)]
    tags: Annotated[int, Meta(ge=1, le=10_000)]
    sightings: Annotated[list[Seen], Meta(max_length=1_000_000)]


def read(path: Path, timeout_s: float, tell: Tell) -> Passes:
    """The passes of a file, through in, through out, or of any other kind. Raises BadFile, OSError."""
    with ExitStack() as stack:
        raw: BinaryIO = stack.enter_context(path.open("rb"))
        size = path.stat().st_size
        unpacked: Any = stack.enter_context(gzip.GzipFile(fileobj=raw)) if path.suffix == ".gz" else raw
        lines = _lines(path, cast("Iterator[bytes]", unpacked))
        number, text = next(lines, (1, b""))
        head = _parse(Head, path, number, text)
        door = Portal(head.layout, (*head.inside,), (*head.outside,), round(timeout_s * SECOND_US))
        unread: dict[int, tuple[str, int]] = {}
        tags: list[TagPass] = []
        for number, text in lines:
            line = _parse(Line, path, number, text)
            found = _tags(door, line)
            unread[line.number] = line.kind, max(line.tags - len(found), 0)
            tags += found
            tell(f"read {path.name}", raw.tell(), size)
    return Passes(head.layout, [head.seed], timeout_s, unread, tags)


def _tags(door: Portal, line: Line) -> list[TagPass]:
    by_tag: dict[int, list[Sighting]] = {}
    for seen in line.sightings:
        by_tag.setdefault(seen.tag, []).append(sighting(seen))
    return [_tag(door, line, sightings) for sightings in by_tag.values()]


def sighting(seen: Seen) -> Sighting:
    """As the door's backend gets it."""
    return Sighting(
        at=seen.at,
        first_at=min(seen.first_at, seen.at),
        epc=str(seen.tag),
        antenna=seen.antenna,
        rssi_cdbm=seen.rssi_cdbm,
        count=max(seen.count, 1),
        evidence=f"{seen.tag}/{seen.at}/{seen.antenna}",
        shift_chz=seen.shift_chz,
    )


def _tag(door: Portal, line: Line, sightings: list[Sighting]) -> TagPass:
    states = portal.passes(door, sorted(sightings, key=lambda each: (each.at, each.evidence)))
    rules: list[Direction] = [
        judge(each.last_at - each.first_at, each.inside, each.outside).direction for each in states
    ]
    return TagPass(
        number=line.number,
        kind=line.kind,
        truth=TRUTHS.get(line.kind, "none"),
        figures=tuple(portal.figures(each) for each in states),
        reads=tuple(each.inside.reads + each.outside.reads for each in states),
        rule=tag_verdict(rules),
    )


def _lines(path: Path, lines: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    try:
        yield from enumerate(lines, 1)
    except (EOFError, gzip.BadGzipFile) as error:
        raise BadFile(f"{path}: {error}") from error


def _parse(kind: type[T], path: Path, number: int, text: bytes) -> T:
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BadFile(f"{path}:{number}: {error}") from error
