"""Ten minutes as the journal has them, whole: what they are rolled up from.

Of readings that repeat each other the earliest counts: here it is found which that is, so that a store need not know.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, bindparam, exists, func, or_, select, tuple_

from backend.book.schema import journal
from backend.telemetry.measured import NOTHING, measured
from backend.telemetry.rows import TEN_MINUTES, Bucket, Sample
from backend.telemetry.source_rows import BEGIN, FIGURES, IS_TWICE, fetch, ids_of, one_by_one

TENS_A_RUN = 6
DEVICES_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Whole:
    """Everything that ten minutes of a device have."""

    bucket: Bucket
    readings: dict[str, int]
    """By kind."""
    samples: list[Sample]

    @property
    def rows(self) -> int:
        """How many readings."""
        return sum(self.readings.values())


def wholes(tx: Connection, buckets: Sequence[Bucket]) -> Iterator[Whole]:
    """What these ten minutes have, by device; nothing of those that the book knows no device of."""
    for names, span in _runs(tx, buckets):
        yield from _wholes(tx, names, span)


def counts(tx: Connection, buckets: Sequence[Bucket]) -> dict[Bucket, int]:
    """How many readings they have, repeats among them: told by the index alone; nothing of those that have none."""
    return {
        Bucket(names[device_id], begin): n
        for names, (begin, end) in _runs(tx, buckets)
        for device_id, begin, n in fetch(tx, _COUNT, {"devices": [*names], "begin": begin, "end": end})
    }


def _runs(tx: Connection, buckets: Sequence[Bucket]) -> Iterator[tuple[dict[int, str], tuple[int, int]]]:
    """The same as some devices (names by number) in a span of ten minutes that follow each other."""
    ids = ids_of(tx, {of.device for of in buckets})
    together: defaultdict[tuple[int, ...], list[str]] = defaultdict(list)
    for device_name, begins in _begins(of for of in buckets if of.device in ids).items():
        together[begins].append(device_name)
    for begins, devices in together.items():
        for span in _spans(begins):
            for k in range(0, len(devices), DEVICES_AT_ONCE):
                yield {ids[each]: each for each in devices[k : k + DEVICES_AT_ONCE]}, span


def _begins(buckets: Iterable[Bucket]) -> dict[str, tuple[int, ...]]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for of in sorted(buckets):
        found[of.device].append(of.begin)
    return {of: tuple(begins) for of, begins in found.items()}


def _spans(begins: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Ten minutes that follow each other, together, up to an hour of them."""
    low = high = begins[0]
    for begin in begins:
        if begin not in (low, high) or high - low == TENS_A_RUN * TEN_MINUTES:
            yield low, high
            low = begin
        high = begin + TEN_MINUTES
    yield low, high


def _wholes(tx: Connection, names: Mapping[int, str], span: tuple[int, int]) -> Iterator[Whole]:
    """All ten minutes of a span, of these devices: a device's when all of its rows were read."""
    begins = range(*span, TEN_MINUTES)
    silent = set(names.values())
    found: dict[int, Whole] = {}
    now, name = -1, ""
    for device_id, kind, content, at, body in one_by_one(
        tx, _WHOLE, {"devices": [*names], "begin": span[0], "end": span[1]}
    ):
        if device_id != now:
            yield from found.values()
            now, name = device_id, names[device_id]
            silent.discard(name)
            found = {begin: Whole(Bucket(name, begin), {}, []) for begin in begins}
        whole = found[at // TEN_MINUTES * TEN_MINUTES]
        whole.readings[kind] = whole.readings.get(kind, 0) + 1
        values, columns = measured(body) if body is not None else NOTHING
        if values:
            whole.samples.append(Sample(name, at, content, values, columns))
    yield from found.values()
    for name in sorted(silent):
        yield from (Whole(Bucket(name, begin), {}, []) for begin in begins)


_OTHER = journal.alias()
_SAME = and_(_OTHER.c.content == journal.c.content, _OTHER.c.device_id + 0 == journal.c.device_id)
"""`+ 0` keeps SQLite from looking through a device's readings instead of through those of the content."""
_EARLIER = or_(
    _OTHER.c.at < journal.c.at,
    and_(
        _OTHER.c.at == journal.c.at,
        tuple_(_OTHER.c.stream_id, _OTHER.c.seq) < tuple_(journal.c.stream_id, journal.c.seq),
    ),
)
_WITHIN = (
    journal.c.device_id.in_(bindparam("devices", expanding=True)),
    journal.c.at >= bindparam("begin"),
    journal.c.at < bindparam("end"),
)
_COUNT = select(journal.c.device_id, BEGIN, func.count()).where(*_WITHIN).group_by(journal.c.device_id, BEGIN)
_WHOLE = (
    select(
        journal.c.device_id,
        journal.c.kind,
        journal.c.content,
        journal.c.at,
        FIGURES,
    )
    .where(*_WITHIN, or_(~IS_TWICE, ~exists().where(_SAME, _EARLIER)))
    .order_by(journal.c.device_id, journal.c.at)
)
