from hashlib import sha256
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend import dock_models
from models.dock import portal
from models.dock.portal import Crossing, Pass, Portal, Sighting, due, expire, fold

S = 1_000_000
DOOR = Portal("door-1", (1, 2), (3, 4), 3 * S)
LEARNED = msgspec.structs.replace(DOOR, model=dock_models.find("two-rows"))
TAG = "3074257bf7194e4000001a85"


def sighting(at: int, antenna: int, rssi_cdbm: int | None = -5000, count: int = 3, lasted: int = 0) -> Sighting:
    evidence = sha256(repr((at, antenna, rssi_cdbm, count, lasted)).encode()).hexdigest()
    shift = None if count % 2 else 100 * count - at // 1000 % 900
    return Sighting(at, at - lasted, TAG, antenna, rssi_cdbm, count, evidence, shift)


def through(start: int, rows: tuple[int, int]) -> list[Sighting]:
    """Half a second apart: louder and louder at the first row, then at the second."""
    first = [sighting(start + k * S // 2, rows[0], -6500 + 500 * min(k, 5 - k)) for k in range(6)]
    second = [sighting(start + 7 * S // 5 + k * S // 2, rows[1], -6500 + 500 * min(k, 5 - k)) for k in range(6)]
    return sorted(first + second, key=lambda each: (each.at, each.evidence))


def whole(sightings: list[Sighting]) -> list[Crossing]:
    state, crossings = fold(DOOR, None, sightings)
    return crossings + expire(DOOR, state, 1 << 60)[1]


def test_in_and_out() -> None:
    crossings = whole(through(0, (3, 1)) + through(60 * S, (2, 4)))
    assert [each.direction for each in crossings] == ["in", "out"]
    first = crossings[0]
    assert (first.door, first.epc, first.rule) == ("door-1", TAG, "portal-1")
    assert first.closed_at == first.last_at + 3 * S
    assert first.evidence == [each.evidence for each in through(0, (3, 1))]
    assert first.id != crossings[1].id


def test_a_pass_ends_with_the_silence_and_not_before() -> None:
    state, closed = fold(DOOR, None, [sighting(0, 1)])
    assert (closed, due(DOOR, state)) == ([], 3 * S)
    assert expire(DOOR, state, 3 * S - 1) == (state, [])
    assert len(fold(DOOR, state, [sighting(3 * S - 1, 1)])[1]) == 0
    assert len(fold(DOOR, state, [sighting(3 * S, 1)])[1]) == 1
    assert [len(expire(DOOR, state, 3 * S)[1]), due(DOOR, None), expire(DOOR, None, 0)] == [1, None, (None, [])]


def test_an_antenna_of_neither_row_keeps_the_pass_open_and_has_no_vote() -> None:
    crossings = whole([sighting(0, 1), sighting(2 * S, 9), sighting(4 * S, 9)])
    assert [(each.last_at, each.evidence_count, each.direction) for each in crossings] == [(4 * S, 3, "none")]


def test_the_given_state_is_left_alone() -> None:
    state, _ = fold(DOOR, None, through(0, (3, 1))[:5])
    before = msgspec.msgpack.encode(state)
    fold(DOOR, state, through(0, (3, 1))[5:])
    assert msgspec.msgpack.encode(state) == before


def test_a_pass_of_any_length_has_a_bounded_state_and_is_judged_as_standing() -> None:
    sightings = [sighting(k * S // 4, 1 + k % 4, -5000, 2**31) for k in range(20_000)]
    state, crossings = fold(DOOR, None, sightings)
    assert crossings == []
    assert len(msgspec.msgpack.encode(state)) < 8000
    (crossing,) = expire(DOOR, state, 1 << 60)[1]
    assert (crossing.direction, crossing.reasons) == ("none", ["in range for 5000 s"])
    assert crossing.evidence_count == 20_000
    assert crossing.evidence == [each.evidence for each in sightings[:32] + sightings[-32:]]


def test_the_id_rests_on_all_evidence_and_on_its_order() -> None:
    sightings = [sighting(k * S, 1 + k % 4) for k in range(100)]
    ids = {
        whole(part)[0].id
        for part in (sightings, sightings[:50] + sightings[51:], [*sightings[:-1], sighting(99 * S, 2)])
    }
    assert len(ids) == 3


SIGHTINGS = st.lists(
    st.builds(
        sighting,
        at=st.integers(0, 60).map(lambda tick: tick * S // 3),
        antenna=st.integers(1, 5),
        rssi_cdbm=st.none() | st.integers(-9000, -2000),
        count=st.integers(1, 50),
        lasted=st.integers(0, S // 2),
    ),
    max_size=40,
    unique_by=lambda each: each.evidence,
).map(lambda found: sorted(found, key=lambda each: (each.at, each.evidence)))


@given(SIGHTINGS, st.randoms(use_true_random=False))
def test_any_split_and_any_expiry_between_gives_the_same(sightings: list[Sighting], chance: Random) -> None:
    at_once, crossings = fold(DOOR, None, sightings)
    state: Pass | None = None
    emitted: list[Crossing] = []
    rest = list(sightings)
    while rest:
        cut = chance.randint(1, len(rest))
        state, closed = fold(DOOR, _stored(state), rest[:cut])
        emitted += closed
        rest = rest[cut:]
        if rest:
            state, closed = expire(DOOR, _stored(state), chance.randint(0, rest[0].at))
            emitted += closed
    assert emitted == crossings
    assert msgspec.msgpack.encode(state) == msgspec.msgpack.encode(at_once)


def _stored(state: Pass | None) -> Pass | None:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=Pass | None)


@given(SIGHTINGS, st.permutations(range(40)))
def test_any_order_of_arrival_sorted_by_fold_order_gives_the_same(sightings: list[Sighting], order: list[int]) -> None:
    shuffled = [sightings[k] for k in order if k < len(sightings)]
    assert whole(sorted(shuffled, key=lambda each: (each.at, each.evidence))) == whole(sightings)


@given(SIGHTINGS)
def test_every_sighting_is_in_exactly_one_crossing(sightings: list[Sighting]) -> None:
    crossings = whole(sightings)
    assert sum(each.evidence_count for each in crossings) == len(sightings)
    assert [hashed for each in crossings for hashed in each.evidence] == [each.evidence for each in sightings]
    assert all(0 <= each.score <= 1 and each.reasons and each.rule == portal.RULE for each in crossings)
    assert all(sum(each.chances) == pytest.approx(1) and each.stray == each.chances[2] for each in crossings)
    assert all(each.first_at <= each.middle_at <= each.last_at for each in crossings)


def test_the_centre_is_where_it_was_heard_well() -> None:
    (crossing,) = whole([sighting(0, 3, -7900, 1), sighting(2 * S, 3, -3000, 9), sighting(4 * S, 1, -7900, 1)])
    assert crossing.middle_at == pytest.approx(2 * S, abs=S // 10)
    assert whole([sighting(5 * S, 9)])[0].middle_at == 5 * S


@settings(max_examples=25)
@given(SIGHTINGS)
def test_a_model_decides_and_is_named(sightings: list[Sighting]) -> None:
    passes = portal.passes(LEARNED, sightings)
    state, crossings = fold(LEARNED, None, sightings)
    crossings += expire(LEARNED, state, 1 << 60)[1]
    assert [each.id for each in crossings] == [each.id for each in whole(sightings)]
    for each, of in zip(crossings, passes, strict=True):
        if not of.inside.reads + of.outside.reads:
            assert (each.rule, each.reasons) == (portal.RULE, ["heard by neither row"])
        else:
            assert LEARNED.model is not None
            verdict = LEARNED.model.judge(portal.figures(of))
            assert (each.rule, each.direction, each.chances) == (LEARNED.model.name, *verdict[::3])


def test_the_rule_decides_at_one_row_and_of_a_long_stay() -> None:
    one_row = msgspec.structs.replace(LEARNED, outside=())
    state, _ = fold(one_row, None, [sighting(0, 1)])
    assert expire(one_row, state, 1 << 60)[1][0].rule == portal.RULE
    state, _ = fold(LEARNED, None, [sighting(k * S, 1 + k % 4) for k in range(60)])
    (stayed,) = expire(LEARNED, state, 1 << 60)[1]
    assert (stayed.rule, stayed.chances) == (portal.RULE, (0.0, 0.0, 1.0))


def test_a_state_from_before_there_was_a_course_goes_on() -> None:
    state, _ = fold(DOOR, None, [sighting(0, 1)])
    old = msgspec.to_builtins(state)
    del old["course"]
    assert fold(DOOR, msgspec.convert(old, Pass), [sighting(S, 3)])[0] is not None


def test_a_state_from_before_there_were_shifts_goes_on() -> None:
    state, _ = fold(DOOR, None, [sighting(0, 1), sighting(S, 3)])
    old = msgspec.to_builtins(state)
    for row in old["course"][1:]:
        row[0] = [each[:3] for each in row[0]]
        row[1] = [each[:4] for each in row[1]]
    assert fold(DOOR, msgspec.convert(old, Pass), [])[0] == state
