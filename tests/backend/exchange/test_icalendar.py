"""Calendars of planned maintenance: read back as what was planned, by RFC 5545's rules, and the same while it is."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from icalendar import Calendar
from sqlalchemy import insert

from backend.book import register, services
from backend.book.db import write
from backend.book.schema_work import work_order
from backend.exchange import icalendar, maintenance_feed
from backend.registers import Registers
from models.declared import Asset, Plan
from models.maintenance.done import Done
from models.maintenance.feed import Entry
from models.reading import from_micros
from tests.backend.books import DAY, Yard

NAME = "Ölwechsel, Filter; \\ und «Dichtung» " + "ä" * 80


def read_back(raw: bytes) -> list[dict[str, Any]]:
    """The events of a calendar, after the rules that every line must keep."""
    assert raw.endswith(b"END:VCALENDAR\r\n")
    for line in raw.split(b"\r\n"):
        assert len(line) <= 75, "octets without the line break (3.1)"
        line.decode("utf-8")
        assert not any(byte < 32 for byte in line)
    parsed = Calendar.from_ical(raw)
    assert (parsed["VERSION"], bool(parsed["PRODID"])) == ("2.0", True)
    return [
        {
            "uid": str(event["UID"]),
            "days": (event.decoded("DTSTART"), event.decoded("DTEND")),
            "sequence": int(event["SEQUENCE"]),
            "status": str(event["STATUS"]),
            "title": str(event["SUMMARY"]),
            "text": str(event["DESCRIPTION"]),
            "stamp": event.decoded("DTSTAMP"),
        }
        for event in parsed.walk("VEVENT")
    ]


def test_an_entry_is_read_back_as_it_was() -> None:
    entry = Entry(
        "u", "A", "A/oil", 2, None, date(2026, 12, 31), date(2027, 1, 2), NAME, f"{NAME}\nb\x07\r\n", sequence=3
    )
    (event,) = read_back(icalendar.encode("Team, «A»\r\nX:y", [entry]))
    assert event == {
        "uid": "u@stockyard",
        "days": (date(2026, 12, 31), date(2027, 1, 3)),
        "sequence": 3,
        "status": "CONFIRMED",
        "title": NAME,
        "text": f"{NAME}\nb\n",
        "stamp": datetime(1970, 1, 1, tzinfo=UTC),
    }


class Workshop:
    """A yard whose FORKLIFT-9 has one plan, every 30 days."""

    def __init__(self, yard: Yard) -> None:
        self.yard, self.begin = yard, yard.clock.now
        self.declare("assets", "FORKLIFT-9", Asset("Forklift", "S-9", category="vehicle", fleet="north"))
        self.declare("plans", "FORKLIFT-9/oil", self.plan(30))

    def plan(self, days: int) -> Plan:
        return Plan(asset="FORKLIFT-9", name="Oil", every_days=days, starts_at=from_micros(self.begin))

    def declare(self, kind: str, ident: str, body: Any) -> None:
        now = self.yard.clock.now
        with write(self.yard.book) as tx:
            register.put(tx, kind, ident, body, valid_from=now, actor="test", now=now)

    def feed(self) -> tuple[bytes, list[dict[str, Any]]]:
        now = self.yard.clock.now
        with write(self.yard.book) as tx:
            known = Registers().current(tx)
        found = maintenance_feed.entries(self.yard.book, known, ["FORKLIFT-9"], now)
        raw = icalendar.encode("x", found)
        return raw, read_back(raw)


@pytest.fixture
def workshop(yard: Yard) -> Workshop:
    return Workshop(yard)


def day(at: int) -> date:
    return from_micros(at).date()


def test_what_plans_call_for_and_what_becomes_of_it(workshop: Workshop) -> None:
    yard = workshop.yard
    raw, first = workshop.feed()
    assert [event["days"][0] for event in first] == [day(workshop.begin + 30 * k * DAY) for k in range(1, 7)]
    assert {event["sequence"] for event in first} == {0}
    assert "due between 2026-12-23 and 2026-12-23" in first[0]["text"]
    yard.clock.now += 3600 * 1_000_000
    assert workshop.feed()[0] == raw, "the same while nothing changed"
    workshop.declare("plans", "FORKLIFT-9/oil", workshop.plan(31))
    moved = workshop.feed()[1]
    assert {event["uid"] for event in moved if event["status"] == "CONFIRMED"} <= {event["uid"] for event in first}
    assert (moved[0]["uid"], moved[0]["sequence"]) == (first[0]["uid"], 1)
    assert moved[0]["days"][0] == day(workshop.begin + 31 * DAY)
    with write(yard.book) as tx:
        done = Done(id="s1", asset="FORKLIFT-9", kind="service", plan="FORKLIFT-9/oil", at=yard.clock.now)
        services.record(tx, Registers().current(tx), done, ("ann", yard.clock.now))
    after = [event["uid"] for event in workshop.feed()[1]]
    assert first[0]["uid"] not in after, "what is done is not planned"
    assert first[1]["uid"] in after
    workshop.declare("assets", "FORKLIFT-9", Asset("Forklift", "S-9", category="vehicle", state="retired"))
    assert {event["status"] for event in workshop.feed()[1]} == {"CANCELLED"}
    yard.clock.now += 31 * DAY
    assert workshop.feed()[1] == []


def test_a_work_order_s_days_come_first_and_it_keeps_the_entry(workshop: Workshop) -> None:
    yard, now = workshop.yard, workshop.yard.clock.now
    first = workshop.feed()[1][0]
    order = {"asked": b"{}", "kind": "preventive", "asset": "FORKLIFT-9", "title": "Oil", "priority": "normal"}
    order |= {"covers": "[1]", "made_by": "t", "made_at": now, "state": "planned", "planned_at": now + 20 * DAY}
    other = order | {"plan": None, "occurrence": None, "team": "north", "title": "Mast", "id": "w2"}
    with write(yard.book) as tx:
        tx.execute(insert(work_order).values(order | {"id": "w1", "plan": "FORKLIFT-9/oil", "occurrence": 1}))
        tx.execute(insert(work_order).values(other))
    found = {event["title"]: event for event in workshop.feed()[1][::-1]}
    oil, mast = found["FORKLIFT-9: Oil"], found["FORKLIFT-9: Mast"]
    assert (oil["uid"], oil["sequence"], oil["days"][0]) == (first["uid"], 1, day(now + 20 * DAY))
    assert "Work order w1: planned" in oil["text"]
    assert (mast["uid"] != oil["uid"], mast["sequence"]) == (True, 0)
