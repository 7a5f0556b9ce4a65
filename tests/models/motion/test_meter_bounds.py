"""Real loss: what happened is within the bounds, and they are apart by what was not observed, to the millisecond.

The assumption that carries it: the tracker reports each change at once and an unchanged state at least every
`silent_on_s` and `silent_off_s`, and a loss of records is a silence longer than that. Of a shorter loss nothing can be
known from the inputs; how much it can hide is the last test.

`STOCKYARD_SEEDS=1000 python -m pytest tests/models/motion/test_meter_bounds.py` tries 1,000 months; without it 8.
"""

import os
import random

import pytest

from models.motion import meter
from models.motion.gain import Heard
from models.motion.meter import Bounds, Metering, Usage, clipped
from tests.models.motion.outage_month import (
    DAY,
    DAYS,
    END,
    HOUR,
    INPUTS,
    MINUTE,
    MM_PER_MS,
    OFF_EVERY_S,
    SECOND,
    START,
    WIDTH_MM,
    Month,
    Record,
    Span,
    around,
    arrived,
    month,
    outages,
    silences,
)

SEEDS = range(int(os.environ.get("STOCKYARD_SEEDS", "8")))
ON_S, OFF_S = 600, OFF_EVERY_S
METERS = {"ignition": "runtime", "hoist": "hoist", "pto": "pto"}
HOURS, KM = "engine_hours", "odometer"


def counted(heard: list[Record], chance: random.Random, off_s: int = OFF_S) -> list[Usage]:
    """The rows that records come to, with what is open at the end; the facts of a record in any order."""
    params = Metering("T-9", "ignition", ON_S * SECOND, off_s * SECOND, {KM: WIDTH_MM})
    facts: list[Heard] = []
    for each in heard:
        said = [Heard(each.at, name, f"{each.at:056x}{name:>8}", on=on) for name, on in each.on.items()]
        said += [Heard(each.at, name, f"{each.at:056x}{name:>8}", value=at) for name, at in each.counters.items()]
        facts += chance.sample(said, len(said))
    state, rows = meter.fold(params, None, facts)
    assert state is not None
    return rows + meter.open_usage(params, state, END)


def bounds(rows: list[Usage], name: str, span: Span = (START, END)) -> Bounds:
    shares = [clipped(row, *span) for row in rows if row.meter == name]
    return Bounds(sum(each.least for each in shares), sum(each.most for each in shares))


def lossy(seed: int) -> tuple[Month, list[Record], list[Usage]]:
    """A month, what of it arrived, and what that comes to."""
    chance = random.Random(seed)
    made = month(chance)
    heard = arrived(made, outages(chance))
    return made, heard, counted(heard, chance)


def wrong_ms(made: Month, rows: list[Usage], name: str) -> int:
    """How much time is not as the rows tell it: on where one says it was, off where none says anything."""
    mine = [row for row in rows if row.meter == METERS[name]]
    true = [made.ran_ms((row.begin_at, row.end_at), name) for row in mine]
    told = sum(abs(row.least - ran) for row, ran in zip(mine, true, strict=True) if row.why is None)
    return told + made.ran_ms(name=name) - sum(true)


def inputs_hold(made: Month, heard: list[Record], rows: list[Usage], chance: random.Random) -> None:
    """What was on is within the bounds, over the month and over a window, and they are as far apart as must be.

    Nor do two errors hide each other: each stretch that was observed is true by itself.
    """
    assert [wrong_ms(made, rows, name) for name in INPUTS] == [0, 0, 0]
    begin = START + chance.randrange(DAYS * DAY // 1000) * 1000
    for span in ((START, END), (begin, min(END, begin + chance.randrange(1, 3 * DAY // 1000) * 1000))):
        for name in INPUTS:
            found, true = bounds(rows, METERS[name], span), made.ran_ms(span, name)
            assert found.least <= true <= found.most, (name, span)
            unseen = silences(heard, name, ON_S, OFF_S)
            within = sum(max(0, min(b, span[1]) - max(a, span[0])) for a, b in unseen) // 1000
            assert found.most - found.least == within, (name, span)


def counters_hold(made: Month, heard: list[Record], rows: list[Usage]) -> None:
    """Counters count through every outage; only where the hours' was reset or replaced is a stretch unknown."""
    jumps = {"reset": around(heard, made.reset_at), "replaced": around(heard, made.replaced_at)}
    found, true = bounds(rows, HOURS), made.ran_ms()
    assert found.least <= true <= found.most
    assert found.most - found.least == sum(b - a for a, b in jumps.values()) // 1000
    named = {row.why: (row.begin_at, row.end_at) for row in rows if row.meter == HOURS and row.why is not None}
    assert named == jumps
    for name in (KM, "tracker_odometer"):
        assert bounds(rows, name) == Bounds(true * MM_PER_MS, true * MM_PER_MS)
    wraps = [row for row in rows if row.meter == KM and row.why is not None]
    assert [row.why for row in wraps] == ["rollover"] * ((made.odometer + true * MM_PER_MS) // WIDTH_MM)
    assert all(row.least == row.most for row in wraps)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", SEEDS)
def test_what_happened_is_within_the_bounds_whatever_is_lost(seed: int) -> None:
    made, heard, rows = lossy(seed)
    assert len(heard) < len(made.records)
    inputs_hold(made, heard, rows, random.Random(seed))
    counters_hold(made, heard, rows)


@pytest.mark.parametrize("seed", SEEDS[:4])
def test_without_loss_nothing_is_unobserved(seed: int) -> None:
    chance = random.Random(seed)
    made = month(chance)
    rows = counted(made.records, chance)
    for name in INPUTS:
        true = made.ran_ms(name=name)
        assert bounds(rows, METERS[name]) == Bounds(true, true)


def missed_ms(seed: int, off_s: int, shortest: int) -> tuple[int, int]:
    """How much time the rows tell wrongly, and how much the losses that do not show can hide."""
    chance = random.Random(seed)
    made = month(chance)
    heard = arrived(made, outages(chance, shortest))
    rows = counted(heard, chance, off_s)
    seen = {*silences(heard, "ignition", ON_S, off_s)}
    times = {each.at for each in heard}
    hiding = {around(heard, each.at) for each in made.records if each.at not in times}
    return wrong_ms(made, rows, "ignition"), sum(b - a for a, b in hiding - seen) // 1000


@pytest.mark.parametrize("seed", SEEDS[:4])
@pytest.mark.parametrize(("off_s", "shortest"), [(OFF_S, MINUTE), (2 * OFF_S, HOUR)])
def test_a_loss_shorter_than_the_limit_hides_its_silence_at_most(seed: int, off_s: int, shortest: int) -> None:
    wrong, hidden = missed_ms(seed, off_s, shortest)
    assert wrong <= hidden <= 20 * off_s * 1000
