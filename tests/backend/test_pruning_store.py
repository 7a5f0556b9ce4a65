"""Pruning and the telemetry store that is filled from the journal; and a pass that is killed at any statement.

`STOCKYARD_EVERY_STATEMENT=1 python -m pytest tests/backend/test_pruning_store.py` kills at each; else at some.
"""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest

from backend.book.schema import seal, too_late
from backend.keeping.sealed_days import Sealer
from backend.projector import Projector
from backend.telemetry import refill, sql
from backend.telemetry.rows import TEN_MINUTES
from models.reading import Signal, from_micros
from tests.backend.books import DAY, Yard
from tests.backend.pruned_yards import DAYS, B, filled, prune_at
from tests.backend.stories import MIDNIGHT

EVERY = 1 if os.environ.get("STOCKYARD_EVERY_STATEMENT") else 70
ROOT = Path(__file__).parents[2]


@pytest.fixture
def old(yard: Yard) -> Yard:
    """A book of four days, whose first clock is that of the first."""
    yard.clock.now = MIDNIGHT
    filled(yard, range(4))
    return yard


def rolls_nothing_up(_followed: int) -> None:
    """In the place of what a projector does after it has followed."""


def test_the_telemetry_store_is_past_what_goes(old: Yard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = sql.on_file(tmp_path / "telemetry.db")
    old.send([Signal("crane-2", from_micros(MIDNIGHT + k * DAY), "load", 1.0 * k, "kg") for k in range(4)], B)
    projector = Projector(old.book, store, old.clock)
    old.clock.now = MIDNIGHT + (1 + DAYS) * DAY
    sealer = Sealer(old.book, old.clock, DAYS, store)
    assert sealer.all(Event()) == 0, "nothing is followed"
    with monkeypatch.context() as patched:
        patched.setattr(projector, "_roll_due", rolls_nothing_up)
        projector.step()
    assert sealer.all(Event()) == 0, "not all is rolled up"
    assert old.rows(seal)[0]["pruning_at"] is None
    projector.catch_up()
    before = store.digest()
    assert sealer.all(Event()) == 1
    old.send([Signal("crane-2", from_micros(MIDNIGHT + DAY), "load", 9.0, "kg")], B)
    projector.catch_up()
    assert store.digest() == before, "what came too late is no point"
    assert len(old.rows(too_late)) == 1
    store.clear()
    projector.catch_up()
    begins = [each.begin for each in store.readings(None, (0, old.clock.now, TEN_MINUTES))]
    assert min(begins) == MIDNIGHT + DAY, "what is left of pruned days is not all there was"
    store.close()


def test_a_store_of_another_version_is_not_emptied_of_what_is_gone(old: Yard, tmp_path: Path) -> None:
    store = sql.on_file(tmp_path / "telemetry.db")
    projector = Projector(old.book, store, old.clock)
    projector.catch_up()
    with closing(sqlite3.connect(tmp_path / "telemetry.db", isolation_level=None)) as file:
        file.execute("UPDATE about SET version = 1")
    refill.check(old.book, store)  # nothing is gone yet: it can be filled again
    prune_at(old, 2)
    with pytest.raises(refill.NotRefilled, match="readings before 2024-10-05 are gone from the journal"):
        Projector(old.book, store, old.clock).step()
    assert store.would_empty()
    store.prepare()
    Projector(old.book, store, old.clock).catch_up()
    assert store.readings(None, (0, old.clock.now, TEN_MINUTES))
    store.close()


def test_a_store_says_from_when_on_it_has_what_was_pruned(old: Yard, tmp_path: Path) -> None:
    gone, far = MIDNIGHT + DAY, 10_000
    kept, later = sql.on_file(tmp_path / "kept.db"), sql.on_file(tmp_path / "later.db")
    Projector(old.book, kept, old.clock, far).catch_up()
    prune_at(old, 2)
    for _ in range(2):
        for store, since in ((kept, old.clock.now - far * DAY), (later, gone)):
            Projector(old.book, store, old.clock, far).step()
            assert store.complete_from() == since, "it is not what is kept that was never there"
    for forgotten, since in ((MIDNIGHT + DAY // 2, MIDNIGHT + DAY // 2), (MIDNIGHT + 3 * DAY, gone)):
        kept.forget(forgotten)
        Projector(old.book, kept, old.clock, far).step()
        assert kept.complete_from() == since, "of what was forgotten there comes back what the journal has"
    kept.close()
    later.close()


@pytest.mark.timeout(3600)
def test_a_pass_that_is_killed_at_any_statement_goes_on(tmp_path: Path) -> None:
    program = Path(__file__).parent / "dying_seals.py"
    done = subprocess.run(
        [sys.executable, str(program), str(tmp_path), str(EVERY)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    print(found["kills"])
    assert found["wrong"] == []
    assert found["kills"] >= 400 / EVERY
