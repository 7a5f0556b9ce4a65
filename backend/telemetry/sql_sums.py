"""Sums of a signal by ten minutes or hours: from rollups, and of windows that are no whole buckets from the samples."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, bindparam, case, func, literal_column, select

from backend.telemetry import schema
from backend.telemetry.fleet_sums import Sum, capped
from backend.telemetry.rows import FIX, TEN_MINUTES

AT_ONCE = 5000
SMALL = 2.0**-64
"""Values are added up so much smaller, which changes no digit: PostgreSQL refuses a sum that is too large."""


def sums(tx: Connection, signal: tuple[str, str], devices: Sequence[str], window: tuple[int, int]) -> list[Sum]:
    """Of a signal (name, unit) from window[0] to before window[1], by device and ten minutes, in any order."""
    return [
        (device, bucket * TEN_MINUTES, n, capped(small / SMALL), zeros)
        for device, bucket, n, small, zeros in _told(tx, _of_samples(*signal), devices, window)
    ]


def rolled(
    tx: Connection, signal: tuple[str, str, bool], devices: Sequence[str], span: tuple[int, int, int]
) -> list[Sum]:
    """Of a signal (name, unit, only while driving) in the rollups of (since, until, width), in any order."""
    return _told(tx, _of_rollups(*signal, span[2]), devices, span[:2])


def _told(
    tx: Connection, statement: Select[*tuple[Any, ...]], devices: Sequence[str], window: tuple[int, int]
) -> list[Any]:
    found: list[Any] = []
    for k in range(0, len(devices), AT_ONCE):
        given = {"devices": devices[k : k + AT_ONCE], "since": window[0], "until": window[1]}
        found += tx.execute(statement, given).all()
    return found


@lru_cache(maxsize=256)
def _of_rollups(name: str, unit: str, driving: bool, width: int) -> Select[*tuple[Any, ...]]:  # noqa: FBT001 - a key
    device, series = schema.device.c, schema.series.c
    table = (schema.rollup_10m if width == TEN_MINUTES else schema.rollup_1h).c
    figures = (
        (table.moving, table.moving_total, literal_column("0", BigInteger))
        if driving
        else (table["count"], table.total, table.zeros)
    )
    rows = (
        select(device.name, table.begin, *figures)
        .join(schema.series, series.device == device.id)
        .join(table.begin.table, table.series == series.id)
        .where(series.name == name, series.unit == unit, device.name.in_(bindparam("devices", expanding=True)))
        .where(table.begin >= bindparam("since", type_=BigInteger), table.begin < bindparam("until", type_=BigInteger))
    )
    return rows.where(table.moving > 0) if driving else rows


@lru_cache(maxsize=256)
def _of_samples(name: str, unit: str) -> Select[*tuple[Any, ...]]:
    device, series = schema.device.c, schema.series.c
    if FIX.get(name) == unit:
        table, value = schema.fix.c, schema.fix.c[name]
        told = select(device.name).join(schema.fix, table.device == device.id).where(value.is_not(None))
    else:
        table, value = schema.point.c, schema.point.c.value
        told = select(device.name).join(schema.series, series.device == device.id)
        told = told.join(schema.point, table.series == series.id).where(series.name == name, series.unit == unit)
    bucket = (table.at // literal_column(str(TEN_MINUTES), BigInteger)).label("bucket")
    zeros = func.sum(case((value == 0, 1), else_=0))
    return (
        told.add_columns(bucket, func.count(), func.sum(value * SMALL), zeros)
        .where(device.name.in_(bindparam("devices", expanding=True)))
        .where(table.at >= bindparam("since", type_=BigInteger), table.at < bindparam("until", type_=BigInteger))
        .group_by(device.name, bucket)
    )
