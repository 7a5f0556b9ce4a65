"""Many rows by one statement that was compiled once, and no work of SQLAlchemy's for each row.

On SQLite they go to the driver as they are; on PostgreSQL as one array for each column, which is one message to the
server. Of rows that are to go over others no two may have one key.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.sql.dml import Insert

SQLITE = sqlite.dialect()
POSTGRESQL = psycopg.dialect()  # type: ignore[no-untyped-call]
_VALUES = re.compile(r"VALUES \(((?:%\(\w+\)s(?:::\w+)?(?:, )?)+)\)")
_PARAMETER = re.compile(r"%\((\w+)\)s(?:::\w+)?")
Values = Sequence[Any]


def write_rows(tx: Connection, statement: Insert, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all have the same columns; values are what the driver takes: numbers, text, bytes, None."""
    if not rows:
        return
    if tx.dialect.name != SQLITE.name:
        columns = tuple(rows[0])
        tx.exec_driver_sql(_of_arrays(statement, columns), {name: [row[name] for row in rows] for name in columns})
        return
    text, names = _compiled(statement, tuple(rows[0]))
    tx.exec_driver_sql(text, [tuple([row[name] for name in names]) for row in rows])


def write_values(tx: Connection, statement: Insert, columns: tuple[str, ...], rows: Sequence[Values]) -> None:
    """The same of rows that are tuples, in the order of `columns`."""
    if not rows:
        return
    if tx.dialect.name != SQLITE.name:
        arrays = (list(each) for each in zip(*rows, strict=True))
        tx.exec_driver_sql(_of_arrays(statement, columns), dict(zip(columns, arrays, strict=True)))
        return
    text, names = _compiled(statement, columns)
    if names != columns:
        write_rows(tx, statement, [dict(zip(columns, row, strict=True)) for row in rows])
        return
    tx.exec_driver_sql(text, list(rows))


@lru_cache(maxsize=256)
def _compiled(statement: Insert, columns: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The text for SQLite, and which columns its parameters are, in their order."""
    compiled = statement.compile(dialect=SQLITE, column_keys=list(columns))
    return str(compiled), tuple(compiled.positiontup or ())


@lru_cache(maxsize=256)
def _of_arrays(statement: Insert, columns: tuple[str, ...]) -> str:
    """The text for PostgreSQL, whose parameters are the columns as arrays of their types."""
    of = {name: statement.table.c[name].type.compile(dialect=POSTGRESQL) for name in columns}
    types = {name: each.partition("(")[0] for name, each in of.items()}  # a cast to a length would cut in silence
    text = str(statement.compile(dialect=POSTGRESQL, column_keys=list(columns)))

    def unnested(values: re.Match[str]) -> str:
        arrays = _PARAMETER.sub(lambda each: f"{each[0].partition('::')[0]}::{types[each[1]]}[]", values[1])
        return f"SELECT * FROM unnest({arrays})"  # noqa: S608 - columns of our own

    return _VALUES.sub(unnested, text)
