"""The telemetry store on SQL, by default a SQLite file of its own: what the projector writes, in its transactions.

The file is rebuildable, so SQLite need not wait for the disk at each commit (synchronous NORMAL).
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    Connection,
    Engine,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    event,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.pool import ConnectionPoolEntry

from backend.book.db import open_engine, read, write
from backend.config import Config, ConfigError
from backend.telemetry import schema

TEN_MINUTES = 600_000_000
HOUR = 3_600_000_000


class Point(NamedTuple):
    """One value of one series; of equal `content` only the earliest counts."""

    device: str
    name: str
    unit: str
    content: int
    at: int
    value: float


class Bucket(NamedTuple):
    """Ten minutes of a device; `bucket` is their start."""

    device: str
    bucket: int


def open_telemetry(config: Config) -> Engine:
    """The store that backend.toml names, with its tables. Raises ConfigError for a url that is not known."""
    engine = connect(config)
    prepare(engine)
    return engine


def connect(config: Config) -> Engine:
    """The store as it is. Raises ConfigError for a url that is not known."""
    if config.telemetry.url != "sql":
        raise ConfigError(f'telemetry.url: "sql" expected, got {config.telemetry.url!r}')
    engine = open_engine("sqlite", config.state_dir / "telemetry.db")
    event.listen(engine, "connect", _relax)
    return engine


def _relax(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")


def prepare(engine: Engine) -> None:
    """Make the tables; those of another version of the program are emptied."""
    with write(engine) as tx:
        schema.about.create(tx, checkfirst=True)
        if set(tx.scalars(select(schema.about.c.version))) != {schema.VERSION}:
            schema.metadata.drop_all(tx)
            schema.metadata.create_all(tx)
            tx.execute(insert(schema.about).values(version=schema.VERSION))


def clear(engine: Engine) -> None:
    """Forget everything; the projector then follows the book from its beginning."""
    with write(engine) as tx:
        for table in schema.metadata.sorted_tables:
            if table is not schema.about:
                tx.execute(delete(table))


def add_points(tx: Connection, points: Sequence[Point]) -> None:
    """Write points, each content once, at the earliest of its times."""
    if not points:
        return
    ids = _series(tx, {(point.device, point.name, point.unit) for point in points})
    rows = [
        {"series": ids[point.device, point.name, point.unit], "content": point.content, "at": point.at}
        | {"value": point.value}
        for point in points
    ]
    statement = upsert(schema.point)
    earlier = statement.excluded.at < schema.point.c.at
    key = ["series", "content"]
    tx.execute(
        statement.on_conflict_do_update(index_elements=key, set_={"at": statement.excluded.at}, where=earlier), rows
    )


def _series(tx: Connection, wanted: set[tuple[str, str, str]]) -> dict[tuple[str, str, str], int]:
    table = schema.series
    rows = [{"device": device, "name": name, "unit": unit} for device, name, unit in sorted(wanted)]
    tx.execute(upsert(table).on_conflict_do_nothing(), rows)
    devices = sorted({device for device, _, _ in wanted})
    found = select(table.c.device, table.c.name, table.c.unit, table.c.id).where(table.c.device.in_(devices))
    return {(device, name, unit): ident for device, name, unit, ident in tx.execute(found)}


def forget_points(tx: Connection, of: Bucket) -> None:
    """Take back the points of ten minutes."""
    mine = select(schema.series.c.id).where(schema.series.c.device == of.device)
    at = schema.point.c.at
    tx.execute(
        delete(schema.point).where(schema.point.c.series.in_(mine), at >= of.bucket, at < of.bucket + TEN_MINUTES)
    )


def replace_readings(tx: Connection, counts: Mapping[Bucket, Mapping[str, int]]) -> None:
    """Write how many readings of each kind ten minutes of a device had, and the hours that they are in."""
    _replace(tx, schema.readings_10m, counts)
    hours: defaultdict[str, set[int]] = defaultdict(set)
    for of in counts:
        hours[of.device].add(of.bucket // HOUR * HOUR)
    table = schema.readings_10m.c
    for device, begins in sorted(hours.items()):
        sums: dict[Bucket, defaultdict[str, int]] = {Bucket(device, at): defaultdict(int) for at in begins}
        span = (table.bucket >= min(begins), table.bucket < max(begins) + HOUR)
        rows = select(table.bucket, table.kind, table.readings).where(table.device == device, *span)
        for at, kind, readings in tx.execute(rows):
            if (hour := Bucket(device, at // HOUR * HOUR)) in sums:
                sums[hour][kind] += readings
        _replace(tx, schema.readings_1h, sums)


def _replace(tx: Connection, table: Table, counts: Mapping[Bucket, Mapping[str, int]]) -> None:
    _delete(tx, table, counts)
    rows = [{**of._asdict(), "kind": kind, "readings": n} for of, kinds in counts.items() for kind, n in kinds.items()]
    if rows:
        tx.execute(insert(table), rows)


def _delete(tx: Connection, table: Table, buckets: Iterable[Bucket]) -> None:
    rows = [{"of_device": of.device, "of_bucket": of.bucket} for of in buckets]
    if rows:
        mine = (table.c.device == bindparam("of_device"), table.c.bucket == bindparam("of_bucket"))
        tx.execute(delete(table).where(*mine), rows)


def take_stale(tx: Connection, buckets: Iterable[Bucket]) -> None:
    """These ten minutes have been counted anew."""
    _delete(tx, schema.stale, buckets)


def mark_stale(tx: Connection, buckets: Iterable[Bucket], *, points: bool = False) -> None:
    """Have these ten minutes counted anew, and with `points` their points read anew."""
    rows = [{**of._asdict(), "points": points} for of in sorted(set(buckets))]
    if rows:
        statement = upsert(schema.stale)
        either = or_(schema.stale.c.points, statement.excluded.points)
        tx.execute(statement.on_conflict_do_update(index_elements=["device", "bucket"], set_={"points": either}), rows)


def follow(tx: Connection, of: tuple[str, str], upto: int, touched: Mapping[Bucket, int]) -> None:
    """A stream (gateway, epoch) was followed up to a number; `touched` has the last number in each ten minutes."""
    stream = upsert(schema.followed).values(gateway=of[0], epoch=of[1], upto=upto)
    tx.execute(stream.on_conflict_do_update(index_elements=["gateway", "epoch"], set_={"upto": upto}))
    ident = tx.scalar(select(schema.followed.c.id).filter_by(gateway=of[0], epoch=of[1]))
    rows = [{"stream": ident, **at._asdict(), "last_seq": seq} for at, seq in sorted(touched.items())]
    if rows:
        statement = upsert(schema.touch)
        key, last = ["stream", "device", "bucket"], {"last_seq": statement.excluded.last_seq}
        tx.execute(statement.on_conflict_do_update(index_elements=key, set_=last), rows)
    mark_stale(tx, touched)


def set_back(tx: Connection, of: tuple[str, str], mark: int) -> None:
    """The book holds less of a stream than was followed: what came of the rest is made anew.

    The ten minutes before and after as well: a reading that had been a repeat of one that is gone counts again.
    """
    ident = tx.scalar(select(schema.followed.c.id).filter_by(gateway=of[0], epoch=of[1]))
    beyond = and_(schema.touch.c.stream == ident, schema.touch.c.last_seq > mark)
    gone = [
        Bucket(device, at)
        for device, at in tx.execute(select(schema.touch.c.device, schema.touch.c.bucket).where(beyond))
    ]
    around = {Bucket(device, at + shift) for device, at in gone for shift in (-TEN_MINUTES, 0, TEN_MINUTES)}
    mark_stale(tx, around, points=True)
    tx.execute(update(schema.touch).where(beyond).values(last_seq=mark))
    tx.execute(update(schema.followed).where(schema.followed.c.id == ident).values(upto=mark))


def forget(tx: Connection, before: int) -> None:
    """Retention: take away what is older."""
    for table, at in (
        (schema.point, schema.point.c.at),
        (schema.readings_10m, schema.readings_10m.c.bucket),
        (schema.readings_1h, schema.readings_1h.c.bucket),
        (schema.touch, schema.touch.c.bucket),
    ):
        tx.execute(delete(table).where(at < before))


def digest(engine: Engine) -> str:
    """SHA-256 of everything the store says, the same for every order of arrival and number of repeats."""
    total = sha256()
    with read(engine) as tx:
        for query in _contents():
            for row in tx.execute(query):
                total.update(msgspec.json.encode(tuple(row)))
    return total.hexdigest()


def _contents() -> Iterator[Select[*tuple[Any, ...]]]:
    series, point, stock = schema.series.c, schema.point.c, schema.stock_point.c
    columns = (series.device, series.name, series.unit, point.at, point.content, point.value)
    yield select(*columns).join(schema.point, point.series == series.id).order_by(*columns)
    for table in (schema.readings_10m, schema.readings_1h):
        yield select(table).order_by(*table.primary_key.columns)
    where = (stock.at, stock.sku, stock.location)
    yield select(*where, func.sum(stock.delta)).group_by(*where).having(func.sum(stock.delta) != 0).order_by(*where)
