"""What the sensors of an asset showed, as means of hours from the telemetry store."""

from collections import defaultdict
from dataclasses import dataclass

from backend.telemetry.assets import spans
from backend.telemetry.rollup import total
from backend.telemetry.rows import HOUR, Rollup
from backend.telemetry.store import Reader
from models.register import Register

SIGNALS = ("gearbox_temperature", "gearbox_vibration", "oil_pressure", "engine_load")
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Trend:
    """A signal over time: (begin of the hour, mean) of the hours in which it was measured."""

    name: str
    unit: str
    points: list[tuple[int, float]]


def trends(store: Reader, register: Register, asset: str, span: Span) -> list[Trend]:
    """The signals of an asset in a span, in the order of SIGNALS, whichever tracker told them; those without are out.

    Whole hours: also the one that the span begins in. An hour is of the tracker that was on the asset at its begin, or
    when the span or the tracker's time on the asset began. A unit that changed within the span is another signal.
    """
    since = span[0] // HOUR * HOUR
    hours: defaultdict[tuple[str, str], defaultdict[int, list[Rollup]]] = defaultdict(lambda: defaultdict(list))
    for device, begin, end in spans(register, asset, span[1]):
        for each in store.rollups(SIGNALS, [device], (max(since, begin // HOUR * HOUR), end, HOUR)):
            if max(each.begin, span[0]) >= begin:
                hours[each.name, each.unit][each.begin].append(each)
    ordered = sorted(hours, key=lambda key: (SIGNALS.index(key[0]), key[1]))
    return [Trend(name, unit, [*map(_mean, sorted(hours[name, unit].items()))]) for name, unit in ordered]


def _mean(hour: tuple[int, list[Rollup]]) -> tuple[int, float]:
    begin, rows = hour
    return begin, total([each.total for each in rows]) / sum(each.count for each in rows)
