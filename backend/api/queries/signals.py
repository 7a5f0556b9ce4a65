"""What the sensors of an asset showed, as means of hours from the telemetry store."""

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from backend.hours_step import tracker_of
from backend.identities import devices_of
from backend.telemetry.schema import point, series
from models.register import Register

HOUR_US = 3_600_000_000
SIGNALS = ("gearbox_temperature", "gearbox_vibration", "oil_pressure", "engine_load")
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Trend:
    """A signal over time: (begin of the hour, mean) of the hours in which it was measured."""

    name: str
    unit: str
    points: list[tuple[int, float]]


def trends(telemetry: Connection, register: Register, asset: str, span: Span) -> list[Trend]:
    """The signals of an asset in a span, in the order of SIGNALS, whichever tracker told them; those without are out.

    A unit that changed within the span is another signal.
    """
    sums: defaultdict[tuple[str, str], defaultdict[int, list[float]]] = defaultdict(
        lambda: defaultdict(lambda: [0.0, 0])
    )
    for device in devices_of(register).get(asset, ()):
        for name, unit, hour, total, count in _hours(telemetry, device, span):
            tracker = tracker_of(register, device, max(hour, span[0]))
            if tracker is not None and tracker.asset == asset:
                of = sums[name, unit][hour]
                of[0] += total
                of[1] += count
    ordered = sorted(sums, key=lambda key: (SIGNALS.index(key[0]), key[1]))
    return [
        Trend(name, unit, [(hour, total / count) for hour, (total, count) in sorted(sums[name, unit].items())])
        for name, unit in ordered
    ]


def _hours(telemetry: Connection, device: str, span: Span) -> list[tuple[str, str, int, float, int]]:
    query = select(series.c.id, series.c.name, series.c.unit).where(
        series.c.device == device, series.c.name.in_(SIGNALS)
    )
    found: list[tuple[str, str, int, float, int]] = []
    for ident, name, unit in telemetry.execute(query):
        hour = point.c.at // HOUR_US
        sums = (
            select(hour, func.sum(point.c.value), func.count())
            .where(point.c.series == ident, point.c.at >= span[0], point.c.at < span[1])
            .group_by(hour)
        )
        found += [(name, unit, at * HOUR_US, total, count) for at, total, count in telemetry.execute(sums)]
    return found
