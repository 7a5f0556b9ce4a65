"""An asset that goes out of a door: told while its pass lasts, once, and over when it is back, allowed or answered."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from backend.book import alerts, custody, schema
from backend.book.db import read, write
from backend.plan.exits import EXIT
from models.assets.custody import Entry
from models.declared import AssetClass
from models.reading import micros
from tests.backend.books import SECOND, Yard
from tests.backend.conftest import NOW
from tests.backend.owned import Owned, going, tag
from tests.backend.stories import Change, declare

DRILL = ("asset:DRILL-1", "open", "critical")
CLOSED = ("asset:DRILL-1", "closed", "critical")


@pytest.fixture
def owned(template: Path, tmp_path: Path) -> Iterator[Owned]:
    yard = Yard.copy(template, tmp_path / "yard.db", NOW)
    yield Owned(yard, [EXIT])
    yard.book.dispose()


def taken(owned: Owned, what: str = "check_out", **fields: Any) -> None:
    known: dict[str, Any] = {"id": f"c-{what}-{owned.now}", "asset": "DRILL-1", "what": what, "at": owned.now}
    known |= {"holder": "ann"} | fields
    owned.write(custody.record, Entry(**known))


def test_it_rings_while_the_pass_lasts_and_once(owned: Owned) -> None:
    readings = going(tag("DRILL-1"), NOW + SECOND)
    owned.live(readings[:5])
    assert owned.alerts("exit_unauthorised") == [], "not sure yet"
    owned.live(readings[5:])
    assert owned.alerts("exit_unauthorised") == [DRILL]
    with read(owned.yard.book) as tx:
        detail = json.loads(tx.scalar(select(schema.alert.c.detail)) or "")
        assert tx.execute(select(schema.crossing)).all() == [], "nobody waited for the end of the pass"
    assert (detail["door"], detail["going_on"], len(detail["evidence"])) == ("dock-a/door-1", True, 6)
    owned.over()
    assert owned.alerts("exit_unauthorised") == [DRILL], "the crossing is the same exit"
    with read(owned.yard.book) as tx:
        detail = json.loads(tx.scalar(select(schema.alert.c.detail)) or "")
        assert tx.scalar(select(schema.alert_event.c.what).order_by(schema.alert_event.c.n.desc())) == "raised"
    assert (detail["exit"][:9], detail["going_on"]) == ("crossing:", False)


def test_what_turns_back_is_taken_back(owned: Owned) -> None:
    owned.live(going(tag("DRILL-1"), NOW + SECOND, turns=True))
    assert owned.alerts("exit_unauthorised") == [DRILL]
    owned.over()
    assert owned.alerts("exit_unauthorised") == [CLOSED], "in the end it did not go through"


def test_over_when_it_is_back(owned: Owned) -> None:
    owned.live(going(tag("DRILL-1"), NOW + SECOND))
    owned.over()
    owned.live(going(tag("DRILL-1"), owned.now, out=False))
    owned.over()
    assert owned.alerts("exit_unauthorised") == [CLOSED]
    owned.live(going(tag("DRILL-1"), owned.now))
    assert owned.alerts("exit_unauthorised") == [CLOSED, DRILL], "another exit rings again"


def test_over_when_somebody_has_it_and_silent_when_somebody_had_it(owned: Owned) -> None:
    owned.live(going(tag("DRILL-1"), NOW + SECOND))
    taken(owned)
    assert owned.alerts("exit_unauthorised") == [CLOSED]
    owned.over()
    taken(owned, "check_in", holder=None, place="location:tool-crib")
    owned.over(60 * SECOND)
    assert owned.alerts("exit_unauthorised") == [CLOSED], "it is back"
    taken(owned)
    owned.live(going(tag("DRILL-1"), owned.now))
    owned.over()
    assert owned.alerts("exit_unauthorised") == [CLOSED], "ann may take it"


def test_who_closes_it_has_answered_this_exit_only(owned: Owned) -> None:
    readings = going(tag("DRILL-1"), NOW + SECOND)
    owned.live(readings[:7])
    with write(owned.yard.book) as tx:
        ident = tx.scalar(select(schema.alert.c.id)) or ""
        alerts.close_one(tx, ident, "bob", owned.now)
    owned.live(readings[7:])
    owned.over()
    assert owned.alerts("exit_unauthorised") == [CLOSED]
    owned.live(going(tag("DRILL-1"), owned.now))
    assert owned.alerts("exit_unauthorised") == [CLOSED, DRILL]


@pytest.mark.parametrize("what", ["late", "sold", "free", "in", "late report"])
def test_what_rings_nothing(owned: Owned, what: str) -> None:
    begin = NOW + SECOND
    if what == "sold":
        owned.change("DRILL-1", state="sold")
    if what == "free":
        declare(owned.yard, [Change("classes", "tool", AssetClass(custody=False), NOW - 1)])
    readings = going(tag("DRILL-1"), begin, out=what != "in")
    if what == "late":
        owned.yard.clock.now = micros(readings[-1].at) + 301 * SECOND
        owned.yard.send(readings)
    elif what == "late report":
        owned.yard.clock.now = begin + 86_400 * SECOND
        owned.yard.send(readings)
    else:
        owned.live(readings)
    owned.over()
    assert owned.alerts("exit_unauthorised") == []
