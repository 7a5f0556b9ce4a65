"""What is newest in the SQL telemetry store: of each series its value, of each device its position, a row each.

They are written with what they are copied from, in its transaction: what comes late takes the place of nothing newer,
and where something is taken back the newest of what is left is looked for. Whose they are says the dated register when
it is asked, so that nothing is to be done here when a tracker comes to another asset.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, bindparam, delete, func, select

from backend.telemetry import schema
from backend.telemetry.rows import FIX, Rolled
from backend.telemetry.sql_rows import NEWEST, put, upsert_from

LAT, LON, SPEED = (3 + [*FIX].index(name) for name in ("lat", "lon", "speed_mps"))
"""Where these are in a row of a fix."""


def raise_latest(tx: Connection, fixes: Iterable[Sequence[Any]], points: Iterable[tuple[Any, ...]]) -> None:
    """Take rows of fixes and points for the newest, those that are."""
    put(tx, schema.latest, [*_newest_of(points)])
    whole = (row for row in fixes if row[LAT] is not None and row[LON] is not None)
    put(tx, schema.position, [(*row[:3], row[LAT], row[LON], row[SPEED]) for row in _newest_of(whole)])


def _newest_of(rows: Iterable[Sequence[Any]]) -> Iterable[Sequence[Any]]:
    """Of rows that begin with whose they are, at and content."""
    found: dict[int, Sequence[Any]] = {}
    for row in rows:
        there = found.get(row[0])
        if there is None or row[1] > there[1] or (row[1] == there[1] and row[2] > there[2]):
            found[row[0]] = row
    return found.values()


def take_back(tx: Connection, device: int, of: Rolled) -> None:
    """Forget what is newest in ten minutes that are written anew, until `find_again`."""
    mine = select(schema.series.c.id).where(schema.series.c.device == device)
    for table, ours in zip(NEWEST, (schema.latest.c.series.in_(mine), schema.position.c.device == device), strict=True):
        tx.execute(delete(table).where(ours, table.c.at >= of.begin, table.c.at < of.begin + of.width))


def find_again(tx: Connection, devices: Iterable[int]) -> None:
    """Look for what is newest of these devices."""
    for ident in sorted(devices):
        for statement in _FOUND:
            tx.execute(statement, {"of_device": ident})


def forget_latest(tx: Connection, before: int) -> None:
    """What is newest and older than this is gone."""
    for table in NEWEST:
        tx.execute(delete(table).where(table.c.at < before))


def _newest(what: Column[Any], *where: Any) -> Any:  # noqa: ANN401 - conditions, a scalar subquery
    return select(func.max(what)).where(*where).scalar_subquery()


def _points() -> Any:  # noqa: ANN401 - a statement
    point, series = schema.point.c, schema.series.c
    other = schema.point.alias().c
    return (
        select(schema.point)
        .join(schema.series, series.id == point.series)
        .where(series.device == bindparam("of_device", type_=BigInteger))
        .where(point.at == _newest(other.at, other.series == series.id))
        .where(point.content == _newest(other.content, other.series == series.id, other.at == point.at))
    )


def _positions() -> Any:  # noqa: ANN401 - a statement
    fix = schema.fix.c
    whole = (fix.device == bindparam("of_device", type_=BigInteger), fix.lat.is_not(None), fix.lon.is_not(None))
    rows = select(fix.device, fix.at, fix.content, fix.lat, fix.lon, fix.speed_mps).where(*whole)
    return rows.order_by(fix.at.desc(), fix.content.desc()).limit(1)


_FOUND = (upsert_from(schema.latest, _points()), upsert_from(schema.position, _positions()))
