"""Counters and what people say of them: worked examples to the figure, and no order of telling that matters."""

import random
from collections.abc import Sequence
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from models.motion import meter, noted
from models.motion.gain import Heard
from models.motion.meter import Metered, Usage
from models.motion.noted import WHATS, Note, What
from tests.models.motion.said import HOUR, MINUTE, T0, TRUCK, counter, on

H = 3_600_000
WIDE = {"engine_hours": 100_000 * H}


def note(at: float, what: What, value: float | None = None, before: float | None = None) -> Note:
    """In hours."""
    whole, last = (None if each is None else round(each * H) for each in (value, before))
    return Note(f"n{at}{what}", T0 + round(at * HOUR), "engine_hours", what, whole, last)


def read(*values: tuple[float, float]) -> list[Heard]:
    return [counter(round(at * HOUR), value) for at, value in values]


def used(facts: Sequence[Heard], notes: Sequence[Note], **params: object) -> list[Usage]:
    """Every stretch of engine hours, up to two hours after the last fact or note."""
    state, rows = meter.fold(known := replace(TRUCK, notes=(*notes,), **params), None, facts)
    assert state is not None
    now = max([state.last_at, *(each.at for each in notes)]) + 2 * HOUR
    return [row for row in (*rows, *meter.open_usage(known, state, now)) if row.meter == "engine_hours"]


def hours(rows: Sequence[Usage]) -> tuple[float, float]:
    return sum(row.least for row in rows) / H, sum(row.most for row in rows) / H


Values = list[tuple[float, float]]
OLD: Values = [(0, 1200), (10, 1210)]
NEW: Values = [(20, 3), (30, 11)]
JUMP: Values = [(0, 1200), (10, 1210), (11, 9000), (26, 1226)]
Case = tuple[Values, list[Note], dict[str, int], tuple[float, float], list[str]]
EXAMPLES: dict[str, Case] = {
    "rollover": ([(0, 99_980), (20, 99_992), (40, 4), (60, 16)], [], WIDE, (36, 36), ["rollover"]),
    "a declared reset": ([*OLD, *NEW], [note(15, "reset", 0, 1210)], {}, (21, 21), []),
    "the same, and what it said last is not known": ([*OLD, *NEW], [note(15, "reset", 0)], {}, (21, 26), ["reset"]),
    "an undeclared drop is flagged": ([*OLD, *NEW], [], {}, (18, 28), ["reset"]),
    "what is implausible is void": (JUMP, [], {}, (26, 26), []),
    "a person says that it is": (JUMP, [note(11, "void")], {}, (26, 26), []),
    "a person says that it is not": (JUMP[:3], [note(11, "correction", 9000)], {}, (7800, 7800), ["corrected"]),
}
RULES: dict[str, Case] = {
    "a used one comes": ([*OLD, (20, 503)], [note(15, "replacement", 500, 1212)], {}, (15, 15), ["replaced"]),
    "it rolled over, says a person": ([*OLD, *NEW], [note(15, "rollover", 1215)], {}, (26, 26), ["rollover"]),
    "the same, and read once since": ([*OLD, (20, 3)], [note(15, "rollover", 1215)], {}, (18, 18), ["rollover"]),
    "it is counted from here on": ([*OLD, (20, 1218)], [note(10, "baseline", 1210)], {}, (18, 18), []),
    "read by a person, too": (OLD, [note(12, "reading", 1211.5)], {}, (11.5, 11.5), []),
    "read wrongly by a person": (OLD, [note(12, "reading", 12_115)], {}, (10, 10), []),
    "said wrongly, and nobody noticed": ([*OLD, (20, 1219), (30, 1220)], [note(20, "void")], {}, (20, 20), []),
    "said wrongly, and known how": ([*OLD, (20, 1219)], [note(20, "correction", 1214)], {}, (14, 14), ["corrected"]),
    "said too much before": (OLD, [note(12, "correction", 1205)], {}, (10, 10), []),
    "before anything was heard": ([(10, 1210)], [note(0, "reading", 1205)], {}, (5, 5), []),
    "of before the tracker came": (
        [(10, 1210)], [note(-9, "reading", 1199), note(0, "reading", 1205)], {"since": T0 + HOUR}, (5, 5), []),
    "one by one": ([], [note(1, "count", 1), note(2, "count", 2)], {}, (3, 3), []),
    "one by one, beside the counter": (OLD, [note(12, "count", 1)], {}, (11, 11), []),
}  # fmt: skip


@pytest.mark.parametrize("name", [*EXAMPLES, *RULES])
def test_what_a_counter_has_counted(name: str) -> None:
    values, notes, rolls, expected, why = (EXAMPLES | RULES)[name]
    params = rolls if "since" in rolls else {"rolls_over_at": rolls}
    rows = used([*read(*values), on(90 * HOUR)], notes, **params)
    assert hours(rows) == expected
    assert [row.why for row in rows if row.why is not None and row.most] == (why or [])
    assert all(any(each.startswith("note:") for each in row.evidence) for row in rows if row.why == "corrected")


MANUAL: dict[str, tuple[list[Note], tuple[float, float]]] = {
    "readings": ([note(0, "reading", 100), note(240, "reading", 165)], (65, 65)),
    "a slip of the pen": ([note(0, "reading", 100), note(24, "reading", 1650), note(240, "reading", 165)], (65, 65)),
    "a new meter": (
        [note(0, "reading", 100), note(10, "replacement", 0, 108), note(24, "reading", 6)],
        (14, 14),
    ),
    "counts": ([note(0, "count", 1), note(0, "count", 1), note(9, "count", 1)], (3, 3)),
    "nothing that says how much": ([note(3, "void")], (0, 0)),
}


@pytest.mark.parametrize("name", MANUAL)
def test_by_people_alone(name: str) -> None:
    notes, expected = MANUAL[name]
    assert hours(meter.by_notes("A", "engine_hours", notes)) == expected


def test_a_count_is_at_its_moment_whatever_the_window() -> None:
    rows = meter.by_notes("A", "engine_hours", [note(9, "count", 1), note(18, "count", 1)])
    edges = [0, 9 * HOUR, 9 * HOUR + 1, 18 * HOUR, 40 * HOUR]
    cut = [sum(meter.clipped(row, T0 + low, T0 + high).least for row in rows) // H for low, high in pairwise(edges)]
    assert cut == [1, 0, 1, 0]


CARRIED: dict[str, tuple[list[Note], int | None]] = {
    "nothing": ([], 0),
    "a reset": ([note(15, "reset", 0, 1212)], 1212),
    "a used one": ([note(15, "replacement", 500, 1212)], 712),
    "a rollover": ([note(15, "rollover", 100_000)], 100_000),
    "two": ([note(15, "reset", 0, 1212), note(20, "reset", 1, 8)], 1219),
    "what it said is not known": ([note(15, "reset", 0)], None),
    "a baseline ends all doubt": ([note(15, "reset", 0), note(20, "baseline", 1500)], 0),
    "of another meter": ([replace(note(15, "reset", 0, 7), meter="cycles")], 0),
}


@pytest.mark.parametrize("name", CARRIED)
def test_what_it_said_before_it_began_anew(name: str) -> None:
    notes, expected = CARRIED[name]
    assert noted.carried(notes, "engine_hours") == (None if expected is None else expected * H)


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Heard], list[Note]]:
    """A counter that now and then lies, with notes between, at and around its readings."""
    chance = random.Random(draw(st.integers(0, 2**32)))
    facts: list[Heard] = []
    value = 1000.0
    for k in range(draw(st.integers(1, 30))):
        value += chance.choice((0, 0.1, 0.1, 0.2, -900, 4000))
        facts.append(counter(k * 20 * MINUTE, max(0.0, value)))
        if chance.random() < 0.3:
            facts.append(on(k * 20 * MINUTE))
    notes = [
        note(
            chance.randrange(-10, 200) * MINUTE / HOUR, chance.choice(WHATS), chance.choice((0, 3, 1001, 5000)), before
        )
        for before in chance.choices((None, 1000, 1002), k=draw(st.integers(0, 5)))
    ]
    return facts, sorted(notes, key=lambda each: each.at)


@given(stories(), st.integers(0, 2**32))
def test_any_split_gives_the_same(story: tuple[list[Heard], list[Note]], seed: int) -> None:
    facts, notes = story
    params = replace(TRUCK, notes=(*notes,))
    chance, state, rows = random.Random(seed), None, list[Usage]()
    whole_state, whole = meter.fold(params, None, facts)
    while facts:
        size = chance.randint(1, 5)
        stored = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=Metered | None)
        state, more = meter.fold(params, stored, facts[:size])
        rows, facts = rows + more, facts[size:]
    assert (rows, state) == (whole, whole_state)


@given(stories())
def test_bounds_hold_whatever_is_said(story: tuple[list[Heard], list[Note]]) -> None:
    rows = used(*story)
    for row in rows:
        assert 0 <= row.least <= row.most
        assert row.least == row.most or row.why is not None
    ends = sorted((row.begin_at, row.end_at) for row in rows)
    assert all(a[1] <= b[0] for a, b in pairwise(ends))
