"""The behaviours that users of location middleware know, each by itself, and the fold as such."""

import random
from collections.abc import Sequence

import pytest

from edge.clock_offset import ClockOffset
from models.dock.presence import (
    KEPT,
    PLACES,
    Mobility,
    Points,
    Presence,
    Read,
    Seen,
    due,
    expire,
    fold,
)

MS, SECOND, HOUR = 1_000, 1_000_000, 3_600_000_000
TAG, OTHER = "30aa", "30bb"
SHELVES = Points({("r1", 1): "shelf", ("r1", 2): "bench", ("r2", 1): "crib"})


def read(at: int, reader: str = "r1", antenna: int = 1, rssi: float = -60.0, epc: str = TAG) -> Read:
    return Read(at, epc, reader, antenna, round(rssi * 100), f"{at:064x}")


def told(reads: Sequence[Read], points: Points = SHELVES) -> tuple[Presence, list[tuple[str, str, str | None, int]]]:
    """The state after these reads, and (what, place, was, at)."""
    state, seen = fold(points, None, reads)
    assert state is not None
    return state, said(seen)


def said(seen: Sequence[Seen]) -> list[tuple[str, str, str | None, int]]:
    return [(each.what, each.place, each.was, each.at) for each in seen]


def test_the_first_read_is_an_arrival() -> None:
    state, seen = told([read(0), read(100 * MS), read(200 * MS)])
    assert seen == [("arrive", "shelf", None, 0)]
    assert (state.place, state.last_at) == ("shelf", 200 * MS)


def test_a_weak_read_elsewhere_moves_nothing_until_it_is_better_by_the_offset() -> None:
    here = [read(k * 10 * MS) for k in range(10)]
    weak = [read((100 + k * 10) * MS, antenna=2, rssi=-75) for k in range(10)]
    state, seen = told([*here, *weak])
    assert (state.place, len(seen)) == ("shelf", 1)
    a_little = [read((300 + k * 10) * MS, antenna=2, rssi=-54.5) for k in range(KEPT)]
    state, seen = told([*here, *weak, *a_little])
    assert (state.place, len(seen)) == ("shelf", 1), "5.5 dB within half a second may be fading"
    better = [read((491 + k) * MS, antenna=2, rssi=-46) for k in range(5)]
    state, seen = told([*here, *weak, *a_little, *better])
    assert seen[1:] == [("move", "bench", "shelf", 492 * MS)]


def test_one_strong_read_is_not_enough() -> None:
    _, seen = told([read(0), read(10 * MS), read(20 * MS, antenna=2, rssi=-30)])
    assert len(seen) == 1
    _, seen = told([read(0), read(10 * MS), *(read((20 + k) * MS, antenna=2, rssi=-30) for k in range(2))])
    assert seen[1:] == [("move", "bench", "shelf", 21 * MS)]


@pytest.mark.parametrize(("silent_ms", "offset_db"), [(0, 6), (500, 6), (750, 4), (1250, 0), (2000, -6)])
def test_silence_here_lowers_what_is_asked_of_another_place(silent_ms: int, offset_db: float) -> None:
    assert Mobility().offset_mdb(silent_ms * MS) == offset_db * 1000
    there = [read(silent_ms * MS, antenna=2, rssi=-60 + offset_db + step) for step in (0, 0)]
    state, _ = told([read(0), read(0), *there])
    assert state.place == "shelf", "exactly the offset is not more than it"
    more = [read(silent_ms * MS, antenna=2, rssi=-60 + offset_db + 0.1) for _ in range(2)]
    assert told([read(0), read(0), *more])[0].place == "bench"


def test_a_tag_moves_between_antennas_with_different_names() -> None:
    strong = [read((1500 + k * 10) * MS, antenna=2, rssi=-55) for k in range(3)]
    _, seen = told([*(read(k * 10 * MS) for k in range(5)), *strong])
    assert seen == [("arrive", "shelf", None, 0), ("move", "bench", "shelf", 1510 * MS)]


@pytest.mark.parametrize(
    "names",
    [
        {("r1", 1): "store", ("r1", 2): "store"},
        {("r1", 1): "store", ("r1", 2): "store", ("r2", 1): "store"},
        {("r1", 1): "r2/1"},
    ],
    ids=["two antennas of a reader", "antennas of two readers", "named as another is by itself"],
)
def test_antennas_with_one_name_are_one_place(names: dict[tuple[str, int], str]) -> None:
    points = Points(names)
    second = ("r2", 1) if ("r1", 2) not in names else ("r1", 2)
    third = ("r2", 1) if ("r2", 1) in names else second
    strong = [read((2000 + k) * MS, *antenna, rssi=-30) for k, antenna in enumerate((second, third) * 5)]
    state, seen = told([read(0), read(MS), *strong], points)
    assert [what for what, *_ in seen] == ["arrive"]
    assert list(state.heard) == [points.place("r1", 1)]


def test_an_antenna_without_a_name_is_a_place_of_its_own() -> None:
    assert told([read(0, "r9", 4)])[1] == [("arrive", "r9/4", None, 0)]


def test_a_tag_moves_between_readers() -> None:
    there = [read(3 * SECOND + k * MS, "r2", rssi=-50) for k in range(2)]
    state, seen = told([read(0), read(MS), *there])
    assert seen[1:] == [("move", "crib", "shelf", 3 * SECOND + MS)]
    back = [read(6 * SECOND + k * MS, "r1", rssi=-45) for k in range(KEPT)]
    _, again = fold(SHELVES, state, back)
    assert said(again)[0][:3] == ("move", "shelf", "crib")


def test_a_departed_tag_is_forgotten_in_the_end() -> None:
    state, _ = told([read(0)])
    gone, seen = expire(SHELVES, state, 600 * SECOND)
    assert said(seen) == [("depart", "shelf", None, 600 * SECOND)]
    assert gone is not None
    assert due(SHELVES, gone) == 600 * SECOND + 336 * HOUR
    assert expire(SHELVES, gone, 600 * SECOND + 336 * HOUR - 1) == (gone, [])
    assert expire(SHELVES, gone, 600 * SECOND + 336 * HOUR) == (None, [])


def test_a_tag_that_has_not_departed_is_not_forgotten() -> None:
    state, seen = told([read(k * 599 * SECOND) for k in range(2500)])
    assert (len(seen), state.departed_at) == (1, None)
    assert due(SHELVES, state) == 2499 * 599 * SECOND + 600 * SECOND
    assert expire(SHELVES, state, state.last_at + 600 * SECOND - 1) == (state, [])


def test_a_departed_tag_that_is_heard_again_arrives() -> None:
    _, seen = told([read(0), read(700 * SECOND, "r2")])
    assert [each[:2] for each in seen] == [("arrive", "shelf"), ("depart", "shelf"), ("arrive", "crib")]


def test_departures_of_many_tags_are_told_at_their_own_times_and_once() -> None:
    heard = {OTHER: 0, TAG: 0, "30cc": 9 * SECOND, "30dd": 1}
    after = {epc: expire(SHELVES, told([read(at, epc=epc)])[0], 601 * SECOND) for epc, at in heard.items()}
    assert {epc: [(each.what, each.at) for each in seen] for epc, (_, seen) in after.items()} == {
        OTHER: [("depart", 600 * SECOND)],
        TAG: [("depart", 600 * SECOND)],
        "30cc": [],
        "30dd": [("depart", 600 * SECOND + 1)],
    }
    assert all(expire(SHELVES, state, 602 * SECOND)[1] == [] for state, _ in after.values()), "once"


def test_a_late_read_never_moves_the_clock_back() -> None:
    state, _ = told([read(10 * SECOND), read(5 * SECOND), read(9 * SECOND, antenna=2)])
    assert state.last_at == 10 * SECOND
    assert state.heard["shelf"].last_at == 10 * SECOND
    later, _ = fold(SHELVES, state, [read(11 * SECOND), read(10 * SECOND)])
    assert later is not None
    assert later.last_at == 11 * SECOND
    assert due(SHELVES, later) == 611 * SECOND


@pytest.mark.parametrize("wrong_us", [-7 * HOUR, 9 * HOUR])
def test_a_wrong_clock_is_adjusted_by_when_the_report_came(wrong_us: int) -> None:
    """The edge's own estimate, as its drivers use it: the newest read of a report is of when the report came."""
    clock, origin, shown = ClockOffset(), 12 * HOUR, [0, 400 * MS, 200 * MS]
    clock.add(origin, wrong_us + max(shown))
    state, seen = told([read(wrong_us + at + clock.correction_us) for at in sorted(shown)])
    assert seen == [("arrive", "shelf", None, origin - 400 * MS)]
    assert state.last_at == origin


def test_without_rssi_a_tag_moves_when_its_place_has_gone_quiet() -> None:
    def bare(at: int, antenna: int) -> Read:
        return Read(at, TAG, "r1", antenna, None, f"{at:064x}")

    assert told([bare(0, 1), bare(1249 * MS, 2)])[0].place == "shelf"
    assert told([bare(0, 1), bare(1250 * MS, 2)])[0].place == "bench"


def test_state_is_bounded() -> None:
    state, _ = told([read(k * MS, antenna=1 + k % 500) for k in range(5000)])
    assert len(state.heard) <= PLACES
    assert state.place in state.heard
    assert max(len(each.rssi_cdbm) for each in state.heard.values()) <= KEPT


def test_any_split_into_batches_comes_to_the_same() -> None:
    chance = random.Random(4)
    for _ in range(50):
        times = sorted(chance.choice((0, 1, 30, 900)) * SECOND + chance.randint(0, 3000) * MS for _ in range(30))
        reads = [read(at, "r1", chance.choice((1, 2)), chance.uniform(-70, -45)) for at in times]
        whole = fold(SHELVES, None, reads)
        cut = chance.randrange(30)
        first, seen = fold(SHELVES, None, reads[:cut])
        kept = (first, list(seen))
        second, more = fold(SHELVES, first, reads[cut:])
        assert (second, seen + more) == whole
        assert kept == fold(SHELVES, None, reads[:cut]), "the given state is left as it was"
