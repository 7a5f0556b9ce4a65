"""The planner and what an asset does: told when it comes and goes and when it is carried, of live readings only."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import select

from backend.book import schema
from backend.book.db import read
from backend.book.schema import travel
from backend.plan.carried import TRANSPORTED
from backend.plan.zones import ZONE_ALERT
from backend.planner import Planner
from models.declared import Circle, Zone
from models.reading import Reading, micros
from tests.backend.books import DAY, SECOND, Yard
from tests.backend.journeys import GATE, TRUCK, drive, fix, mount, switch
from tests.backend.stories import MIDNIGHT, Change, declare
from tests.models.motion.drives import degrees

LIVE, OTHER = "A" * 12, "B" * 12
FIELD = (3000.0, 0.0)
CAME, WENT = "asset:TRUCK-1/field/enter", "asset:TRUCK-1/field/exit"


def field(alert: str | None = "both", at: int = MIDNIGHT - DAY, dwell_s: float = 0.0, x: float = 3000.0) -> Change:
    zone = Zone("Field", circle=Circle(*degrees(x, 0.0), 100.0), dwell_s=dwell_s, alert=alert)  # type: ignore[arg-type]
    return Change("zones", "field", zone, at)


class Watch:
    """A yard whose planner looks after everything that comes."""

    def __init__(self, yard: Yard) -> None:
        self.yard = yard
        self.planner = Planner(yard.book, yard.clock, [ZONE_ALERT, TRANSPORTED])

    def live(self, readings: Sequence[Reading]) -> "Watch":
        """Each as it happens, a second later."""
        for reading in readings:
            self.late([reading], (micros(reading.at) + SECOND - MIDNIGHT) / SECOND)
        return self

    def late(self, readings: Sequence[Reading], at: float) -> "Watch":
        """All at once."""
        self.yard.clock.now = MIDNIGHT + round(at * SECOND)
        self.yard.send(readings, LIVE if len(readings) == 1 else OTHER)
        self.look()
        while self.yard.deriver.step():
            self.look()
        self.look()
        return self

    def look(self) -> None:
        while self.planner.step():
            pass

    @property
    def told(self) -> list[tuple[str, int, str]]:
        """(subject, how often, when the last was) of every alert."""
        with read(self.yard.book) as tx:
            rows = tx.execute(select(schema.alert).order_by(schema.alert.c.n)).all()
        details = [json.loads(row.detail) for row in rows]
        return [(row.subject, it["times"], it["at"][11:19]) for row, it in zip(rows, details, strict=True)]


@pytest.fixture
def watch(template: Path, tmp_path: Path) -> Iterator[Watch]:
    yard = Yard.copy(template, tmp_path / "yard.db", MIDNIGHT - DAY + SECOND)
    yield Watch(yard)
    yard.book.dispose()


WAY = (GATE, (1000.0, 0.0), (2000.0, 0.0), FIELD, FIELD, FIELD, (2000.0, 0.0), (1000.0, 0.0), GATE, GATE)
THERE_AND_BACK = drive(0, *WAY, every=60)


@pytest.mark.parametrize(
    ("alert", "told"),
    [
        ("both", [(CAME, 1, "00:04:00"), (WENT, 1, "00:07:00")]),
        ("enter", [(CAME, 1, "00:04:00")]),
        ("exit", [(WENT, 1, "00:07:00")]),
        (None, []),
    ],
)
def test_coming_and_going_is_told_once_to_who_wants_it(
    alert: str | None, told: list[tuple[str, int, str]], watch: Watch
) -> None:
    declare(watch.yard, [field(alert)])
    assert watch.live(THERE_AND_BACK).told == told
    watch.live(drive(3600, *WAY))
    assert [(subject, times) for subject, times, _ in watch.told] == [(subject, 2) for subject, *_ in told]


def test_it_is_told_as_soon_as_it_is_known(watch: Watch) -> None:
    declare(watch.yard, [field()])
    told = [[*watch.live([each]).told] for each in THERE_AND_BACK[:8]]
    assert [len(each) for each in told] == [0, 0, 0, 0, 1, 1, 1, 2]


def test_after_the_dwell_of_the_zone(watch: Watch) -> None:
    declare(watch.yard, [field(dwell_s=400.0)])
    assert watch.live(THERE_AND_BACK).told == []
    watch.live(drive(3600, GATE, (1000.0, 0.0), (2000.0, 0.0), *[FIELD] * 12))
    assert [(subject, at) for subject, _, at in watch.told] == [(CAME, "01:10:00")]


def test_a_backlog_of_nine_hours_rings_nothing_and_its_rows_are_right(watch: Watch) -> None:
    declare(watch.yard, [field()])
    watch.live(drive(-300, GATE, GATE)).live(drive(32_400, GATE, GATE))
    watch.late(THERE_AND_BACK, 32_500)
    assert watch.told == []
    stays = [row for row in watch.yard.rows(travel) if row["zone"] == "field"]
    assert [(row["begin_at"] - MIDNIGHT) // SECOND for row in stays] == [180]
    watch.live(drive(32_600, *WAY))
    assert [subject for subject, *_ in watch.told] == [CAME, WENT], "what comes after is news again"


def test_an_outage_that_ends_with_its_backlog_first_rings_nothing_of_before(watch: Watch) -> None:
    declare(watch.yard, [field()])
    watch.late([*THERE_AND_BACK, *drive(30_000, *WAY[:6])], 32_400)
    assert watch.told == []


def test_what_becomes_known_of_the_past_of_an_open_visit_rings_nothing(watch: Watch) -> None:
    declare(watch.yard, [field("both")])
    watch.live(drive(0, GATE, (1000.0, 0.0), (2000.0, 0.0), *[FIELD] * 60))
    assert [subject for subject, *_ in watch.told] == [CAME]
    before = watch.told
    watch.late([fix(1830 + k, (2000.0 - k, 0.0), speed_mps=30.0) for k in range(2)], 3800)
    watch.live(drive(3900, FIELD, FIELD))
    assert watch.told == before


def test_a_reading_that_is_some_seconds_late_is_news(watch: Watch) -> None:
    declare(watch.yard, [field()])
    watch.live(THERE_AND_BACK[:3]).live(THERE_AND_BACK[4:5]).late(THERE_AND_BACK[3:4], 250)
    assert [subject for subject, *_ in watch.told] == [CAME]


def test_a_zone_or_a_tracker_that_moves_leaves_nothing(watch: Watch) -> None:
    declare(watch.yard, [field("exit")])
    watch.live(THERE_AND_BACK[:6])
    declare(watch.yard, [field("exit", MIDNIGHT + 330 * SECOND, x=90_000.0)])
    watch.live(drive(360, FIELD, FIELD))
    declare(watch.yard, [field("exit", MIDNIGHT + 450 * SECOND)])
    watch.live(drive(480, FIELD, FIELD))
    declare(watch.yard, [mount(TRUCK, "TRUCK-2", MIDNIGHT + 570 * SECOND)])
    watch.live(drive(600, FIELD, FIELD))
    assert watch.told == []
    assert len([row for row in watch.yard.rows(travel) if row["zone"] == "field"]) == 2


CARRIED = [fix(600.0 + 30 * k, (300.0 * k, 0.0), speed_mps=10.0) for k in range(20)]
PARKED: list[Reading] = [switch(-30, on=False), *drive(0, *[GATE] * 9), switch(590, on=False)]
TOWED = "asset:TRUCK-1/transported"


def test_a_machine_that_moves_with_its_engine_off_is_told_once(watch: Watch) -> None:
    watch.live(PARKED).live(CARRIED[:2])
    watch.live(CARRIED[2:6])
    assert [(subject, times) for subject, times, _ in watch.told] == [(TOWED, 1)]
    first = watch.told
    watch.live(CARRIED[6:]).live([switch(1300, on=True)]).live(drive(1320, *[(5700.0, 0.0)] * 5))
    assert watch.told == first
    assert [row["what"] for row in watch.yard.rows(travel) if row["what"] == "transported"] == ["transported"]


def test_with_its_engine_on_or_long_ago_nothing_is_told(watch: Watch) -> None:
    watch.live([switch(-30, on=True)]).live(drive(0, *[GATE] * 9)).live(CARRIED)
    assert watch.told == []


def test_a_transport_of_a_backlog_rings_nothing(watch: Watch) -> None:
    watch.live(PARKED[:4]).live(drive(40_000, GATE))
    watch.late([*PARKED[4:], *CARRIED, switch(1300, on=True)], 40_100)
    assert watch.told == []
    assert [row["what"] for row in watch.yard.rows(travel) if row["what"] == "transported"] == ["transported"]


def test_a_planner_that_was_away_tells_what_was_received_in_time(watch: Watch) -> None:
    declare(watch.yard, [field()])
    planner, watch.planner = watch.planner, Planner(watch.yard.book, watch.yard.clock, [])
    for reading in THERE_AND_BACK[:5]:
        watch.yard.clock.now = micros(reading.at) + SECOND
        watch.yard.send([reading], LIVE)
    watch.planner = planner
    watch.yard.clock.now += 7200 * SECOND
    watch.look()
    assert [subject for subject, *_ in watch.told] == [CAME]


COLD = [fix(-120, FIELD, valid=False), fix(-60, GATE, lat=None, lon=None)]


@pytest.mark.parametrize("before", [[], COLD], ids=["at once", "after a cold start"])
def test_who_is_seen_for_the_first_time_in_a_zone_did_not_come(before: list[Reading], watch: Watch) -> None:
    declare(watch.yard, [field()])
    watch.live(before).live(drive(0, *[FIELD] * 4, every=20))
    assert watch.told == []
    watch.live(drive(120, (2000.0, 0.0), (1000.0, 0.0), GATE, GATE))
    assert [subject for subject, *_ in watch.told] == [WENT], "a short stay that is over is no coming either"


def test_a_zone_that_is_declared_around_it_brings_nobody(watch: Watch) -> None:
    watch.live(drive(0, GATE, *[FIELD] * 9))
    declare(watch.yard, [field(at=MIDNIGHT + 570 * SECOND)])
    assert watch.live(drive(600, *[FIELD] * 6)).told == []
    watch.live(drive(960, (2000.0, 0.0), (1000.0, 0.0), GATE, GATE))
    assert [subject for subject, *_ in watch.told] == [WENT]


def test_a_tracker_that_is_put_on_it_there_brings_nobody(watch: Watch) -> None:
    declare(watch.yard, [field(), mount(TRUCK, "TRUCK-2", MIDNIGHT - DAY)])
    watch.live(drive(0, GATE, (1000.0, 0.0)))
    declare(watch.yard, [mount(TRUCK, "TRUCK-1", MIDNIGHT + 90 * SECOND)])
    assert watch.live(drive(120, *[FIELD] * 6)).told == []


def test_another_entry_of_the_tracker_on_the_way_is_none(watch: Watch) -> None:
    declare(watch.yard, [field()])
    watch.live(THERE_AND_BACK[:3])
    declare(watch.yard, [mount(TRUCK, "TRUCK-1", MIDNIGHT + 150 * SECOND, max_speed_mps=45.0)])
    watch.live(THERE_AND_BACK[3:6])
    assert [subject for subject, *_ in watch.told] == [CAME]


UNDER_A_ROOF = [
    *drive(0, GATE, (1000.0, 0.0), (2000.0, 0.0), FIELD),
    *(fix(240 + 60 * k, FIELD, valid=False) for k in range(8)),
    *drive(720, *[FIELD] * 6),
]


@pytest.mark.parametrize("late", [False, True])
def test_who_is_not_seen_for_a_while_after_it_came_is_told_when_it_is_seen(watch: Watch, *, late: bool) -> None:
    declare(watch.yard, [field()])
    told = watch.late(UNDER_A_ROOF, 1400).told if late else watch.live(UNDER_A_ROOF).told
    assert told == ([] if late else [(CAME, 1, "00:12:00")])


def test_an_outline_that_is_edited_while_it_is_inside_is_left(watch: Watch) -> None:
    declare(watch.yard, [field()])
    watch.live(THERE_AND_BACK[:6])
    larger = Zone("Field", circle=Circle(*degrees(3000.0, 0.0), 110.0), alert="both")
    declare(watch.yard, [Change("zones", "field", larger, MIDNIGHT + 330 * SECOND)])
    watch.live(drive(360, *[FIELD] * 3, *WAY[6:]))
    assert watch.told == [(CAME, 1, "00:04:00"), (WENT, 1, "00:10:00")]


@pytest.mark.parametrize("ahead", [GATE, FIELD], ids=["at the gate", "in the field"])
def test_one_reading_hours_ahead_rings_nothing_and_silences_nothing(ahead: tuple[float, float], watch: Watch) -> None:
    declare(watch.yard, [field()])
    watch.live(THERE_AND_BACK[:1]).late([fix(72_000, ahead)], 61)
    assert watch.told == []
    assert watch.live(THERE_AND_BACK[2:]).told == [(CAME, 1, "00:04:00"), (WENT, 1, "00:07:00")]


def test_a_going_hours_ahead_does_not_hide_the_one_of_now(watch: Watch) -> None:
    declare(watch.yard, [field("exit")])
    watch.live(THERE_AND_BACK[:1]).late(drive(72_000, FIELD, FIELD, FIELD, GATE, GATE, GATE), 61)
    assert watch.live(THERE_AND_BACK[2:]).told == [(WENT, 1, "00:07:00")]


def test_nor_does_it_of_what_is_carried(watch: Watch) -> None:
    watch.live(PARKED[:2]).late([fix(72_000, GATE)], 1)
    assert [subject for subject, *_ in watch.live([*PARKED[2:], *CARRIED[:6]]).told] == [TOWED]


def hauled(every: int) -> list[Reading]:
    """Parked with its engine off; between two fixes it is taken nine kilometres away, and stands there."""
    told: list[Reading] = [switch(-30, on=False), *drive(0, GATE, GATE)]
    for k in range(1, 12):
        place = GATE if k < 4 else (9000.0, 0.0)
        told += [switch(every * k - 1, on=False), fix(every * k, place, speed_mps=0.0)]
    return told


@pytest.mark.parametrize(("every", "at"), [(3600, "05:00:00"), (600, "00:50:00")])
def test_of_fixes_that_are_far_between_it_is_told_once_with_the_one_that_is_sure(
    every: int, at: str, watch: Watch
) -> None:
    assert watch.live(hauled(every)).told == [(TOWED, 1, at)]
    assert [row["what"] for row in watch.yard.rows(travel) if row["what"] == "transported"] == ["transported"]


@pytest.mark.parametrize("every", [3600, 600])
def test_of_a_backlog_of_such_fixes_nothing_is_told(every: int, watch: Watch) -> None:
    watch.live(hauled(every)[:3]).late(hauled(every)[3:], 11 * every + 400)
    assert watch.told == []


def test_a_move_that_was_received_late_is_not_told_with_the_fix_after_it(watch: Watch) -> None:
    told = hauled(600)
    watch.live(told[:10]).late([told[10]], 2400 + 301).live(told[11:])
    assert watch.told == []
    assert [row["what"] for row in watch.yard.rows(travel) if row["what"] == "transported"] == ["transported"]
