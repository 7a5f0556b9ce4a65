import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.torture.schedule import KINDS, POINTS, Fault, draw, kinds_of, targets

SECONDS, KILLS = 60.0, 12


@settings(deadline=None)
@given(st.integers(), st.floats(5, 600), st.integers(0, 60))
def test_every_fault_ends_in_time_and_none_meets_another_of_its_target(seed: int, seconds: float, kills: int) -> None:
    faults = draw(seed, seconds, kills, KINDS)
    assert all(0 <= fault.at_s <= fault.at_s + fault.length_s <= seconds + 1e-6 for fault in faults)
    assert faults == sorted(faults, key=lambda fault: fault.at_s)
    assert sum(fault.kind == "kill" for fault in faults) == kills
    assert all(fault.target in targets(fault.kind) for fault in faults)
    by_resource: dict[tuple[bool, str], list[Fault]] = {}
    for fault in faults:
        by_resource.setdefault((fault.kind == "disk", fault.target), []).append(fault)
    for each in by_resource.values():
        assert all(one.at_s + one.length_s <= other.at_s + 1e-6 for one, other in itertools.pairwise(each))


def test_one_seed_is_one_schedule_and_another_seed_another() -> None:
    assert draw(7, SECONDS, KILLS, KINDS) == draw(7, SECONDS, KILLS, KINDS)
    assert draw(7, SECONDS, KILLS, KINDS) != draw(8, SECONDS, KILLS, KINDS)


@pytest.mark.parametrize("seed", range(20))
def test_every_kind_of_fault_comes_in_a_minute(seed: int) -> None:
    assert {fault.kind for fault in draw(seed, SECONDS, KILLS, KINDS)} == {*KINDS}


def test_kills_are_mostly_at_the_moments_that_matter() -> None:
    kills = [fault for seed in range(200) for fault in draw(seed, SECONDS, KILLS, ["kill"])]
    assert 0.6 < sum(bool(fault.point) for fault in kills) / len(kills) < 0.8
    assert {fault.point for fault in kills if fault.point} == {point for known in POINTS.values() for point in known}
    assert {fault.target for fault in kills} == {*POINTS}


def test_kinds_by_name() -> None:
    assert kinds_of(["stop", "kill", "stop"]) == ("stop", "kill")
    assert kinds_of(["disk", "proxy"])[1:] == ("delay", "hole", "cut", "half-open", "slice", "double")
    with pytest.raises(ValueError, match="flood: expected of kill"):
        kinds_of(["flood"])


def test_a_fault_is_told_in_words() -> None:
    assert str(Fault(1.5, "kill", "edge", 0.25, "edge.after-commit")) == "  1.50 s  kill edge.after-commit for 0.25 s"
    assert str(Fault(1.5, "hole", "edge-broker", 2.0)) == "  1.50 s  hole edge-broker for 2.00 s"
