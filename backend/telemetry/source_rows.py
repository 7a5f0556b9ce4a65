"""What reads of the journal have in common: rows as the driver has them, devices by number, which readings repeat."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, cast

from sqlalchemy import BigInteger, Connection, Select, bindparam, case, exists, literal_column, or_, select

from backend.book.schema import device, gateway, journal
from backend.telemetry.measured import KINDS
from backend.telemetry.rows import TEN_MINUTES

ROWS_A_FETCH = 5000
NAMES_A_FETCH = 1000


def fetch(
    tx: Connection, statement: Select[*tuple[Any, ...]], parameters: Mapping[str, Any]
) -> Sequence[tuple[Any, ...]]:
    """All rows, as the driver has them: numbers, texts and bytes."""
    result = tx.execute(statement, parameters)
    assert result.cursor is not None  # noqa: S101 - a SELECT has one
    found: Sequence[tuple[Any, ...]] = result.cursor.fetchall()
    result.close()
    return found


def one_by_one(
    tx: Connection, statement: Select[*tuple[Any, ...]], parameters: Mapping[str, Any]
) -> Iterator[Sequence[Any]]:
    """The same, one after the other: a row that is let go before the next leaves it its place near the CPU."""
    if tx.dialect.name != "sqlite":  # PostgreSQL holds the others back only if SQLAlchemy reads them
        parts = tx.execute(statement, parameters, execution_options={"yield_per": ROWS_A_FETCH}).partitions()
        yield from chain.from_iterable(parts)
        return
    result = tx.execute(statement, parameters)
    yield from cast("Iterator[tuple[Any, ...]]", result.cursor)
    result.close()


def begin_of(at: int) -> int:
    """When the ten minutes begin that a time is in."""
    return at // TEN_MINUTES * TEN_MINUTES


def names_of(tx: Connection, ids: Iterable[int]) -> dict[int, str]:
    """Devices by number: `gateway/name`, or the name alone where it is global."""
    return dict(_names(tx, _BY_ID, sorted(ids)))


def names_from(tx: Connection, first: int) -> dict[int, str]:
    """Some devices from this number on: what was met together has numbers that follow each other."""
    return dict(_named(fetch(tx, _FROM, {"first": first})))


def ids_of(tx: Connection, names: Iterable[str]) -> dict[str, int]:
    """Devices by name, those that the book knows."""
    wanted = set(names)
    alone = sorted({name.partition("/")[2] for name in wanted} | wanted)
    return {name: ident for ident, name in _names(tx, _BY_NAME, alone) if name in wanted}


def _names(tx: Connection, statement: Select[*tuple[Any, ...]], wanted: Sequence[Any]) -> Iterator[tuple[int, str]]:
    for k in range(0, len(wanted), ROWS_A_FETCH):
        yield from _named(fetch(tx, statement, {"wanted": wanted[k : k + ROWS_A_FETCH]}))


def _named(rows: Iterable[Sequence[Any]]) -> Iterator[tuple[int, str]]:
    return ((ident, name if owner is None else f"{owner}/{name}") for ident, name, owner in rows)


_NAMES = select(device.c.id, device.c.name, gateway.c.name).outerjoin(gateway, gateway.c.id == device.c.gateway_id)
_BY_ID, _BY_NAME = (
    _NAMES.where(each.in_(bindparam("wanted", expanding=True))) for each in (device.c.id, device.c.name)
)
_FROM = _NAMES.where(device.c.id >= bindparam("first")).order_by(device.c.id).limit(NAMES_A_FETCH)
_KINDS = journal.c.kind.in_([literal_column(f"'{kind}'") for kind in KINDS])
FIGURES = case((_KINDS, journal.c.body)).label("body")
"""The reading, if it may have figures."""
_MORE = journal.alias()
IS_TWICE = exists(literal_column("1")).where(
    _MORE.c.content == journal.c.content,
    or_(_MORE.c.stream_id != journal.c.stream_id, _MORE.c.seq != journal.c.seq),
)
"""There is another of the content: told by the index alone (with `*` SQLite reads the row), and almost never so."""
_TEN = literal_column(str(TEN_MINUTES), BigInteger)
BEGIN = journal.c.at - (journal.c.at % _TEN + _TEN) % _TEN
"""Also before 1970, where SQL's remainder is negative."""
