"""What a Doppler shift adds to the figures of a pass, and that nothing else changes with it."""

from models.dock import portal, shifts
from models.dock.features import NAMES, Figures, without_shifts
from models.dock.portal import Portal, Sighting
from models.dock.reasons import told

DOOR = Portal("door-1", (1, 2), (3, 4), 10_000_000)
HEARD = [(0, 3, 500), (400, 4, 300), (1000, 1, 400), (1100, 3, -600), (2000, 1, -200), (2400, 2, -900)]
"""Milliseconds, antenna, shift: inward, along the first antennas first."""


def figures(shift_of: dict[int, int] | None = None) -> Figures:
    sightings = [
        Sighting(
            ms * 1000, ms * 1000, "tag", antenna, -5000, 2, f"{ms}", None if shift_of is None else shift_of.get(ms)
        )
        for ms, antenna, _ in HEARD
    ]
    (state,) = portal.passes(DOOR, sightings)
    return portal.figures(state)


def named(found: Figures) -> dict[str, int]:
    return dict(zip(NAMES, found.values, strict=True))


TOLD = {ms: shift for ms, _, shift in HEARD}


def test_each_row_by_time() -> None:
    of = named(figures(TOLD))
    assert [of[f"first_shift_{name}"] for name in shifts.SIDE] == [200 // 3, 400, -600, 500, -600]
    assert [of[f"then_shift_{name}"] for name in shifts.SIDE] == [-700 // 3, 400, -1100 // 2, 400, -900]
    assert (of["shifts"], of["shift"], of["shift_gap"]) == (6, -500 // 6, 200 // 3 - -700 // 3)


def test_either_side_of_the_door() -> None:
    of = named(figures(TOLD))
    assert (of["shift_from"], of["shift_to"]) == ((500 + 400 - 600 - 200) // 4, (300 - 900) // 2)


def test_readings_without_a_shift_are_left_out() -> None:
    of = named(figures({0: 500, 2000: -200}))
    assert (of["shifts"], of["first_shift_mean"], of["then_shift_mean"], of["shift"]) == (2, 500, -200, 150)
    assert (of["then_shift_before"], of["then_shift_after"]) == (0, -200)


def test_without_any_all_are_nothing_and_the_others_stay() -> None:
    quiet = figures()
    assert {named(quiet)[name] for name in shifts.NAMES} == {0}
    assert quiet == without_shifts(figures(TOLD)) != figures(TOLD)


def test_in_words() -> None:
    assert told(figures(TOLD))["shift"] == "Doppler shift +0.7 Hz outside, -2.3 Hz inside"
    assert told(figures())["shift"] == "no Doppler shift told"
