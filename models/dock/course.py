"""How a pass went over time, in a state of bounded size: what each row and each antenna heard, stretch by stretch.

It is a sum over the sightings in fold order and made of whole numbers, so any split into batches gives the same.
Strengths are centi-decibels above -80 dBm, shifts hundredths of a hertz by which a reader said it heard a tag higher.
"""

from typing import NamedTuple

from msgspec import Struct, field

BINS, BIN_MS = 64, 100
MOST_PORTS, MOST_READS = 8, 1000
FLOOR_CDBM, MOST_STRENGTH, UNKNOWN_STRENGTH = -8000, 8000, 100
MOST_SHIFT = 10_000


class Bin(Struct, array_like=True):
    """Reads of one row in one stretch of time, the sum of their strengths, and the best; the sum of `shifts` shifts."""

    reads: int = 0
    strength: int = 0
    peak: int = 0
    shift: int = 0
    shifts: int = 0


class Port(Struct, array_like=True):
    """Reads at one antenna, the sums of strength and of strength x milliseconds since the origin, the best; shifts."""

    reads: int = 0
    strength: int = 0
    strength_ms: int = 0
    peak: int = 0
    shift: int = 0
    shifts: int = 0


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
    """Reads at one antenna, the `port`-th of its row, so many milliseconds after the origin; None is not told."""

    is_inside: bool
    port: int
    after_ms: int
    rssi_cdbm: int | None
    reads: int
    shift_chz: int | None = None


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
    if read.shift_chz is not None:
        shift = min(max(read.shift_chz, -MOST_SHIFT), MOST_SHIFT)
        for each in (port, found):
            each.shift += shift
            each.shifts += 1


def copy(course: Course) -> Course:
    """One that changes by itself."""
    return Course(course.width_ms, _copy(course.inside), _copy(course.outside))


def _copy(row: Heard) -> Heard:
    return Heard(
        [Bin(each.reads, each.strength, each.peak, each.shift, each.shifts) for each in row.bins],
        [Port(each.reads, each.strength, each.strength_ms, each.peak, each.shift, each.shifts) for each in row.ports],
    )


def _halved(bins: list[Bin]) -> list[Bin]:
    pairs = [bins[place : place + 2] for place in range(0, len(bins), 2)]
    return [
        Bin(
            sum(each.reads for each in two),
            sum(each.strength for each in two),
            max(each.peak for each in two),
            sum(each.shift for each in two),
            sum(each.shifts for each in two),
        )
        for two in pairs
    ]
