"""The in-order effects: what one transaction folds, what it leaves to the deriver, and how far time has come."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from backend import apply, dock_step
from backend.apply import DUE_OF_QUIET, DUE_OF_STREAM
from backend.book.db import read
from backend.book.schema import checkpoint, crossing, dirty, fold_state, journal, movement, quarantine
from backend.verify import verify
from models import wire
from models.reading import Input, Reading, Tag, from_micros
from tests.backend.books import DAY, SECOND, Yard, facts
from tests.backend.stories import MIDNIGHT, TAGS


def at(seconds: float) -> datetime:
    return from_micros(MIDNIGHT + round(seconds * SECOND))


def tag(seconds: float, antenna: int = 3, epc: str = TAGS[0], door: str = "door-1") -> Tag:
    return Tag(door, at(seconds), epc, antenna, rssi_dbm=-50.0, count=2)


def through(begin: float) -> list[Reading]:
    return [tag(begin), tag(begin + 1), tag(begin + 2, 1), tag(begin + 3, 1)]


def hear(seconds: float, device: str = "eye") -> Input:
    return Input(device, at(seconds), "photo_eye", on=True)


def crossings(yard: Yard) -> list[tuple[str, int]]:
    return [(row["direction"], row["evidence_count"]) for row in yard.rows(crossing)]


def whole(yard: Yard) -> None:
    assert not [finding for finding in verify(yard.book) if not finding.ok]


@pytest.mark.parametrize("cuts", [[], [1], [4], [2, 5], [1, 2, 3, 4, 5, 6, 7]])
def test_how_readings_are_cut_into_batches_changes_nothing(cuts: Sequence[int], yard: Yard) -> None:
    readings = [*through(10), *through(20)]
    for low, high in zip([0, *cuts], [*cuts, len(readings)], strict=True):
        yard.send(readings[low:high])
    yard.settle()
    assert crossings(yard) == [("in", 4), ("in", 4)]
    assert not yard.rows(dirty)
    whole(yard)


def test_order_within_one_batch_does_not_matter(yard: Yard) -> None:
    yard.send(through(10)[::-1])
    assert not yard.rows(dirty)
    yard.settle()
    assert crossings(yard) == [("in", 4)]


def test_a_late_reading_and_all_that_follow_wait_for_the_deriver(yard: Yard) -> None:
    yard.send(through(10))
    yard.send([tag(11.5)])
    yard.send([tag(14, 1)])
    (row,) = yard.rows(dirty)
    assert (row["since"], row["until"]) == (MIDNIGHT + 11.5 * SECOND, MIDNIGHT + 14 * SECOND)
    (state,) = yard.rows(fold_state)
    assert state["last_at"] == MIDNIGHT + 13 * SECOND
    yard.send([hear(60)])
    assert not crossings(yard), "time does not end a dirty key"
    yard.settle()
    assert crossings(yard) == [("in", 6)]
    whole(yard)


@pytest.mark.parametrize(
    ("heard", "ended"),
    [(hear(15.9, "door-1"), 0), (hear(16, "door-1"), 1), (hear(16.2), 0), (hear(16.3), 1), (tag(16, epc=TAGS[1]), 1)],
)
def test_time_comes_from_the_device_itself_and_a_little_later_from_its_stream(
    heard: Reading, ended: int, yard: Yard
) -> None:
    yard.send(through(10))
    yard.send([heard])
    assert len(crossings(yard)) == ended
    whole(yard)


def test_time_in_another_stream_ends_nothing(yard: Yard) -> None:
    yard.send(through(10), "A" * 12)
    yard.send([hear(100, "door-1")], "B" * 12)
    assert not crossings(yard)


def test_a_reading_at_the_very_end_begins_another_pass(yard: Yard) -> None:
    yard.send(through(10))
    yard.send([tag(13 + 3)])
    assert crossings(yard) == [("in", 4)]
    assert not yard.rows(dirty)
    whole(yard)


def test_a_pass_over_midnight_is_open_in_the_checkpoint_though_time_has_ended_it(yard: Yard) -> None:
    yard.send(through(-4))
    yard.send([hear(60, "door-1")])
    assert crossings(yard) == [("in", 4)]
    yard.send(through(600))
    yard.settle()
    assert crossings(yard) == [("in", 4), ("in", 4)]
    mine = [row for row in yard.rows(checkpoint) if row["step"] == "dock"]
    assert [(row["day"], len(row["state"]) > 1) for row in mine] == [
        (MIDNIGHT // DAY - 1, False),
        (MIDNIGHT // DAY, True),
    ]
    assert not yard.rows(dirty)
    whole(yard)


def test_repeats_count_once(yard: Yard) -> None:
    yard.send([*through(10), *through(10)])
    yard.send(through(10), "B" * 12)
    yard.settle()
    assert crossings(yard) == [("in", 4)]
    assert len(yard.rows(movement)) == 1
    whole(yard)


def test_what_no_register_knows_is_folded_to_nothing(yard: Yard) -> None:
    yard.send([tag(10, door="door-9")])
    yard.settle()
    assert not crossings(yard)
    assert [row["state"] for row in yard.rows(fold_state)] == [b"\xc0"]
    whole(yard)


def test_figures_at_the_edge_of_what_the_wire_allows(yard: Yard) -> None:
    """Sums over a pass stay within 64 bits, in order and late, however long a window or a pass claims to be."""
    old, most = from_micros(0), 2**31
    odd = [Tag("door-1", at(10 + k), TAGS[0], 1, first_at=old, rssi_dbm=100.0, count=most) for k in range(80)]
    day = [Tag("door-2", at(k * 2.5), TAGS[0], 1 + k % 4, rssi_dbm=100.0, count=most) for k in range(400)]
    last = Tag("door-2", wire.NEWEST.replace(year=2199), TAGS[1], 65535, count=1)
    yard.send(odd[1:])
    yard.send(odd[:1])
    yard.send([*day, last])
    yard.settle()
    assert sorted(crossings(yard)) == [("none", 80), ("none", 400)]
    whole(yard)


def test_two_gateways_may_have_devices_of_one_name(yard: Yard) -> None:
    yard.send(through(10))
    yard.send(through(11), gateway="dock-b")
    yard.settle()
    assert crossings(yard) == [("in", 4)]
    assert len(facts(yard.book)["states"]) == 2
    whole(yard)


def failing_on(epc: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a tag is cannot be said."""
    true = dock_step.identify

    def identify(tag_epc: str, known: Any) -> Any:
        if tag_epc == epc:
            msg = "a bug, or an entry of the register that nobody thought of"
            raise ZeroDivisionError(msg)
        return true(tag_epc, known)

    monkeypatch.setattr(dock_step, "identify", identify)


@pytest.mark.parametrize("ending", [hear(60, "door-1"), tag(60)], ids=["time passes", "heard again"])
def test_a_key_that_cannot_end_fails_neither_the_others_nor_any_reading(
    ending: Reading, yard: Yard, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failing_on(TAGS[0], monkeypatch)
    yard.clock.now = MIDNIGHT
    yard.send([*through(10), *(tag(10 + k, 3 - k, TAGS[1]) for k in (0, 2))])
    yard.send([ending])
    yard.send([hear(61 + k, "door-1") for k in range(5)])
    yard.send([tag(80)])
    assert not yard.rows(quarantine)
    assert len(yard.rows(journal)) == 13
    assert [row["subject"] for row in yard.rows(crossing)] == [TAGS[1]]
    assert [row["subject"] for row in yard.rows(dirty)] == [TAGS[0]]
    assert caplog.text.count("its readings are kept") == 1
    yard.clock.now += 200 * SECOND
    with pytest.raises(ZeroDivisionError):
        yard.deriver.step()
    assert not yard.deriver.step(), "left for ten minutes"
    monkeypatch.undo()
    yard.settle()
    assert not yard.rows(dirty)
    assert len(crossings(yard)) == (4 if isinstance(ending, Tag) else 3)
    whole(yard)


def test_what_is_due_is_found_by_its_index(yard: Yard) -> None:
    with read(yard.book) as tx:
        for query, key in ((DUE_OF_STREAM, "stream"), (DUE_OF_QUIET, "received_before")):
            sql = str(query.params(**{"to": 1, key: 1}).compile(tx, compile_kwargs={"literal_binds": True}))
            plan = [row[-1] for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}")]
            assert plan[0] == "SEARCH fold_state USING INDEX ix_fold_state_due_at (due_at<?)"
            assert "SCAN" not in str(plan)


def test_a_flood_of_passes_ends_a_few_at_a_time_the_oldest_first(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Judging takes milliseconds for each pass: thousands at once would hold the book for a minute."""
    monkeypatch.setattr(apply, "KEYS_AT_ONCE", 2)
    yard.clock.now = MIDNIGHT + 20 * SECOND
    tags = [f"{TAGS[0][:-1]}{k}" for k in range(5)]
    yard.send([tag(14 - k / 10, epc=each) for k, each in enumerate(tags)][::-1])
    ended: list[list[str]] = []
    for _ in range(2):
        yard.send([hear(19, "door-1")])
        ended.append([row["subject"] for row in yard.rows(crossing)])
    assert ended == [tags[3:], [*tags[3:], *tags[1:3]]]
    yard.settle()
    assert len(yard.rows(crossing)) == 5
    whole(yard)
