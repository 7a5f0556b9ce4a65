"""What the projector reads from the book: new stretches of streams, whole ten minutes, ledger entries.

Of readings that repeat each other the earliest counts: here it is found which that is, so that a store need not know.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Row,
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

from backend.book.schema import device, gateway, journal, movement, stream
from backend.telemetry.measured import KINDS, measured
from backend.telemetry.rows import TEN_MINUTES, Bucket, Followed, Sample, StockRow, Stream

MILLIONTHS = 10**6
ROWS_A_FETCH = 5000
TENS_A_RUN = 6


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


def ahead(tx: Connection, of: Stream, stream: tuple[int, int], span: tuple[int, int]) -> Stretch:
    """The next stretch after span[0] of at most span[1] readings; a stream is its id and its mark.

    With fewer readings left it goes up to the mark, however many numbers a gap jumps.
    """
    (ident, mark), (after, limit) = stream, span
    rows = tx.execute(_AHEAD, {"stream": ident, "after": after, "mark": mark, "limit": limit}).all()
    upto = rows[-1].seq if len(rows) == limit else mark
    between = {"stream": ident, "after": after, "upto": upto}
    repeats: Sequence[Row[int, int, int, int]] = tx.execute(_REPEATS, between).all() if rows else ()
    is_later = {row.seq for row in repeats if row.other_at < row.at}
    names = names_of(tx, {row.device_id for row in rows})
    touched: dict[tuple[int, int], int] = {}
    samples: list[Sample] = []
    for seq, device_id, content, at, body in rows:
        touched[device_id, at // TEN_MINUTES] = seq
        if body is not None and seq not in is_later and (values := measured(body)):
            samples.append(Sample(names[device_id], at, content, values))
    anew = {_bucket_of(names, row.device_id, row.other_at) for row in repeats if row.other_at > row.at}
    begins = {Bucket(names[ident], n * TEN_MINUTES): seq for (ident, n), seq in touched.items()}
    return Stretch(Followed(of, upto, begins), len(rows), samples, frozenset(anew))


def _bucket_of(names: dict[int, str], device_id: int, at: int) -> Bucket:
    return Bucket(names[device_id], at // TEN_MINUTES * TEN_MINUTES)


def names_of(tx: Connection, ids: Iterable[int]) -> dict[int, str]:
    """Devices by number: `gateway/name`, or the name alone where it is global."""
    return dict(_names(tx, device.c.id, sorted(ids)))


def ids_of(tx: Connection, names: Iterable[str]) -> dict[str, int]:
    """Devices by name, those that the book knows."""
    wanted = set(names)
    alone = sorted({name.partition("/")[2] for name in wanted} | wanted)
    return {name: ident for ident, name in _names(tx, device.c.name, alone) if name in wanted}


def _names(tx: Connection, column: Any, wanted: Sequence[Any]) -> Iterator[tuple[int, str]]:  # noqa: ANN401 - a column
    rows = select(device.c.id, device.c.name, gateway.c.name.label("owner")).join(
        gateway, gateway.c.id == device.c.gateway_id, isouter=True
    )
    for k in range(0, len(wanted), ROWS_A_FETCH):
        for ident, name, owner in tx.execute(rows.where(column.in_(wanted[k : k + ROWS_A_FETCH]))):
            yield ident, name if owner is None else f"{owner}/{name}"


def wholes(tx: Connection, buckets: Sequence[Bucket]) -> Iterator[Whole]:
    """What these ten minutes have, by device and time; nothing of those that have no readings."""
    ids = ids_of(tx, {of.device for of in buckets})
    for run in _runs(sorted(of for of in buckets if of.device in ids)):
        span = {"device": ids[run[0].device], "begin": run[0].begin, "end": run[-1].begin + TEN_MINUTES}
        found = {of: Whole(of, {}, []) for of in run}
        for kind, content, at, body in tx.execute(_WHOLE, span).yield_per(ROWS_A_FETCH):
            whole = found[Bucket(run[0].device, at // TEN_MINUTES * TEN_MINUTES)]
            whole.readings[kind] = whole.readings.get(kind, 0) + 1
            if body is not None and (values := measured(body)):
                whole.samples.append(Sample(run[0].device, at, content, values))
        yield from found.values()


def _runs(buckets: Sequence[Bucket]) -> Iterator[list[Bucket]]:
    """Ten minutes that follow each other, together, up to an hour of them."""
    run: list[Bucket] = []
    for of in buckets:
        if run and (of != (run[-1].device, run[-1].begin + TEN_MINUTES) or len(run) == TENS_A_RUN):
            yield run
            run = []
        run.append(of)
    if run:
        yield run


def entries(tx: Connection, after: int, limit: int) -> list[StockRow]:
    """What ledger entries after n take from and bring to each place."""
    found: list[StockRow] = []
    for row in tx.execute(select(movement).where(movement.c.n > after).order_by(movement.c.n).limit(limit)):
        delta = int(Decimal(row.quantity) * MILLIONTHS)
        for location, change in ((row.source, -delta), (row.target, delta)):
            found.append(StockRow(row.n, location, row.at, row.sku, change))
    return found


def entry_hash(tx: Connection, n: int) -> bytes | None:
    """What identifies entry n and all before it; None if there is none."""
    found = tx.scalar(select(movement.c.hash).where(movement.c.n == n))
    return None if found is None else bytes(found)


def last_entry(tx: Connection) -> int:
    """The ledger's last n."""
    return tx.scalar(select(func.max(movement.c.n))) or 0


_BODY = case((journal.c.kind.in_([literal_column(f"'{kind}'") for kind in KINDS]), journal.c.body)).label("body")
_OTHER = journal.alias()
_SAME = and_(_OTHER.c.content == journal.c.content, _OTHER.c.device_id + 0 == journal.c.device_id)
"""`+ 0` keeps SQLite from looking through a device's readings instead of through those of the content."""
_AHEAD = (
    select(journal.c.seq, journal.c.device_id, journal.c.content, journal.c.at, _BODY)
    .where(
        journal.c.stream_id == bindparam("stream"),
        journal.c.seq > bindparam("after"),
        journal.c.seq <= bindparam("mark"),
    )
    .order_by(journal.c.seq)
    .limit(bindparam("limit", type_=BigInteger))
)
_REPEATS = (
    select(journal.c.seq, journal.c.device_id, journal.c.at, _OTHER.c.at.label("other_at"))
    .select_from(journal.join(_OTHER, _SAME))
    .where(
        journal.c.stream_id == bindparam("stream"),
        journal.c.seq > bindparam("after"),
        journal.c.seq <= bindparam("upto"),
        _OTHER.c.at != journal.c.at,
    )
)
_EARLIER = or_(
    _OTHER.c.at < journal.c.at,
    and_(
        _OTHER.c.at == journal.c.at,
        tuple_(_OTHER.c.stream_id, _OTHER.c.seq) < tuple_(journal.c.stream_id, journal.c.seq),
    ),
)
_WHOLE = select(journal.c.kind, journal.c.content, journal.c.at, _BODY).where(
    journal.c.device_id == bindparam("device"),
    journal.c.at >= bindparam("begin"),
    journal.c.at < bindparam("end"),
    ~exists().where(_SAME, _EARLIER),
)
