"""What the projector reads from the book: new stretches of streams, points, counts of ten minutes, ledger entries."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Select,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)

from backend.book.schema import device, gateway, journal, movement, stream
from backend.telemetry.sql import TEN_MINUTES, Bucket, Point
from models import wire
from models.errors import BadReading
from models.reading import Fix, Input, Meter, Signal

POINT_KINDS = ("fix", "input", "meter", "signal")
FIX_UNITS = {
    "lat": "deg",
    "lon": "deg",
    "altitude_m": "m",
    "speed_mps": "m/s",
    "course_deg": "deg",
    "hdop": "1",
    "accuracy_m": "m",
    "satellites": "1",
}
MILLIONTHS = 10**6


@dataclass(frozen=True, slots=True)
class Stretch:
    """Readings of a stream that were not followed yet: above `after`, up to and with `upto`."""

    of: tuple[str, str]
    """(gateway, epoch)."""
    stream_id: int
    after: int
    upto: int
    rows: int
    """How many readings that is; a gap's numbers are none."""


class Names:
    """Devices by number and by name: `gateway/name`, or the name alone where it is global."""

    def __init__(self, tx: Connection) -> None:
        rows = select(device.c.id, device.c.name, gateway.c.name.label("owner")).join(
            gateway, gateway.c.id == device.c.gateway_id, isouter=True
        )
        self.of = {row.id: row.name if row.owner is None else f"{row.owner}/{row.name}" for row in tx.execute(rows)}
        self.ids = {name: ident for ident, name in self.of.items()}


def marks(tx: Connection) -> dict[tuple[str, str], tuple[int, int]]:
    """(stream id, mark) by (gateway, epoch)."""
    rows = select(gateway.c.name, stream.c.epoch, stream.c.id, stream.c.mark).join(
        gateway, gateway.c.id == stream.c.gateway_id
    )
    return {(name, epoch): (ident, mark) for name, epoch, ident, mark in tx.execute(rows)}


def ahead(tx: Connection, of: tuple[str, str], stream: tuple[int, int], span: tuple[int, int]) -> Stretch:
    """The next stretch after span[0] of at most span[1] readings; a stream is its id and its mark.

    With fewer readings left it goes up to the mark, however many numbers a gap jumps.
    """
    (ident, mark), (after, limit) = stream, span
    where = (journal.c.stream_id == ident, journal.c.seq > after, journal.c.seq <= mark)
    seqs = tx.scalars(select(journal.c.seq).where(*where).order_by(journal.c.seq).limit(limit)).all()
    return Stretch(of, ident, after, seqs[-1] if len(seqs) == limit else mark, len(seqs))


def touched(tx: Connection, names: Names, stretch: Stretch) -> dict[Bucket, int]:
    """The ten minutes that the stretch has readings in, with the last number in each."""
    key = (journal.c.device_id, _bucket(journal.c.at))
    rows = select(*key, func.max(journal.c.seq)).where(*_in(stretch)).group_by(*key)
    return {Bucket(names.of[ident], at * TEN_MINUTES): seq for ident, at, seq in tx.execute(rows)}


def repeated(tx: Connection, names: Names, stretch: Stretch) -> set[Bucket]:
    """Other ten minutes that have what the stretch repeats: of repeats only the earliest counts."""
    other = journal.alias()
    same = and_(other.c.content == journal.c.content, other.c.device_id + 0 == journal.c.device_id)
    rows = (
        select(other.c.device_id, _bucket(other.c.at))
        .select_from(journal.join(other, same))
        .where(*_in(stretch), _bucket(other.c.at) != _bucket(journal.c.at))
        .distinct()
    )
    return {Bucket(names.of[ident], at * TEN_MINUTES) for ident, at in tx.execute(rows)}


def points(tx: Connection, names: Names, of: Stretch | Bucket) -> list[Point]:
    """The values that a stretch, or ten minutes of a device, has."""
    where = _in(of) if isinstance(of, Stretch) else _within(names.ids[of.device], of.bucket)
    rows = select(journal.c.device_id, journal.c.content, journal.c.at, journal.c.body)
    found: list[Point] = []
    for ident, content, at, body in tx.execute(rows.where(*where, journal.c.kind.in_(POINT_KINDS))):
        for name, unit, value in _values(bytes(body)):
            found.append(Point(names.of[ident], name, unit, content, at, value))
    return found


def counts(tx: Connection, names: Names, buckets: Sequence[Bucket]) -> dict[Bucket, dict[str, int]]:
    """How many readings of each kind these ten minutes have; of repeats the first in fold order counts."""
    found: dict[Bucket, dict[str, int]] = {of: {} for of in buckets}
    for run in _runs(sorted(of for of in buckets if of.device in names.ids)):
        device = run[0].device
        span = {"device_id": names.ids[device], "begin": run[0].bucket, "end": run[-1].bucket + TEN_MINUTES}
        for at, kind, count in tx.execute(_COUNTED, span):
            found[Bucket(device, at * TEN_MINUTES)][kind] = count
    return found


def _runs(buckets: Sequence[Bucket]) -> Iterator[list[Bucket]]:
    """Ten minutes that follow each other, together."""
    run: list[Bucket] = []
    for of in buckets:
        if run and of != (run[-1].device, run[-1].bucket + TEN_MINUTES):
            yield run
            run = []
        run.append(of)
    if run:
        yield run


def entries(tx: Connection, after: int, limit: int) -> list[dict[str, Any]]:
    """What ledger entries after n take from and bring to each place, in millionths."""
    found: list[dict[str, Any]] = []
    for row in tx.execute(select(movement).where(movement.c.n > after).order_by(movement.c.n).limit(limit)):
        delta = int(Decimal(row.quantity) * MILLIONTHS)
        for location, change in ((row.source, -delta), (row.target, delta)):
            found.append({"n": row.n, "location": location, "at": row.at, "sku": row.sku, "delta": change})
    return found


def entry_hash(tx: Connection, n: int) -> bytes | None:
    """What identifies entry n and all before it; None if there is none."""
    found = tx.scalar(select(movement.c.hash).where(movement.c.n == n))
    return None if found is None else bytes(found)


def last_entry(tx: Connection) -> int:
    """The ledger's last n."""
    return tx.scalar(select(func.max(movement.c.n))) or 0


def _in(stretch: Stretch) -> Sequence[Any]:
    return (
        journal.c.stream_id == stretch.stream_id,
        journal.c.seq > stretch.after,
        journal.c.seq <= stretch.upto,
    )


def _within(device_id: int, begin: int) -> Sequence[Any]:
    return journal.c.device_id == device_id, journal.c.at >= begin, journal.c.at < begin + TEN_MINUTES


def _values(body: bytes) -> Iterator[tuple[str, str, float]]:
    try:
        reading = wire.decode(body)
    except BadReading:  # journalled by a version that knew more kinds or bounds
        return
    match reading:
        case Signal() | Meter():
            yield reading.name, reading.unit, reading.value
        case Input():
            yield reading.name, "1", float(reading.on)
        case Fix():
            for name, unit in FIX_UNITS.items():
                value = getattr(reading, name)
                if value is not None:
                    yield name, unit, float(value)
        case _:
            return


def _bucket(at: Any) -> Any:  # noqa: ANN401 - an SQL expression
    """Ten minutes since 1970, whole; written out, as PostgreSQL groups by no expression with parameters."""
    return at // literal_column(str(TEN_MINUTES), BigInteger)


def _counted() -> Select[int, str, int]:
    """Counts by ten minutes and kind of a device from `begin` to `end`; built once, as it is asked often."""
    first = journal.alias()
    other = or_(first.c.stream_id != journal.c.stream_id, first.c.seq != journal.c.seq)
    place = tuple_(first.c.stream_id, first.c.seq) < tuple_(journal.c.stream_id, journal.c.seq)
    earlier = or_(first.c.at < journal.c.at, and_(first.c.at == journal.c.at, place))
    same = and_(first.c.content == journal.c.content, first.c.device_id + 0 == journal.c.device_id)
    span = (journal.c.at >= bindparam("begin"), journal.c.at < bindparam("end"))
    mine = journal.c.device_id == bindparam("device_id")
    key = (_bucket(journal.c.at), journal.c.kind)
    return select(*key, func.count()).where(mine, *span, ~exists().where(same, other, earlier)).group_by(*key)


_COUNTED = _counted()
