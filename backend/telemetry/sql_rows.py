"""How rows get into the SQL telemetry store: many by one statement, devices and series by their numbers."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ARRAY, Connection, Select, Table, bindparam, func, select, tuple_
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.dialects.postgresql import insert as upsert

from backend.book.bulk import write_values
from backend.telemetry import schema
from backend.telemetry.rows import HOUR, TEN_MINUTES

AT_ONCE = 5000
Series = tuple[str, str, str]
"""(device, name, unit)."""
TABLES = {
    TEN_MINUTES: (schema.rollup_10m, schema.readings_10m),
    HOUR: (schema.rollup_1h, schema.readings_1h),
}
"""Rollups and counts by their width."""
ADDED = (schema.fix, schema.point, schema.stale)
"""Rows that are there stay as they are; those of the other tables are written over."""
OVER = (schema.touch, *TABLES[TEN_MINUTES], *TABLES[HOUR])
NEWEST = (schema.latest, schema.position)
"""Rows that are there are written over by what is newer."""


def _upsert(table: Table, *, arrays: bool) -> Insert:
    """How rows of all columns are written; `arrays`: each column as one array."""
    statement = upsert(table)
    if arrays:
        columns = [func.unnest(bindparam(each.name, type_=ARRAY(each.type))) for each in table.columns]
        statement = statement.from_select([*table.columns.keys()], select(*columns))
    return _over(table, statement)


def upsert_from(table: Table, rows: Select[*tuple[Any, ...]]) -> Insert:
    """How what a statement finds is written, all columns."""
    return _over(table, upsert(table).from_select([*table.columns.keys()], rows))


def _over(table: Table, statement: Insert) -> Insert:
    if table in ADDED:
        return statement.on_conflict_do_nothing()
    key = [column.name for column in table.primary_key.columns]
    changed = {name: statement.excluded[name] for name in table.columns.keys() if name not in key}  # noqa: SIM118
    if table not in NEWEST:
        return statement.on_conflict_do_update(index_elements=key, set_=changed)
    said = statement.excluded
    newer = tuple_(said.at, said.content) > tuple_(table.c.at, table.c.content)
    return statement.on_conflict_do_update(index_elements=key, set_=changed, where=newer)


_ROWS = {table: _upsert(table, arrays=False) for table in (*ADDED, *OVER, *NEWEST)}
_ARRAYS = {table: _upsert(table, arrays=True) for table in (*ADDED, *OVER, *NEWEST)}


def put(tx: Connection, table: Table, rows: Sequence[Sequence[Any]]) -> None:
    """Write rows of all columns; no two of one key where they are written over."""
    names = tuple(table.columns.keys())
    if rows and tx.dialect.name == "postgresql":  # a row at a time costs it four times as much
        tx.execute(_ARRAYS[table], dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
    else:
        write_values(tx, _ROWS[table], names, rows)


class Known:
    """The numbers of devices and series, kept in memory for as long as the store lives this life.

    A store of this life that has fewer is an older one (a copy, or the server lost its last commits): it is asked anew.
    A transaction begins with `check`.
    """

    def __init__(self) -> None:
        self._life: str = ""
        self._devices: dict[str, int] = {}
        self._series: dict[Series, int] = {}
        self._most = (0, 0)

    def devices(self, tx: Connection, names: Iterable[str]) -> dict[str, int]:
        """Those of devices, which are numbered if they are new."""
        if new := sorted(set(names) - self._devices.keys()):
            tx.execute(upsert(schema.device).on_conflict_do_nothing(), [{"name": name} for name in new])
            for k in range(0, len(new), AT_ONCE):
                found = select(schema.device).where(schema.device.c.name.in_(new[k : k + AT_ONCE]))
                self._devices |= {row.name: row.id for row in tx.execute(found)}
            self._most = (max(self._devices.values(), default=0), self._most[1])
        return self._devices

    def series(self, tx: Connection, wanted: Iterable[Series]) -> dict[Series, int]:
        """Those of series, which are numbered if they are new."""
        if new := sorted(set(wanted) - self._series.keys()):
            ids = self.devices(tx, {device for device, _, _ in new})
            rows = [{"device": ids[device], "name": name, "unit": unit} for device, name, unit in new]
            tx.execute(upsert(schema.series).on_conflict_do_nothing(), rows)
            owners = {ids[device]: device for device, _, _ in new}
            numbers = sorted(owners)
            for k in range(0, len(numbers), AT_ONCE):
                found = select(schema.series).where(schema.series.c.device.in_(numbers[k : k + AT_ONCE]))
                self._series |= {(owners[row.device], row.name, row.unit): row.id for row in tx.execute(found)}
            self._most = (self._most[0], max(self._series.values(), default=0))
        return self._series

    def forget(self) -> None:
        """A transaction was not committed: what it numbered may be numbered otherwise."""
        self._life = ""

    def check(self, tx: Connection) -> None:
        """Forget what this store does not know."""
        life = str(tx.scalar(select(schema.about.c.life)) or "")
        if life != self._life or _most(tx, schema.device) < self._most[0] or _most(tx, schema.series) < self._most[1]:
            self._life, self._devices, self._series, self._most = life, {}, {}, (0, 0)


def _most(tx: Connection, table: Table) -> int:
    return tx.scalar(select(func.max(table.c.id))) or 0
