"""Lines for what the projector writes to InfluxDB, and the statements that take away what has no successor.

`fix` has a row for each fix, `value` one for each other figure. Rollups and counts are rows at their bucket's begin.
`touch` and `stale` are the projector's notes: which number of which stream was last in ten minutes, and which of them
wait to be rolled up. What is older than `oldest` is left out: the server would refuse it.
"""

from collections.abc import Iterable, Iterator, Mapping
from math import isfinite

from backend.telemetry import influx_lines as lp
from backend.telemetry.influx_state import STOCK, number
from backend.telemetry.rows import FIX, HOUR, TEN_MINUTES, Bucket, Rolled, Rollup, Sample, StockRow, Stream

S = 1_000_000
SAMPLES = ("fix", "value")
SUFFIX = {TEN_MINUTES: "10m", HOUR: "1h"}
FIGURES: dict[str, type] = {
    name: kind for name, kind in Rollup.__annotations__.items() if kind in {int, float} and name != "begin"
}
"""The fields of a rollup."""
NEW, ANEW, DONE = "open=true", "open=true,anew=true", "open=false,anew=false"
"""Fields of `stale`; a field that is not named keeps its value."""


def samples(of: Iterable[Sample], oldest: int) -> Iterator[str]:
    """Lines of samples."""
    for device, at, content, values in of:
        if at < oldest:
            continue
        when = lp.slot(at, content)
        fix = [f"{name}={value + 0.0!r}" for name, unit, value in values if FIX.get(name) == unit]
        if fix:
            if not all(isfinite(value) for _, _, value in values):
                raise lp.NotFinite(str(values))
            yield f"{lp.head('fix', ('device', device))} {','.join(fix)} {when}"
        if len(fix) < len(values):
            for name, unit, value in values:
                if FIX.get(name) != unit:
                    start = lp.head("value", ("device", device), ("name", name), ("unit", unit))
                    yield f"{start} value={lp.number(value)} {when}"


def touch(of: Mapping[tuple[Stream, Bucket], int], oldest: int) -> Iterator[str]:
    """Lines of the last numbers in ten minutes; the stream is in the time, so that two streams are two rows."""
    for (stream, bucket), seq in of.items():
        if bucket.begin >= oldest:
            at = bucket.begin * lp.NS + number(stream, TEN_MINUTES * lp.NS)
            fields = {"stream": lp.text(lp.encode(name(stream))), "seq": f"{seq}i"}
            yield lp.line(lp.head("touch", ("device", bucket.device)), fields, at)


def stale(buckets: Iterable[Bucket], fields: str, oldest: int) -> Iterator[str]:
    """Lines that say of ten minutes whether they wait to be rolled up."""
    for of in buckets:
        if of.begin >= oldest:
            yield f"{lp.head('stale', ('device', of.device))} {fields} {of.begin * lp.NS}"


def name(stream: Stream) -> str:
    """A stream as one text; neither of its parts has a slash."""
    return "/".join(stream)


def around(buckets: Iterable[Bucket]) -> set[Bucket]:
    """These ten minutes, and those before and after each."""
    return {Bucket(of.device, of.begin + shift) for of in buckets for shift in (-TEN_MINUTES, 0, TEN_MINUTES)}


def stock(row: StockRow) -> str:
    """To the second: what is left of the nanoseconds tells entries of one second apart."""
    start = lp.head(STOCK, ("location", row.location), ("sku", row.sku))
    fields = {"at": f"{row.at}i", "delta": f"{row.delta}i", "n": f"{row.n}i"}
    return lp.line(start, fields, row.at // S * 10**9 + row.n % 10**9)


def figures(of: Rolled) -> Iterator[str]:
    """Lines of rollups and counts."""
    suffix, at = SUFFIX[of.width], of.begin * lp.NS
    for row in of.rollups:
        told = row._asdict()
        fields = {key: f"{told[key]}i" if kind is int else lp.number(told[key]) for key, kind in FIGURES.items()}
        start = lp.head(f"rollup_{suffix}", ("device", row.device), ("name", row.name), ("unit", row.unit))
        yield lp.line(start, fields, at)
    for kind, count in of.readings.items():
        start = lp.head(f"readings_{suffix}", ("device", of.device), ("kind", kind))
        yield lp.line(start, {"readings": f"{count}i"}, at)


def removals(of: Rolled) -> Iterator[str]:
    """Statements: what the store has of this bucket and may be wrong."""
    where = (lp.one_of("device", [of.device]), lp.between(of.begin, of.begin + of.width))
    gone = [f"rollup_{SUFFIX[of.width]}", f"readings_{SUFFIX[of.width]}"] if of.anew else []
    for measurement in (*gone, *(SAMPLES if of.samples is not None else ())):
        yield lp.delete(measurement, *where)
