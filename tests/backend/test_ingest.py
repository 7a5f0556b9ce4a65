"""Commit semantics at the book: what contract.md says of repeats, batches ahead, conflicts, gaps and bad readings."""

import json
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from backend import ingest as module
from backend.book import journal
from backend.book.db import write
from backend.book.schema import alert, crossing, device, gap, quarantine, refused_count, stream
from backend.book.schema import journal as journalled
from backend.ingest import Ingest, Message, Outcome
from backend.verify import verify
from models import wire
from models.reading import DeviceEvent, Gap, Input, Reading, Tag, from_micros
from tests.backend.books import SECOND, Yard, batch
from tests.backend.stories import MIDNIGHT, TAGS

ON_BOTH = True
EPOCH = "7Q2M0X9KD4TB"


def said(number: int, device_name: str = "eye") -> bytes:
    return wire.encode(Input(device_name, from_micros(MIDNIGHT + number * SECOND), "photo_eye", on=True))


def sighting(number: int, antenna: int = 1) -> Reading:
    return Tag("door-1", from_micros(MIDNIGHT + number * SECOND), TAGS[0], antenna, rssi_dbm=-50.0, count=2)


def send(yard: Yard, seq: int, *texts: bytes) -> int:
    """The receipt for one batch."""
    return receipt(yard.ingest.take([batch(EPOCH, seq, texts)]))


def receipt(outcome: Outcome) -> int:
    ((gateway, answer),) = outcome.receipts
    assert (gateway, answer.epoch) == ("dock-a", EPOCH)
    return answer.seq


def kept(yard: Yard) -> list[tuple[int, bytes]]:
    return [(row["seq"], row["body"]) for row in yard.rows(journalled)]


def sorts(yard: Yard) -> list[tuple[Any, ...]]:
    return [(row["sort"], row["seq"], row["body"]) for row in yard.rows(quarantine)]


def alerts(yard: Yard) -> list[tuple[str, str]]:
    return [(row["rule"], row["subject"]) for row in yard.rows(alert)]


def whole(yard: Yard) -> None:
    assert not [finding for finding in verify(yard.book) if not finding.ok]


def test_repeated_overlapping_ahead_and_empty_batches(yard: Yard) -> None:
    texts = [said(n) for n in range(6)]
    assert send(yard, 1, *texts[:3]) == 3
    assert send(yard, 1, *texts[:3]) == 3
    assert send(yard, 2, *texts[1:5]) == 5
    assert send(yard, 7, said(9)) == 5
    assert send(yard, 1) == send(yard, 6) == send(yard, 99) == 5
    assert send(yard, 6, texts[5]) == 6
    assert kept(yard) == list(enumerate(texts, 1))
    assert not sorts(yard)
    assert not alerts(yard)
    whole(yard)


def test_messages_of_one_group_follow_each_other(yard: Yard) -> None:
    texts = [said(n) for n in range(4)]
    messages = [batch(EPOCH, seq, texts[seq - 1 : seq + 1]) for seq in (1, 1, 3, 2, 9)]
    assert [answer.seq for _, answer in yard.ingest.take(messages).receipts] == [4]
    assert kept(yard) == list(enumerate(texts, 1))
    assert not sorts(yard)


def test_another_text_at_a_committed_number_is_quarantined_once_with_one_alert(yard: Yard) -> None:
    assert send(yard, 1, said(1), said(2)) == 2
    for _ in range(3):
        assert send(yard, 1, said(7), said(2), said(3)) == 3
    outcome = yard.ingest.take([batch(EPOCH, 3, [said(8)]), batch(EPOCH, 3, [said(8)])])
    assert receipt(outcome) == 3
    assert sorts(yard) == [("conflict", 1, said(7)), ("conflict", 3, said(8))]
    assert alerts(yard) == [("conflict", "gateway:dock-a")]
    assert kept(yard) == [(1, said(1)), (2, said(2)), (3, said(3))]
    whole(yard)


def test_a_conflict_within_one_group_is_seen(yard: Yard) -> None:
    outcome = yard.ingest.take([batch(EPOCH, 1, [said(1)]), batch(EPOCH, 1, [said(2)]), batch(EPOCH, 1, [said(1)])])
    assert receipt(outcome) == 1
    assert sorts(yard) == [("conflict", 1, said(2))]
    whole(yard)


def a_gap(first: int, last: int, reason: str = "outbox quota") -> bytes:
    return wire.encode(Gap("", from_micros(MIDNIGHT), first, last, reason))


def test_only_the_part_of_a_gap_above_the_mark_is_journalled(yard: Yard) -> None:
    assert send(yard, 1, said(1), said(2), said(3)) == 3
    assert send(yard, 2, a_gap(2, 8)) == 8
    assert send(yard, 2, a_gap(2, 8)) == 8
    assert send(yard, 3, a_gap(3, 5)) == 8
    assert send(yard, 20, a_gap(20, 30)) == 8
    assert send(yard, 4, said(4), said(5)) == 8
    assert send(yard, 8, a_gap(8, 10, "by\0hand")) == 10
    spans = [(row["from_seq"], row["to_seq"]) for row in yard.rows(gap)]
    assert spans == [(4, 8), (9, 10)]
    assert not sorts(yard)
    assert alerts(yard) == [("gap", "gateway:dock-a")]
    whole(yard)


def test_readings_that_were_pruned_are_dropped_and_counted(yard: Yard) -> None:
    send(yard, 1, *[said(n) for n in range(1, 6)])
    with write(yard.book) as tx:
        tx.execute(update(stream).values(pruned_to=3))
        tx.execute(journalled.delete().where(journalled.c.seq <= 3))
    assert send(yard, 2, said(90), said(91), said(4), said(5), said(6)) == 6
    assert not sorts(yard)
    assert [(row["sort"], row["count"]) for row in yard.rows(refused_count)] == [("pruned", 2)]
    broken = [finding.name for finding in verify(yard.book) if not finding.ok]
    assert broken == ["readings gone as sealed"], "nobody has sealed them"


BAD = [
    b'{"kind":"tag"}',
    b"[]",
    b'"x"',
    b"17",
    b'{"kind":"scan","device":"s","at":"yesterday","data":"x"}',
    b'{"kind":"scan","device":"s","at":"1969-01-01T00:00:00Z","data":"x"}',
    b'{"kind":"scan","device":"","at":"2026-01-01T00:00:00Z","data":"x"}',
    b'{"kind":"scan","device":"s\\n","at":"2026-01-01T00:00:00Z","data":"x"}',
    b'{"kind":"tag","device":"d","at":"2026-01-01T00:00:00Z","epc":"3034\\n","antenna":1}',
    b'{"kind":"signal","device":"s","at":"2026-01-01T00:00:00Z","name":"n","unit":"m","value":1e999}',
    b'{"kind":"scan","device":"s","at":"2026-01-01T00:00:00Z","data":"' + b"x" * 17_000 + b'"}',
]


@pytest.mark.parametrize("text", BAD)
def test_an_invalid_reading_counts_as_committed(text: bytes, yard: Yard) -> None:
    for _ in range(2):
        assert send(yard, 1, said(1), text, said(3)) == 3
    assert kept(yard) == [(1, said(1)), (3, said(3))]
    assert sorts(yard) == [("invalid", 2, text)]
    assert alerts(yard) == [("quarantine", "gateway:dock-a")]
    whole(yard)


def test_a_shared_outbox_is_an_alert(yard: Yard) -> None:
    text = wire.encode(DeviceEvent("", from_micros(MIDNIGHT), "outbox_shared", "a receipt above what was sent"))
    assert send(yard, 1, text) == 1
    assert alerts(yard) == [("outbox_shared", "gateway:dock-a")]


def test_an_unknown_kind_is_journalled(yard: Yard) -> None:
    text = b'{"kind":"tide","device":"quay","at":"2026-01-01T00:00:00Z","height_m":2.5}'
    assert send(yard, 1, text) == 1
    assert kept(yard) == [(1, text)]
    assert [row["kind"] for row in yard.rows(journalled)] == ["tide"]
    whole(yard)


def failing_on(marker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Effects of readings whose device is `marker` fail."""
    true = module.apply

    def apply(tx: Any, register: Any, arrivals: Any, now: int) -> Any:
        derived = true(tx, register, arrivals, now)
        if any(arrival.reading.device == marker for arrival in arrivals):
            msg = "a bug in an effect"
            raise ZeroDivisionError(msg)
        return derived

    monkeypatch.setattr(module, "apply", apply)


def test_a_reading_whose_effect_fails_is_quarantined_and_the_others_committed(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failing_on("cursed", monkeypatch)
    texts = [wire.encode(sighting(0, 3)), said(1, "cursed"), wire.encode(sighting(1)), said(3, "cursed")]
    other = batch("B" * 12, 1, [said(1)], "dock-b")
    outcome = yard.ingest.take([batch(EPOCH, 1, texts), other])
    assert [(gateway, answer.seq) for gateway, answer in outcome.receipts] == [("dock-a", 4), ("dock-b", 1)]
    assert [(sort, seq) for sort, seq, _ in sorts(yard)] == [("invalid", 2), ("invalid", 4)]
    assert "a bug in an effect" in yard.rows(quarantine)[0]["reason"]
    assert len(kept(yard)) == 3
    assert "goes to quarantine" in caplog.text
    assert send(yard, 1, *texts) == 4
    assert len(sorts(yard)) == 2
    yard.settle()
    assert [row["evidence_count"] for row in yard.rows(crossing)] == [2]
    whole(yard)


def test_a_message_that_cannot_be_committed_gets_no_receipt_and_leaves_the_others_alone(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = journal.add_gap

    def add_gap(tx: Any, *arguments: Any) -> None:
        true(tx, *arguments)
        msg = "a bug"
        raise ZeroDivisionError(msg)

    monkeypatch.setattr(journal, "add_gap", add_gap)
    bad = batch(EPOCH, 1, [a_gap(1, 5)])
    outcome = yard.ingest.take([batch("B" * 12, 1, [said(1)]), bad, batch("C" * 12, 1, [said(2)])])
    assert [answer.epoch for _, answer in outcome.receipts] == ["B" * 12, "C" * 12]
    assert not yard.rows(gap)
    assert len(kept(yard)) == 2
    whole(yard)


def test_a_mark_that_moved_means_nothing_is_committed_and_no_receipt(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker commits between the reading of the mark and its raising: on SQLite that can only be played."""
    assert send(yard, 1, said(1)) == 1
    true = journal.lock_stream

    def stale(tx: Any, gateway: str, epoch: str) -> journal.StreamRow:
        held = true(tx, gateway, epoch)
        return journal.StreamRow(held.id, held.gateway, held.gateway_id, held.mark - 1, held.pruned_to)

    monkeypatch.setattr(journal, "lock_stream", stale)
    assert yard.ingest.take([batch(EPOCH, 2, [said(2)])]).receipts == [("dock-a", wire.Receipt(EPOCH, 0))]
    assert not yard.ingest.take([batch(EPOCH, 1, [said(5), said(6)])]).receipts
    monkeypatch.undo()
    assert kept(yard) == [(1, said(1))]
    assert send(yard, 2, said(2)) == 2
    whole(yard)


def test_two_workers_on_one_stream_commit_each_reading_once(yard: Yard) -> None:
    other = Ingest(yard.book, yard.clock)
    texts = [said(n, f"eye-{n % 3}") for n in range(40)]
    for n in range(0, 40, 4):
        for worker in (yard.ingest, other):
            assert receipt(worker.take([batch(EPOCH, n + 1, texts[n : n + 4])])) == n + 4
    assert kept(yard) == list(enumerate(texts, 1))
    assert len(yard.rows(device)) == 3
    whole(yard)


def test_devices_of_a_transaction_that_was_rolled_back_are_not_remembered(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("COMMIT", None, Exception("the disk is full"))

    monkeypatch.setattr(journal, "raise_mark", away)
    with pytest.raises(OperationalError):
        send(yard, 1, said(1, "new"))
    monkeypatch.undo()
    assert not yard.rows(device)
    assert not yard.rows(stream)
    assert send(yard, 1, said(1, "other"), said(2, "new")) == 2
    names = {row["id"]: row["name"] for row in yard.rows(device)}
    assert [names[row["device_id"]] for row in yard.rows(journalled)] == ["other", "new"]
    whole(yard)


def test_unreadable_messages_are_counted_and_ten_of_a_day_kept(yard: Yard) -> None:
    topic = wire.topic("dock-a", "readings")
    for n in range(25):
        assert not yard.ingest.take([Message(topic, b"{%d" % n)]).receipts
    yard.clock.now += 86_400 * SECOND
    yard.ingest.take([Message(topic, b"{"), Message(wire.topic("api", "readings"), b"{}"), Message("a/b", b"")])
    assert [(row["gateway"], row["sort"]) for row in yard.rows(quarantine)] == [("dock-a", "envelope")] * 11 + [
        ("", "envelope")
    ] * 2
    assert sorted(row["count"] for row in yard.rows(refused_count)) == [1, 2, 25]
    assert ("envelope", "gateway:dock-a") in alerts(yard)
    assert json.loads(yard.rows(alert)[0]["detail"])["reason"]
    whole(yard)


def test_the_other_messages_of_a_group_do_not_mind_an_unreadable_one(yard: Yard) -> None:
    bad = Message(wire.topic("dock-a", "readings"), b"\x78not zlib")
    assert receipt(yard.ingest.take([bad, batch(EPOCH, 1, [said(1)]), bad])) == 1
    assert len(kept(yard)) == 1


def test_answers_go_to_the_gateway_that_heard_the_device(yard: Yard) -> None:
    text = b'{"kind":"scan","device":"id:hand","at":"2026-01-01T00:00:00Z","data":"SY:RECEIVE"}'
    outcome = yard.ingest.take([batch(EPOCH, 1, [text, said(1)])])
    assert outcome.heard_by == {"id:hand": "dock-a"}
