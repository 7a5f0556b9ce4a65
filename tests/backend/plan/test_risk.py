"""Alerts about a risk: raised at the threshold, closed well below it or by a repair, and not again for three days."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from backend.book import events, risks, schema
from backend.book.db import write
from backend.book.risks import Risk
from models.predict.alarm import LASTS_US, Reason
from models.predict.history import DAY_US, HOUR_US
from tests.backend.predict.plant import Plant
from tests.models.predict import fleet

START = fleet.START + 100 * DAY_US
WHY = Reason("gearbox_vibration", 3.9, 2.1, 0.2, "mm/s", None, 0.8, "gearbox vibration 3.9 mm/s")
SUBJECT = "asset:A/gearbox"


class Story(Plant):
    """What the model says of one asset, hour by hour."""

    overhauled_at: int | None = None

    def said(self, hours: float, risk: float | None, known: int | None = None) -> list[str]:
        """The model says so at a time, and the planner looks; the states of the alerts, the oldest first."""
        self.now = START + round(hours * HOUR_US)
        state = "scored" if risk is not None else "not_enough_data"
        threshold = None if risk is None else 0.5
        row = Risk(
            asset="A",
            model="gearbox/failure/0123456789ab",
            at=self.now,
            state=state,
            risk=risk,
            threshold=threshold,
            reasons=(WHY,) if risk is not None else (),
            overhauled_at=known,
            complete_to=self.now,
        )
        with write(self.book) as tx:
            risks.save(tx, [row])
            events.changed(tx, "asset:A", self.now)
        return [state for state, _ in self.plan()]


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    found = Story(tmp_path, START)
    found.mount("A", 1)
    yield found
    found.close()


def test_raised_at_the_threshold_and_closed_well_below_it(story: Story) -> None:
    assert story.said(0, 0.49) == []
    assert story.said(1, 0.5) == ["open"]
    assert story.said(2, 0.9) == ["open"]
    assert story.said(80, 0.31) == ["open"]
    assert story.said(81, 0.29) == ["closed"]
    assert story.said(82, 0.5) == ["closed", "open"]


def test_it_lasts_three_days_at_least(story: Story) -> None:
    assert story.said(0, 0.6) == ["open"]
    assert story.said(71, 0.1) == ["open"]
    assert story.said(72, 0.1) == ["closed"]


def test_what_it_says_is_what_was_when_it_was_raised_and_the_figures_are_those_of_now(story: Story) -> None:
    story.said(0, 0.6)
    (row,) = story.rows(schema.alert, ("n",))
    assert row.title == "Truck A: gearbox likely to fail within 7 days (60%)"
    assert row.severity == "warning"
    story.said(1, 0.8)
    (row,) = story.rows(schema.alert, ("n",))
    assert "(60%)" in row.title
    detail = msgspec.json.decode(row.detail)
    assert (detail["risk"], detail["at"], detail["reasons"][0]["signal"]) == (0.8, story.now, "gearbox_vibration")
    assert len(story.rows(schema.alert_event, ("n",))) == 1


def test_without_enough_data_it_stays(story: Story) -> None:
    story.said(0, 0.6)
    assert story.said(100, None) == ["open"]


def test_a_repair_closes_it_before_the_model_knows(story: Story) -> None:
    story.said(0, 0.6)
    story.repair("A", story.now)
    assert story.plan() == [("closed", SUBJECT)]
    assert story.said(1, None, story.now) == ["closed"]


def test_a_repair_that_was_before_the_alert_and_is_told_after_it_closes_it_too(story: Story) -> None:
    story.said(48, 0.9)
    story.repair("A", START + 40 * HOUR_US)
    assert story.plan() == [("closed", SUBJECT)]
    assert story.said(49, 0.9) == ["closed"]  # made before the repair was known
    assert story.said(50, None, START + 40 * HOUR_US) == ["closed"]
    assert story.said(300, 0.9, START + 40 * HOUR_US) == ["closed", "open"]


def test_a_repair_that_was_taken_back_was_none(story: Story) -> None:
    story.said(0, 0.6)
    story.repair("A", story.now)
    story.plan()
    story.take_back()
    assert story.said(1, 0.6) == ["closed", "open"]


def test_what_a_person_closed_is_not_raised_again_for_three_days(story: Story) -> None:
    story.said(0, 0.9)
    story.close_alert()
    assert story.said(1, 0.95) == ["closed"]
    assert story.said(LASTS_US / HOUR_US - 1, 0.95) == ["closed"]
    assert story.said(LASTS_US / HOUR_US, 0.95) == ["closed", "open"]


def test_the_planner_looks_at_every_asset_with_a_risk_once_a_day(story: Story) -> None:
    story.said(0, 0.6)
    with write(story.book) as tx:
        tx.execute(schema.alert.delete())
    story.now += DAY_US
    assert story.plan() == [("open", SUBJECT)]
