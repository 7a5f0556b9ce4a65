"""Four questions beside TSBS's: hours in a period, use on a day, visits of the depot, what is due by hours.

Each for the plain reference, for the product (from its book, with the API's functions) and for the peer, whose client
adds up what the server holds: InfluxDB has no question for what is on until it is said to be off.
"""

# ruff: noqa: S608 - the statements are ours and so are their arguments

from bisect import bisect_right
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from math import cos, hypot, radians
from typing import Any

from backend import dues, usage
from backend.api.queries import days
from backend.book import places
from backend.book.db import read
from models.maintenance.due import judge
from models.motion.meter import RUNTIME
from tests.bench.tsbs.native import Native
from tests.bench.tsbs.product import DEPOT, Filled
from tests.bench.tsbs.reference import Answer, Span
from tests.bench.tsbs.trucks import M_PER_DEGREE, Day

MINUTE_US = 60_000_000
SURE_STAY_US = 5 * MINUTE_US
"""Shorter stays, and those that hardly reach over the border, are not compared: the product asks for clear fixes."""
SURE_DEPTH_M = 500.0
DRIVEN = ("idle", "moving", "working")
DIGITS = 5
"""Hours are told to a millionth."""
Said = list[tuple[int, bool]]


def running_ms(said: Said, window: Span) -> int:
    """How long the engine was on; each says how it is until the next does."""
    total = 0
    for (at, on), (end, _) in pairwise(said):
        if on:
            total += max(0, min(end, window[1]) - max(at, window[0]))
    return total // 1000


class PlainUse:
    """The reference."""

    def __init__(self, day: Day) -> None:
        self.day = day
        self.said: dict[str, Said] = {truck.name: [] for truck in day.trucks}
        for row in sorted(day.engines()):
            self.said[day.trucks[row.truck].name].append((row.at, row.on))

    def hours(self, name: str, window: Span) -> Answer:
        return {name: running_ms(self.said[name], window)}

    def use_of_day(self, name: str) -> Answer:
        whole = (self.day.begin, self.day.end)
        return {name: round(running_ms(self.said[name], whole) / (whole[1] - whole[0]) * 1000, DIGITS)}

    def due(self, name: str) -> Answer:
        ran = running_ms(self.said[name], (self.day.begin, self.day.end))
        return {name: (ran, ran >= self.day.plan_ms)}

    def visits(self, name: str) -> Answer:
        """(first fix inside, last one, deepest m), stays that reach over an end of the day too."""
        fixes = [row for row in self.day.drives() if self.day.trucks[row.truck].name == name and row.lat is not None]
        return {name: _stays((row.at, row.lat, row.lon) for row in sorted(fixes))}


class ProductUse:
    """The product's answers."""

    def __init__(self, filled: Filled, day: Day) -> None:
        self.filled, self.day = filled, day

    def hours(self, name: str, window: Span) -> Answer:
        with read(self.filled.book) as tx:
            bounds = usage.used(tx, self.filled.register, name, RUNTIME, window)
        assert bounds is not None
        assert bounds.least == bounds.most, (name, bounds)
        return {name: bounds.least}

    def use_of_day(self, name: str) -> Answer:
        span = (self.day.begin, self.day.end)
        with read(self.filled.book) as tx:
            (found,) = days.days(tx, self.filled.register, name, span, ("UTC", self.day.end))
        hours = {what: Decimal(each) for what, each in found.hours.items()}
        assert not hours["unobserved"], (name, hours)
        return {name: round(float(sum(hours[what] for what in DRIVEN) / sum(hours.values())), DIGITS)}

    def due(self, name: str) -> Answer:
        with read(self.filled.book) as tx:
            (facts,) = dues.facts(tx, self.filled.register, [name], self.day.end)
        found = judge(facts, self.day.end)
        (measure,) = found.measures
        assert measure.used is not None
        return {name: (measure.used.least, found.state in {"due", "overdue"})}

    def visits(self, name: str) -> Answer:
        span = (self.day.begin, self.day.end)
        with read(self.filled.book) as tx:
            found = places.visits(tx, self.filled.register, name, span, self.filled.now)
        return {name: [(each.begin_at, each.end_at or self.day.end, None) for each in found]}


class NativeUse:
    """The peer's: its client adds up."""

    def __init__(self, native: Native, day: Day) -> None:
        self.native, self.day = native, day

    def _said(self, name: str, window: Span) -> Said:
        where = f""""name" = '{name}'"""
        first = f"SELECT last(running) FROM engine WHERE {where} AND time < {window[0]}u"
        rest = f"SELECT running FROM engine WHERE {where} AND time >= {window[0]}u AND time <= {window[1]}u"
        rows = [values for part in self.native.ask_all(f"{first}; {rest}") for _, values in part]
        return [(at, bool(on)) for at, on in rows] + [(window[1], False)]

    def hours(self, name: str, window: Span) -> Answer:
        return {name: running_ms(self._said(name, window), window)}

    def use_of_day(self, name: str) -> Answer:
        whole = (self.day.begin, self.day.end)
        return {name: round(running_ms(self._said(name, whole), whole) / (whole[1] - whole[0]) * 1000, DIGITS)}

    def due(self, name: str) -> Answer:
        whole = (self.day.begin, self.day.end)
        ran = running_ms(self._said(name, whole), whole)
        return {name: (ran, ran >= self.day.plan_ms)}

    def visits(self, name: str) -> Answer:
        ((rows),) = self.native.ask_all(f"""SELECT latitude, longitude FROM readings WHERE "name" = '{name}'""")
        return {name: _stays(tuple(values) for _, values in rows if values[1] is not None)}


def _stays(fixes: Iterator[tuple[Any, ...]]) -> list[tuple[int, int, float]]:
    circle = DEPOT.circle
    assert circle is not None
    found: list[tuple[int, int, float]] = []
    is_inside = False
    for at, lat, lon in fixes:
        y = (lat - circle.lat) * M_PER_DEGREE
        x = (lon - circle.lon) * M_PER_DEGREE * cos(radians(circle.lat))
        depth = circle.radius_m - hypot(x, y)
        if depth >= 0:
            begin, deepest = (found[-1][0], found[-1][2]) if is_inside else (at, depth)
            found[len(found) - is_inside :] = [(begin, at, max(deepest, depth))]
        is_inside = depth >= 0
    return found


def same_visits(plain: Answer, product: Answer) -> bool:
    """Each clear stay of the reference has its visit, to the minute; and each visit lies within stays."""
    for name, stays in plain.items():
        visits = sorted(product[name])
        begins = [begin for begin, _, _ in visits]
        for begin, end, depth in stays:
            if end - begin >= SURE_STAY_US and depth >= SURE_DEPTH_M:
                k = bisect_right(begins, begin + MINUTE_US) - 1
                if k < 0 or visits[k][1] < end - MINUTE_US:
                    return False
        for begin, end, _ in visits:
            if not any(b - MINUTE_US <= begin and end <= e + MINUTE_US for b, e, _ in stays):
                return False
    return True
