"""Takes back without deleting: what has no successor is overwritten where it is, and reads leave it out.

A `DELETE` of InfluxDB 1.6.7 that meets the writing of its cache to disk takes series with it that it was not about. A
row with the same series and time takes the place of the one before, field by field: a figure becomes `lp.VOID`, the
count of a rollup and of readings 0, which no row otherwise has, and what a ledger entry changed 0 too.
"""

from collections.abc import Iterable, Iterator, Sequence

from backend.telemetry import influx_lines as lp
from backend.telemetry import influx_write as writing
from backend.telemetry.influx_http import Connection, Series
from backend.telemetry.influx_state import FOREVER, STOCK, TIMED, rows
from backend.telemetry.rows import FIX, Rolled

AT_ONCE = 200
PAGE = 5000
Place = tuple[str, str, str]
"""Start of a line, field, time as text."""
_VOID = repr(lp.VOID)


def without_successor(connection: Connection, rolled: Sequence[Rolled], lines: Iterable[str]) -> list[str]:
    """Lines that take back what the store has of these buckets and may be wrong, where `lines` do not overwrite it."""
    asked = [statement for each in rolled for statement in _present(each)]
    if not asked:
        return []
    taken = {(start, field.partition("=")[0], at) for start, fields, at in map(_split, lines) for field in fields}
    found: dict[tuple[str, str], list[str]] = {}
    for k in range(0, len(asked), AT_ONCE):
        for series in (each for answer in connection.ask(*asked[k : k + AT_ONCE]) for each in answer):
            for start, field, at in _places(series):
                if (start, field, at) not in taken:
                    found.setdefault((start, at), []).append(f"{field}={_nothing(field)}")
    return [f"{start} {','.join(fields)} {at}" for (start, at), fields in found.items()]


def _split(line: str) -> tuple[str, Sequence[str], str]:
    start, fields, at = line.rsplit(" ", 2)
    return start, fields.split(","), at


def _present(of: Rolled) -> Iterator[str]:
    """Statements: what the store has of a bucket that may be wrong."""
    where = (lp.one_of("device", [of.device]), lp.between(of.begin, of.begin + of.width))
    suffix = writing.SUFFIX[of.width]
    if of.anew:
        yield lp.select("count", f"{TIMED}.rollup_{suffix}", *where, tail='GROUP BY device, "name", unit')
        yield lp.select("readings", f"{TIMED}.readings_{suffix}", *where, tail="GROUP BY device, kind")
    if of.samples is not None:
        yield lp.select(", ".join(FIX), f"{TIMED}.fix", *where, tail="GROUP BY device")
        yield lp.select('"value"', f'{TIMED}."value"', *where, tail='GROUP BY device, "name", unit')


def _places(series: Series) -> Iterator[Place]:
    """Where something is that was not taken back yet."""
    start = lp.head(series.name, *[(key, lp.decode(value)) for key, value in series.tags.items()])
    for at, *told in series.values:
        for field, value in zip(series.columns[1:], told, strict=True):
            if value is not None and value != (0 if field in {"count", "readings"} else lp.VOID):
                yield start, field, str(at)


def _nothing(field: str) -> str:
    return "0i" if field in {"count", "readings"} else _VOID


def all_stock(connection: Connection) -> Iterator[list[str]]:
    """Lines that take back every stock row there is, some at a time: each part is to be written before the next."""
    since = lp.clamp(lp.EARLIEST)
    while True:
        where = ("delta != 0", f"time >= {since}")
        columns = 'delta, n, sku, "location"'
        found = connection.ask(lp.select(columns, f"{FOREVER}.{STOCK}", *where, tail=f"LIMIT {PAGE}"))[0]
        told = [row for each in found for row in rows(each)]
        if not told:
            return
        since = told[-1]["time"]
        yield [
            lp.line(
                lp.head(STOCK, ("location", lp.decode(row["location"])), ("sku", lp.decode(row["sku"]))),
                {"delta": "0i"},
                row["time"],
            )
            for row in told
        ]
