"""Final verdicts at doors: votes and photo-eyes, told early or late, and what becomes of rows, ledger and events."""

import json
import random
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec import Struct
from sqlalchemy import event as sql_event

from backend import dock_models
from backend.book import register
from backend.book.db import write
from backend.book.schema import balance, crossing, dirty, event, movement
from backend.verify import verify
from models.declared import Device, Door
from models.reading import Input, Reading, Tag, from_micros
from tests.backend.books import DAY, SECOND, Yard, facts
from tests.backend.pallets import TAGS
from tests.backend.stories import MIDNIGHT

BEGIN = MIDNIGHT + 100 * SECOND
IN, OUT, SHORT = (3, 3, 1, 1), (1, 1, 3, 3), (1,)


def carton(k: int, antennas: Sequence[int] = IN, begin: int = BEGIN) -> list[Reading]:
    """Reads of the k-th carton of a pallet, 0.6 s apart."""
    return [
        Tag("door-1", from_micros(begin + k * 50_000 + i * 600_000), TAGS[k], antenna, rssi_dbm=-50.0, count=2)
        for i, antenna in enumerate(antennas)
    ]


def pallet(*kinds: Sequence[int], begin: int = BEGIN) -> list[Reading]:
    readings = [each for k, antennas in enumerate(kinds) for each in carton(k, antennas, begin)]
    return sorted(readings, key=lambda each: each.at)


def beam(at: int, name: str = "photo_eye", *, on: bool = True) -> Input:
    return Input("door-1", from_micros(at), name, on=on)


def declare(yard: Yard, since: int = MIDNIGHT - DAY, **fields: Any) -> None:
    door = Door([1, 2], [3, 4], "warehouse", "supplier", "customer", 3.0, **fields)
    with write(yard.book) as tx:
        body: Struct = Device(gateway="dock-a", name="door-1", door=door)
        stamp = {"valid_from": since, "now": yard.clock.now}
        register.put(tx, "devices", "dock-a/door-1", body, actor="test", **stamp)


def ways(yard: Yard) -> list[tuple[str, str]]:
    """(own, final) by tag."""
    rows = sorted(yard.rows(crossing), key=lambda row: (row["middle_at"], TAGS.index(row["subject"])))
    return [(row["own_direction"], row["direction"]) for row in rows]


def whole(yard: Yard) -> None:
    assert not [f"{each.name}: {each.detail}" for each in verify(yard.book) if not each.ok]
    moved = {row["movement"] for row in yard.rows(crossing) if row["direction"] != "none"} - {None}
    holding = {row["movement_id"] for row in yard.rows(movement)}
    assert moved <= holding


def on_hand(yard: Yard) -> dict[str, str]:
    return {row["location"]: row["on_hand"] for row in yard.rows(balance) if row["on_hand"] != "0"}


def test_a_pallet_votes_and_every_carton_moves(yard: Yard) -> None:
    declare(yard)
    yard.send(pallet(IN, IN, SHORT, OUT, IN))
    yard.settle()
    assert ways(yard).count(("in", "in")) == 3
    assert sorted(ways(yard)) == [("in", "in")] * 3 + [("none", "in"), ("out", "in")]
    assert on_hand(yard) == {"supplier": "-5", "warehouse": "5"}
    (row,) = (each for each in yard.rows(crossing) if each["own_direction"] == "none")
    assert json.loads(row["reasons"])[0] == "3 of 5 tags of this pass went in"
    assert json.loads(row["reasons"])[2:] == json.loads(row["own_reasons"]), "its own follow, after what the vote said"
    assert json.loads(row["own_reasons"]) == ["heard by the inside row only (2 reads)"]
    assert (row["own_score"], row["stray"], row["rule"]) == (0.75, 0.75, "portal-1")
    whole(yard)


def test_who_ends_last_changes_those_that_were_decided(yard: Yard) -> None:
    yard.clock.now = BEGIN
    yard.send([*carton(0, SHORT), *carton(1), *carton(2)])
    yard.send([beam(BEGIN + 3_000_000, "other")])
    assert ways(yard) == [("none", "none")], "its neighbours have not ended"
    (alone,) = yard.rows(crossing)
    yard.send([beam(BEGIN + 9_000_000, "other")])
    assert ways(yard) == [("none", "in"), ("in", "in"), ("in", "in")]
    later = next(row for row in yard.rows(crossing) if row["id"] == alone["id"])
    assert later["n"] > alone["n"], "a cursor that has passed sees it again"
    told = [json.loads(row["body"]) for row in yard.rows(event) if row["kind"] == "crossing"]
    assert [each["direction"] for each in told if each["id"] == alone["id"]] == ["none", "in"]
    assert not any(each.get("withdrawn") for each in told)
    whole(yard)


def test_a_neighbour_that_only_confirms_is_no_news(yard: Yard) -> None:
    yard.send(pallet(IN, IN, IN))
    yard.settle()
    before = yard.rows(crossing)
    assert ["3 of 3 tags of this pass went in" in row["reasons"] for row in before] == [True] * 3
    yard.send(carton(3))
    yard.settle()
    after = yard.rows(crossing)
    assert ["4 of 4 tags of this pass went in" in row["reasons"] for row in after] == [True] * 4
    assert [row["n"] for row in after[:3]] == [row["n"] for row in before]
    assert len([row for row in yard.rows(event) if row["kind"] == "crossing"]) == 4
    whole(yard)


def test_a_late_neighbour_reverses_what_was_posted(yard: Yard) -> None:
    yard.send(pallet(OUT, IN))
    yard.settle()
    assert on_hand(yard) == {"supplier": "-1", "customer": "1"}
    entries = len(yard.rows(movement))
    yard.send([*carton(2), *carton(3)])
    yard.settle()
    assert ways(yard) == [("out", "in"), ("in", "in"), ("in", "in"), ("in", "in")]
    assert on_hand(yard) == {"supplier": "-4", "warehouse": "4"}
    added = yard.rows(movement)[entries:]
    assert [row["reverses"] is not None for row in added].count(True) == 1
    assert len(added) == 4, "a reversal, its correction and two that are new: the carton that stood is left alone"
    whole(yard)


def test_a_vote_that_changes_nothing_writes_nothing(yard: Yard) -> None:
    yard.send(pallet(IN, IN, IN))
    yard.settle()
    before = yard.rows(crossing), yard.rows(event), yard.rows(movement)
    yard.send(carton(4, begin=BEGIN + 60 * SECOND))
    yard.send(pallet(IN, IN, IN))
    yard.settle()
    rows, events, entries = yard.rows(crossing), yard.rows(event), yard.rows(movement)
    assert (rows[:3], events[: len(before[1])], entries[:3]) == before
    assert (len(rows), len(entries)) == (4, 4)


EYES: dict[str, tuple[list[Input], str]] = {
    "broken while it passed": ([beam(BEGIN + SECOND)], "in"),
    "never broken": ([], "none"),
    "broken an hour before": ([beam(BEGIN - 3600 * SECOND)], "none"),
    "free again is not broken": ([beam(BEGIN + SECOND, on=False)], "none"),
    "another input": ([beam(BEGIN + SECOND, "beacon")], "none"),
    "of several": ([beam(BEGIN - 60 * SECOND), beam(BEGIN + SECOND), beam(BEGIN + 90 * SECOND)], "in"),
}


@pytest.mark.parametrize(("said", "direction"), EYES.values(), ids=EYES)
@pytest.mark.parametrize("when", ["before", "with", "after"])
def test_a_photo_eye_decides_whether_anything_went_through(
    when: str, said: list[Input], direction: str, yard: Yard
) -> None:
    declare(yard, photo_eye="photo_eye")
    readings: list[Reading] = [*pallet(IN, IN, SHORT)]
    groups: dict[str, list[list[Reading]]] = {
        "before": [[*said], readings],
        "with": [sorted([*said, *readings], key=lambda each: each.at)],
        "after": [readings, [*said]],
    }
    for group in groups[when]:
        yard.send(group)
        yard.settle()
    assert [final for _, final in ways(yard)] == [direction] * 3
    assert len(yard.rows(movement)) == (3 if direction == "in" else 0)
    whole(yard)


def test_a_break_told_late_posts_what_it_lets_through(yard: Yard) -> None:
    declare(yard, photo_eye="photo_eye")
    yard.send(pallet(IN, IN, IN))
    yard.settle()
    assert on_hand(yard) == {}
    assert "photo_eye was not broken" in yard.rows(crossing)[0]["reasons"]
    yard.send([beam(BEGIN + SECOND)])
    assert [final for _, final in ways(yard)] == ["in"] * 3, "in the transaction that brought it"
    assert on_hand(yard) == {"supplier": "-3", "warehouse": "3"}
    whole(yard)


def test_a_photo_eye_declared_later_decides_from_its_day(yard: Yard) -> None:
    yard.send([*pallet(IN, IN, IN), *pallet(IN, IN, IN, begin=BEGIN + 1000 * SECOND)])
    yard.settle()
    declare(yard, BEGIN + 500 * SECOND, photo_eye="photo_eye")
    yard.settle()
    assert [final for _, final in ways(yard)] == ["in"] * 3 + ["none"] * 3
    assert on_hand(yard) == {"supplier": "-3", "warehouse": "3"}
    whole(yard)


def test_any_order_of_pallets_and_breaks_ends_in_the_same_book(template: Any, tmp_path: Any) -> None:
    chance = random.Random(7)
    begins = [BEGIN + k * chance.choice((2, 40)) * SECOND for k in range(6)]
    readings: list[Reading] = []
    for begin in begins:
        readings += pallet(*(chance.choice((IN, IN, OUT, SHORT)) for _ in range(5)), begin=begin)
        readings += [beam(begin + SECOND)] if chance.random() < 0.6 else []
    books: list[dict[str, Any]] = []
    for name in ("orderly", "shuffled", "reversed"):
        yard = Yard.copy(template, tmp_path / f"{name}.db", MIDNIGHT + 3600 * SECOND)
        declare(yard, photo_eye="photo_eye")
        order = sorted(readings, key=lambda each: each.at, reverse=name == "reversed")
        if name == "shuffled":
            chance.shuffle(order)
        for low in range(0, len(order), 7):
            yard.send(order[low : low + 7])
            if chance.random() < 0.3:
                yard.deriver.step()
        yard.settle()
        books.append(facts(yard.book))
        whole(yard)
        yard.book.dispose()
    assert books[0] == books[1]
    assert books[0] == books[2]


def test_one_query_per_device_and_transaction(yard: Yard) -> None:
    asked: list[str] = []
    sql_event.listen(yard.book, "before_cursor_execute", lambda *args: asked.append(args[2]))
    yard.send(pallet(*[IN] * 7))
    yard.send([beam(BEGIN + 60 * SECOND, "other")])
    assert len(ways(yard)) == 7
    between = [sql for sql in asked if "FROM crossing" in sql and "middle_at BETWEEN" in sql]
    assert len(between) == 1
    with yard.book.connect() as tx:
        plan = tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {between[0]}", (1, 2, 3)).all()
    assert "ix_crossing_middle_at" in plan[0][-1]


def test_a_door_whose_model_is_gone_is_decided_by_the_rule(yard: Yard, caplog: pytest.LogCaptureFixture) -> None:
    dock_models.known.cache_clear()
    declare(yard, model="gone@00000000")
    yard.send(pallet(IN, IN, IN))
    yard.settle()
    assert [final for _, final in ways(yard)] == ["in"] * 3
    assert caplog.text.count("the rule decides instead") == 1
    whole(yard)


def test_another_model_decides_anew_from_its_day(yard: Yard) -> None:
    yard.send([*carton(0), *carton(1, begin=BEGIN + 1000 * SECOND)])
    yard.settle()
    declare(yard, BEGIN + 500 * SECOND, model="mine")
    assert [(row["subject"], row["since"]) for row in yard.rows(dirty)] == [(TAGS[1], BEGIN + 500 * SECOND)]
