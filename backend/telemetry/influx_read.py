"""What is read from the telemetry store on InfluxDB, by InfluxQL."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from backend.telemetry import influx_lines as lp
from backend.telemetry.influx_http import Connection, Series
from backend.telemetry.influx_state import TIMED
from backend.telemetry.influx_write import FIGURES, SUFFIX
from backend.telemetry.rows import (
    FIX,
    Last,
    Point,
    Readings,
    Rollup,
    Seen,
    Span,
    Spot,
)
from backend.telemetry.slots import NS

AT_ONCE = 500
"""Devices in one statement: to look for more together takes longer than one after the other."""


def _between(connection: Connection, since: int, until: int) -> str:
    """A condition on the time; what was forgotten is there until the server drops a whole shard of it."""
    return lp.between(max(since, connection.forgotten), until)


def last(connection: Connection, spans: Sequence[Span], names: Sequence[str]) -> list[Last]:
    """`Reader.last`; spans of one time are one statement."""
    together: defaultdict[tuple[int, int], list[Span]] = defaultdict(list)
    for span in spans:
        together[span.since, span.until].append(span)
    found: list[Last] = []
    for (since, until), alike in together.items():
        of = {span.device: span for span in alike}
        newest = _raw(connection, names, list(of), (since, until), tail="ORDER BY time DESC LIMIT 1")
        found += [Last(of[device], name, unit, *told[0]) for (device, name, unit), told in newest]
    return found


def seen(connection: Connection, spans: Sequence[Span]) -> list[Seen]:
    """`Reader.seen`; spans of one time are one statement for some devices."""
    together: defaultdict[tuple[int, int], dict[str, Span]] = defaultdict(dict)
    for span in spans:
        together[span.since, span.until][span.device] = span
    found: list[Seen] = []
    for window, of in together.items():
        for some in _chunks([span.device for span in of.values()]):
            where = (lp.one_of("device", some or ()), _between(connection, *window), "lat >= -90", "lon >= -180")
            tail = "GROUP BY device ORDER BY time DESC LIMIT 1"
            for each in connection.read(lp.select("lat, lon, speed_mps", f"{TIMED}.fix", *where, tail=tail))[0]:
                at, lat, lon, speed = each.values[0]
                spot = Spot(at // NS, float(lat), float(lon), _value(speed))
                found.append(Seen(of[lp.decode(each.tags["device"])], spot))
    return found


def _chunks(devices: Sequence[str] | None) -> Iterator[Sequence[str] | None]:
    if devices is None:
        yield None
        return
    for k in range(0, len(devices), AT_ONCE):
        yield devices[k : k + AT_ONCE]


def _raw(
    connection: Connection, names: Iterable[str], devices: Sequence[str] | None, span: tuple[int, int], tail: str = ""
) -> Iterator[tuple[tuple[str, str, str], list[tuple[int, float]]]]:
    """By (device, name, unit): (at, value) of the samples, in the order of their times."""
    wanted = sorted(set(names))
    for some in _chunks(devices) if wanted else ():
        yield from _raw_of(connection, wanted, some, (span, tail))


def _raw_of(
    connection: Connection, wanted: Sequence[str], devices: Sequence[str] | None, of: tuple[tuple[int, int], str]
) -> Iterator[tuple[tuple[str, str, str], list[tuple[int, float]]]]:
    span, tail = of
    where = [_between(connection, *span)] + ([] if devices is None else [lp.one_of("device", devices)])
    of_fixes = [name for name in wanted if name in FIX]
    statements = [
        lp.select(name, f"{TIMED}.fix", *where, *_is_one(name, tail), tail=f"GROUP BY device {tail}")
        for name in of_fixes
    ]
    where += [lp.one_of("name", wanted), *_is_one('"value"', tail)]
    statements.append(lp.select('"value"', f'{TIMED}."value"', *where, tail=f'GROUP BY device, "name", unit {tail}'))
    answers = connection.read(*statements)
    for name, answer in zip([*of_fixes, ""], answers, strict=True):
        for series in answer:
            device = lp.decode(series.tags["device"])
            key = (device, name or lp.decode(series.tags["name"]), FIX.get(name) or lp.decode(series.tags["unit"]))
            if told := [(at // NS, float(value)) for at, value in series.values if value != lp.VOID]:
                yield key, told


def _is_one(field: str, tail: str) -> list[str]:
    """Where only some rows are asked for, these are to be values; else what is none is left out here."""
    return [f"{field} {lp.IS_VALUE}"] if tail else []


def _value(told: Any) -> float | None:  # noqa: ANN401 - as JSON has it
    return None if told is None or told == lp.VOID else float(told)


def points(
    connection: Connection, names: Sequence[str], devices: Sequence[str] | None, span: tuple[int, int]
) -> list[Point]:
    """`Reader.points`."""
    return [Point(*of, *one) for of, told in sorted(_raw(connection, names, devices, span)) for one in told]


def firsts(
    connection: Connection, span: Span, names: Sequence[str], width: int
) -> dict[tuple[str, str], list[tuple[int, float]]]:
    """`Reader.firsts`; InfluxQL's own `first` by time says the bucket's time, not the value's."""
    found: dict[tuple[str, str], list[tuple[int, float]]] = {}
    for (_, name, unit), told in sorted(_raw(connection, names, [span.device], (span.since, span.until))):
        first: dict[int, tuple[int, float]] = {}
        for at, value in told:
            have = first.setdefault(at // width, (at, value))
            if have[0] == at and value < have[1]:
                first[at // width] = (at, value)
        found[name, unit] = list(first.values())
    return found


def track(connection: Connection, span: Span, limit: int) -> list[Spot]:
    """`Reader.track`."""
    where = (
        lp.one_of("device", [span.device]),
        _between(connection, span.since, span.until),
        "lat >= -90",
        "lon >= -180",
    )
    tail = f"ORDER BY time DESC LIMIT {limit}"
    found = connection.read(lp.select("lat, lon, speed_mps", f"{TIMED}.fix", *where, tail=tail))[0]
    told = [
        Spot(at // NS, float(lat), float(lon), _value(speed)) for each in found for at, lat, lon, speed in each.values
    ]
    return told[::-1]


def rollups(
    connection: Connection, names: Sequence[str] | None, devices: Sequence[str] | None, span: tuple[int, int, int]
) -> list[Rollup]:
    """`Reader.rollups`."""
    source, columns = f"{TIMED}.rollup_{SUFFIX[span[2]]}", ", ".join(f'"{each}"' for each in FIGURES)
    found = _asked(connection, (columns, source, 'GROUP BY device, "name", unit'), span, (devices, names))
    return sorted(each for series in found for each in _rollups(series))


def _asked(
    connection: Connection,
    what: tuple[str, str, str],
    span: tuple[int, int, int],
    of: tuple[Sequence[str] | None, Sequence[str] | None],
) -> Iterator[Series]:
    """What a (select, source, tail) answers of (devices, names)."""
    (columns, source, tail), (devices, names) = what, of
    for some in _chunks(devices) if names is None or names else ():
        where = [_between(connection, *span[:2])]
        where += [] if some is None else [lp.one_of("device", some)]
        where += [] if names is None else [lp.one_of("name", sorted(set(names)))]
        yield from connection.read(lp.select(columns, source, *where, tail=tail))[0]


def _rollups(series: Series) -> Iterator[Rollup]:
    device, name, unit = (lp.decode(series.tags[key]) for key in ("device", "name", "unit"))
    for at, count, *more in series.values:
        if not count:
            continue
        told = (count, *more)
        figures: dict[str, Any] = {key: kind(value) for (key, kind), value in zip(FIGURES.items(), told, strict=True)}
        yield Rollup(device, name, unit, at // NS, **figures)


def readings(connection: Connection, devices: Sequence[str] | None, span: tuple[int, int, int]) -> list[Readings]:
    """`Reader.readings`."""
    what = ("readings", f"{TIMED}.readings_{SUFFIX[span[2]]}", "GROUP BY device, kind")
    found = _asked(connection, what, span, (devices, None))
    return sorted(
        Readings(lp.decode(each.tags["device"]), at // NS, lp.decode(each.tags["kind"]), count)
        for each in found
        for at, count in each.values
        if count
    )
