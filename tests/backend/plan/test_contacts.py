"""A hoist that sticks and a counter that jumps: told while it is so, closed when somebody says what happened."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from backend.book import schema
from backend.book.db import read
from backend.plan.contacts import HOIST_STUCK, METER_JUMP, Hoist, Jump, hoist_stuck, meter_jump
from backend.planner import Planner
from models.assets.duty import Contact
from models.reading import Input, Reading, from_micros
from tests.backend.books import DAY, Yard
from tests.backend.journeys import TRUCK
from tests.backend.meter_telling import HOUR, NOW, note, said, tell
from tests.backend.stories import MIDNIGHT

HOISTS: dict[str, tuple[Contact | None, str | None]] = {
    "none any more": (None, None),
    "off": (Contact(on=False, since=0, last_at=99 * HOUR), None),
    "on for long": (Contact(on=True, since=0, last_at=30 * HOUR), "Crane: its hoist is on for 30 h"),
    "the ignition is off": (
        Contact(on=True, since=0, last_at=HOUR, ignition_off_since=1),
        "Crane: its hoist is on while the ignition is off",
    ),
}


@pytest.mark.parametrize("name", HOISTS)
def test_a_hoist(name: str) -> None:
    contact, title = HOISTS[name]
    found = hoist_stuck(Hoist("C", "Crane", contact), NOW)
    assert (None if found is None else found.title) == title


JUMPS: dict[str, tuple[Jump, str | None]] = {
    "nothing": (Jump("C", "Crane", "engine_hours"), None),
    "waits": (Jump("C", "Crane", "engine_hours", waits=(NOW, 9000 * 3_600_000)), "says 9000, which cannot be"),
    "jumped": (Jump("C", "Crane", "cycles", jumped=(NOW - DAY, "reset")), "cycles was reset"),
    "jumped long ago": (Jump("C", "Crane", "cycles", jumped=(NOW - 32 * DAY, "reset")), None),
}


@pytest.mark.parametrize("name", JUMPS)
def test_a_counter(name: str) -> None:
    facts, says = JUMPS[name]
    found = meter_jump(facts, NOW)
    assert (found is None) if says is None else (found is not None and says in found.title)


def standing(yard: Yard) -> dict[str, str]:
    with read(yard.book) as tx:
        rows = tx.execute(select(schema.alert).where(schema.alert.c.state != "closed")).all()
    return {row.subject: json.loads(row.detail).get("what", row.rule) for row in rows}


def test_both_live_as_long_as_it_is_so(yard: Yard) -> None:
    yard.clock.now = NOW - DAY
    rules: list[Any] = [HOIST_STUCK, METER_JUMP]
    planner = Planner(yard.book, yard.clock, rules)

    def looked(*readings: Reading) -> dict[str, str]:
        yard.send(readings)
        yard.settle(0)
        for _ in range(2):
            while planner.step():
                pass
            yard.clock.now += 2 * HOUR
        return standing(yard)

    def hoist(*times: float) -> list[Reading]:
        return [Input(TRUCK, from_micros(MIDNIGHT + round(at * HOUR)), "hoist", on=True) for at in times]

    settle: Callable[[], dict[str, str]] = looked
    assert looked(*hoist(*(k / 10 for k in range(200)))) == {}
    assert looked(*hoist(*(20 + k / 10 for k in range(60)))) == {"asset:TRUCK-1/hoist": "hoist_stuck"}
    assert looked(Input(TRUCK, from_micros(MIDNIGHT + 27 * HOUR), "hoist", on=False)) == {}
    assert looked(*said((30, 1200), (40, 1210), (50, 3))) == {"asset:TRUCK-1/engine_hours": "meter_jump"}, "it waits"
    assert looked(*said((60, 11))) == {"asset:TRUCK-1/engine_hours": "reset"}, "its next value confirms it"
    tell(yard, note("n", 45, "reset", 0, 1212))
    assert settle() == {}
