"""Sums of a signal by ten minutes or hours: from rollups, and of windows that are no whole buckets from the samples."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, bindparam, func, literal_column, select, union_all

from backend.telemetry import schema
from backend.telemetry.fleet_sums import Sum, capped
from backend.telemetry.rows import FIX, TEN_MINUTES

AT_ONCE = 5000
PARTS = 3
"""A window of so many ten minutes is asked for in parts."""
SMALL = 2.0**-64
"""Values are added up so much smaller, which changes no digit: PostgreSQL refuses a sum that is too large."""


def sums(tx: Connection, signal: tuple[str, str], devices: Sequence[str], window: tuple[int, int]) -> list[Sum]:
    """Of a signal (name, unit) from window[0] to before window[1], by device and ten minutes, in any order."""
    cuts = [window[0], *range(window[0] // TEN_MINUTES * TEN_MINUTES + TEN_MINUTES, window[1], TEN_MINUTES), window[1]]
    parts = len(cuts) - 1 if len(cuts) <= PARTS + 1 else 0
    given = {f"at_{k}": cut for k, cut in enumerate(cuts if parts else window)}
    statement = _of_samples(*signal, parts)
    return [
        (device, at // TEN_MINUTES * TEN_MINUTES, n, capped(small / SMALL), zeros)
        for device, at, n, small, zeros in _told(tx, statement, devices, given)
    ]


def rolled(
    tx: Connection, signal: tuple[str, str, bool], devices: Sequence[str], span: tuple[int, int, int]
) -> list[Sum]:
    """Of a signal (name, unit, only while driving) in the rollups of (since, until, width), in any order."""
    return _told(tx, _of_rollups(*signal, span[2]), devices, {"since": span[0], "until": span[1]})


def _told(tx: Connection, statement: Any, devices: Sequence[str], given: Mapping[str, int]) -> list[Any]:  # noqa: ANN401 - one that selects
    found: list[Any] = []
    for k in range(0, len(devices), AT_ONCE):
        result = tx.execute(statement, {"devices": devices[k : k + AT_ONCE], **given})
        assert result.cursor is not None  # noqa: S101 - a SELECT has one
        found += result.cursor.fetchall()  # as the driver has them: there are many
        result.close()
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
def _of_samples(name: str, unit: str, parts: int) -> Any:  # noqa: ANN401 - a statement
    """By device: at of the first value, values, sum, zeros, in each part from :at_0 on; without parts, in ten minutes.

    A part goes through the index in its order, while ten minutes are to be sorted.
    """
    device, series = schema.device.c, schema.series.c
    ids = select(device.id).where(device.name.in_(bindparam("devices", expanding=True)))
    if FIX.get(name) == unit:
        table, value, key = schema.fix.c, schema.fix.c[name], schema.fix.c.device
        whose = select(device.name).where(device.id == key)
    else:
        table, value, key = schema.point.c, schema.point.c.value, schema.point.c.series
        whose = select(device.name).join(schema.series, series.device == device.id).where(series.id == key)
        ids = select(series.id).where(series.device.in_(ids), series.name == name, series.unit == unit)
    figures = (func.min(table.at), func.count(), func.sum(value * SMALL), func.count().filter(value == 0))
    rows = select(whose.scalar_subquery(), *figures).where(key.in_(ids), value.is_not(None)).group_by(key)
    cuts = [bindparam(f"at_{k}", type_=BigInteger) for k in range((parts or 1) + 1)]
    if not parts:
        rows = rows.group_by(table.at // literal_column(str(TEN_MINUTES), BigInteger))
    return union_all(*(rows.where(table.at >= since, table.at < until) for since, until in pairwise(cuts)))
