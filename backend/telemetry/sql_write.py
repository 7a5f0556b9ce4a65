"""What the projector writes to the SQL telemetry store, in a transaction of its caller."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import uuid4

from sqlalchemy import Connection, and_, bindparam, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from backend.telemetry import schema
from backend.telemetry.rows import (
    FIX,
    TEN_MINUTES,
    Bucket,
    Followed,
    LedgerPosition,
    Rolled,
    Sample,
    Step,
    StockRow,
    Stream,
)
from backend.telemetry.sql_latest import find_again, forget_latest, raise_latest, take_back
from backend.telemetry.sql_rows import TABLES, Known, put

STOCK = "stock"
PLACE = {name: [*schema.fix.columns.keys()].index(name) for name in FIX}
NO_FIX = [None] * len(FIX)
_UPTO = upsert(schema.followed).on_conflict_do_update(
    index_elements=["gateway", "epoch"], set_={"upto": upsert(schema.followed).excluded.upto}
)


def begin_life(tx: Connection) -> None:
    """Forget everything; the projector then follows the book from its beginning."""
    for table in schema.metadata.sorted_tables:
        tx.execute(delete(table))
    tx.execute(insert(schema.about).values(version=schema.VERSION, life=uuid4().hex))


def take_step(tx: Connection, known: Known, step: Step) -> None:
    """`Writer.write`."""
    known.check(tx)
    for stream, mark in step.back.items():
        _set_back(tx, stream, mark)
    add_samples(tx, known, step.samples)
    if step.followed:
        _follow(tx, known, step.followed)
    _mark_anew(tx, known.devices(tx, {of.device for of in step.anew}), step.anew)


def add_samples(tx: Connection, known: Known, samples: Sequence[Sample]) -> None:
    """Write samples that are not there yet."""
    if not samples:
        return
    devices = known.devices(tx, {sample.device for sample in samples})
    told = {(sample.device, sample.columns) for sample in samples}
    series = known.series(tx, {(device, name, unit) for device, columns in told for name, unit in columns.series})
    fixes: list[list[float | None]] = []
    points: list[tuple[float, ...]] = []
    for device, at, content, values, columns in samples:
        fix: list[float | None] | None = None
        for (name, unit), value in zip(columns.series, values, strict=True):
            if FIX.get(name) != unit:
                points.append((series[device, name, unit], at, content, value))
                continue
            if fix is None:
                fix = [devices[device], at, content, *NO_FIX]
                fixes.append(fix)
            fix[PLACE[name]] = value
    put(tx, schema.fix, [*map(tuple, fixes)])
    put(tx, schema.point, points)
    raise_latest(tx, fixes, points)


def _follow(tx: Connection, known: Known, followed: Sequence[Followed]) -> None:
    tx.execute(_UPTO, [{"gateway": of.stream[0], "epoch": of.stream[1], "upto": of.upto} for of in followed])
    found = select(schema.followed).where(schema.followed.c.gateway.in_({of.stream[0] for of in followed}))
    idents = {(row.gateway, row.epoch): row.id for row in tx.execute(found)}
    ids = known.devices(tx, {at.device for of in followed for at in of.touched})
    touched = [(idents[of.stream], at.device, at.begin, seq) for of in followed for at, seq in of.touched.items()]
    put(tx, schema.touch, [(begin, ident, ids[device], seq) for ident, device, begin, seq in touched])
    stale = {(begin, ids[device], False) for _, device, begin, _ in touched}
    put(tx, schema.stale, sorted(stale))


def _mark_anew(tx: Connection, ids: Mapping[str, int], buckets: Iterable[Bucket]) -> None:
    rows = [{"begin": of.begin, "device": ids[of.device], "anew": True} for of in sorted(buckets)]
    if rows:
        statement = upsert(schema.stale)
        tx.execute(statement.on_conflict_do_update(index_elements=["begin", "device"], set_={"anew": True}), rows)


def _set_back(tx: Connection, of: Stream, mark: int) -> None:
    ident = tx.scalar(select(schema.followed.c.id).filter_by(gateway=of[0], epoch=of[1]))
    beyond = and_(schema.touch.c.stream == ident, schema.touch.c.last_seq > mark)
    rows = select(schema.device.c.name, schema.device.c.id, schema.touch.c.begin).join(
        schema.device, schema.device.c.id == schema.touch.c.device
    )
    gone = tx.execute(rows.where(beyond)).all()
    around = {Bucket(name, at + shift) for name, _, at in gone for shift in (-TEN_MINUTES, 0, TEN_MINUTES)}
    _mark_anew(tx, {name: device for name, device, _ in gone}, around)
    tx.execute(update(schema.touch).where(beyond).values(last_seq=mark))
    tx.execute(update(schema.followed).where(schema.followed.c.id == ident).values(upto=mark))


def put_stock(tx: Connection, rows: Sequence[StockRow], position: LedgerPosition, *, anew: bool) -> None:
    """`Writer.write_stock`."""
    if anew:
        tx.execute(delete(schema.stock_point))
    if rows:
        tx.execute(upsert(schema.stock_point).on_conflict_do_nothing(), [row._asdict() for row in rows])
    values = position._asdict()
    statement = upsert(schema.followed_ledger).values(ledger=STOCK, **values)
    tx.execute(statement.on_conflict_do_update(index_elements=["ledger"], set_=values))


def put_rolled(tx: Connection, known: Known, rolled: Sequence[Rolled]) -> None:
    """`Writer.replace`."""
    known.check(tx)
    devices = known.devices(tx, {each.device for each in rolled})
    for each in rolled:
        _remove(tx, devices[each.device], each)
    add_samples(tx, known, [sample for each in rolled for sample in each.samples or ()])
    find_again(tx, {devices[each.device] for each in rolled if each.samples is not None})
    series = known.series(tx, {row[:3] for each in rolled for row in each.rollups})
    for width, (rollups, readings) in TABLES.items():
        mine = [each for each in rolled if each.width == width]
        put(tx, rollups, [(series[row[:3]], *row[3:]) for each in mine for row in each.rollups])
        counts = [(devices[each.device], each.begin, kind, n) for each in mine for kind, n in each.readings.items()]
        put(tx, readings, counts)
    done = [(each.begin, devices[each.device]) for each in rolled if each.width == TEN_MINUTES]
    if done:
        one = (schema.stale.c.begin == bindparam("of_begin"), schema.stale.c.device == bindparam("of_device"))
        tx.execute(delete(schema.stale).where(*one), [{"of_begin": at, "of_device": device} for at, device in done])


def _remove(tx: Connection, device: int, of: Rolled) -> None:
    mine = select(schema.series.c.id).where(schema.series.c.device == device)
    if of.anew:
        rollups, readings = TABLES[of.width]
        tx.execute(delete(rollups).where(rollups.c.series.in_(mine), rollups.c.begin == of.begin))
        tx.execute(delete(readings).where(readings.c.device == device, readings.c.begin == of.begin))
    if of.samples is not None:
        take_back(tx, device, of)
        fix, point = schema.fix.c, schema.point.c
        for table, ours in ((fix, fix.device == device), (point, point.series.in_(mine))):
            within = (table.at >= of.begin, table.at < of.begin + of.width)
            tx.execute(delete(table.at.table).where(ours, *within))


def forget(tx: Connection, before: int) -> None:
    """`Writer.forget`; what lies by device or series is looked for there, not in the whole."""
    devices, series = select(schema.device.c.id), select(schema.series.c.id)
    tx.execute(update(schema.about).values(forgotten=before))
    forget_latest(tx, before)
    tx.execute(delete(schema.touch).where(schema.touch.c.begin < before))
    tx.execute(delete(schema.stale).where(schema.stale.c.begin < before))
    tx.execute(delete(schema.fix).where(schema.fix.c.device.in_(devices), schema.fix.c.at < before))
    tx.execute(delete(schema.point).where(schema.point.c.series.in_(series), schema.point.c.at < before))
    for rollups, readings in TABLES.values():
        tx.execute(delete(rollups).where(rollups.c.series.in_(series), rollups.c.begin < before))
        tx.execute(delete(readings).where(readings.c.device.in_(devices), readings.c.begin < before))
