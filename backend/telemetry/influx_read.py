"""What is read from the telemetry store on InfluxDB, by InfluxQL."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from backend.telemetry import influx_lines as lp
from backend.telemetry.influx_http import Connection, Series
from backend.telemetry.influx_state import FOREVER, STOCK, TIMED, rows
from backend.telemetry.influx_write import FIGURES, SUFFIX
from backend.telemetry.rows import FIX, TEN_MINUTES, Bucket, Last, Point, Readings, Rollup, Span, Spot, Stale
from backend.telemetry.slots import NS

AT_ONCE = 500
"""Devices in one statement: to look for more together takes longer than one after the other."""
_EVERYTHING = (lp.EARLIEST, lp.LATEST)


def stale(connection: Connection, limit: int, before: int) -> list[Stale]:
    """`Progress.stale`."""
    where = ("open = true", f"time < {lp.clamp(before)}")
    found = connection.ask(lp.select("open, anew, device", f"{TIMED}.stale", *where, tail=f"LIMIT {limit}"))[0]
    return [
        Stale(Bucket(lp.decode(row["device"]), row["time"] // NS), row["anew"] is True)
        for each in found
        for row in rows(each)
    ]


def touched(connection: Connection, stream: str, mark: int) -> dict[Bucket, int]:
    """The ten minutes in which a stream has numbers above a mark, with the last."""
    where = (f"stream = {lp.quoted(stream)}", f"seq > {mark}")
    found = connection.ask(lp.select("seq, stream, device", f"{TIMED}.touch", *where))[0]
    return {
        Bucket(lp.decode(row["device"]), row["time"] // NS // TEN_MINUTES * TEN_MINUTES): row["seq"]
        for each in found
        for row in rows(each)
    }


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
    where = [lp.between(*span)] + ([] if devices is None else [lp.one_of("device", devices)])
    of_fixes = [name for name in wanted if name in FIX]
    statements = [lp.select(name, f"{TIMED}.fix", *where, tail=f"GROUP BY device {tail}") for name in of_fixes]
    group = f'GROUP BY device, "name", unit {tail}'
    statements.append(lp.select('"value"', f'{TIMED}."value"', *where, lp.one_of("name", wanted), tail=group))
    answers = connection.ask(*statements)
    for name, answer in zip([*of_fixes, ""], answers, strict=True):
        for series in answer:
            device = lp.decode(series.tags["device"])
            key = (device, name or lp.decode(series.tags["name"]), FIX.get(name) or lp.decode(series.tags["unit"]))
            yield key, [(at // NS, float(value)) for at, value in series.values]


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
    where = (lp.one_of("device", [span.device]), lp.between(span.since, span.until), "lat >= -90", "lon >= -180")
    tail = f"ORDER BY time DESC LIMIT {limit}"
    found = connection.ask(lp.select("lat, lon, speed_mps", f"{TIMED}.fix", *where, tail=tail))[0]
    told = [
        Spot(at // NS, float(lat), float(lon), None if speed is None else float(speed))
        for each in found
        for at, lat, lon, speed in each.values
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
        where = [lp.between(*span[:2])]
        where += [] if some is None else [lp.one_of("device", some)]
        where += [] if names is None else [lp.one_of("name", sorted(set(names)))]
        yield from connection.ask(lp.select(columns, source, *where, tail=tail))[0]


def _rollups(series: Series) -> Iterator[Rollup]:
    device, name, unit = (lp.decode(series.tags[key]) for key in ("device", "name", "unit"))
    for at, *told in series.values:
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
    )


def digest(connection: Connection) -> str:
    """`Reader.digest`; a device at a time, as an answer is held in memory."""
    total = sha256()
    shown = connection.ask('SHOW TAG VALUES WITH KEY = "device"')[0]
    for device in sorted({lp.decode(value) for each in shown for _, value in each.values}):
        for row in _contents(connection, device):
            total.update(msgspec.json.encode(row))
    for row in _stock(connection):
        total.update(msgspec.json.encode(row))
    return total.hexdigest()


def _contents(connection: Connection, device: str) -> Iterator[Sequence[Any]]:
    where = (lp.one_of("device", [device]),)
    fixes, values = connection.ask(
        lp.select(", ".join(FIX), f"{TIMED}.fix", *where),
        lp.select('"value"', f'{TIMED}."value"', *where, tail='GROUP BY "name", unit'),
    )
    for each in fixes:
        yield from ((device, *row) for row in each.values)
    for each in sorted(values, key=lambda series: (series.tags["name"], series.tags["unit"])):
        yield from ((device, each.tags["name"], each.tags["unit"], *row) for row in each.values)
    for width in SUFFIX:
        yield from rollups(connection, None, [device], (*_EVERYTHING, width))
        yield from readings(connection, [device], (*_EVERYTHING, width))


def _stock(connection: Connection) -> Iterator[Sequence[Any]]:
    sums: defaultdict[tuple[int, str, str], int] = defaultdict(int)
    for each in connection.ask(lp.select('at, delta, sku, "location"', f"{FOREVER}.{STOCK}"))[0]:
        for row in rows(each):
            sums[row["at"], lp.decode(row["sku"]), lp.decode(row["location"])] += row["delta"]
    yield from ((*of, delta) for of, delta in sorted(sums.items()) if delta)
