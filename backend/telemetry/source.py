"""What the projector reads from the book: streams with their marks, new stretches of them, what the journal touches.

Of readings that repeat each other the earliest counts: here it is found which that is, so that a store need not know.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import BigInteger, Connection, bindparam, func, select

from backend.book.schema import device, gateway, journal, stream
from backend.book.sealed import gone_before
from backend.telemetry.measured import NOTHING, measured
from backend.telemetry.rows import TEN_MINUTES, Bucket, Followed, Sample, Stream
from backend.telemetry.source_rows import (
    BEGIN,
    FIGURES,
    IS_TWICE,
    ROWS_A_FETCH,
    begin_of,
    fetch,
    names_from,
    names_of,
    one_by_one,
)
from backend.telemetry.source_tens import Whole

Twice = tuple[Whole, int, Sample]
"""A reading of whose content there is another: what it belongs to, its device, and what it measured, maybe nothing."""
DEVICES_KNOWN = 200_000
"""So many names are remembered; whoever invents more devices makes it ask again."""
LOOKED_AT = 20_000
"""Readings that are not followed yet of one stream, of which the earliest is looked for."""


@dataclass(slots=True)
class Stretch:
    """Readings of a stream that were not followed yet."""

    followed: Followed
    rows: int
    """How many readings that is; a gap's numbers are none."""
    tens: Sequence[Whole]
    """What it brings to ten minutes; a repeat of an earlier reading counts, but is no sample."""
    repeated: set[Bucket] = field(default_factory=set[Bucket])
    """Ten minutes with readings of it that the journal has twice, or with what they repeat."""
    anew: set[Bucket] = field(default_factory=set[Bucket])
    """Those of these where what was written is a repeat of what came now."""


def marks(tx: Connection) -> dict[Stream, tuple[int, int]]:
    """(stream id, mark) by stream."""
    rows = select(gateway.c.name, stream.c.epoch, stream.c.id, stream.c.mark).join(
        gateway, gateway.c.id == stream.c.gateway_id
    )
    return {(name, epoch): (ident, mark) for name, epoch, ident, mark in tx.execute(rows)}


def missing_since(tx: Connection, followed: Mapping[Stream, int]) -> int | None:
    """The earliest time of what is not followed yet; None if that is nothing, 0 (as if nothing were known) if much."""
    missing = [
        _earliest(tx, ident, followed.get(of, 0))
        for of, (ident, mark) in marks(tx).items()
        if mark > followed.get(of, 0)
    ]
    return min(missing, default=None)


def _earliest(tx: Connection, stream_id: int, after: int) -> int:
    mine = (journal.c.stream_id == stream_id, journal.c.seq > after)
    some = select(journal.c.at).where(*mine).order_by(journal.c.seq).limit(LOOKED_AT + 1).subquery()
    rows, at = tx.execute(select(func.count(), func.min(some.c.at))).one()
    return 0 if rows > LOOKED_AT or at is None else int(at)


class Names(dict[int, str]):
    """Devices by number, as they were asked for; a number keeps its name as long as it is one book."""

    def recheck(self, tx: Connection) -> None:
        """Forget all if the newest is another's now: a book that came back older lost it and gives the number again."""
        newest = max(self, default=None)
        if newest is not None and names_of(tx, [newest]) != {newest: self[newest]}:
            self.clear()

    def of(self, tx: Connection, ident: int) -> str:
        """That of one device; those after it come with it."""
        if ident not in self:
            if len(self) > DEVICES_KNOWN:
                self.clear()
            self.update(names_from(tx, ident))
        return self[ident]


def ahead(
    tx: Connection,
    marks: Mapping[Stream, tuple[int, int]],
    before: Mapping[Stream, int],
    room: int,
    names: Names,
) -> list[Stretch]:
    """The next stretches: `room` readings, shared alike; what the shortest do not need is the others'.

    A stream with fewer readings than its share is followed up to its mark, however many numbers a gap jumps. Of days
    that were pruned what is left in the journal is not all there was: it is passed over.
    """
    behind = sorted((mark - before.get(of, 0), of) for of, (_, mark) in marks.items() if mark > before.get(of, 0))
    since = gone_before(tx)
    names.recheck(tx)
    found: list[tuple[Stretch, list[Twice]]] = []
    for k, (_, of) in enumerate(behind):
        share = max(1, room // (len(behind) - k))
        ident, mark = marks[of]
        asked = {"stream": ident, "after": before.get(of, 0), "upto": mark, "since": since, "share": share}
        found.append(_stretch(tx, of, asked, names))
        room -= found[-1][0].rows
    same = _same(tx, {sample.content for _, twice in found for _, _, sample in twice})
    for stretch, twice in found:
        _settle(stretch, twice, same)
    return [stretch for stretch, _ in found]


def _stretch(tx: Connection, of: Stream, asked: Mapping[str, int], names: Names) -> tuple[Stretch, list[Twice]]:
    """It, and apart what there is twice."""
    tens: dict[tuple[int, int], Whole] = {}
    newest: dict[tuple[int, int], int] = {}
    twice: list[Twice] = []
    seq = 0
    for seq, device_id, kind, content, at, body, is_twice in one_by_one(tx, _AHEAD, asked):
        place = (device_id, at // TEN_MINUTES * TEN_MINUTES)
        if (ten := tens.get(place)) is None:
            ten = tens[place] = Whole(Bucket(names.of(tx, device_id), place[1]), {}, [])
        newest[place] = seq
        ten.readings[kind] = ten.readings.get(kind, 0) + 1
        values, columns = measured(body) if body is not None else NOTHING
        if is_twice:
            twice.append((ten, device_id, Sample(ten.bucket.device, at, content, values, columns)))
        elif values:
            ten.samples.append(Sample(ten.bucket.device, at, content, values, columns))
    n = sum(ten.rows for ten in tens.values())
    upto = seq if n == asked["share"] else asked["upto"]
    followed = Followed(of, upto, {ten.bucket: newest[place] for place, ten in tens.items()})
    return Stretch(followed, n, [*tens.values()]), twice


def _same(tx: Connection, contents: Iterable[int]) -> dict[tuple[int, int], list[int]]:
    """By device and content: when it was, of readings that the device said more than once."""
    found: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    wanted = sorted(contents)
    for k in range(0, len(wanted), ROWS_A_FETCH):
        for device_id, content, at in fetch(tx, _SAME, {"contents": wanted[k : k + ROWS_A_FETCH]}):
            found[device_id, content].append(at)
    return {of: times for of, times in found.items() if len(times) > 1}


def _settle(stretch: Stretch, twice: Iterable[Twice], same: Mapping[tuple[int, int], Sequence[int]]) -> None:
    """Of readings of one device that say the same the earliest counts."""
    for ten, device_id, sample in twice:
        times = same.get((device_id, sample.content), ())
        stretch.repeated.update([Bucket(sample.device, begin_of(at)) for at in times])
        stretch.anew.update([Bucket(sample.device, begin_of(at)) for at in times if at > sample.at])
        if sample.values and sample.at == min(times, default=sample.at):
            ten.samples.append(sample)


def touched(tx: Connection, span: tuple[int, int]) -> frozenset[Bucket]:
    """The ten minutes of all devices that the journal has readings in between two times, but for what was pruned."""
    found = fetch(tx, _WITHIN, {"begin": max(span[0], gone_before(tx)), "end": span[1]})
    names = names_of(tx, {device_id for device_id, _ in found})
    return frozenset(Bucket(names[device_id], begin) for device_id, begin in found)


_BETWEEN = (
    journal.c.stream_id == bindparam("stream"),
    journal.c.seq > bindparam("after"),
    journal.c.seq <= bindparam("upto"),
    journal.c.at >= bindparam("since"),
)
_WITHIN = (
    select(journal.c.device_id, BEGIN.label("begin"))
    .where(journal.c.device_id.in_(select(device.c.id)))
    .where(journal.c.at >= bindparam("begin"), journal.c.at < bindparam("end"))
    .distinct()
)
_AHEAD = (
    select(journal.c.seq, journal.c.device_id, journal.c.kind, journal.c.content, journal.c.at, FIGURES, IS_TWICE)
    .where(*_BETWEEN)
    .order_by(journal.c.seq)
    .limit(bindparam("share", type_=BigInteger))
)
_SAME = select(journal.c.device_id, journal.c.content, journal.c.at).where(
    journal.c.content.in_(bindparam("contents", expanding=True))
)
