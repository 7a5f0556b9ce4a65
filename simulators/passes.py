"""Labelled passes at one dock door, to train and measure what decides their direction: JSON lines, a pallet each.

The mix is that of the public dock-door data sets: goods that go through, stand in range, turn back or pass by. A pass
depends on the seed and its own number only, so a run that was stopped goes on after its last whole line, and more
passes begin with the same ones. In a .gz file so many passes are one gzip member.
"""

import gzip
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import msgspec
from msgspec import Struct

from simulators import paths, radio
from simulators.paths import Motion
from simulators.world import Chance

MIX = {"in": 28.0, "out": 28.0, "static": 20.0, "turn": 12.0, "past": 12.0}
WINDOW_US = 500_000
SINGLE_SHARE = 0.25
SHARING = (5, 60)
"""With how many other tags one shares the reader, those of its own pallet included."""
CARTONS = (4, 12)
STILL_S = (1.0, 11.5)
"""As long as others take for their ways and shorter, so that time in range alone tells nobody who stands."""
MEMBER = 50
GZIP_HEADER = 31
"""zlib's word for: one gzip member."""

Sighting = tuple[int, int, int, int, int, int, int]
"""Tag, when its last and first read were (microseconds), antenna, strongest RSSI in centi-dBm, reads, and the Doppler
shift of the strongest in hundredths of a hertz."""


class Head(Struct, frozen=True, tag_field="what", tag="passes"):
    """The first line of a file: the door, and what was asked for."""

    layout: str
    inside: list[int]
    outside: list[int]
    seed: int
    passes: int
    window_us: int = WINDOW_US


class Pass(Struct, frozen=True, tag_field="what", tag="pass"):
    """One pallet: `kind` is a name of MIX, `tags` how many it has, of which some may have no sighting."""

    number: int
    kind: str
    tags: int
    others: int
    sightings: list[Sighting]


@dataclass(frozen=True, slots=True)
class Written:
    """What the file has; `done` is false when it was stopped."""

    passes: int
    resumed: int
    done: bool


@dataclass(slots=True)
class _Window:
    first_us: int
    last_us: int
    rssi_dbm: float
    doppler_hz: float
    count: int = 1


def head(layout: str, seed: int, passes: int) -> Head:
    """The door of a layout: the row inside has the first ports, the one outside the others, if there are any."""
    ports = range(1, len(radio.LAYOUTS[layout]) + 1)
    return Head(layout, [*ports[:2]], [*ports[2:]], seed, passes)


def one(of: Head, number: int, sharing: tuple[int, int] = SHARING) -> Pass:
    """The pass of a number; files have it with SHARING."""
    chance = Chance(f"passes/{of.seed}/{number}")
    kind = chance.one_of(MIX)
    tags = 1 if chance.happens(SINGLE_SHARE) else 1 + chance.randint(*CARTONS)
    others = max(chance.randint(*sharing) + 1 - tags, 0)
    setting = radio.Setting(ports=radio.LAYOUTS[of.layout])
    found = radio.reads_at(setting, f"{of.seed}/{number}", 0, motion(kind, chance), (tags, others))
    return Pass(number, kind, tags, others, sightings(found))


def motion(kind: str, chance: Chance) -> Motion:
    """A way of the kind."""
    if kind in {"in", "out"}:
        return paths.through(chance, inward=kind == "in")
    inside = chance.happens(0.5)
    if kind == "static":
        return paths.still(chance, inside=inside, seconds=chance.uniform(*STILL_S))
    return paths.turn(chance, inside=inside) if kind == "turn" else paths.past(chance, inside=inside)


def sightings(found: radio.Reads) -> list[Sighting]:
    """What an edge makes of reads: per tag, windows that begin with a read and end for all antennas at once."""
    closed: list[Sighting] = []
    open_: dict[int, dict[int, _Window]] = {}
    begun: dict[int, int] = {}
    columns = (found.at_us, found.tag, found.antenna, found.rssi_dbm, found.doppler_hz)
    for at_us, tag, antenna, rssi, doppler in zip(*(column.tolist() for column in columns), strict=True):
        if at_us - begun.get(tag, at_us) >= WINDOW_US:
            closed += _close(tag, open_.pop(tag))
        windows = open_.setdefault(tag, {})
        if not windows:
            begun[tag] = at_us
        window = windows.get(antenna)
        if window is None:
            windows[antenna] = _Window(at_us, at_us, rssi, doppler)
        else:
            window.last_us, window.count = at_us, window.count + 1
            if rssi > window.rssi_dbm:
                window.rssi_dbm, window.doppler_hz = rssi, doppler
    for tag, windows in open_.items():
        closed += _close(tag, windows)
    return sorted(closed)


def _close(tag: int, windows: dict[int, _Window]) -> list[Sighting]:
    return [
        (
            tag,
            each.last_us,
            each.first_us,
            antenna,
            round(each.rssi_dbm * 100),
            each.count,
            round(each.doppler_hz * 100),
        )
        for antenna, each in windows.items()
    ]


def write(of: Head, path: Path, show: Callable[[int, int], None], stop: Event) -> Written:
    """The file of all passes. Raises OSError."""
    part = path.with_name(f"{path.name}.part")
    pack = _packed if path.suffix == ".gz" else bytes
    blocks = 1 + -(-of.passes // MEMBER)
    kept = _kept(of, part, pack)
    with part.open("r+b" if kept else "wb") as file:
        file.truncate(sum(kept))
        file.seek(0, 2)
        for block in range(len(kept), blocks):
            if stop.is_set():
                return Written(min(max(block - 1, 0) * MEMBER, of.passes), _passes(kept, of), done=False)
            file.write(pack(_block(of, block)))
            file.flush()
            show(min(block * MEMBER, of.passes), of.passes)
    part.replace(path)
    return Written(of.passes, _passes(kept, of), done=True)


def _passes(blocks: list[int], of: Head) -> int:
    return min(max(len(blocks) - 1, 0) * MEMBER, of.passes)


def _block(of: Head, block: int) -> bytes:
    """The first is the head, each further one so many passes."""
    if block == 0:
        return msgspec.json.encode(of) + b"\n"
    numbers = range((block - 1) * MEMBER, min(block * MEMBER, of.passes))
    return b"".join(msgspec.json.encode(one(of, number)) + b"\n" for number in numbers)


def _packed(text: bytes) -> bytes:
    return gzip.compress(text, 6, mtime=0)


def _kept(of: Head, part: Path, pack: Callable[[bytes], bytes]) -> list[int]:
    """The lengths of the whole blocks of an earlier run, if it was asked for the same."""
    data = part.read_bytes() if part.exists() else b""
    if not data.startswith(first := pack(_block(of, 0))):
        return []
    rest = data[len(first) :]
    return [len(first), *(_members(rest) if pack is _packed else _lines(rest))]


def _members(data: bytes) -> Iterator[int]:
    while data:
        stream = zlib.decompressobj(GZIP_HEADER)
        try:
            stream.decompress(data)
        except zlib.error:
            return
        if not stream.eof:
            return
        yield len(data) - len(stream.unused_data)
        data = stream.unused_data


def _lines(data: bytes) -> Iterator[int]:
    lines = data.splitlines(keepends=True)
    if lines and not lines[-1].endswith(b"\n"):
        lines.pop()
    for first in range(0, len(lines) - MEMBER + 1, MEMBER):
        yield sum(map(len, lines[first : first + MEMBER]))
