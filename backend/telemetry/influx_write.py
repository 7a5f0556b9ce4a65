"""Lines for what the projector writes to InfluxDB.

`fix` has a row for each fix, `value` one for each other figure. Rollups and counts are rows at their bucket's begin.
`touch`, `stale` and `stale_hour` are the projector's notes: which number of which stream was last in ten minutes, which
of them wait to be rolled up, and which hours have such. What is older than `oldest` is left out: the server refuses it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from math import isfinite
from operator import itemgetter
from typing import Any

from backend.telemetry import influx_lines as lp
from backend.telemetry import slots
from backend.telemetry.columns import Columns
from backend.telemetry.influx_state import STOCK, number
from backend.telemetry.rows import FIX, HOUR, TEN_MINUTES, Bucket, Rolled, Rollup, Sample, StockRow, Stream
from backend.telemetry.slots import NS

S = 1_000_000
SUFFIX = {TEN_MINUTES: "10m", HOUR: "1h"}
FIGURES: dict[str, type] = {
    name: kind for name, kind in Rollup.__annotations__.items() if kind in {int, float} and name != "begin"
}
"""The fields of a rollup."""
_FIGURES = ",".join(f"{name}=%di" if kind is int else f"{name}=%r" for name, kind in FIGURES.items())
NEW, ANEW, DONE = "open=true", "open=true,anew=true", "open=false,anew=false"
"""Fields of `stale`; a field that is not named keeps its value."""


def samples(of: Iterable[Sample], oldest: int) -> Iterator[str]:
    """Lines of samples, each at its own place."""
    for start, fields, at, content in _rows(of, oldest):
        yield f"{start} {fields} {slots.slot(at, content)}"


def whole(of: Iterable[Sample], oldest: int) -> Iterator[str]:
    """Lines of all samples that some ten minutes have: those that have one place get one each."""
    together: defaultdict[tuple[str, int], list[tuple[int, str]]] = defaultdict(list)
    for start, fields, at, content in _rows(of, oldest):
        together[start, at].append((content, fields))
    for (start, at), alike in together.items():
        alike.sort()
        for (_, fields), when in zip(alike, slots.slots(at, [content for content, _ in alike]), strict=True):
            yield f"{start} {fields} {when}"


def _rows(of: Iterable[Sample], oldest: int) -> Iterator[tuple[str, str, int, int]]:
    """(start of the line, its fields, at, content)."""
    for device, at, content, values, columns in of:
        if at < oldest:
            continue
        is_plain = lp.VOID not in values and isfinite(sum(values))  # a sum that overflows makes it slow, not wrong
        told = values if is_plain else _harmless(values)
        for start, tags, fields, these in _lines(columns):
            yield f"{start}{_of(device)}{tags}", fields % these(told), at, content


def _harmless(values: Iterable[float]) -> tuple[float, ...]:
    """With the number next to what stands for nothing. Raises NotFinite."""
    return tuple([float(lp.number(value)) for value in values])


@lru_cache(10_000)
def _lines(columns: Columns) -> Sequence[tuple[str, str, str, Callable[[tuple[float, ...]], Any]]]:
    """(measurement, tags, template of the fields, of which values) of each line; what a fix has is in one."""
    fix = [k for k, (name, unit) in enumerate(columns.series) if FIX.get(name) == unit]
    names = [columns.series[k][0] for k in fix]
    of_fix = [("fix", "", ",".join([f"{name}=%r" for name in names]), itemgetter(*fix))] if fix else []
    others = [(k, _what(*of)) for k, of in enumerate(columns.series) if k not in fix]
    return of_fix + [("value", tags, "value=%r", itemgetter(k)) for k, tags in others]


@lru_cache(100_000)
def _of(device: str) -> str:
    return lp.head("", ("device", device))


@lru_cache(10_000)
def _what(name: str, unit: str) -> str:
    return lp.head("", ("name", name), ("unit", unit))


def touch(of: Mapping[tuple[Stream, Bucket], int], oldest: int) -> Iterator[str]:
    """Lines of the last numbers in ten minutes; the stream is in the time, so that two streams are two rows."""
    for (stream, bucket), seq in of.items():
        if bucket.begin >= oldest:
            shift, told = _stream(stream)
            yield f"touch{_of(bucket.device)} stream={told},seq={seq}i {bucket.begin * NS + shift}"


@lru_cache(10_000)
def _stream(stream: Stream) -> tuple[int, str]:
    """Where in ten minutes its row is, and its name as a field."""
    return number(stream, TEN_MINUTES * NS), lp.text(lp.encode(name(stream)))


def stale(buckets: Iterable[Bucket], fields: str, oldest: int) -> Iterator[str]:
    """Lines that say of ten minutes whether they wait to be rolled up; and which hours have such that do."""
    told = [of for of in buckets if of.begin >= oldest]
    if fields != DONE:
        yield from hours({of.begin // HOUR * HOUR for of in told}, "true")
    for of in told:
        yield f"stale{_of(of.device)} {fields} {of.begin * NS}"


def hours(begins: Iterable[int], are_open: str) -> Iterator[str]:
    """Lines that say of hours whether any of their ten minutes wait; who asks need not look through the others."""
    for begin in begins:
        yield f"stale_hour open={are_open} {begin * NS}"


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
    suffix, at, device = SUFFIX[of.width], of.begin * NS, _of(of.device)
    start = f"rollup_{suffix}{device}"
    for row in of.rollups:
        yield f"{start}{_what(row.name, row.unit)} {_figures(row[4:])} {at}"
    for kind, count in of.readings.items():
        yield f"readings_{suffix}{device}{_kind(kind)} readings={count}i {at}"


@lru_cache(10_000)
def _figures(told: tuple[float, ...]) -> str:
    """The fields of a rollup; of an hour with a single ten minutes they are the same again."""
    if not all(map(isfinite, told)):
        raise lp.NotFinite(str(told))
    return _FIGURES % tuple([each + 0 for each in told])  # -0.0 is 0.0


@lru_cache(10_000)
def _kind(kind: str) -> str:
    return lp.head("", ("kind", kind))
