"""The deriver: whatever comes late, twice, across midnight or around register changes ends in the orderly book.

`STOCKYARD_STORIES=3000 python -m pytest tests/backend/test_deriver.py` tells 3,000 random stories; without it 28.
"""

import os
import random
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from backend import deriver, journal_days, refold
from backend.book import derived
from backend.book.db import read
from backend.book.schema import balance, clock_tick, crossing, dirty, movement
from backend.ingest import Message
from backend.verify import verify
from models import wire
from models.reading import Input, Reading, Scan, Tag, from_micros
from tests.backend.books import DAY, SECOND, Yard, facts
from tests.backend.stories import BOLT, MIDNIGHT, TAGS, make, tell_in_disorder, tell_in_order

STORIES = int(os.environ.get("STOCKYARD_STORIES", "28"))
PIECES = 4


def broken(yard: Yard) -> list[str]:
    return [f"{finding.name}: {finding.detail}" for finding in verify(yard.book) if not finding.ok]


def compare(seed: int, template: Path, folder: Path, patch: pytest.MonkeyPatch) -> None:
    """One story, told twice; in disorder in pages and strides of some size."""
    story = make(random.Random(seed))
    chance = random.Random(-seed)
    orderly = Yard.copy(template, folder / f"{seed} orderly.db", MIDNIGHT - DAY)
    tell_in_order(orderly, story)
    orderly.settle(4 * DAY)
    start = chance.choice((MIDNIGHT - DAY, MIDNIGHT - 5 * SECOND, MIDNIGHT, MIDNIGHT + 3 * DAY))
    disorder = Yard.copy(template, folder / f"{seed} disorder.db", start)
    disorder.deriver.readings_a_turn = chance.choice((1, 3, deriver.READINGS_A_TURN))
    patch.setattr(journal_days, "PAGE", chance.choice((1, 4, journal_days.PAGE)))
    patch.setattr(refold, "STRIDE", chance.choice((1, 3, refold.STRIDE)))
    tell_in_disorder(disorder, story, chance)
    midway = broken(disorder) if chance.random() < 0.25 else []
    disorder.settle(MIDNIGHT + 5 * DAY - disorder.clock.now)
    wrong = broken(chance.choice((orderly, disorder)))
    books = facts(orderly.book), facts(disorder.book)
    for yard in (orderly, disorder):
        yard.book.dispose()
    assert not midway, f"seed {seed}, before the deriver has caught up"
    for name in books[0]:
        assert books[0][name] == books[1][name], f"seed {seed}: {name}"
    assert not wrong, f"seed {seed}"


@pytest.mark.parametrize("piece", range(PIECES))
def test_every_story_ends_in_the_orderly_book(
    piece: int, template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(piece, STORIES, PIECES):
        with monkeypatch.context() as patch:
            compare(seed, template, tmp_path, patch)


def tag(at: float, antenna: int = 3, device_at: float | None = None, epc: str = TAGS[0]) -> Reading:
    """A sighting at door-1, `at` seconds after midnight; the demo's doors time out after 3 s."""
    heard = None if device_at is None else after(device_at)
    return Tag("door-1", after(at), epc, antenna, device_at=heard, rssi_dbm=-50.0, count=2)


def after(seconds: float) -> datetime:
    return from_micros(MIDNIGHT + round(seconds * SECOND))


def through(begin: float) -> list[Reading]:
    """A carton comes in: outside row, then inside row."""
    return [tag(begin), tag(begin + 1), tag(begin + 2, 1), tag(begin + 3, 1)]


def scan(at: float, data: str) -> Reading:
    return Scan("scanner-1", after(at), data, "]C1")


def told(template: Path, folder: Path, *groups: Sequence[Reading]) -> tuple[Yard, Yard]:
    """Two yards: one heard everything in order, the other group by group with the deriver at rest in between."""
    every = sorted((each for group in groups for each in group), key=lambda each: each.at)
    yards = Yard.copy(template, folder / "a.db", MIDNIGHT), Yard.copy(template, folder / "b.db", MIDNIGHT)
    for reading in every:
        yards[0].send([reading])
    for group in groups:
        yards[1].send(group)
        yards[1].settle(0)
    return yards


def alike(orderly: Yard, disorder: Yard) -> None:
    for yard in (orderly, disorder):
        yard.settle(2 * DAY)
        assert not broken(yard)
    assert facts(orderly.book) == facts(disorder.book)


IN_THE_MIDDLE = [through(10), [tag(14, 1)]], [through(10)[::2], through(10)[1::2]]
AFTER_ITS_END = [through(10), [tag(60, 1)], [tag(15.5, 1)]], [through(10), [tag(13 + 3, 1)]]
OVER_MIDNIGHT = [through(-2), [tag(40)], [tag(-1.5)]], [through(-DAY // SECOND), through(5), through(-2)]
TWICE = [
    [[tag(10, 3, 10), tag(11, 1, 11)], [tag(9, 3, 10)]],
    [[tag(1, 3, 1), tag(2, 1, 2)], [tag(-1, 3, 1)], [tag(5, 1, 5)]],
    [[tag(1, 3, 1)], [tag(-1, 3, 1)], [tag(30, 3, 1)], [tag(-60, 3, 1)]],
    [[tag(-1, 3, 1)], [tag(1, 3, 1), tag(2, 1, 2)]],
]
SCANS = [
    [[scan(1, "SY:RECEIVE"), scan(3, f"01{BOLT}"), scan(9, "SY:QTY:5")], [scan(2, "SY:LOC:desk")]],
    [
        [scan(-30, "SY:RECEIVE"), scan(-20, "SY:LOC:desk"), scan(-5, f"01{BOLT}")],
        [scan(90, f"01{BOLT}")],
        [scan(50, "SY:QTY:4")],
    ],
]


@pytest.mark.parametrize("groups", [*IN_THE_MIDDLE, *AFTER_ITS_END, *OVER_MIDNIGHT, *TWICE, *SCANS])
def test_late_readings_end_in_the_orderly_book(groups: list[list[Reading]], template: Path, tmp_path: Path) -> None:
    alike(*told(template, tmp_path, *groups))


def test_a_pass_ended_by_time_opens_again_for_a_late_reading(yard: Yard) -> None:
    yard.clock.now = MIDNIGHT + 20 * SECOND
    yard.send(through(10))
    assert not yard.rows(crossing)
    yard.send([Input("door-1", after(16), "photo_eye", on=True)])
    assert [row["direction"] for row in yard.rows(crossing)] == ["in"]
    yard.send([tag(15.9, 1)])
    assert len(yard.rows(dirty)) == 1
    yard.deriver.step()
    assert not yard.rows(dirty)
    assert not yard.rows(crossing), "heard until 15.9 s, it is not over at 16 s"
    yard.settle()
    assert [(row["direction"], row["evidence_count"]) for row in yard.rows(crossing)] == [("in", 5)]
    moved = [row["reverses"] is not None for row in yard.rows(movement)]
    assert moved == [False, True, False]
    assert [(row["location"], row["on_hand"]) for row in yard.rows(balance)] == [("supplier", "-1"), ("warehouse", "1")]
    assert not broken(yard)


def test_a_repeat_that_changes_nothing_posts_nothing(yard: Yard) -> None:
    yard.send(through(10))
    yard.settle()
    entries = yard.rows(movement)
    yard.send(through(10))
    yard.send([tag(200)])
    yard.send([tag(150)])
    yard.settle()
    assert yard.rows(movement) == entries
    assert [row["evidence_count"] for row in yard.rows(crossing)] == [4, 1, 1]
    assert not broken(yard)


def test_time_passes_thirty_seconds_after_the_last_reading(yard: Yard) -> None:
    yard.clock.now = MIDNIGHT + 14 * SECOND
    yard.send(through(10))
    yard.clock.now += 30 * SECOND
    assert not yard.deriver.step()
    yard.clock.now += 1
    assert yard.deriver.step()
    assert [row["closed_at"] for row in yard.rows(crossing)] == [MIDNIGHT + 16 * SECOND]
    assert [(row["at"], row["keys"]) for row in yard.rows(clock_tick)] == [(yard.clock.now, 1)]
    assert not yard.deriver.step()


def test_a_reading_ahead_of_the_clock_is_waited_for(yard: Yard) -> None:
    yard.clock.now = MIDNIGHT
    yard.send([tag(100)])
    yard.clock.now += 60 * SECOND
    assert not yard.deriver.step()
    yard.clock.now += 60 * SECOND
    assert yard.deriver.step()


def test_answers_say_up_to_when_they_are_complete(yard: Yard) -> None:
    def complete() -> float:
        with read(yard.book) as tx:
            return (derived.complete_to(tx, yard.clock.now) - MIDNIGHT) / SECOND

    yard.clock.now = MIDNIGHT + 13 * SECOND
    assert complete() == 13
    yard.send(through(10))
    assert complete() == 13
    yard.clock.now += 5 * SECOND
    assert complete() == 16, "a pass is over that nobody has ended yet"
    yard.send([tag(12.5)])
    assert complete() == 12.5
    yard.settle(60 * SECOND)
    assert complete() == 78
    listed = wire.Stream("F" * 12, 9, 8, after(7))
    status = wire.encode(wire.Status(online=True, streams=[listed]))
    yard.ingest.take([Message(wire.topic("dock-a", "status"), status)])
    assert complete() == 7


def test_a_tick_that_fails_does_not_keep_the_dirty_keys_waiting(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    yard.clock.now = MIDNIGHT
    yard.send([tag(20)])
    yard.send([tag(10)])
    yard.send([tag(20, epc=TAGS[1])])
    yard.clock.now += 3600 * SECOND

    def pass_quiet(*_: Any) -> None:
        msg = "a bug in the passing of time"
        raise ZeroDivisionError(msg)

    monkeypatch.setattr(deriver, "pass_quiet", pass_quiet)
    with pytest.raises(ZeroDivisionError):
        yard.deriver.step()
    assert not yard.rows(dirty)
    assert [row["subject"] for row in yard.rows(crossing)] == [TAGS[0], TAGS[0]]


def test_a_key_that_cannot_be_folded_is_left_and_the_others_go_on(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    yard.send([tag(20, epc=epc) for epc in TAGS])
    yard.send([tag(10, epc=epc) for epc in TAGS])
    true = deriver.post

    def post(tx: Any, folding: Any, now: int) -> None:
        true(tx, folding, now)
        if TAGS[1] in folding.spans:
            msg = "a bug in a fold"
            raise ZeroDivisionError(msg)

    monkeypatch.setattr(deriver, "post", post)
    failed = 0
    for _ in range(10):
        try:
            yard.deriver.step()
        except ZeroDivisionError:
            failed += 1
    assert failed == 2
    assert [row["subject"] for row in yard.rows(dirty)] == [TAGS[1]]
    monkeypatch.undo()
    yard.settle(60 * SECOND)
    assert len(yard.rows(dirty)) == 1
    yard.settle(600 * SECOND)
    assert not yard.rows(dirty)
    assert not broken(yard)
