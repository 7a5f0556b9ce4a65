"""The last before a time in the SQL telemetry store: what is newest of all is a row of its own, else it is looked for.

What is looked for is a place in an index each, however much there is.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, ScalarSelect, Select, and_, bindparam, not_, select

from backend.telemetry import schema
from backend.telemetry.rows import FIX, Last, Seen, Span, Spot
from backend.telemetry.sql_read import chunks, track

Statement = Select[*tuple[Any, ...]]


def last(tx: Connection, spans: Sequence[Span], names: Sequence[str]) -> list[Last]:
    """`Reader.last`: what is the newest before `until` and older than `since` is nothing."""
    wanted = tuple(sorted(set(names)))
    points, fixes = _before(wanted)
    found: dict[tuple[Span, str, str], Last] = {}
    later: dict[Span, None] = {}
    mine = _by_device(spans)
    for device, name, unit, at, value in _told(tx, _latest(wanted), mine):
        for span in mine[device]:
            if at >= span.until:
                later[span] = None
            elif at >= span.since:
                found[span, name, unit] = Last(span, name, unit, at, value)
    for each in (*_looked_for(tx, points, [*later]), *_looked_for(tx, fixes, spans)):
        found[each[:3]] = each
    return [*found.values()]


def seen(tx: Connection, spans: Sequence[Span]) -> list[Seen]:
    """`Reader.seen`."""
    found: list[Seen] = []
    mine = _by_device(spans)
    for device, *told in _told(tx, _POSITIONS, mine):
        for span in mine[device]:
            spot = Spot(*told)
            if spot.at >= span.until:
                found += [Seen(span, each) for each in track(tx, span, 1)]
            elif spot.at >= span.since:
                found.append(Seen(span, spot))
    return found


def _by_device(spans: Sequence[Span]) -> dict[str, list[Span]]:
    found: dict[str, list[Span]] = {}
    for span in spans:
        found.setdefault(span.device, []).append(span)
    return found


def _told(tx: Connection, statement: Statement, devices: dict[str, list[Span]], **given: int) -> Iterator[Any]:
    for some in chunks(sorted(devices)):
        yield from tx.execute(statement, {"devices": some, **given})


def _looked_for(tx: Connection, statements: Sequence[Statement], spans: Sequence[Span]) -> Iterator[Last]:
    """The newest of each series before the end of each span."""
    by_until: dict[int, list[Span]] = {}
    for span in spans if statements else ():
        by_until.setdefault(span.until, []).append(span)
    for until, alike in by_until.items():
        mine = _by_device(alike)
        for statement in statements:
            for device, name, unit, at, value in _told(tx, statement, mine, until=until):
                if at is not None:
                    yield from (Last(of, name, unit, at, value) for of in mine[device] if at >= of.since)


def _series_of(names: Sequence[str]) -> Statement:
    device, series = schema.device.c, schema.series.c
    return (
        select(device.name, series.name.label("of"), series.unit)
        .join(schema.series, series.device == device.id)
        .where(device.name.in_(bindparam("devices", expanding=True)), series.name.in_(names))
    )


@lru_cache(maxsize=256)
def _latest(names: tuple[str, ...]) -> Statement:
    """Of each series of :devices the newest of all; those of fixes have none."""
    latest = schema.latest.c
    told = _series_of(names).add_columns(latest.at, latest.value)
    return told.join(schema.latest, latest.series == schema.series.c.id)


@lru_cache(maxsize=256)
def _before(names: tuple[str, ...]) -> tuple[list[Statement], list[Statement]]:
    """Of each series of :devices the newest before :until: (of points, of fixes)."""
    device, series, fix, point = schema.device.c, schema.series.c, schema.fix.c, schema.point.c

    def newest(what: Column[Any], *of: Any) -> ScalarSelect[Any]:  # noqa: ANN401 - conditions
        table = what.table.c
        within = (*of, table.at < bindparam("until", type_=BigInteger))
        return select(what).where(*within).order_by(table.at.desc(), table.content.desc()).limit(1).scalar_subquery()

    told = _series_of(names)
    of_fixes = {name: and_(series.name == name, series.unit == unit) for name, unit in FIX.items() if name in names}
    fixes: list[Statement] = []
    for name, is_it in of_fixes.items():
        of = (fix.device == device.id, fix[name].is_not(None))
        fixes.append(told.add_columns(newest(fix.at, *of), newest(fix[name], *of)).where(is_it))
    mine = point.series == series.id
    others = told.add_columns(newest(point.at, mine), newest(point.value, mine))
    return [others.where(*map(not_, of_fixes.values()))], fixes


_POSITIONS = (
    select(schema.device.c.name, *(schema.position.c[name] for name in ("at", "lat", "lon", "speed_mps")))
    .join(schema.position, schema.position.c.device == schema.device.c.id)
    .where(schema.device.c.name.in_(bindparam("devices", expanding=True)))
)
