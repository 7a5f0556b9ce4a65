"""The thirteen questions with their arguments, drawn from a seed: fleets, trucks and windows at random."""

from collections.abc import Iterator
from math import isclose
from random import Random
from typing import Any, NamedTuple

from tests.bench.tsbs.trucks import FLEETS, Day

MINUTE = 60_000_000
HOUR = 60 * MINUTE


class Question(NamedTuple):
    """A method of Reference, Ours and Native, under TSBS's name, and the arguments of each time that it is asked."""

    title: str
    method: str
    arguments: list[tuple[Any, ...]]


def questions(day: Day, seed: int, times: int) -> list[Question]:
    """Each with `times` draws where it has arguments to draw; windows are as long as the day allows."""
    chance = Random(seed)
    whole = (day.begin, day.end)

    def fleets() -> Iterator[str]:
        return (FLEETS[(k + seed) % len(FLEETS)] for k in range(times))

    def windows(length: int) -> Iterator[tuple[int, int]]:
        length = min(length, day.end - day.begin)
        for _ in range(times):
            since = day.begin + chance.randint(0, (day.end - day.begin - length) // 1_000_000) * 1_000_000
            yield since, since + length

    def trucks() -> list[str]:
        return chance.sample([truck.name for truck in day.trucks], min(5, len(day.trucks)))

    four, long = windows(4 * HOUR), windows(24 * HOUR)
    most = 22 if day.end - day.begin >= 4 * HOUR else 6
    return [
        Question("last-loc", "last_loc", [(fleet,) for fleet in fleets()]),
        Question("single-last-loc", "single_last_loc", [(trucks(),) for _ in range(times)]),
        Question("low-fuel", "low_fuel", [(fleet,) for fleet in fleets()]),
        Question("high-load", "high_load", [(fleet,) for fleet in fleets()]),
        Question("stationary-trucks", "stationary", [*zip(fleets(), windows(10 * MINUTE), strict=True)]),
        Question("long-driving-sessions", "long_driving", [(f, w, most) for f, w in zip(fleets(), four, strict=True)]),
        Question("long-daily-sessions", "long_driving", [(f, w, 60) for f, w in zip(fleets(), long, strict=True)]),
        Question("avg-vs-projected-fuel-consumption", "fuel_while_driving", [()]),
        Question("avg-daily-driving-duration", "daily_driving", [(whole,)]),
        Question("avg-daily-driving-session", "daily_sessions", [(whole,)]),
        Question("avg-load", "average_load", [()]),
        Question("daily-activity", "daily_activity", [(whole,)]),
        Question("breakdown-frequency", "breakdowns", [(whole,)]),
    ]


def same(left: Any, right: Any) -> bool:
    """Equal; fractions but for the order in which they were added up."""
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, tuple):
        return len(left) == len(right) and all(map(same, left, right))
    return isclose(left, right, rel_tol=1e-9) if isinstance(left, float) else bool(left == right)
