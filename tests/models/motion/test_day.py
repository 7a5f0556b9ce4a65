"""Day cells: each rule as a row; they fill any day of any zone exactly, whatever the stretches are."""

import random
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import Refused
from models.motion.day import CELLS, Cell, Stretch, cells, local_day, stretch_of
from models.motion.meter import Bounds, Usage, clipped

HOUR = 3_600_000_000
DAYS = {
    "Europe/Brussels": {date(2026, 3, 29): 23, date(2026, 10, 25): 25},
    "America/New_York": {date(2026, 3, 8): 23, date(2026, 11, 1): 25},
    "Australia/Lord_Howe": {date(2026, 4, 5): 24.5, date(2026, 10, 4): 23.5},
    "America/Santiago": {date(2026, 4, 4): 25, date(2026, 9, 6): 23},
    "Africa/Cairo": {date(2026, 4, 24): 23, date(2026, 10, 29): 25},
    "Asia/Beirut": {date(2026, 3, 29): 23, date(2026, 10, 24): 25},
    "America/Havana": {date(2026, 3, 8): 23, date(2026, 11, 1): 25},
    "Asia/Kathmandu": {date(2026, 3, 29): 24},
    "Pacific/Apia": {date(2011, 12, 29): 24, date(2011, 12, 30): 0, date(2011, 12, 31): 24},
    "UTC": {date(2026, 3, 29): 24, date(2024, 2, 29): 24},
}
"""By zone, how many hours a day has: the IANA time zone database."""


@pytest.mark.parametrize("zone", DAYS)
def test_a_local_day_is_as_long_as_the_clocks_make_it(zone: str) -> None:
    for day, hours in DAYS[zone].items():
        begin, end = local_day(day, zone)
        assert end - begin == hours * HOUR
        assert local_day(day - timedelta(days=1), zone)[1] == begin
        assert local_day(day + timedelta(days=1), zone)[0] == end


@pytest.mark.parametrize("zone", ["", "Nowhere/City", "../etc/passwd", "Europe", "Europe/Brussels\0", "x" * 5000])
def test_a_zone_that_is_none(zone: str) -> None:
    with pytest.raises(Refused, match="time zone"):
        local_day(date(2026, 1, 1), zone)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_a_day_without_an_end(zone: str) -> None:
    with pytest.raises(Refused, match="day"):
        local_day(date.max, zone)


RULES = {
    "nothing is known of": ([], "off"),
    "runs": (["running"], "idle"),
    "runs in a trip": (["running", "moving"], "moving"),
    "works": (["running", "working"], "working"),
    "works in a trip": (["running", "moving", "working"], "working"),
    "a trip with the engine off": (["moving"], "off"),
    "a hoist that is on with the engine off": (["working"], "off"),
    "on a trailer": (["transported"], "transported"),
    "on a trailer, in what looks like a trip": (["transported", "moving"], "transported"),
    "on a trailer, but it runs": (["transported", "running"], "idle"),
    "not observed": (["unobserved"], "unobserved"),
    "not observed on a trailer": (["unobserved", "transported"], "unobserved"),
    "not observed, and the hoist is on": (["unobserved", "running", "working", "moving"], "unobserved"),
    "runs, and whether it works is not known": (["running", "unclear"], "unobserved"),
    "runs, and one of two says that it works": (["running", "unclear", "working"], "working"),
    "off, and the hoist is not heard": (["unclear"], "off"),
}


@pytest.mark.parametrize("name", RULES)
def test_what_a_cell_is(name: str) -> None:
    whats, expected = RULES[name]
    found = cells(0, HOUR, [Stretch(-5, HOUR + 5, what, (what,), 1) for what in whats])
    assert [(cell.begin_at, cell.end_at, cell.what) for cell in found] == [(0, HOUR, expected)]


def test_a_cell_names_the_rows_and_versions_behind_it() -> None:
    stretches = [
        Stretch(10, 30, "running", ("b",), 7),
        Stretch(0, 10, "running", ("a",), 3),
        Stretch(5, 25, "moving", ("t",), 9),
        Stretch(0, 99, "transported", ("x",), 1),
        Stretch(40, 50, "unobserved", ("u", "v")),
    ]
    assert cells(2, 60, stretches) == [
        Cell(2, 5, "idle", ("a",), (3,)),
        Cell(5, 25, "moving", ("a", "t", "b"), (3, 7, 9)),
        Cell(25, 30, "idle", ("b",), (7,)),
        Cell(30, 40, "transported", ("x",), (1,)),
        Cell(40, 50, "unobserved", ("u", "v"), ()),
        Cell(50, 60, "transported", ("x",), (1,)),
    ]


def test_a_day_that_there_is_not() -> None:
    assert cells(*local_day(date(2011, 12, 30), "Pacific/Apia"), [Stretch(0, 1 << 60, "running", ("a",))]) == []


@pytest.mark.parametrize(
    ("meter", "why", "expected"),
    [
        ("runtime", None, "running"),
        ("runtime", "unobserved", "unobserved"),
        ("hoist", None, "working"),
        ("pto", None, "working"),
        ("pto", "unobserved", "unclear"),
        ("engine_hours", None, None),
        ("odometer", "reset", None),
    ],
)
def test_what_a_stretch_of_use_says(meter: str, why: str | None, expected: str | None) -> None:
    found = stretch_of(Usage("r1", "A", meter, 1, 2, None, 0, 0, [], why), 5)
    assert found == (None if expected is None else Stretch(1, 2, expected, ("r1",), 5))


def runs(chance: random.Random, begin: int, end: int) -> list[Usage]:
    """Stretches of runtime around a day that follow each other: it ran, was off or was not observed."""
    rows: list[Usage] = []
    at = begin - chance.randrange(5 * HOUR)
    while at < end + HOUR:
        until = at + 1 + chance.randrange(4 * HOUR)
        ms = (until - at) // 1000
        least, why = chance.choice(((ms, None), (ms, None), (0, "unobserved"), (-1, None)))
        if least >= 0:
            rows.append(Usage(f"r{len(rows)}", "A", "runtime", at, until, None, least, ms, [], why))
        at = until
    return rows


@given(st.sampled_from([(zone, day) for zone, days in DAYS.items() for day in days]), st.integers(0, 2**32))
def test_cells_fill_the_day_and_agree_with_the_hours(where: tuple[str, date], seed: int) -> None:
    """To the microsecond, and the same for every order of the stretches; what ran is what the meter says."""
    chance = random.Random(seed)
    begin, end = local_day(where[1], where[0])
    rows = runs(chance, begin, end)
    stretches = [found for row in rows if (found := stretch_of(row, chance.randrange(3))) is not None]
    for number in range(chance.randrange(12)):
        at = begin - HOUR + chance.randrange(26 * HOUR)
        what = chance.choice(("moving", "working", "transported", "unclear"))
        stretches.append(Stretch(at, at + chance.randrange(3 * HOUR), what, (f"s{number}",)))
    found = cells(begin, end, stretches)
    assert sum(cell.end_at - cell.begin_at for cell in found) == end - begin
    assert all(a.end_at == b.begin_at and a.what != b.what for a, b in pairwise(found))
    assert [found[0].begin_at, found[-1].end_at] == [begin, end] if found else begin == end
    assert all(cell.what in CELLS and cell.begin_at < cell.end_at for cell in found)
    assert all(bool(cell.evidence) == (cell.what != "off") for cell in found)
    chance.shuffle(stretches)
    assert cells(begin, end, stretches) == found
    length = {what: sum(cell.end_at - cell.begin_at for cell in found if cell.what == what) for what in CELLS}
    shares = [clipped(row, begin, end) for row in rows]
    ran = Bounds(sum(each.least for each in shares), sum(each.most for each in shares))
    sure = length["idle"] + length["moving"] + length["working"]
    assert sure // 1000 <= ran.least + len(rows)
    assert ran.most <= (sure + length["unobserved"]) // 1000 + len(rows)
