"""The scorer: every asset once an hour, again when more is known of the hour, and never twice for nothing."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy import insert, select

from backend.book import schema
from backend.book.db import read, write
from backend.predict import scorer as module
from backend.predict.registry import CURRENT, MODEL_FILE
from models.predict.card import stamped
from models.predict.history import DAY_US, HOUR_US
from models.predict.learners import TREES
from tests.backend.predict.plant import MINUTE, Plant
from tests.models.predict import fleet
from tests.models.predict.test_reasons import FAILURE, drifting

NOW = FAILURE - HOUR_US + 17 * MINUTE
HOUR = NOW // HOUR_US * HOUR_US
ALWAYS = (0, FAILURE)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two machines, of which one drifts, one without readings, and a model that alerts at 0.9."""
    made = Plant(tmp_path_factory.mktemp("plant"), NOW)
    file, card = fleet.trained(TREES)
    made.registry.save(file, stamped(replace(card, threshold=0.9)))
    made.tell(made.mount("ILL", 1), drifting("gearbox_vibration", 1.6), ALWAYS)
    made.tell(made.mount("WELL", 2), drifting("gearbox_vibration", 0.0), ALWAYS)
    made.mount("NEW", 3)
    made.close()
    return made.path


@pytest.fixture
def plant(tmp_path: Path, template: Path) -> Iterator[Plant]:
    """A copy of it."""
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    found = Plant(tmp_path, NOW)
    yield found
    found.close()


def test_every_asset_with_a_tracker_has_a_risk_or_what_is_missing(plant: Plant) -> None:
    assert plant.scorer.step() == 3
    ill, new, well = plant.rows()
    assert [row.asset for row in (ill, new, well)] == ["ILL", "NEW", "WELL"]
    assert (ill.state, ill.at, ill.threshold, ill.complete_to) == ("scored", HOUR, 0.9, HOUR)
    assert ill.risk > 0.9 > well.risk
    assert ill.model == f"gearbox/failure/{plant.registry.current()}"
    reasons = msgspec.json.decode(ill.reasons)
    assert reasons[0]["signal"] == "gearbox_vibration"
    assert reasons[0]["text"].startswith("gearbox vibration 3.")
    assert (new.state, new.risk, new.threshold, new.reasons) == ("not_enough_data", None, None, "[]")
    assert new.missing.startswith("normal not known: 0 of 5 days")


def test_the_same_hour_is_scored_once_and_the_next_again(plant: Plant) -> None:
    assert [plant.scorer.step(), plant.scorer.step()] == [3, 0]
    before = plant.rows()
    plant.now += 30 * MINUTE
    assert plant.scorer.step() == 0
    plant.now += 30 * MINUTE
    assert plant.scorer.step() == 3
    assert plant.rows()[::2][:1] == before[:1]
    assert [row.at for row in plant.rows()] == [HOUR, HOUR + HOUR_US] * 3


def test_another_scorer_makes_nothing_twice(plant: Plant) -> None:
    plant.scorer.step()
    before = plant.rows()
    again = module.Scorer(plant.book, plant.telemetry, lambda: plant.now, plant.registry)
    assert again.step() == 0
    assert plant.rows() == before


def test_an_hour_that_comes_late_is_scored_again(plant: Plant) -> None:
    """A tracker sends what it had kept while it was out of reach; the book did not know that it was missing."""
    device = plant.mount("LATE", 4)
    made = drifting("gearbox_vibration", 1.6)
    plant.tell(device, made, (0, FAILURE - 5 * DAY_US))
    plant.scorer.step()
    early = next(row for row in plant.rows() if row.asset == "LATE")
    plant.tell(device, made, ALWAYS)
    assert plant.scorer.step() == 1
    late = next(row for row in plant.rows() if row.asset == "LATE")
    ill = next(row for row in plant.rows() if row.asset == "ILL")
    assert (early.state, late.at) == ("not_enough_data", early.at)
    assert late.risk == ill.risk
    assert plant.scorer.step() == 0


def test_a_risk_made_while_readings_were_missing_is_made_again_when_they_have_come(plant: Plant) -> None:
    with write(plant.book) as tx:
        tx.execute(insert(schema.dirty).values(step="x", device_id=1, subject="", since=HOUR - 5 * HOUR_US, until=0))
    plant.scorer.step()
    assert {row.complete_to for row in plant.rows()} == {HOUR - 5 * HOUR_US}
    assert plant.scorer.step() == 0
    with write(plant.book) as tx:
        tx.execute(schema.dirty.delete())
    assert [plant.scorer.step(), plant.scorer.step()] == [3, 0]
    assert {row.complete_to for row in plant.rows()} == {HOUR}


def test_it_waits_while_the_store_is_far_behind(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant.streams(module.FAR_BEHIND + 1, HOUR - 5 * HOUR_US)
    assert plant.scorer.step() == 0
    monkeypatch.setattr(module, "FAR_BEHIND", module.FAR_BEHIND + 1)
    assert plant.scorer.step() == 3
    assert {row.complete_to for row in plant.rows()} == {HOUR - 5 * HOUR_US}, "as old as what is missing"


def test_what_is_later_than_the_hour_is_not_missing_from_it(plant: Plant) -> None:
    plant.streams(2, HOUR + 1)
    assert plant.scorer.step() == 3
    assert {row.complete_to for row in plant.rows()} == {HOUR}


def test_a_repair_that_is_told_or_taken_back_counts_at_once(plant: Plant) -> None:
    plant.scorer.step()
    before = plant.rows()[0]
    plant.repair("ILL", FAILURE - 2 * DAY_US)
    assert plant.scorer.step() == 1
    repaired = plant.rows()[0]
    assert (repaired.state, repaired.overhauled_at) == ("not_enough_data", FAILURE - 2 * DAY_US)
    plant.take_back()
    assert plant.scorer.step() == 1
    assert plant.rows()[0] == before


def test_what_changed_is_told_to_the_planner_and_the_page(plant: Plant) -> None:
    with write(plant.book) as tx:
        tx.execute(schema.changed.delete())
        tx.execute(schema.event.delete())
    plant.scorer.step()
    with read(plant.book) as tx:
        assert sorted(tx.scalars(select(schema.changed.c.subject))) == ["asset:ILL", "asset:NEW", "asset:WELL"]
        bodies = [msgspec.json.decode(body) for body in tx.scalars(select(schema.event.c.body))]
    assert bodies[1] == {"asset": "NEW", "state": "not_enough_data", "risk": None}


def test_the_risk_becomes_an_alert_with_its_reason(plant: Plant) -> None:
    plant.scorer.step()
    assert plant.plan() == [("open", "asset:ILL/gearbox")]
    (row,) = plant.rows(schema.alert, ("n",))
    assert row.title.startswith("Truck ILL: gearbox likely to fail within 7 days (9")
    detail = msgspec.json.decode(row.detail)
    assert detail["reasons"][0]["text"].startswith("gearbox vibration 3.")
    assert (detail["threshold"], detail["model"]) == (0.9, f"gearbox/failure/{plant.registry.current()}")
    plant.repair("ILL", plant.now)
    assert plant.plan() == [("closed", "asset:ILL/gearbox")]
    plant.scorer.step()
    assert plant.plan() == [("closed", "asset:ILL/gearbox")]


def test_a_model_that_is_refused_is_an_alert_and_the_one_before_scores_on(plant: Plant) -> None:
    plant.scorer.step()
    serving = plant.registry.current()
    folder = plant.registry.save(*fleet.trained())
    (folder / MODEL_FILE).write_bytes(b"?")
    plant.now += HOUR_US
    assert plant.scorer.step() == 3
    assert {row.model for row in plant.rows()} == {f"gearbox/failure/{serving}"}
    (told,) = plant.rows(schema.alert, ("n",))
    assert (told.rule, told.subject, told.state) == ("model_refused", "model:gearbox/failure", "open")
    assert told.title.startswith(f"model gearbox/failure {folder.name}: model.skops: SHA-256 ")
    (plant.registry.folder / CURRENT).write_text(f"{serving}\n")
    plant.scorer.step()
    assert plant.alerts() == [("closed", "model:gearbox/failure")]


def test_a_new_model_scores_the_hour_anew(plant: Plant) -> None:
    plant.scorer.step()
    plant.registry.save(*fleet.trained())
    assert [plant.scorer.step(), plant.scorer.step()] == [3, 0]
    assert {row.model for row in plant.rows()} == {f"gearbox/failure/{fleet.trained()[1].version}"}


def test_without_a_model_nothing_is_said(plant: Plant) -> None:
    (plant.registry.folder / CURRENT).unlink()
    assert plant.scorer.step() == 0
    assert plant.rows() == []
    assert plant.alerts() == []


def test_it_runs_until_it_is_stopped(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY_S", 0.01)
    stop = Event()
    thread = Thread(target=plant.scorer.run, args=(stop,))
    thread.start()
    for _ in range(1000):
        if plant.rows():
            break
        stop.wait(0.01)
    stop.set()
    thread.join(10)
    assert len(plant.rows()) == 3
