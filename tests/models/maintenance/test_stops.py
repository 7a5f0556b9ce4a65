"""Availability, MTBF, MTTR and OEE: worked examples exactly, and what cannot be known as a range."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import Refused
from models.maintenance.oee import oee
from models.maintenance.stops import Between, Stop, judge

H = 3_600_000_000
F = Fraction
MONTH = (0, 720 * H)


def stop(begin: float, end: float | None, *, planned: bool = False) -> Stop:
    ended = None if end is None else int(end * H)
    return Stop(id=f"{begin}", asset="A", begin_at=int(begin * H), end_at=ended, planned=planned)


def hours(figure: Between | None) -> tuple[Fraction | None, Fraction | None] | None:
    if figure is None:
        return None
    least, most = (None if each is None else each / H for each in (figure.least, figure.most))
    return least, most


THREE = [stop(100, 104), stop(300, 302), stop(500, 506)]
PLANNED = [stop(0, 20, planned=True), stop(103, 110, planned=True)]
Bounds = tuple[float | Fraction, float | Fraction | None] | None
WINDOWS: dict[str, tuple[list[Stop], list[tuple[int, int]], int, Bounds, Bounds, Bounds]] = {
    "720 h with stops of 4, 2 and 6 h": (THREE, [], 3, (236, 236), (4, 4), (F(708, 720), F(708, 720))),
    "nothing failed: more than T, never 0": ([], [], 0, (720, None), None, (1, 1)),
    "nothing failed, as far as was seen": ([], [(0, 20 * H)], 0, (700, None), None, (F(700, 720), 1)),
    "planned stops are apart": ([*THREE, *PLANNED], [], 3, (F(682, 3), F(682, 3)), (4, 4), (F(682, 693), F(682, 693))),
    "partly unobserved": (THREE, [(600 * H, 648 * H)], 3, (220, 236), (4, 4), (F(660, 720), F(708, 720))),
    "a stop in the dark": (THREE, [(100 * H, 106 * H)], 3, (F(706, 3), 236), (4, 4), (F(706, 720), F(708, 720))),
    "it still stands": ([stop(700, None)], [], 1, (700, 700), (20, None), (F(700, 720), F(700, 720))),
    "it stood before, and is repaired": ([stop(-10, 5)], [], 0, (715, None), (15, 15), (F(715, 720), F(715, 720))),
    "two at once": ([stop(10, 20), stop(15, 22)], [], 2, (354, 354), (F(17, 2), F(17, 2)), (F(59, 60), F(59, 60))),
    "planned throughout": ([stop(-1, 800, planned=True)], [], 0, None, None, None),
    "of another time": ([stop(800, 900), stop(-9, -1)], [], 0, (720, None), None, (1, 1)),
}  # fmt: skip


@pytest.mark.parametrize("name", WINDOWS)
def test_what_stops_say(name: str) -> None:
    stops, unseen, failures, mtbf, mttr, availability = WINDOWS[name]
    found = judge(MONTH, stops, unseen)
    assert found.failures == failures
    assert hours(found.mtbf) == mtbf
    assert hours(found.mttr) == mttr
    share = found.availability
    assert (None if share is None else (share.least, share.most)) == availability


@given(
    st.lists(st.tuples(st.integers(-50, 750), st.integers(1, 200), st.booleans()), max_size=8),
    st.lists(st.tuples(st.integers(-50, 750), st.integers(1, 200)), max_size=4),
)
def test_up_down_planned_and_dark_fill_the_window(
    stops: list[tuple[int, int, bool]], dark: list[tuple[int, int]]
) -> None:
    known = [stop(begin, begin + long, planned=planned) for begin, long, planned in stops]
    found = judge(MONTH, known, [(begin * H, (begin + long) * H) for begin, long in dark])
    hour = {at: {each.planned for each in known if each.begin_at <= at * H < (each.end_at or 0)} for at in range(720)}
    seen = {at: not any(begin <= at < begin + long for begin, long in dark) for at in range(720)}
    assert found.planned_us == sum(True in what for what in hour.values()) * H
    assert found.down_us == sum(what == {False} for what in hour.values()) * H
    assert found.unobserved_us == sum(not what and not seen[at] for at, what in hour.items()) * H
    assert found.required_us == 720 * H - found.planned_us


OEE = {
    "a shift of 420 min": ((420, 47, 60, 19271, 18848), 0.7479365),
    "a shift of 480 min": ((480, 60, 1, 400, 380), 0.7916667),
    "nothing ran": ((480, 480, 1, 0, 0), 0.0),
}


@pytest.mark.parametrize("name", OEE)
def test_oee(name: str) -> None:
    given_figures, expected = OEE[name]
    found = oee(*map(F, given_figures))
    assert round(float(found.oee), 7) == expected


def test_the_three_shares() -> None:
    found = oee(*map(F, (480, 60, 1, 400, 380)))
    assert (found.availability, found.performance, found.quality) == (F(7, 8), F(20, 21), F(19, 20))


@pytest.mark.parametrize(
    ("figures", "says"),
    [
        ((480, 481, 1, 400, 380), "down"),
        ((480, 60, 1, 400, 401), "good"),
        ((480, 60, 1, 421, 380), "made"),
        ((0, 0, 1, 0, 0), "planned"),
        ((480, 60, 0, 0, 0), "ideal_rate"),
    ],
)
def test_figures_that_cannot_be(figures: tuple[int, ...], says: str) -> None:
    with pytest.raises(Refused, match=says):
        oee(*map(F, figures))
