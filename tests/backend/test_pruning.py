"""Pruning: what goes and what stays, what comes too late, and what is refused."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import Connection, Engine

from backend import site
from backend.api.queries.seals import seals
from backend.book import register, sealed
from backend.book.db import read, write
from backend.book.schema import (
    alert,
    api_scan,
    checkpoint,
    crossing,
    gap,
    journal,
    quarantine,
    refused_count,
    seal,
    seal_stream,
    sealed_state,
    stream,
    too_late,
)
from backend.config import ConfigError
from backend.keeping import prune, sealed_days
from backend.keeping.sealed_days import Sealer
from backend.scans import ApiScans
from models import wire
from models.declared import Device, Door, Site
from models.errors import Refused
from models.reading import Gap, Scan, Tag, from_micros
from tests.backend.books import DAY, SECOND, SITE, Yard, batch
from tests.backend.pruned_yards import DAYS, A, B, a_pass, filled, prune_at, pruned, whole
from tests.backend.stories import BOLT, MIDNIGHT, TAGS

ON_BOTH = True


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed_days, "LEAST_PAUSE_S", 0.0)


def boundary(yard: Yard) -> int:
    with read(yard.book) as tx:
        return sealed.boundary(tx)


def numbers(yard: Yard) -> list[int]:
    return [row["seq"] for row in yard.rows(journal)]


@pytest.fixture
def old(yard: Yard) -> Yard:
    """A book of four days, whose first clock is that of the first."""
    yard.clock.now = MIDNIGHT
    filled(yard, range(4))
    return yard


def test_what_is_past_its_time_goes_and_what_it_came_to_stays(old: Yard) -> None:
    rows = old.rows(crossing)
    assert pruned(old) == 0, "nothing is past its time"
    prune_at(old, 2)
    assert boundary(old) == MIDNIGHT + 2 * DAY
    assert numbers(old) == [*range(5, 17)], "of the day before the seal they stay"
    assert [row["pruned_to"] for row in old.rows(stream)] == [4]
    assert old.rows(crossing) == rows
    assert min(row["day"] for row in old.rows(checkpoint)) == MIDNIGHT // DAY + 2
    whole(old)
    with read(old.book) as tx:
        (found,) = seals(tx, None, 10)
    assert found.readings == 4
    assert [(each.from_seq, each.to_seq, each.counts) for each in found.streams] == [(1, 4, {"tag": 4})]
    assert pruned(old) == 0
    prune_at(old, 3)
    assert numbers(old) == [*range(9, 17)]
    whole(old)


def test_a_prefix_goes_even_where_younger_readings_came_before(yard: Yard) -> None:
    yard.clock.now = MIDNIGHT + 3 * DAY
    yard.send(a_pass(MIDNIGHT)[:2], A)
    yard.send(a_pass(MIDNIGHT + 3 * DAY, TAGS[1])[:1], A)
    yard.send(a_pass(MIDNIGHT + 60 * SECOND)[:2], A)
    yard.send(a_pass(MIDNIGHT + 120 * SECOND)[:2], B)
    yard.settle()
    prune_at(yard, 2)
    left = [(row["stream_id"], row["seq"]) for row in yard.rows(journal)]
    assert left == [(1, 3), (1, 4), (1, 5)], "what stands behind a younger one stays"
    whole(yard)
    yard.send(a_pass(MIDNIGHT + 3 * DAY + 30 * SECOND, TAGS[1]), A)
    yard.settle()
    whole(yard)


def test_gaps_and_quarantine_go_with_the_numbers_around_them(yard: Yard) -> None:
    yard.clock.now = MIDNIGHT
    texts = [wire.encode(each) for each in a_pass(MIDNIGHT)]
    yard.ingest.take([batch(A, 1, [*texts[:2], b"{}", *texts[2:]])])
    yard.ingest.take([batch(A, 1, [b'{"kind":"other"}'])])
    yard.ingest.take([batch(A, 6, [wire.encode(Gap("", from_micros(MIDNIGHT), 6, 5000, "outbox quota"))])])
    yard.ingest.take([batch(A, 5001, texts[:1])])
    scan = wire.encode(Scan("handheld", from_micros(MIDNIGHT), f"01{BOLT}", "]C1"))
    assert ApiScans().put(yard.book, "mine", scan, yard.clock.now)
    yard.settle()
    prune_at(yard, 2)
    assert [row["pruned_to"] for row in yard.rows(stream)] == [5001, 1]
    for table in (journal, gap, api_scan, quarantine):
        assert yard.rows(table) == [], table.name
    whole(yard)
    with read(yard.book) as tx:
        (found,) = seals(tx, None, 10)
    assert found.streams[1].counts == {"gap": 4995, "quarantine": 1, "tag": 5}
    with pytest.raises(Refused, match=r"at: .* or later expected"):
        ApiScans().put(yard.book, "mine", scan, yard.clock.now)


def test_what_is_sent_again_of_pruned_numbers_is_dropped_and_counted(old: Yard) -> None:
    texts = [wire.encode(each) for each in (*a_pass(MIDNIGHT + DAY // 2), *a_pass(MIDNIGHT + DAY + DAY // 2))]
    prune_at(old, 2)
    (receipt,) = old.ingest.take([batch(A, 1, [*texts[:6], b'{"kind":"other"}'])]).receipts
    assert receipt[1].seq == 16
    assert [(row["sort"], row["count"]) for row in old.rows(refused_count)] == [("pruned", 4)]
    assert [(row["sort"], row["seq"]) for row in old.rows(quarantine)] == [("conflict", 7)]
    whole(old)


def test_what_comes_too_late_is_kept_told_once_and_moves_nothing(old: Yard) -> None:
    prune_at(old, 2)
    rows, states = old.rows(crossing), old.rows(checkpoint)
    late = a_pass(MIDNIGHT + DAY + 3600 * SECOND)
    for k, each in enumerate(late):
        old.ingest.take([batch(B, k + 1, [wire.encode(each)])] * 2)
    old.settle()
    assert (old.rows(crossing), old.rows(checkpoint)) == (rows, states)
    assert len(old.rows(too_late)) == 4
    assert [(r["rule"], r["subject"]) for r in old.rows(alert)] == [("too_late", "device:dock-a/door-1")]
    assert [(r["sort"], r["count"]) for r in old.rows(refused_count)] == [("too_late", 4)]
    whole(old)
    old.send(late, A)
    old.send(a_pass(MIDNIGHT + 3 * DAY, TAGS[1]), A)
    old.settle()
    assert len(old.rows(crossing)) == len(rows) + 1, "a late one hides none that counts"
    whole(old)
    prune_at(old, 3)
    assert len(old.rows(too_late)) == 8, "it is kept as long as others, from when it came"
    assert pruned(old, now=old.clock.now + (DAYS + 3) * DAY) > 0
    assert old.rows(too_late) == []
    whole(old)


def test_nothing_is_sealed_before_all_that_is_expected_is_there(old: Yard) -> None:
    at = MIDNIGHT + 2 * DAY
    with read(old.book) as tx:
        assert sealed_days.waits_for(tx, at, 0) == ""
    old.clock.now = at + DAYS * DAY
    listed = wire.Stream(B, 9, 8, from_micros(MIDNIGHT))
    status = wire.encode(wire.Status(online=True, streams=[listed]))
    message = type(batch(A, 1, []))(wire.topic("dock-a", "status"), status)
    old.ingest.take([message])
    with read(old.book) as tx:
        assert "dock-a has still to send readings from 2024-10-04" in sealed_days.waits_for(tx, at, at)
    assert pruned(old) == 0
    assert pruned(old, now=old.clock.now + (DAYS + 1) * DAY) > 0, "who was not heard of since is waited for no longer"


def test_a_key_that_waits_for_the_deriver_is_waited_for(old: Yard) -> None:
    old.send(a_pass(MIDNIGHT + 3600 * SECOND), B)
    with read(old.book) as tx:
        assert "the deriver has still to fold dock" in sealed_days.waits_for(tx, MIDNIGHT + 2 * DAY, 0)
    assert pruned(old, now=MIDNIGHT + (DAYS + 1) * DAY) == 0
    old.settle()
    assert pruned(old) == 1
    whole(old)


DOOR = Device(gateway="dock-a", name="door-1", door=Door([1], [3], "warehouse", "supplier", "customer", 9.0))


def declare(yard: Yard, kind: str, ident: str, body: object, at: int) -> str:
    with write(yard.book) as tx:
        return register.put(tx, kind, ident, body, valid_from=at, actor="test", now=yard.clock.now)  # type: ignore[arg-type]


def test_what_would_change_what_is_sealed_is_refused(old: Yard, tmp_path: Path) -> None:
    prune_at(old, 2)
    with pytest.raises(
        Refused, match=r"valid_from: 2024-10-06T00:00:00Z or later expected, .* got 2024-10-05T23:59:59Z"
    ):
        declare(old, "devices", "dock-a/door-1", DOOR, MIDNIGHT + 2 * DAY - 1)
    assert declare(old, "sites", "new", Site("New"), MIDNIGHT) == "created", "no reading is folded by it"
    assert declare(old, "devices", "dock-a/door-1", DOOR, MIDNIGHT + 2 * DAY) == "changed"
    old.settle()
    whole(old)
    assert site.apply(old.book, SITE, old.clock.now, "test"), "the door is declared anew, as of the seal"
    assert [c.valid_from for c in site.apply(old.book, SITE, old.clock.now, "test") if c.outcome != "same"] == []
    file = tmp_path / "site.toml"
    file.write_text('[items."NEW"]\nname = "New"\n')
    (made,) = site.apply(old.book, file, old.clock.now, "test")
    assert (made.outcome, made.valid_from) == ("created", MIDNIGHT + 2 * DAY), "what has no date holds from the seal on"
    file.write_text('[items."OTHER"]\nname = "Other"\nvalid_from = 2024-10-05\n')
    with pytest.raises(ConfigError, match=r"items.OTHER: valid_from: 2024-10-06"):
        site.apply(old.book, file, old.clock.now, "test")
    old.settle()
    whole(old)


def test_a_pass_over_the_seal_is_changed_by_what_still_counts(yard: Yard) -> None:
    at = MIDNIGHT + 2 * DAY
    yard.clock.now = at
    filled(yard, [0])
    yard.send([Tag("door-1", from_micros(at - SECOND), TAGS[1], 3, rssi_dbm=-50.0, count=2)], A)
    yard.settle(DAY)
    prune_at(yard, 2)
    assert [row["subject"] for row in yard.rows(sealed_state)] == [TAGS[1]]
    yard.send([Tag("door-1", from_micros(at + SECOND), TAGS[1], 1, rssi_dbm=-50.0, count=2)], A)
    yard.settle()
    passes = [(row["direction"], row["evidence_count"]) for row in yard.rows(crossing) if row["subject"] == TAGS[1]]
    assert passes == [("in", 2)]
    whole(yard)


def test_it_goes_a_few_numbers_at_a_time_and_stops_when_told(old: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prune, "NUMBERS_A_TURN", 3)
    stop = Event()
    true = prune.readings_go

    def once(tx: object, day: int, before: int) -> int:
        stop.set()
        return true(tx, day, before)  # type: ignore[arg-type]

    monkeypatch.setattr(prune, "readings_go", once)
    old.clock.now = MIDNIGHT + (2 + DAYS) * DAY
    Sealer(old.book, old.clock, DAYS).all(stop)
    assert [row["pruned_to"] for row in old.rows(stream)] == [3]
    whole(old)
    monkeypatch.undo()
    assert pruned(old) == 1
    assert [row["pruned_to"] for row in old.rows(stream)] == [8]
    whole(old)


def test_who_was_overtaken_while_it_sealed_changes_nothing(old: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prune, "NUMBERS_A_TURN", 3)
    over = Event()
    true, go = prune.prefixes, prune.readings_go

    def overtaken(book: Engine, before: int) -> Iterator[prune.Prefix]:
        monkeypatch.setattr(prune, "prefixes", true)
        Sealer(old.book, old.clock, DAYS).all(over)
        return true(book, before)

    def once(tx: Connection, day: int, before: int) -> int:
        over.set()
        return go(tx, day, before)

    monkeypatch.setattr(prune, "prefixes", overtaken)
    monkeypatch.setattr(prune, "readings_go", once)
    old.clock.now = MIDNIGHT + (2 + DAYS) * DAY
    assert Sealer(old.book, old.clock, DAYS).all(Event()) == 1
    assert [(row["from_seq"], row["to_seq"]) for row in old.rows(seal_stream)] == [(1, 8)]
    whole(old)


def test_without_an_order_to_nothing_is_sealed(old: Yard) -> None:
    old.clock.now += 10_000 * DAY
    assert Sealer(old.book, old.clock, 0).all(Event()) == 0
    assert old.rows(seal) == []


def test_many_years_are_sealed_a_month_at_a_time(yard: Yard) -> None:
    yard.clock.now = MIDNIGHT
    filled(yard, (0, 1, 40, 41, 100))
    count = pruned(yard, now=MIDNIGHT + (101 + DAYS) * DAY)
    assert [row["day"] - MIDNIGHT // DAY for row in yard.rows(seal)] == [31, 71, 102]
    assert count == 3
    assert len(numbers(yard)) == 0
    whole(yard)
