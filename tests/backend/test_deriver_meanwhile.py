"""Folding holds no lock: what comes between folding and posting is not lost, and a long history goes in pieces."""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import OperationalError

from backend import deriver
from backend.book import db, derived, register
from backend.book.db import read, write
from backend.book.locks import WRITER
from backend.book.schema import crossing, dirty, run, travel
from backend.deriver import MOST_MISSED
from backend.verify import verify
from models.declared import Asset, Device, Tracker
from models.reading import Fix, Meter, Reading, Scan, Tag, from_micros
from tests.backend.books import DAY, SECOND, Yard, facts
from tests.backend.stories import MIDNIGHT, make, tell_in_disorder, tell_in_order

TRACKER = "imei:350000000000001"


def fixes(day: int, every_s: int = 1800) -> list[Reading]:
    """A day of driving north and back."""
    begin = MIDNIGHT + day * DAY
    return [
        Fix(
            TRACKER,
            from_micros(begin + k * every_s * SECOND),
            51.0 + 0.01 * abs(24 - k),
            3.7,
            speed_mps=11.0,
            valid=True,
        )
        for k in range(DAY // SECOND // every_s)
    ]


def counted(day: int) -> list[Reading]:
    """A day of a counter that is told each 25 minutes: it is cut at hours, and what closes one comes later."""
    begin = MIDNIGHT + day * DAY
    return [
        Meter(TRACKER, from_micros(begin + k * 1500 * SECOND), "odometer", 1000.0 + 57 * day + k, "km")
        for k in range(57)
    ]


def tracked(yard: Yard) -> Yard:
    with write(yard.book) as tx:
        stamp: dict[str, Any] = {"valid_from": 0, "actor": "test", "now": 1}
        register.put(tx, "assets", "T1", Asset("truck", "1"), **stamp)
        register.put(tx, "devices", TRACKER, Device(TRACKER, tracker=Tracker("T1")), **stamp)
    return yard


def interrupted(yard: Yard, come: Callable[[], object]) -> None:
    """Whenever a turn has been folded, something comes before it is posted."""
    true = yard.deriver._fold

    def fold(tx: Any) -> Any:
        ready = true(tx)
        if ready:
            come()
        return ready

    yard.deriver._fold = fold  # type: ignore[method-assign]


def alike(orderly: Yard, disorder: Yard) -> None:
    books = facts(orderly.book), facts(disorder.book)
    for name in books[0]:
        assert books[0][name] == books[1][name], name
    for yard in (orderly, disorder):
        assert not [finding for finding in verify(yard.book) if not finding.ok]
        yard.book.dispose()


@pytest.mark.parametrize("most", [1, 100, 5000])
def test_a_long_history_that_came_late_is_folded_in_pieces_of_days(most: int, template: Path, tmp_path: Path) -> None:
    yards = [tracked(Yard.copy(template, tmp_path / f"{name}.db", MIDNIGHT + 9 * DAY)) for name in ("a", "b")]
    days = [fixes(day) for day in range(8)]
    for day in days:
        yards[0].send(day)
    yards[1].send(days[7])
    for day in days[:7]:
        yards[1].send(day)
    yards[1].deriver.readings_a_turn = most
    since: list[int] = []
    while rows := [row for row in yards[1].rows(dirty) if row["step"] == "motion"]:
        since += [row["since"] for row in rows]
        assert yards[1].deriver.step()
    assert since == sorted(set(since))
    assert len(since) >= {1: 7, 100: 3, 5000: 1}[most]
    for yard in yards:
        yard.settle()
    assert yards[0].rows(travel)
    alike(*yards)


def test_what_a_much_later_reading_had_ended_ends_in_an_earlier_piece(template: Path, tmp_path: Path) -> None:
    """The same row then, of another day: it is there already when the first piece is posted."""
    yards = [tracked(Yard.copy(template, tmp_path / f"{name}.db", MIDNIGHT + 9 * DAY)) for name in ("a", "b")]
    days = [counted(day) for day in range(8)]
    for day in days:
        yards[0].send(day)
    yards[1].send(days[0][:3])
    yards[1].send(days[7])
    yards[1].deriver.readings_a_turn = 30
    for day in (days[0][3:], *days[1:7]):
        yards[1].send(day)
    while yards[1].rows(dirty):
        assert yards[1].deriver.step()
    for yard in yards:
        yard.settle()
    assert yards[0].rows(run)
    alike(*yards)


def test_what_comes_into_the_middle_of_what_is_folded_is_folded_too(template: Path, tmp_path: Path) -> None:
    """Neither the span of the dirty key nor its state says that there is one reading more."""
    yards = [tracked(Yard.copy(template, tmp_path / f"{name}.db", MIDNIGHT + 4 * DAY)) for name in ("a", "b")]
    first, second = fixes(0), fixes(1)
    yards[0].send([*first, *second])
    yards[1].send(second)
    yards[1].send([first[0], *first[2:]])
    come = [first[1:2]]
    interrupted(yards[1], lambda: come and yards[1].send(come.pop()))
    while yards[1].rows(dirty):
        yards[1].deriver.step()
    assert not come
    for yard in yards:
        yard.settle()
    alike(*yards)


def test_what_comes_while_it_is_folded_is_folded_too_however_often(template: Path, tmp_path: Path) -> None:
    yards = [tracked(Yard.copy(template, tmp_path / f"{name}.db", MIDNIGHT + 4 * DAY)) for name in ("a", "b")]
    first, second = fixes(0), fixes(1)
    for reading in [*first, *second]:
        yards[0].send([reading])
    come = [*first[1::2], *second[::3], *second[1::3], *second[2::3][::-1]]
    yards[1].send(first[2:3])
    yards[1].send(first[:1])
    interrupted(yards[1], lambda: come and yards[1].send([come.pop(0)]))
    for reading in first[4::2]:
        yards[1].send([reading])
    while yards[1].deriver.step() or come:
        if come and not yards[1].rows(dirty):
            yards[1].send([come.pop(0)])
    for yard in yards:
        yard.settle()
    alike(*yards)


def test_a_device_that_is_never_quiet_is_folded_under_the_lock_at_last(template: Path, tmp_path: Path) -> None:
    yard = tracked(Yard.copy(template, tmp_path / "a.db", MIDNIGHT + 9 * DAY))
    live = iter(fixes(5, 60))
    yard.send([next(live)])
    yard.send(fixes(4))
    interrupted(yard, lambda: yard.send([next(live)]))
    turns = 0
    while any(row["step"] == "motion" and row["since"] < MIDNIGHT + 5 * DAY for row in yard.rows(dirty)):
        yard.deriver.step()
        turns += 1
        assert turns <= MOST_MISSED + 1
    assert not [finding for finding in verify(yard.book) if not finding.ok]


@pytest.mark.parametrize("seed", range(8))
def test_a_register_that_changes_meanwhile_counts(seed: int, template: Path, tmp_path: Path) -> None:
    story, chance = make(random.Random(1000 + seed)), random.Random(seed)
    yards = [Yard.copy(template, tmp_path / f"{name}.db", MIDNIGHT - DAY) for name in ("a", "b")]
    tell_in_order(yards[0], story)
    yards[0].settle(4 * DAY)
    changes = [*story.changes]
    story.changes.clear()
    interrupted(yards[1], lambda: changes and declare(yards[1], changes.pop(0)))
    tell_in_disorder(yards[1], story, chance)
    while changes:
        declare(yards[1], changes.pop(0))
    yards[1].settle(MIDNIGHT + 5 * DAY - yards[1].clock.now)
    alike(*yards)


def declare(yard: Yard, change: Any) -> None:
    with write(yard.book) as tx:
        register.put(
            tx, change.kind, change.id, change.body, valid_from=change.valid_from, actor="story", now=yard.clock.now
        )


def test_nobody_waits_while_it_is_folded(template: Path, tmp_path: Path) -> None:
    """A writer comes in while a month is folded: with the lock held it would wait, and fail."""
    yard = tracked(Yard.copy(template, tmp_path / "a.db", MIDNIGHT + 40 * DAY))
    event.listen(yard.book, "connect", lambda connection, _entry: connection.execute("PRAGMA busy_timeout=0"))
    yard.book.dispose()
    yard.send(fixes(31)[:5])
    for day in range(31):
        yard.send(fixes(day))
    seen: list[int] = []

    def write_something() -> None:
        with write(yard.book) as tx:
            seen.append(tx.execute(select(dirty)).rowcount)

    interrupted(yard, write_something)
    yard.settle()
    assert seen
    with read(yard.book) as tx:
        assert tx.execute(select(dirty)).first() is None


@pytest.mark.parametrize("missed", [0, MOST_MISSED])
def test_what_a_turn_itself_declares_holds_for_all_that_it_posts(missed: int, template: Path, tmp_path: Path) -> None:
    """A late ASSIGN says what a tag is on, whose pass is folded in the same turn, for another reason."""
    tag = "e280110000000000000000aa"

    def scan(at: int, data: str) -> Reading:
        return Scan("scanner-1", from_micros(MIDNIGHT + at * SECOND), data, "]C1")

    def seen(at: int, antenna: int) -> Reading:
        return Tag("door-1", from_micros(MIDNIGHT + at * SECOND), tag, antenna, rssi_dbm=-50.0)

    yard = Yard.copy(template, tmp_path / "a.db", MIDNIGHT + DAY)
    yard.send([scan(3000, "SY:CANCEL"), seen(1000, 3), seen(1001, 3), seen(1002, 1)])
    yard.settle()
    yard.send([scan(0, "SY:ASSIGN"), scan(1, f"SY:EPC:{tag}"), scan(2, "SY:ASSET:forklift-1")])
    (door,) = {row["device_id"] for row in yard.rows(crossing)}
    with write(yard.book) as tx:
        derived.mark_dirty(tx, [("dock", door, tag, MIDNIGHT + SECOND, derived.FOR_EVER)])
    if missed:
        yard.deriver._missed["dock", door] = missed
        come = [Tag("door-1", from_micros(MIDNIGHT + 2000 * SECOND), "ab" * 12, 3, rssi_dbm=-50.0)]
        interrupted(yard, lambda: come and yard.send([come.pop()]))
    yard.settle()
    assert {row["asset"] for row in yard.rows(crossing) if row["subject"] == tag} == {"FORKLIFT-1"}
    assert not [finding for finding in verify(yard.book) if not finding.ok]


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
def test_folding_under_the_lock_may_take_longer_than_a_process_may_stand_still(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day of a reader that is never quiet is folded in more than the time after which a session is ended."""
    monkeypatch.setattr(db, "HELD_IDLE_S", 1)
    tracked(yard).clock.now = MIDNIGHT + 9 * DAY
    live = iter(fixes(5, 60))
    yard.send([next(live)])
    yard.send(fixes(4))
    true = deriver.fold

    def slow(tx: Any, *given: Any) -> Any:
        if tx.get_execution_options().get(WRITER):
            time.sleep(1.5)
        return true(tx, *given)

    monkeypatch.setattr(deriver, "fold", slow)
    interrupted(yard, lambda: yard.send([next(live)]))
    for _ in range(MOST_MISSED + 1):
        yard.deriver.step()
    assert not [row for row in yard.rows(dirty) if row["since"] < MIDNIGHT + 5 * DAY]


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
def test_a_key_whose_readings_take_too_long_keeps_no_others_waiting(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seen(door: str, at: int) -> Reading:
        return Tag(door, from_micros(MIDNIGHT + at * SECOND), "ab" * 12, 3, rssi_dbm=-50.0)

    yard.clock.now = MIDNIGHT + DAY
    yard.send([seen("door-1", 100), seen("door-2", 200)])
    yard.send([seen("door-1", 10), seen("door-2", 20)])
    true = deriver.fold

    def fold(tx: Any, register: Any, of: Any, spans: Any, most: int | None = None) -> Any:
        if min(since for since, _ in spans.values()) == MIDNIGHT + 10 * SECOND:
            tx.execute(text("SET LOCAL statement_timeout = '20ms'"))
            tx.execute(text("SELECT pg_sleep(5)"))
        return true(tx, register, of, spans, most)

    monkeypatch.setattr(deriver, "fold", fold)
    for _ in range(4):
        with suppress(OperationalError):
            yard.deriver.step()
    assert [row["since"] for row in yard.rows(dirty)] == [MIDNIGHT + 10 * SECOND]
