"""What the projector reads from the book: new stretches of streams, whole ten minutes, ledger entries.

Of readings that repeat each other the earliest counts: here it is found which that is, so that a store need not know.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)

from backend.book.schema import device, gateway, journal, stream
from backend.book.sealed import gone_before
from backend.telemetry.measured import KINDS, measured
from backend.telemetry.rows import TEN_MINUTES, Bucket, Followed, Sample, Stream

ROWS_A_FETCH = 5000
TENS_A_RUN = 6
DEVICES_AT_ONCE = 100
LOOKED_AT = 20_000
"""Readings that are not followed yet of one stream, of which the earliest is looked for."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Readings of a stream that were not followed yet."""

    followed: Followed
    rows: int
    """How many readings that is; a gap's numbers are none."""
    samples: Sequence[Sample]
    anew: frozenset[Bucket]
    """Other ten minutes where what was written is a repeat of what came now."""


@dataclass(frozen=True, slots=True)
class Whole:
    """Everything that ten minutes of a device have."""

    bucket: Bucket
    readings: dict[str, int]
    """By kind."""
    samples: list[Sample]


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
    """The devices of one transaction by number."""

    def learn(self, tx: Connection, ids: Iterable[int]) -> None:
        """Ask for those that are not known yet."""
        if new := set(ids) - self.keys():
            self.update(names_of(tx, new))


def ahead(tx: Connection, of: Stream, stream: tuple[int, int], span: tuple[int, int], names: Names) -> Stretch:
    """The next stretch after span[0] of at most span[1] readings; a stream is its id and its mark.

    With fewer readings left it goes up to the mark, however many numbers a gap jumps. Of days that were pruned what is
    left in the journal is not all there was: it is passed over.
    """
    (ident, mark), (after, limit) = stream, span
    between = {"stream": ident, "after": after, "upto": mark, "since": gone_before(tx)}
    if mark - after > limit:
        last = _rows(tx, _LAST, between | {"skip": limit - 1})
        between["upto"] = last[0][0] if last else mark
    counted = _rows(tx, _TOUCHED, between)
    names.learn(tx, [row[0] for row in counted])
    repeats = _rows(tx, _REPEATS, between) if counted else ()
    is_later = {seq for seq, _, at, other_at in repeats if other_at < at}
    samples: list[Sample] = []
    for seq, device_id, content, at, body in _rows(tx, _AHEAD, between) if counted else ():
        if (values := measured(body)) and seq not in is_later:
            samples.append(Sample(names[device_id], at, content, values))
    anew = {Bucket(names[device_id], _begin(other_at)) for _, device_id, at, other_at in repeats if other_at > at}
    touched = {Bucket(names[device_id], begin): seq for device_id, begin, seq, _ in counted}
    followed = Followed(of, between["upto"], touched)
    return Stretch(followed, sum(row[3] for row in counted), samples, frozenset(anew))


def _rows(
    tx: Connection, statement: Select[*tuple[Any, ...]], parameters: Mapping[str, Any]
) -> Sequence[tuple[Any, ...]]:
    """All rows, as the driver has them: numbers, texts and bytes."""
    result = tx.execute(statement, parameters)
    assert result.cursor is not None  # noqa: S101 - a SELECT has one
    found: Sequence[tuple[Any, ...]] = result.cursor.fetchall()
    result.close()
    return found


def _parts(
    tx: Connection, statement: Select[*tuple[Any, ...]], parameters: Mapping[str, Any]
) -> Iterator[Sequence[Sequence[Any]]]:
    """The same, some thousand at a time; PostgreSQL holds the others back only if SQLAlchemy reads them."""
    if tx.dialect.name != "sqlite":
        yield from tx.execute(statement, parameters, execution_options={"yield_per": ROWS_A_FETCH}).partitions()
        return
    result = tx.execute(statement, parameters)
    assert result.cursor is not None  # noqa: S101 - a SELECT has one
    while rows := result.cursor.fetchmany(ROWS_A_FETCH):
        yield rows
    result.close()


def _begin(at: int) -> int:
    return at // TEN_MINUTES * TEN_MINUTES


def names_of(tx: Connection, ids: Iterable[int]) -> dict[int, str]:
    """Devices by number: `gateway/name`, or the name alone where it is global."""
    return dict(_names(tx, _BY_ID, sorted(ids)))


def ids_of(tx: Connection, names: Iterable[str]) -> dict[str, int]:
    """Devices by name, those that the book knows."""
    wanted = set(names)
    alone = sorted({name.partition("/")[2] for name in wanted} | wanted)
    return {name: ident for ident, name in _names(tx, _BY_NAME, alone) if name in wanted}


def _names(tx: Connection, statement: Select[*tuple[Any, ...]], wanted: Sequence[Any]) -> Iterator[tuple[int, str]]:
    for k in range(0, len(wanted), ROWS_A_FETCH):
        for ident, name, owner in _rows(tx, statement, {"wanted": wanted[k : k + ROWS_A_FETCH]}):
            yield ident, name if owner is None else f"{owner}/{name}"


def wholes(tx: Connection, buckets: Sequence[Bucket]) -> Iterator[Whole]:
    """What these ten minutes have, by device; nothing of those that the book knows no device of."""
    ids = ids_of(tx, {of.device for of in buckets})
    together: defaultdict[tuple[int, ...], list[str]] = defaultdict(list)
    for device_name, begins in _begins(of for of in buckets if of.device in ids).items():
        together[begins].append(device_name)
    for begins, devices in together.items():
        for low, high in _spans(begins):
            for k in range(0, len(devices), DEVICES_AT_ONCE):
                some = {ids[each]: each for each in devices[k : k + DEVICES_AT_ONCE]}
                yield from _wholes(tx, some, (low, high))


def touched(tx: Connection, span: tuple[int, int]) -> frozenset[Bucket]:
    """The ten minutes of all devices that the journal has readings in between two times, but for what was pruned."""
    rows = _rows(tx, _WITHIN, {"begin": max(span[0], gone_before(tx)), "end": span[1]})
    names = names_of(tx, {device_id for device_id, _ in rows})
    return frozenset(Bucket(names[device_id], begin) for device_id, begin in rows)


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
    for rows in _parts(tx, _WHOLE, {"devices": [*names], "begin": span[0], "end": span[1]}):
        for device_id, kind, content, at, body in rows:
            if device_id != now:
                yield from found.values()
                now, name = device_id, names[device_id]
                silent.discard(name)
                found = {begin: Whole(Bucket(name, begin), {}, []) for begin in begins}
            whole = found[at // TEN_MINUTES * TEN_MINUTES]
            whole.readings[kind] = whole.readings.get(kind, 0) + 1
            if body is not None and (values := measured(body)):
                whole.samples.append(Sample(name, at, content, values))
    yield from found.values()
    for name in sorted(silent):
        yield from (Whole(Bucket(name, begin), {}, []) for begin in begins)


_NAMES = select(device.c.id, device.c.name, gateway.c.name).outerjoin(gateway, gateway.c.id == device.c.gateway_id)
_BY_ID, _BY_NAME = (
    _NAMES.where(each.in_(bindparam("wanted", expanding=True))) for each in (device.c.id, device.c.name)
)
_KINDS = journal.c.kind.in_([literal_column(f"'{kind}'") for kind in KINDS])
_OTHER = journal.alias()
_MORE = journal.alias()
_SAME = and_(_OTHER.c.content == journal.c.content, _OTHER.c.device_id + 0 == journal.c.device_id)
"""`+ 0` keeps SQLite from looking through a device's readings instead of through those of the content."""
_IS_TWICE = exists().where(
    _MORE.c.content == journal.c.content,
    or_(_MORE.c.stream_id != journal.c.stream_id, _MORE.c.seq != journal.c.seq),
)
"""There is another of the content: told by the index alone, and almost never so."""
_BETWEEN = (
    journal.c.stream_id == bindparam("stream"),
    journal.c.seq > bindparam("after"),
    journal.c.seq <= bindparam("upto"),
    journal.c.at >= bindparam("since"),
)
_LAST = (
    select(journal.c.seq).where(*_BETWEEN).order_by(journal.c.seq).limit(1).offset(bindparam("skip", type_=BigInteger))
)
_TEN = literal_column(str(TEN_MINUTES), BigInteger)
_BEGIN = journal.c.at - (journal.c.at % _TEN + _TEN) % _TEN
"""Also before 1970, where SQL's remainder is negative."""
_TOUCHED = (
    select(journal.c.device_id, _BEGIN.label("begin"), func.max(journal.c.seq), func.count())
    .where(*_BETWEEN)
    .group_by(journal.c.device_id, _BEGIN)
)
_WITHIN = (
    select(journal.c.device_id, _BEGIN.label("begin"))
    .where(journal.c.device_id.in_(select(device.c.id)))
    .where(journal.c.at >= bindparam("begin"), journal.c.at < bindparam("end"))
    .distinct()
)
_AHEAD = (
    select(journal.c.seq, journal.c.device_id, journal.c.content, journal.c.at, journal.c.body)
    .where(*_BETWEEN, _KINDS)
    .order_by(journal.c.seq)
)
_REPEATS = (
    select(journal.c.seq, journal.c.device_id, journal.c.at, _OTHER.c.at.label("other_at"))
    .select_from(journal.join(_OTHER, _SAME))
    .where(*_BETWEEN, _OTHER.c.at != journal.c.at, _IS_TWICE)
)
_EARLIER = or_(
    _OTHER.c.at < journal.c.at,
    and_(
        _OTHER.c.at == journal.c.at,
        tuple_(_OTHER.c.stream_id, _OTHER.c.seq) < tuple_(journal.c.stream_id, journal.c.seq),
    ),
)
_WHOLE = (
    select(
        journal.c.device_id,
        journal.c.kind,
        journal.c.content,
        journal.c.at,
        case((_KINDS, journal.c.body)).label("body"),
    )
    .where(
        journal.c.device_id.in_(bindparam("devices", expanding=True)),
        journal.c.at >= bindparam("begin"),
        journal.c.at < bindparam("end"),
        or_(~_IS_TWICE, ~exists().where(_SAME, _EARLIER)),
    )
    .order_by(journal.c.device_id, journal.c.at)
)
