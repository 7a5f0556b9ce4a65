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
