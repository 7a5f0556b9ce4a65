"""Who is told of an alert, and when: levels, answers, assignment, quiet hours, digests, shelves; of both modules."""

from datetime import UTC, datetime

import msgspec
import pytest
from sqlalchemy import select

from backend.book import alerts, shelves, webhooks
from backend.book.db import read, write
from backend.book.schema import alert
from backend.book.schema_desk import alert_count, alert_desk
from backend.book.schema_notify import webhook_delivery
from models.declared_alerts import AlertRule, Contact, Team
from models.reading import micros
from models.shelving import Shelf
from tests.backend.books import SECOND
from tests.backend.notify.conftest import Office

HOUR = 3600


def at(office: Office, text: str) -> None:
    office.yard.clock.now = micros(datetime.fromisoformat(text).replace(tzinfo=UTC))


@pytest.mark.parametrize("store", ["sqlite", "postgres"], indirect=True)
def test_a_level_at_a_time_until_somebody_answers(office: Office) -> None:
    ident = office.raise_alert("failure_risk", "asset:M-1/gearbox")
    office.work()
    assert office.told() == [("ann", "[CRITICAL] title")]
    office.work(14 * 60)
    assert len(office.told()) == 1
    office.work(60)
    office.work(15 * 60)
    office.work(24 * HOUR)
    assert [who for who, _ in office.told()] == ["ann", "ben", "boss"]
    assert office.told()[1][1] == "[CRITICAL] title (level 2)"
    with write(office.yard.book) as tx:
        alerts.acknowledge(tx, ident, "ann", office.yard.clock.now)
    other = office.raise_alert("failure_risk", "asset:M-2/gearbox")
    office.work()
    with write(office.yard.book) as tx:
        alerts.acknowledge(tx, other, "ann", office.yard.clock.now)
    office.work(24 * HOUR)
    assert [who for who, _ in office.told()] == ["ann", "ben", "boss", "ann"]


def test_what_becomes_graver_is_told_again_and_what_only_has_other_words_is_not(office: Office) -> None:
    office.raise_alert("service_due", "M-1/oil/2", "warning")
    office.work()
    office.raise_alert("service_due", "M-1/oil/2", "warning", "other words")
    office.work()
    assert len(office.told()) == 1
    office.raise_alert("service_due", "M-1/oil/2", "critical", "it is overdue")
    office.work()
    assert office.told()[1:] == [("ann", "[CRITICAL] it is overdue (said again)")]


def test_who_is_asked_to_answer_is_told_and_has_as_much_time(office: Office) -> None:
    ident = office.raise_alert("failure_risk", "asset:M-1/gearbox")
    office.work()
    office.yard.clock.now += 10 * 60 * SECOND
    with write(office.yard.book) as tx:
        alerts.assign(tx, ident, "sue", "ann", office.yard.clock.now)
        alerts.assign(tx, ident, "sue", "ann", office.yard.clock.now)
    office.work()
    assert office.told() == [("ann", "[CRITICAL] title"), ("sue", "[CRITICAL] title (assigned)")]
    office.work(14 * 60)
    assert len(office.told()) == 2
    office.work(60)
    assert office.told()[2][0] == "ben"


def test_who_was_asked_last_is_asked_once(office: Office) -> None:
    ident = office.raise_alert("failure_risk", "asset:M-1/gearbox")
    office.work()
    with write(office.yard.book) as tx:
        alerts.assign(tx, ident, "ben", "ann", office.yard.clock.now)
        alerts.assign(tx, ident, "sue", "ann", office.yard.clock.now)
    office.work()
    assert [who for who, _ in office.told()] == ["ann", "sue"]


def test_stock_and_assets_have_rules_of_their_own_and_one_delivery(office: Office) -> None:
    at(office, "2026-11-24T12:00")
    office.work()
    office.declare("rules", "reorder", AlertRule(teams=["fleet", "stores"]))
    office.raise_alert("negative_stock", "item:A")
    office.raise_alert("failure_risk", "asset:M-1/gearbox")
    office.raise_alert("lot_missing", "item:B")
    office.raise_alert("gateway_offline", "gateway:dock-a")
    office.raise_alert("reorder", "item:A", "warning", "both")
    office.work()
    assert sorted(office.told()) == [
        ("ann", "[CRITICAL] title"),
        ("ann", "[Warning] both"),
        ("sue", "[CRITICAL] title"),
        ("sue", "[Warning] both"),
    ]
    office.work(15 * 60)
    assert sorted(who for who, _ in office.told())[2:] == ["ben", "sue", "sue"], (
        "stock has an hour, and no second level"
    )


def test_a_team_of_a_fleet_is_told_of_its_machines_only(office: Office) -> None:
    with read(office.yard.book) as tx:
        assert tx.scalar(select(alert.c.id)) is None
    office.declare("teams", "fleet", Team("Fleet", ["assets"], [["ann"]], fleets=["north"]))
    with write(office.yard.book) as tx:
        detail = msgspec.json.encode({"asset": "TRUCK-1"}).decode()
        one = alerts.Alert("failure_risk", "asset:TRUCK-1/gearbox", "critical", "of no fleet", detail)
        alerts.raise_alert(tx, one, office.yard.clock.now, "planner")
    office.raise_alert("failure_risk", "asset:?/gearbox", title="of no asset")
    office.work()
    assert office.told() == [("ann", "[CRITICAL] of no asset")]


def test_quiet_hours_keep_what_is_not_critical_until_they_end(office: Office) -> None:
    at(office, "2026-03-28T23:30")
    office.work()
    office.raise_alert("reorder", "item:A", "warning", "stays")
    over = office.raise_alert("reorder", "item:B", "warning", "passes")
    office.raise_alert("negative_stock", "item:C")
    office.work()
    assert office.told() == [("sue", "[CRITICAL] title")]
    with write(office.yard.book) as tx:
        alerts.close_one(tx, over, "ann", office.yard.clock.now)
    at(office, "2026-03-29T03:59")
    office.work()
    assert len(office.told()) == 1
    at(office, "2026-03-29T04:00")
    office.work()
    assert office.told()[1:] == [("sue", "[Warning] stays")], "six in Brussels, where the clocks went on that night"


def test_a_digest_has_what_stands_and_nothing_is_told_twice(office: Office) -> None:
    at(office, "2026-11-24T09:00")
    office.work()
    office.raise_alert("service_due", "M-1/oil/2", "info", "soon")
    office.raise_alert("service_due", "M-2/oil/2", "info", "also soon")
    seen = office.raise_alert("service_due", "M-3/oil/2", "info", "seen")
    office.raise_alert("failure_risk", "asset:M-1/gearbox", "warning", "risk")
    with write(office.yard.book) as tx:
        alerts.acknowledge(tx, seen, "ann", office.yard.clock.now)
    office.work()
    assert office.told() == [("ann", "[Warning] risk")]
    for time in ("2026-11-25T06:59", "2026-11-25T07:00", "2026-11-25T07:01", "2026-11-26T06:59"):
        at(office, time)
        office.work()
    (digest,) = [mail for _, mail in office.box.taken if mail["Subject"].startswith("Fleet")]
    assert digest["Subject"] == "Fleet: 2 alerts stand"
    words = digest.get_content()
    assert "- soon (since 2026-11-24 09:00 UTC)" in words
    assert "seen" not in words
    assert "told by themselves: 1" in words


@pytest.mark.parametrize("store", ["sqlite", "postgres"], indirect=True)
def test_a_shelf_keeps_quiet_what_stands_and_what_comes_and_ends_by_itself(office: Office) -> None:
    office.raise_alert("odometer_drift", "asset:M-1/odometer", "warning")
    office.work()
    now = office.yard.clock.now
    shelf = Shelf(["odometer_drift"], ["asset:M-*"], "its tracker is being replaced", now + 24 * HOUR * SECOND)
    with write(office.yard.book) as tx:
        assert shelves.put(tx, "s1", shelf, "ann", now)
        assert not shelves.put(tx, "s1", shelf, "ann", now)
    office.raise_alert("odometer_drift", "asset:M-2/odometer", "warning")
    office.raise_alert("odometer_drift", "asset:X-3/odometer", "warning", "another")
    office.raise_alert("odometer_drift", "asset:M-4/odometer", "critical", "graver")
    office.work(HOUR)
    assert sorted(office.told()) == [
        ("ann", "[CRITICAL] graver"),
        ("ann", "[Warning] another"),
        ("ann", "[Warning] title"),
    ]
    with read(office.yard.book) as tx:
        told = {(row.team, row.told) for row in tx.execute(select(alert_count))}
    assert told == {("", 3), ("fleet", 3)}, "one before it, two beside it: what is shelved is not told"
    office.yard.clock.now = now + 24 * HOUR * SECOND
    with write(office.yard.book) as tx:
        assert alerts.wake_due(tx, office.yard.clock.now) == 2
    office.box.taken.clear()
    office.work()
    woken = [told for told in office.told() if told[0] == "ann" and "woken" in told[1]]
    assert woken == [("ann", "[Warning] title (woken)")] * 2


def test_of_two_shelves_an_alert_is_laid_on_the_one_that_stands_longer(office: Office) -> None:
    now = office.yard.clock.now
    with write(office.yard.book) as tx:
        for ident, hours in (("short", 1), ("long", 48), ("middle", 24)):
            until = now + hours * HOUR * SECOND
            shelves.put(tx, ident, Shelf(["odometer_drift"], ["asset:M-*"], "is replaced", until), "ann", now)
    office.raise_alert("odometer_drift", "asset:M-1/odometer", "warning")
    with read(office.yard.book) as tx:
        assert tx.scalars(select(alert_desk.c.shelf)).all() == ["long"]


def test_a_contact_s_webhook_is_owed_it_once_whatever_kinds_it_wants(office: Office) -> None:
    with write(office.yard.book) as tx:
        webhooks.begin(tx, ["ops"])
    office.declare("contacts", "ann", Contact("Ann", webhook="ops"))
    office.declare("contacts", "ben", Contact("Ben", webhook="nowhere"))
    office.raise_alert("failure_risk", "asset:M-1/gearbox")
    office.work()
    office.work(15 * 60)
    assert [(who, state) for who, state, _ in office.messages()] == [("ops", "handed"), ("nowhere", "dead")]
    with read(office.yard.book) as tx:
        (row,) = tx.execute(select(webhook_delivery)).all()
    body = msgspec.json.decode(row.body)
    assert (body["type"], body["data"]["contact"], body["data"]["title"]) == ("notification", "ann", "title")


@pytest.mark.parametrize("tries", [1, 3])
def test_a_desk_that_dies_in_the_middle_tells_nobody_twice(
    office: Office, monkeypatch: pytest.MonkeyPatch, tries: int
) -> None:
    from backend.notify import desk, digests  # noqa: PLC0415

    office.raise_alert("failure_risk", "asset:M-1/gearbox")
    with monkeypatch.context() as broken:
        broken.setattr(digests, "due", lambda _office: 1 / 0)
        for _ in range(tries):
            with pytest.raises(ZeroDivisionError):
                office.desk.step()
    assert office.messages() == []
    other = desk.Desk(office.yard.book, office.yard.clock, office.desk._ways)
    other.step()
    office.work()
    assert len(office.messages()) == 1
