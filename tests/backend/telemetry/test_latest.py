"""What is newest is kept as a copy on SQL: it is what it is copied from, whatever comes, is repeated or taken back."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from backend import projector
from backend.telemetry import schema, sql_last
from backend.telemetry.rows import Span
from backend.telemetry.sql import SqlStore
from models.reading import Fix, Signal, from_micros
from tests.backend.telemetry.followed_site import T0, S, Site, readings
from tests.backend.telemetry.places import Place

Make = Callable[[], Site]
A, B = "A" * 12, "B" * 12
EVER = 2**62
TRACKER = "imei:356307042441013"


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest) -> Place:
    found = request.getfixturevalue(f"on_{request.param}")
    assert isinstance(found, Place)
    return found


def rows_of(store: Any, table: Any) -> list[tuple[Any, ...]]:
    assert isinstance(store, SqlStore)
    with store._reading() as tx:
        return sorted(map(tuple, tx.execute(select(table))))


def newest(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted({row[0]: row for row in sorted(rows, key=lambda row: row[:3])}.values())


def check(store: Any) -> None:
    assert rows_of(store, schema.latest) == newest(rows_of(store, schema.point))
    whole = [row for row in rows_of(store, schema.fix) if None not in row[3:5]]
    assert rows_of(store, schema.position) == [(*row[:5], row[6]) for row in newest(whole)]


@pytest.mark.parametrize("seed", [0, 1])
def test_the_copy_is_the_newest_of_what_is_there(make: Make, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr(projector, "ROWS_A_STEP", 60)
    chance = random.Random(seed)
    site = make()
    told = [*readings(120), Fix(TRACKER, from_micros(T0 + 9000 * S), lat=50.0)]
    chance.shuffle(told)
    site.journal(A, told[:60])
    backup = site.backup()
    for k in range(60, len(told), 40):
        site.journal(chance.choice([A, B]), told[k : k + 40])
        site.projector.step()
        site.now += 60 * S
        check(site.store)
    site.digest()
    check(site.store)
    site.restore(backup)
    held = site.digest()
    check(site.store)
    site.projector.rebuild()
    assert site.store.digest() == held
    site.store.forget(T0 + 3600 * S)
    check(site.store)
    site.store.forget(EVER)
    assert rows_of(site.store, schema.latest) == rows_of(site.store, schema.position) == []


def test_what_is_newest_of_all_is_not_looked_for(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    site = make()
    site.journal(A, [Signal("d", from_micros(T0 + k * S), "x", float(k), "1") for k in (3, 1, 2)])
    site.projector.step()
    looked, asked = sql_last._looked_for, list[Span]()

    def look(tx: Any, statements: Any, spans: Any) -> Any:
        asked.extend(spans if statements else ())
        return looked(tx, statements, spans)

    monkeypatch.setattr(sql_last, "_looked_for", look)
    now, before = (Span("dock-a/d", 0, T0 + s * S) for s in (4, 3))
    assert [each.value for each in site.store.last([now], ["x"])] == [3.0]
    assert asked == []
    assert [each.value for each in site.store.last([before], ["x"])] == [2.0]
    assert asked == [before]
