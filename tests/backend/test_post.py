"""What is written when derived rows are replaced: numbers that no cursor has seen, and events that say it."""

import json
from pathlib import Path

from backend.api.queries.moves import CrossingAsk, crossings
from backend.book.db import read, write
from backend.book.register import load
from backend.book.schema import crossing, event, scan_act
from backend.post import replace
from backend.step import Change, Old
from models.reading import Tag, from_micros
from tests.backend.books import SECOND, Yard
from tests.backend.stories import MIDNIGHT, TAGS


def sighting(second: int, antenna: int) -> Tag:
    return Tag("door-1", from_micros(MIDNIGHT + second * SECOND), TAGS[0], antenna, rssi_dbm=-50.0, count=2)


def told(yard: Yard, kind: str = "crossing") -> list[tuple[str, bool]]:
    """(id, withdrawn) of the events of a kind."""
    bodies = [json.loads(row["body"]) for row in yard.rows(event) if row["kind"] == kind]
    return [(body["id"], body.get("withdrawn", False)) for body in bodies]


def test_a_cursor_sees_the_correction_of_the_newest_row(template: Path, tmp_path: Path) -> None:
    yard = Yard.copy(template, tmp_path / "book.db", MIDNIGHT)
    yard.send([sighting(10, 3), sighting(11, 3), sighting(12, 1), sighting(13, 1)])
    yard.settle()
    (first,) = yard.rows(crossing)
    yard.send([sighting(8, 1), sighting(9, 1)])
    yard.settle()
    (second,) = yard.rows(crossing)
    with read(yard.book) as tx:
        seen = crossings(tx, CrossingAsk(after=first["n"], device=None, epc=None, limit=10))
    assert [each.id for each in seen] == [second["id"]]
    assert first["id"] != second["id"]
    assert sorted(told(yard)) == sorted([(first["id"], False), (first["id"], True), (second["id"], False)])
    yard.book.dispose()


def test_a_row_taken_back_is_told(template: Path, tmp_path: Path) -> None:
    yard = Yard.copy(template, tmp_path / "book.db", MIDNIGHT)
    yard.send([sighting(10, 3), sighting(11, 1)])
    yard.settle()
    (row,) = yard.rows(crossing)
    with write(yard.book) as tx:
        refused = {**dict.fromkeys(scan_act.c.keys()), "action": "refused"}
        old = [Old(crossing, row["id"], row["movement"], row), Old(scan_act, "two", None, refused)]
        replace(tx, load(tx), Change([], old), MIDNIGHT)
    assert told(yard) == [(row["id"], False), (row["id"], True)]
    assert told(yard, "scan") == [("two", True)]
    yard.book.dispose()
