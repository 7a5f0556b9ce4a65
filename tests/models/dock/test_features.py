from random import Random

import pytest
from msgspec.structs import replace

from models.dock import portal
from models.dock.features import GROUPS, NAMES, Figures
from models.dock.portal import Portal, Sighting
from models.dock.reasons import TOPICS, told

S = 1_000_000
DOOR = Portal("door-1", (1, 2), (3, 4), 10 * S)
MIRROR = Portal("door-1", (3, 4), (1, 2), 10 * S)


def heard(at_ms: int, antenna: int, rssi_cdbm: int | None = -5000, count: int = 2) -> Sighting:
    return Sighting(at_ms * 1000, at_ms * 1000, "tag", antenna, rssi_cdbm, count, f"{at_ms}/{antenna}")


def figures(sightings: list[Sighting], door: Portal = DOOR) -> Figures:
    (state,) = portal.passes(door, sightings)
    return portal.figures(state)


def named(found: Figures) -> dict[str, int]:
    return dict(zip(NAMES, found.values, strict=True))


THROUGH = [heard(0, 3), heard(1000, 4, -4000), heard(1200, 1, -6000, 1), heard(3000, 2, -4500), heard(4000, 1, -5500)]


def test_the_figures_of_a_way_in() -> None:
    found = figures(THROUGH)
    of = named(found)
    assert found.inside_first is False
    assert (of["dwell"], of["first_reads"], of["then_reads"]) == (4000, 4, 5)
    assert (of["first_peak"], of["then_peak"], of["peak_gap"]) == (4000, 3500, 500)
    assert (of["from_ms"], of["until_ms"], of["best_ms"]) == (1200, 3000, 2000)
    assert of["count_ms"] == 2519
    assert of["count_of"] == 629
    assert of["balance"] == -112
    assert [of[f"first_share_{part}"] for part in range(6)] == [500, 500, 0, 0, 0, 0]
    assert [of[f"louder_{part}"] for part in range(6)] == [1000, 600, 0, 0, -1000, -1000]
    assert (of["ports"], of["events"], of["changes"]) == (4, 5, 1)
    assert [of[f"opens_{place}"] for place in range(3)] == [3000, 4000, -2000]


def test_the_mirrored_door_tells_the_same_but_for_which_row_was_first() -> None:
    chance = Random(3)
    for _ in range(50):
        some = [
            replace(heard(k * 300, chance.randint(1, 4), chance.randint(-7500, -3000)), shift_chz=chance.randint(-9, 9))
            for k in range(12)
        ]
        here, there = figures(some), figures(some, MIRROR)
        assert here.values == there.values
        assert here.inside_first != there.inside_first


@pytest.mark.parametrize(
    "sightings", [[heard(0, 1)], [heard(0, 1, None)], [heard(0, 9)], [heard(k, 1) for k in range(3)]]
)
def test_little_that_was_heard_has_all_figures(sightings: list[Sighting]) -> None:
    found = figures(sightings)
    assert len(found.values) == len(NAMES)
    assert all(isinstance(value, int) for value in found.values)
    assert set(told(found)) == set(TOPICS) >= set(GROUPS.values())


def test_a_way_along_the_wall_is_told_by_the_antennas_of_either_side() -> None:
    along = [heard(0, 1), heard(200, 3), heard(3000, 2), heard(3200, 4)]
    assert named(figures(along))["ports_along"] == 3000 * 1000 // 3200
    assert "those along the wall 3.0 s apart" in told(figures(along))["antennas"]


def test_the_words_say_what_the_figures_are() -> None:
    words = told(figures(THROUGH))
    assert words["order"] == "outside row first by 2.4 s of 4.0 s"
    assert words["balance"] == "4 reads outside, 5 inside"
    assert words["strength"] == "strongest -40 dBm outside, -45 dBm inside"
    assert words["shape"] == "outside row louder by 10 dB a second, inside row louder by 2 dB a second"
    assert told(figures([heard(0, 3), heard(100, 4)]))["order"] == "heard by the outside row only"
