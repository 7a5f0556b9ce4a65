"""What is read from the SQL telemetry store: one statement for all devices that are asked for."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from operator import itemgetter
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Select,
    Table,
    and_,
    func,
    literal_column,
    select,
)

from backend.telemetry import schema
from backend.telemetry.rows import (
    FIX,
    Bucket,
    LedgerPosition,
    Point,
    Positions,
    Readings,
    Rollup,
    Span,
    Spot,
    Stale,
)
from backend.telemetry.sql_rows import TABLES, Series
from backend.telemetry.sql_write import STOCK

AT_ONCE = 5000


def positions(tx: Connection) -> Positions:
    """`Progress.positions`."""
    table = schema.followed.c
    streams = {
        (gateway, epoch): upto for gateway, epoch, upto in tx.execute(select(table.gateway, table.epoch, table.upto))
    }
    row = tx.execute(select(schema.followed_ledger).where(schema.followed_ledger.c.ledger == STOCK)).one_or_none()
    return Positions(streams, LedgerPosition(0, b"") if row is None else LedgerPosition(row.n, bytes(row.hash)))


def stale(tx: Connection, limit: int, before: int) -> list[Stale]:
    """`Progress.stale`."""
    table = schema.stale.c
    rows = (
        select(schema.device.c.name, table.begin, table.anew)
        .join(schema.device, schema.device.c.id == table.device)
        .where(table.begin < before)
        .order_by(table.begin, table.device)
        .limit(limit)
    )
    return [Stale(Bucket(name, begin), anew) for name, begin, anew in tx.execute(rows)]


def points(tx: Connection, names: Sequence[str], devices: Sequence[str] | None, span: tuple[int, int]) -> list[Point]:
    """`Reader.points`."""
    wanted = _series(tx, names, devices)
    others = {ident: of for ident, of in wanted.items() if FIX.get(of[1]) != of[2]}
    point, fix = schema.point.c, schema.fix.c
    rows = select(point.series, point.at, point.value).order_by(point.series, point.at, point.content)
    found = _grouped(tx, rows, point.series, (others, span))
    for name in sorted(FIX.keys() & set(names)):
        fixed = {of[0]: of for of in wanted.values() if of[1:] == (name, FIX[name])}
        ids = {row.id: fixed[row.name] for row in tx.execute(select(schema.device)) if row.name in fixed}
        rows = select(fix.device, fix.at, fix[name]).order_by(fix.device, fix.at, fix.content)
        found |= _grouped(tx, rows.where(fix[name].is_not(None)), fix.device, (ids, span))
    return [Point(*of, at, value) for of in sorted(found) for _, at, value in found[of]]


def _grouped(
    tx: Connection, rows: Select[*tuple[Any, ...]], key: Column[Any], of: tuple[dict[int, Series], tuple[int, int]]
) -> dict[Series, list[Any]]:
    """Rows by what their first column stands for, each group in its order; `at` or `begin` is in the span."""
    names, (since, until) = of
    columns = key.table.c
    at = columns.at if "at" in columns else columns.begin
    found: dict[Series, list[Any]] = {}
    for some in chunks(sorted(names)):
        last_ident, group = None, list[Any]()
        for row in tx.execute(rows.where(key.in_(some), at >= since, at < until)):
            ident, *_ = row
            if ident != last_ident:
                last_ident, group = ident, found.setdefault(names[ident], [])
            group.append(row)
    return found


def rollups(
    tx: Connection, names: Sequence[str] | None, devices: Sequence[str] | None, span: tuple[int, int, int]
) -> list[Rollup]:
    """`Reader.rollups`."""
    table = TABLES[span[2]][0]
    rows = select(table).order_by(table.c.series, table.c.begin)
    found = _grouped(tx, rows, table.c.series, (_series(tx, names, devices), span[:2]))
    return [Rollup(*of, *row[1:]) for of in sorted(found) for row in found[of]]


def readings(tx: Connection, devices: Sequence[str] | None, span: tuple[int, int, int]) -> list[Readings]:
    """`Reader.readings`."""
    table, device = TABLES[span[2]][1].c, schema.device.c
    rows = (
        select(device.name, table.begin, table.kind, table.readings)
        .join(schema.device, device.id == table.device)
        .where(table.begin >= span[0], table.begin < span[1])
    )
    return sorted(
        Readings(*row)
        for some in _or_all(devices)
        for row in tx.execute(rows if some is None else rows.where(device.name.in_(some)))
    )


def track(tx: Connection, span: Span, limit: int) -> list[Spot]:
    """`Reader.track`."""
    fix = schema.fix.c
    of = select(schema.device.c.id).where(schema.device.c.name == span.device).scalar_subquery()
    rows = (
        select(fix.at, fix.lat, fix.lon, fix.speed_mps)
        .where(fix.device == of, fix.at >= span.since, fix.at < span.until)
        .where(fix.lat.is_not(None), fix.lon.is_not(None))
        .order_by(fix.at.desc(), fix.content.desc())
        .limit(limit)
    )
    return [Spot(*row) for row in reversed(tx.execute(rows).all())]


def firsts(
    tx: Connection, span: Span, names: Sequence[str], width: int
) -> dict[tuple[str, str], list[tuple[int, float]]]:
    """`Reader.firsts`."""
    found: dict[tuple[str, str], list[tuple[int, float]]] = {}
    of = select(schema.device.c.id).where(schema.device.c.name == span.device).scalar_subquery()
    for ident, (_, name, unit) in sorted(_series(tx, names, [span.device]).items(), key=itemgetter(1)):
        if FIX.get(name) == unit:
            table, value = schema.fix.c, schema.fix.c[name]
            mine = and_(table.device == of, value.is_not(None))
        else:
            table, value = schema.point.c, schema.point.c.value
            mine = and_(table.series == ident)
        bins = table.at // literal_column(str(width), BigInteger)
        first = select(func.min(table.at)).where(mine, table.at >= span.since, table.at < span.until).group_by(bins)
        rows = select(table.at, func.min(value)).where(mine, table.at.in_(first)).group_by(table.at)
        if told := [(at, least) for at, least in tx.execute(rows.order_by(table.at))]:
            found[name, unit] = told
    return found


def digest(tx: Connection) -> str:
    """`Reader.digest`."""
    total = sha256()
    for query in _contents():
        for row in tx.execute(query):
            total.update(msgspec.json.encode(tuple(row)))
    return total.hexdigest()


def _contents() -> Iterator[Select[*tuple[Any, ...]]]:
    device, series, stock = schema.device.c, schema.series.c, schema.stock_point.c
    named = (device.name, series.name, series.unit)
    yield _by_device(schema.fix)
    yield _by_device(schema.position)
    for table in (schema.point, schema.latest, schema.rollup_10m, schema.rollup_1h):
        own = [each for each in table.columns if each.name != "series"]
        rows = select(*named, *own).join(schema.series, series.id == table.c.series)
        yield rows.join(schema.device, device.id == series.device).order_by(*named, own[0], own[1])
    yield _by_device(schema.readings_10m)
    yield _by_device(schema.readings_1h)
    where = (stock.at, stock.sku, stock.location)
    yield select(*where, func.sum(stock.delta)).group_by(*where).having(func.sum(stock.delta) != 0).order_by(*where)


def _by_device(table: Table) -> Select[*tuple[Any, ...]]:
    own = [each for each in table.columns if each.name != "device"]
    rows = select(schema.device.c.name, *own).join(schema.device, schema.device.c.id == table.c.device)
    return rows.order_by(schema.device.c.name, own[0], own[1])


def _series(tx: Connection, names: Sequence[str] | None, devices: Sequence[str] | None) -> dict[int, Series]:
    table, device = schema.series.c, schema.device.c
    rows = select(table.id, device.name, table.name, table.unit).join(schema.device, device.id == table.device)
    if names is not None:
        rows = rows.where(table.name.in_(sorted(set(names))))
    return {
        ident: (of, name, unit)
        for some in _or_all(devices)
        for ident, of, name, unit in tx.execute(rows if some is None else rows.where(device.name.in_(some)))
    }


def chunks(wanted: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Some at a time, as many as one statement is given."""
    for k in range(0, len(wanted), AT_ONCE):
        yield wanted[k : k + AT_ONCE]


def _or_all(wanted: Sequence[str] | None) -> Iterator[Sequence[str] | None]:
    return iter([None]) if wanted is None else chunks(wanted)
