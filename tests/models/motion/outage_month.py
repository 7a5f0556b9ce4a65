"""A month of one machine as it was, what its tracker says of it, and what of that is lost; by a seed.

Nothing here is taken from models.motion: the truth, and what could not be observed, are worked out anew.
"""

import random
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

SECOND, MINUTE, HOUR, DAY = 1_000_000, 60_000_000, 3_600_000_000, 86_400_000_000
START, DAYS = 20_000 * DAY, 30
END = START + DAYS * DAY
ON_EVERY_S, OFF_EVERY_S = 120, 3600
"""The tracker reports each change at once, and at least so often while the engine is on, and while it is off."""
MM_PER_MS = 5
WIDTH_MM = 10_000_000_000
INPUTS = ("ignition", "hoist", "pto")
Span = tuple[int, int]


@dataclass(frozen=True)
class Record:
    """What the tracker says at a moment; counters in milliseconds and millimetres."""

    at: int
    on: dict[str, bool]
    counters: dict[str, int]


@dataclass
class Month:
    """When each input was on, when the hours counter was reset and replaced, and every record in order."""

    on: dict[str, list[Span]]
    reset_at: int
    replaced_at: int
    replaced_by: int
    odometer: int
    records: list[Record] = field(default_factory=list[Record])

    def ran_ms(self, span: Span = (START, END), name: str = "ignition") -> int:
        """The truth: how long an input was on."""
        return sum(max(0, min(end, span[1]) - max(begin, span[0])) for begin, end in self.on[name]) // 1000

    @cached_property
    def _ran_before(self) -> tuple[list[int], list[int]]:
        """By begin of each run: how long it ran before, ms."""
        sums = [0]
        for begin, end in self.on["ignition"]:
            sums.append(sums[-1] + (end - begin) // 1000)
        return [begin for begin, _ in self.on["ignition"]], sums

    def _ran_to(self, at: int) -> int:
        begins, sums = self._ran_before
        number = bisect_right(begins, at) - 1
        if number < 0:
            return 0
        return sums[number] + (min(at, self.on["ignition"][number][1]) - begins[number]) // 1000

    def counters(self, at: int) -> dict[str, int]:
        """What the counters show at a moment."""
        ran = self._ran_to(at)
        hours = 4810 * 3_600_000 + ran
        if at >= self.reset_at:
            hours = ran - self._ran_to(self.reset_at)
        if at >= self.replaced_at:
            hours = self.replaced_by + ran - self._ran_to(self.replaced_at)
        driven = ran * MM_PER_MS
        return {
            "engine_hours": hours,
            "odometer": (self.odometer + driven) % WIDTH_MM,
            "tracker_odometer": 77_000_000 + driven,
        }


def month(chance: random.Random, on_every_s: int = ON_EVERY_S) -> Month:
    """A machine that is used by day, and works with hoist and power take-off; its odometer rolls over once."""
    on: dict[str, list[Span]] = {name: [] for name in INPUTS}
    for day in range(DAYS):
        at = START + day * DAY + 6 * HOUR + _ms(chance, HOUR)
        while at < START + day * DAY + 18 * HOUR:
            until = at + MINUTE + _ms(chance, 2 * HOUR)
            on["ignition"].append((at, until))
            for name in INPUTS[1:]:
                on[name] += _parts(chance, (at, until))
            at = until + MINUTE + _ms(chance, 3 * HOUR)
    made = Month(
        on,
        reset_at=START + 5 * DAY + _ms(chance, 7 * DAY),
        replaced_at=START + 15 * DAY + _ms(chance, 10 * DAY),
        replaced_by=chance.randrange(10_000, 20_000) * 3_600_000,
        odometer=WIDTH_MM - chance.randrange(10_000_000, 2_000_000_000),
    )
    made.records = [Record(at, said, made.counters(at)) for at, said in _reports(made, chance, on_every_s)]
    return made


def _ms(chance: random.Random, below: int) -> int:
    """Up to `below` microseconds, in whole milliseconds."""
    return chance.randrange(1, below // 1000) * 1000


def _parts(chance: random.Random, run: Span) -> list[Span]:
    """Some pieces of a run; they may reach to its end."""
    cuts = sorted(run[0] + _ms(chance, run[1] - run[0]) for _ in range(2 * chance.randrange(3)))
    pieces = [(begin, end) for begin, end in zip(cuts[::2], cuts[1::2], strict=True) if begin < end]
    if pieces and chance.random() < 0.3:
        pieces[-1] = (pieces[-1][0], run[1])
    return [piece for number, piece in enumerate(pieces) if not number or pieces[number - 1][1] < piece[0]]


def _reports(made: Month, chance: random.Random, on_every_s: int) -> list[tuple[int, dict[str, bool]]]:
    """When records are made, and what the inputs are then."""
    changes: dict[int, dict[str, bool]] = {}
    for name, spans in made.on.items():
        for begin, end in spans:
            changes.setdefault(begin, {})[name] = True
            changes.setdefault(end, {})[name] = False
    state = dict.fromkeys(INPUTS, False)
    found: list[tuple[int, dict[str, bool]]] = []
    for at, until in pairwise([START, *sorted(changes), END]):
        state = {**state, **changes.get(at, {})}
        every = on_every_s if state["ignition"] else OFF_EVERY_S
        while at < until:
            found.append((at, state))
            at += (every - chance.randrange(every // 6)) * SECOND  # noqa: PLW2901 - the next report
    return [*found, (END, state)]


def outages(chance: random.Random, shortest: int = HOUR, number: int = 20) -> list[Span]:
    """Spans in which nothing arrives; they may overlap. The last hours are heard."""
    begins = [START + 1000 + _ms(chance, (DAYS - 1) * DAY) for _ in range(number)]
    return sorted((begin, begin + shortest + _ms(chance, 12 * HOUR - shortest)) for begin in begins)


def arrived(made: Month, lost: list[Span]) -> list[Record]:
    """The records that no outage swallowed."""
    return [each for each in made.records if not any(begin <= each.at < end for begin, end in lost)]


def silences(heard: list[Record], name: str, on_s: int, off_s: int) -> list[Span]:
    """Between which records an input was not observed: longer apart than the tracker is silent at most.

    It is in its quick rhythm while the engine is on, or the input is.
    """
    return [
        (a.at, b.at)
        for a, b in pairwise(heard)
        if b.at - a.at > (on_s if a.on["ignition"] or a.on[name] else off_s) * SECOND
    ]


def around(heard: list[Record], moment: int) -> Span:
    """The last record before a moment and the first one at or after it."""
    number = next(number for number, each in enumerate(heard) if each.at >= moment)
    return heard[number - 1].at, heard[number].at
