"""How a pass went over time, in a state of bounded size: what each row and each antenna heard, stretch by stretch.

It is a sum over the sightings in fold order and made of whole numbers, so any split into batches gives the same.
Strengths are centi-decibels above -80 dBm.
"""

from typing import NamedTuple

from msgspec import Struct, field

BINS, BIN_MS = 64, 100
MOST_PORTS, MOST_READS = 8, 1000
FLOOR_CDBM, MOST_STRENGTH, UNKNOWN_STRENGTH = -8000, 8000, 100


class Bin(Struct, array_like=True):
    """Reads of one row in one stretch of time, the sum of their strengths, and the best."""

    reads: int = 0
    strength: int = 0
    peak: int = 0


class Port(Struct, array_like=True):
    """Reads at one antenna, the sums of strength and of strength x milliseconds since the origin, and the best."""

    reads: int = 0
    strength: int = 0
    strength_ms: int = 0
    peak: int = 0


class Heard(Struct, array_like=True):
    """One row: its stretches from the origin on, and its antennas by their place in the row."""

    bins: list[Bin] = field(default_factory=list[Bin])
    ports: list[Port] = field(default_factory=list[Port])


class Course(Struct, array_like=True):
    """Both rows; a stretch lasts `width_ms`, twice as long each time that a row has BINS of them."""

    width_ms: int = BIN_MS
    inside: Heard = field(default_factory=Heard)
    outside: Heard = field(default_factory=Heard)


class Read(NamedTuple):
    """Reads at one antenna, the `port`-th of its row, so many milliseconds after the origin."""

    is_inside: bool
    port: int
    after_ms: int
    rssi_cdbm: int | None
    reads: int


def hear(course: Course, read: Read) -> None:
    """Take in reads. Antennas beyond MOST_PORTS count as the last."""
    count, strength = min(read.reads, MOST_READS), UNKNOWN_STRENGTH
    if read.rssi_cdbm is not None:
        strength = min(max(read.rssi_cdbm - FLOOR_CDBM, 1), MOST_STRENGTH)
    after_ms = max(read.after_ms, 0)
    while after_ms >= BINS * course.width_ms:
        course.width_ms *= 2
        for row in (course.inside, course.outside):
            row.bins = _halved(row.bins)
    row = course.inside if read.is_inside else course.outside
    place = min(read.port, MOST_PORTS - 1)
    row.ports += [Port() for _ in range(place + 1 - len(row.ports))]
    port = row.ports[place]
    port.reads += count
    port.strength += strength * count
    port.strength_ms += strength * count * read.after_ms
    port.peak = max(port.peak, strength)
    row.bins += [Bin() for _ in range(after_ms // course.width_ms + 1 - len(row.bins))]
    found = row.bins[after_ms // course.width_ms]
    found.reads += count
    found.strength += strength * count
    found.peak = max(found.peak, strength)


def copy(course: Course) -> Course:
    """One that changes by itself."""
    return Course(course.width_ms, _copy(course.inside), _copy(course.outside))


def _copy(row: Heard) -> Heard:
    return Heard(
        [Bin(each.reads, each.strength, each.peak) for each in row.bins],
        [Port(each.reads, each.strength, each.strength_ms, each.peak) for each in row.ports],
    )


def _halved(bins: list[Bin]) -> list[Bin]:
    pairs = [bins[place : place + 2] for place in range(0, len(bins), 2)]
    return [Bin(sum(b.reads for b in two), sum(b.strength for b in two), max(b.peak for b in two)) for two in pairs]
