"""The life of an asset in the register: each state follows the one before, also where an entry comes between two."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from backend.book import register, schema
from backend.book.db import open_engine, read, write
from models.assets.asset import State
from models.declared import Asset
from models.errors import Refused

DAY = 86_400_000_000


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine("sqlite", tmp_path / "book.db")
    schema.metadata.create_all(engine)
    yield engine
    engine.dispose()


def put(engine: Engine, state: State, day: int, name: str = "Truck") -> register.Outcome:
    with write(engine) as tx:
        body = Asset(name, "1", state=state)
        return register.put(tx, "assets", "TRUCK-1", body, valid_from=day * DAY, actor="test", now=0)


def test_a_life_from_order_to_disposal(engine: Engine) -> None:
    for day, state in enumerate(("ordered", "in_service", "in_repair", "stored", "retired", "disposed")):
        put(engine, state, day)
    assert put(engine, "disposed", 9) == "same"
    assert put(engine, "disposed", 9, "Truck, sold") == "changed", "its words may change"
    with pytest.raises(Refused, match=r"assets\.TRUCK-1: state: nothing follows disposed, got stored"):
        put(engine, "stored", 10)
    with read(engine) as tx:
        assert {*tx.scalars(select(schema.changed.c.subject))} == {"asset:TRUCK-1"}


def test_it_comes_as_it_is(engine: Engine) -> None:
    assert put(engine, "retired", 5) == "created"
    put(engine, "in_service", 6)


def test_an_entry_between_two_fits_both(engine: Engine) -> None:
    put(engine, "in_service", 1)
    put(engine, "retired", 5)
    put(engine, "in_repair", 3)
    with pytest.raises(Refused, match=r"after retired one of .* got in_repair, from 1970-01-04"):
        put(engine, "retired", 2)
    with pytest.raises(Refused, match="got ordered, from 1970-01-05"):
        put(engine, "ordered", 4)
    put(engine, "ordered", 0)


def test_a_mistake_is_corrected_by_an_entry_of_the_same_time(engine: Engine) -> None:
    put(engine, "in_service", 1)
    put(engine, "retired", 5)
    put(engine, "disposed", 7)
    put(engine, "retired", 7)
    put(engine, "in_service", 7)
    with pytest.raises(Refused, match="state: "):
        put(engine, "disposed", 5)
