"""What a learned model looks at: whole numbers that sum up a pass, the row that heard it first before the other.

The attributes are those that Keller, Thiesse and Fleisch (Classification Models for RFID-Based Real-Time Detection of
Process Events) and Alfian et al. (Food Control 110, 107016) found to carry: counts, strengths and times of each row
and their differences. Shares are per thousand of the pass, so that a slow pallet looks like a fast one. Since the rows
stand in the order in which they heard it, a way in and the same way out have the same figures.
"""

from math import isqrt
from typing import NamedTuple

from models.dock import shifts
from models.dock.course import Bin, Course, Heard, Port
from models.dock.direction import Row

PARTS, ENDS = 6, 3
MS, WHOLE = 1000, 1000
SHARPER = 4
"""The power of the strength in dB that weighs the sharp centre: near its antenna a tag is heard best."""


class Span(NamedTuple):
    """Of a pass: the origin of its sums, its first and its last read; microseconds."""

    start: int
    first_at: int
    last_at: int


class Figures(NamedTuple):
    """The figures of NAMES, and whether the row inside is the first."""

    inside_first: bool
    values: tuple[int, ...]


class _Scale(NamedTuple):
    """How to place a stretch in the pass: milliseconds."""

    first_at: int
    width: int
    offset: int
    dwell: int


class _Side(NamedTuple):
    """One row; times in milliseconds after the first read, within the dwell."""

    reads: int
    peak: int
    mean: int
    first: int
    last: int
    peak_at: int
    centre: int
    sharp: int
    count_centre: int
    spread: int
    trend: int
    strengths: list[int]
    counts: list[int]
    ports: int
    ports_apart: int


SIDE = {
    "reads": "balance",
    "peak": "strength",
    "mean": "strength",
    "centre": "order",
    "first": "order",
    "last": "order",
    "peak_at": "order",
    "spread": "shape",
    "trend": "shape",
    "ports": "antennas",
    "ports_apart": "antennas",
    **{f"mean_{part}": "shape" for part in range(PARTS)},
    **{f"share_{part}": "shape" for part in range(PARTS)},
}
BOTH = {
    "dwell": "stay",
    "balance": "balance",
    "ports": "antennas",
    "ports_along": "antennas",
    **{
        f"{name}_{how}": "order" for name in ("lead", "sharp", "count", "from", "until", "best") for how in ("ms", "of")
    },
    "peak_gap": "strength",
    "mean_gap": "strength",
    "curve": "shape",
    **{f"gap_{part}": "shape" for part in range(PARTS)},
    **{f"louder_{part}": "shape" for part in range(PARTS)},
    **{f"{end}_{place}": "order" for end in ("opens", "opens_at", "ends", "ends_at") for place in range(ENDS)},
    "events": "stay",
    "changes": "order",
}
GROUPS = {
    **{f"first_{name}": group for name, group in SIDE.items()},
    **{f"then_{name}": group for name, group in SIDE.items()},
    **BOTH,
    **dict.fromkeys(shifts.NAMES, "shift"),
}
"""The figures in order, and what each is about."""
NAMES = (*GROUPS,)


def features(span: Span, rows: tuple[Row, Row], course: Course) -> Figures:
    """The figures of a pass; `rows` are the one inside and the one outside."""
    dwell = max((span.last_at - span.first_at) // MS, 1)
    scale = _Scale(span.first_at, course.width_ms, (span.start - span.first_at) // MS, dwell)
    inside, outside = _side(rows[0], course.inside, scale), _side(rows[1], course.outside, scale)
    inside_first = inside.sharp <= outside.sharp if inside.reads and outside.reads else bool(inside.reads)
    first, then = (inside, outside) if inside_first else (outside, inside)
    heard = (course.inside, course.outside) if inside_first else (course.outside, course.inside)
    both = (*_both((first, then), heard, dwell), *_ends(heard, scale), *shifts.shifts(heard))
    return Figures(inside_first, (*_alone(first, dwell), *_alone(then, dwell), *both))


def without_shifts(figures: Figures) -> Figures:
    """Those of the same pass at a reader that tells no Doppler shift."""
    return Figures(figures.inside_first, (*figures.values[: -len(shifts.NAMES)], *(0,) * len(shifts.NAMES)))


def _side(row: Row, heard: Heard, scale: _Scale) -> _Side:
    dwell, bins, middle = scale.dwell, heard.bins, scale.dwell // 2
    nothing = [0] * PARTS
    if not row.reads or not bins:
        return _Side(0, 0, 0, middle, middle, middle, middle, middle, middle, 0, 0, nothing, nothing, 0, 0)
    times = [_within(place * scale.width + scale.width // 2 + scale.offset, dwell - 1) for place in range(len(bins))]
    weights, reads = [each.strength for each in bins], sum(each.reads for each in bins)
    centre = _centre(times, weights, middle)
    count_centre = _centre(times, [each.reads for each in bins], middle)
    spread = isqrt(_centre([(at - count_centre) ** 2 for at in times], [each.reads for each in bins], 0))
    strengths, counts = nothing[:], nothing[:]
    for at, found in zip(times, bins, strict=True):
        strengths[at * PARTS // dwell] += found.strength
        counts[at * PARTS // dwell] += found.reads
    centres = _port_centres(heard.ports)
    return _Side(
        reads=reads,
        peak=max(each.peak for each in bins),
        mean=sum(weights) // reads,
        first=_within((row.first_at - scale.first_at) // MS, dwell),
        last=_within((row.last_at - scale.first_at) // MS, dwell),
        peak_at=centre if row.peak_cdbm is None else _within((row.peak_at - scale.first_at) // MS, dwell),
        centre=centre,
        sharp=_centre(times, [each.reads * (each.peak // 100) ** SHARPER for each in bins], centre),
        count_centre=count_centre,
        spread=spread,
        trend=_trend(times, bins, count_centre),
        strengths=strengths,
        counts=counts,
        ports=len(centres),
        ports_apart=max(centres) - min(centres),
    )


def _port_centres(ports: list[Port]) -> list[int]:
    return [port.strength_ms // port.strength for port in ports if port.reads]


def _trend(times: list[int], bins: list[Bin], centre: int) -> int:
    """Centi-decibels a second by which the strength rises: the slope of least squares."""
    across = sum(each.reads * (at - centre) ** 2 for at, each in zip(times, bins, strict=True))
    along = sum(each.strength * (at - centre) for at, each in zip(times, bins, strict=True))
    mean = sum(each.strength for each in bins) * sum(
        each.reads * (at - centre) for at, each in zip(times, bins, strict=True)
    )
    along -= mean // max(sum(each.reads for each in bins), 1)
    return along * MS // across if across else 0


def _centre(times: list[int], weights: list[int], otherwise: int) -> int:
    total = sum(weights)
    return sum(at * weight for at, weight in zip(times, weights, strict=True)) // total if total else otherwise


def _within(at: int, most: int) -> int:
    return min(max(at, 0), most)


def _alone(side: _Side, dwell: int) -> list[int]:
    times = (side.centre, side.first, side.last, side.peak_at, side.spread)
    centre, first, last, peak_at, spread = (at * WHOLE // dwell for at in times)
    return [
        *(side.reads, side.peak, side.mean, centre, first, last, peak_at, spread, side.trend),
        *(side.ports, side.ports_apart * WHOLE // dwell),
        *(strength // max(count, 1) for strength, count in zip(side.strengths, side.counts, strict=True)),
        *(count * WHOLE // max(side.reads, 1) for count in side.counts),
    ]


def _both(sides: tuple[_Side, _Side], heard: tuple[Heard, Heard], dwell: int) -> list[int]:
    first, then = sides
    leads = (
        then.centre - first.centre,
        then.sharp - first.sharp,
        then.count_centre - first.count_centre,
        then.first - first.first,
        then.last - first.last,
        then.peak_at - first.peak_at,
    )
    total = max(sum(first.strengths) + sum(then.strengths), 1)
    pairs = list(zip(first.strengths, then.strengths, strict=True))
    gaps = [(a - b) * WHOLE // total for a, b in pairs]
    third = PARTS // 3
    return [
        dwell,
        (first.reads - then.reads) * WHOLE // max(first.reads + then.reads, 1),
        first.ports + then.ports,
        _ports_along(heard) * WHOLE // dwell,
        *(figure for lead in leads for figure in (lead, lead * WHOLE // dwell)),
        first.peak - then.peak,
        first.mean - then.mean,
        2 * sum(gaps[third:-third]) - sum(gaps[:third]) - sum(gaps[-third:]),
        *gaps,
        *((a - b) * WHOLE // max(a + b, 1) for a, b in pairs),
    ]


def _ports_along(heard: tuple[Heard, Heard]) -> int:
    """How far apart the antennas of one side of the door heard it from those of the other: a way along the wall."""
    centres: list[int] = []
    for place in range(max(len(row.ports) for row in heard)):
        ports = [row.ports[place] for row in heard if place < len(row.ports) and row.ports[place].reads]
        if ports:
            centres.append(sum(port.strength_ms for port in ports) // sum(port.strength for port in ports))
    return max(centres) - min(centres) if centres else 0


def _ends(heard: tuple[Heard, Heard], scale: _Scale) -> list[int]:
    """The strengths with which it was heard first and last (negative: by the second row), when, and how often."""
    found = sorted(
        (place, which, each.peak * (1 - 2 * which))
        for which, row in enumerate(heard)
        for place, each in enumerate(row.bins)
        if each.reads
    )
    if not found:
        return [0] * (4 * ENDS + 2)
    last = len(found) - 1
    opens = [found[min(place, last)] for place in range(ENDS)]
    ends = [found[max(last - place, 0)] for place in range(ENDS)]
    changes = sum(found[place][1] != found[place + 1][1] for place in range(last))
    since = [(place - found[0][0]) * scale.width for place, _, _ in opens]
    until = [(found[-1][0] - place) * scale.width for place, _, _ in ends]
    return [*(s for _, _, s in opens), *since, *(s for _, _, s in ends), *until, last + 1, changes]
