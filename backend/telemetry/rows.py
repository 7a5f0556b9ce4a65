"""What goes into a telemetry store and what comes out of it. Times, widths and begins are microseconds UTC."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from backend.telemetry.columns import Columns

TEN_MINUTES = 600_000_000
HOUR = 3_600_000_000

Stream = tuple[str, str]
"""(gateway, epoch)."""


class Sample(NamedTuple):
    """What one reading measured, once: a reading that came repeatedly is one sample, at the earliest of its times.

    (device, content) identifies the reading, `content` is a signed 64-bit number. Two readings of a device may have the
    same `at`: both are kept. How a store with nanoseconds may tell them apart is in `backend.telemetry.slots`.
    """

    device: str
    at: int
    content: int
    values: tuple[float, ...]
    """A fix has several, under the names and units of FIX; any other reading has one. None is -0.0."""
    columns: Columns


FIX = {
    "lat": "deg",
    "lon": "deg",
    "altitude_m": "m",
    "speed_mps": "m/s",
    "course_deg": "deg",
    "hdop": "1",
    "accuracy_m": "m",
    "satellites": "1",
}
"""What a fix measures, with units. These names always are of fixes: other readings of the name in this unit are too."""


MOVING_MPS = 1.0
"""Faster than this is driving."""


class Bucket(NamedTuple):
    """Ten minutes of a device."""

    device: str
    begin: int


class Stale(NamedTuple):
    """Ten minutes that are to be rolled up."""

    bucket: Bucket
    anew: bool
    """Its samples too are to be replaced: something that was written may be wrong."""


@dataclass(frozen=True, slots=True)
class Followed:
    """A stream was followed up to and with the number `upto`."""

    stream: Stream
    upto: int
    touched: Mapping[Bucket, int]
    """The ten minutes that it has readings in above the last position, with the last number in each."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the projector through the journal."""

    back: Mapping[Stream, int] = field(default_factory=dict[Stream, int])
    """Streams of which the book holds less than was followed (it was restored), with what it does hold."""
    samples: Sequence[Sample] = ()
    followed: Sequence[Followed] = ()
    anew: frozenset[Bucket] = frozenset()
    """Further ten minutes that are stale, with their samples."""


class StockRow(NamedTuple):
    """What ledger entry n changed at a location; (n, location) identifies it. `delta` is millionths of a unit."""

    n: int
    location: str
    at: int
    sku: str
    delta: int


class LedgerPosition(NamedTuple):
    """The last ledger entry that was followed, and its hash; (0, b"") before the first."""

    n: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Positions:
    """How far the book was followed."""

    streams: Mapping[Stream, int]
    ledger: LedgerPosition


class Rollup(NamedTuple):
    """A series over one bucket of its width; made by `rollup.rolled` and `rollup.combined` only."""

    device: str
    name: str
    unit: str
    begin: int
    count: int  # type: ignore[assignment]  # of the rollup; nobody counts the items of a tuple
    """Never 0: a bucket without a value has no row."""
    total: float
    """The correctly rounded sum of the values; of an hour, that of its ten minutes' sums."""
    low: float
    high: float
    zeros: int
    """How many values were exactly 0: standing still, off."""
    moving: int
    """How many were measured while driving: the device has a speed_mps above MOVING_MPS at the very same time."""
    moving_total: float
    """The sum of these, as `total`."""
    last: float
    """The value at `last_at`; of several the one with the greatest content."""
    last_at: int


@dataclass(frozen=True, slots=True)
class Rolled:
    """Everything that a bucket of a device comes to."""

    device: str
    begin: int
    width: int
    """TEN_MINUTES or HOUR."""
    readings: Mapping[str, int]
    """How many distinct readings of each kind, of all kinds."""
    rollups: Sequence[Rollup]
    samples: Sequence[Sample] | None = None
    """With TEN_MINUTES and not None: all its samples; what else the store holds in these ten minutes is wrong."""
    anew: bool = False
    """Rows that the store has of this bucket and that are not named may be wrong. Else overwriting is enough."""


class Span(NamedTuple):
    """A device from `since` to before `until`."""

    device: str
    since: int
    until: int


class Last(NamedTuple):
    """The newest value of a series in a span; of several at that time the one with the greatest content."""

    span: Span
    name: str
    unit: str
    at: int
    value: float


class Point(NamedTuple):
    """One value of a series."""

    device: str
    name: str
    unit: str
    at: int
    value: float


class Spot(NamedTuple):
    """A fix, as it was sent."""

    at: int
    lat: float
    lon: float
    speed_mps: float | None


class Seen(NamedTuple):
    """The newest fix of a device in a span that has both degrees."""

    span: Span
    spot: Spot


class Readings(NamedTuple):
    """How many readings of a kind a device had in a bucket."""

    device: str
    begin: int
    kind: str
    readings: int
