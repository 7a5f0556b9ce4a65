"""Presence in the book: a reader of shelves tells where tags are, in any order of arrival and of declaring it."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from backend.api.services import Services
from backend.book import register
from backend.book.db import write
from backend.book.schema import crossing, dirty, fold_state, presence
from backend.verify import verify
from models.declared import Device, Point, Points
from models.reading import Reading, Tag, from_micros
from tests.backend.books import DAY, SECOND, Yard, facts
from tests.backend.stories import MIDNIGHT, TAGS
from tests.shared_app import shared_app

CRIB = Points([Point("crib", [1, 2]), Point("bench", [3])], depart_s=60.0)


def tag(at: float, antenna: int = 1, rssi: float = -60.0, epc: str = TAGS[0]) -> Tag:
    return Tag("reader-1", from_micros(MIDNIGHT + round(at * SECOND)), epc, antenna, rssi_dbm=rssi, count=2)


def declare(yard: Yard, since: float = -10 * DAY / SECOND, points: Points | None = CRIB) -> None:
    body = Device(gateway="dock-a", name="reader-1", points=points)
    with write(yard.book) as tx:
        stamp = {"valid_from": MIDNIGHT + round(since * SECOND), "now": yard.clock.now}
        register.put(tx, "devices", "dock-a/reader-1", body, actor="test", **stamp)


def said(yard: Yard) -> list[tuple[str, str, float]]:
    rows = sorted(yard.rows(presence), key=lambda row: (row["closed_at"], row["n"]))
    return [(row["what"], row["place"], (row["closed_at"] - MIDNIGHT) / SECOND) for row in rows]


def whole(yard: Yard) -> None:
    assert not [f"{each.name}: {each.detail}" for each in verify(yard.book) if not each.ok]


MOVE = [tag(0), tag(1, 2), tag(2), *(tag(5 + k / 10, 3, -45.0) for k in range(3))]
STORY = [("arrive", "crib", 0.0), ("move", "bench", 5.1), ("depart", "bench", 65.2)]


def test_a_tag_arrives_moves_and_departs(yard: Yard) -> None:
    declare(yard)
    yard.send(MOVE)
    assert said(yard) == STORY[:2]
    yard.settle()
    assert said(yard) == STORY
    assert not yard.rows(crossing)
    whole(yard)


@pytest.mark.parametrize("order", [MOVE[::-1], MOVE[3:] + MOVE[:3], MOVE * 2])
def test_what_comes_late_or_twice_ends_in_the_same_rows(order: Sequence[Reading], yard: Yard) -> None:
    declare(yard)
    for reading in order:
        yard.send([reading])
        if reading.at.microsecond == 0:
            yard.deriver.step()
    yard.settle()
    assert said(yard) == STORY
    whole(yard)


def test_a_reader_that_is_declared_afterwards_tells_from_that_day(yard: Yard) -> None:
    yard.send([tag(-2 * DAY / SECOND), *MOVE, tag(1000)])
    yard.settle()
    assert {row["step"] for row in yard.rows(fold_state)} == {"dock"}
    declare(yard, 3)
    assert [row["subject"] for row in yard.rows(dirty) if row["step"] == "presence"] == [TAGS[0]]
    yard.settle()
    assert said(yard) == [
        ("arrive", "bench", 5.0),
        ("depart", "bench", 65.2),
        ("arrive", "crib", 1000.0),
        ("depart", "crib", 1060.0),
    ]
    whole(yard)


def test_a_reader_that_is_taken_away_knows_of_nobody(yard: Yard) -> None:
    declare(yard)
    yard.send([tag(0)])
    declare(yard, 10, None)
    yard.send([tag(20), tag(900)])
    yard.settle()
    assert said(yard) == [("arrive", "crib", 0.0), ("depart", "crib", 60.0)]
    whole(yard)


def test_doors_are_not_folded_for_presence(yard: Yard) -> None:
    yard.send([Tag("door-1", from_micros(MIDNIGHT), TAGS[0], 1, count=1)])
    yard.settle()
    assert {row["step"] for row in yard.rows(fold_state)} == {"dock"}


def test_any_order_over_days_and_changes(template: Path, tmp_path: Path) -> None:
    chance = random.Random(3)
    times = [chance.choice((-1, 0, 0, 1)) * DAY / SECOND + chance.randint(-90, 200) for _ in range(60)]
    readings = [tag(at, chance.choice((1, 2, 3, 4)), chance.randint(-65, -40), chance.choice(TAGS)) for at in times]
    changes: list[tuple[float, Points | None]] = [(-2 * DAY / SECOND, CRIB), (30, None), (80, Points(depart_s=20.0))]
    books: list[dict[str, Any]] = []
    for name in ("orderly", "disorder"):
        yard = Yard.copy(template, tmp_path / f"{name}.db", MIDNIGHT + 2 * DAY)
        order = sorted(readings, key=lambda each: each.at)
        if name == "disorder":
            chance.shuffle(order)
        else:
            for since, points in changes:
                declare(yard, since, points)
        for low in range(0, 60, 4):
            yard.send(order[low : low + 4])
            if name == "disorder" and low % 20 == 0:
                declare(yard, *changes[low // 20])
            if chance.random() < 0.3:
                yard.deriver.step()
        yard.settle(20 * DAY)
        whole(yard)
        books.append(facts(yard.book))
        yard.book.dispose()
    assert books[0]["presence"]
    assert books[0] == books[1]


@pytest.fixture
def ask(yard: Yard) -> Callable[..., list[dict[str, Any]]]:
    client = TestClient(shared_app(Services(yard.book, yard.clock, lambda *_: False)), "http://127.0.0.1:8000")

    def fetch(**params: str | int) -> list[dict[str, Any]]:
        answer = client.get("/api/v1/presence", params=params)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    return fetch


def test_the_api_says_who_is_where_at_a_time(yard: Yard, ask: Callable[..., list[dict[str, Any]]]) -> None:
    declare(yard)
    yard.send([*MOVE, tag(50, 4, epc=TAGS[1])])
    assert [(each["epc"], each["place"], each["was"]) for each in ask()] == [
        (TAGS[0], "bench", "crib"),
        (TAGS[1], "dock-a/reader-1/4", None),
    ]
    assert [each["epc"] for each in ask(place="bench")] == [TAGS[0]]
    assert ask(place="crib") == []
    assert [
        each["place"] for each in ask(epc=TAGS[0].upper(), as_of=from_micros(MIDNIGHT + 3 * SECOND).isoformat())
    ] == ["crib"]
    yard.settle()
    assert ask() == []
    assert [each["place"] for each in ask(as_of=from_micros(MIDNIGHT + 60 * SECOND).isoformat(), after=1)] == [
        "dock-a/reader-1/4"
    ]
