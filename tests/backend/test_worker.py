"""The ingest loop on a transport that the test holds: what is told, and when."""

from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

import msgspec
import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from backend import worker as module
from backend.book import events
from backend.book.db import read, write
from backend.book.schema import alert, journal
from backend.ingest import Message
from backend.worker import Announcer, IngestWorker
from models import wire
from models.reading import Input, Scan, from_micros
from tests.backend.books import SECOND, Yard, batch
from tests.backend.stories import BOLT, MIDNIGHT

EPOCH = "0" * 12


@dataclass
class Transport:
    """Delivers what it is given, then stops the loop."""

    waiting: list[Message]
    stop: Event = field(default_factory=Event)
    published: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])
    connected: bool = True

    def take(self, _wait_s: float, _window_s: float, _most: int, _most_readings: int) -> list[Message]:
        found, self.waiting = self.waiting, []
        if not found:
            self.stop.set()
        return found

    def publish(self, topic: str, payload: bytes) -> bool:
        self.published.append((topic, msgspec.json.decode(payload)))
        return True


def run(yard: Yard, transport: Transport) -> None:
    IngestWorker(yard.ingest, transport, yard.clock).run(transport.stop)  # type: ignore[arg-type]


def scans(*codes: str) -> list[bytes]:
    return [wire.encode(Scan("scanner-1", from_micros(MIDNIGHT + k), code, "]C1")) for k, code in enumerate(codes)]


def test_a_receipt_and_an_answer_for_the_person(yard: Yard) -> None:
    yard.clock.now = MIDNIGHT + SECOND
    transport = Transport([batch(EPOCH, 1, scans("SY:RECEIVE", "SY:QTY:5")), Message("x", b"{")])
    run(yard, transport)
    receipt, reply = transport.published
    assert receipt == ("stockyard/v1/dock-a/receipt", {"epoch": EPOCH, "seq": 2})
    assert reply[0] == "stockyard/v1/dock-a/reply"
    assert (reply[1]["device"], reply[1]["ok"]) == ("scanner-1", False)


def test_who_scanned_is_answered_when_time_has_acted_for_another_to_hear(yard: Yard) -> None:
    """An item waited for its quantity for a minute; the next reading of its gateway is of another device."""
    yard.clock.now = MIDNIGHT + 70 * SECOND
    yard.ingest.take([batch(EPOCH, 1, scans("SY:RECEIVE", "SY:LOC:desk", f"01{BOLT}"))])
    later = Input("eye", from_micros(MIDNIGHT + 61 * SECOND), "photo_eye", on=True)
    transport = Transport([batch(EPOCH, 4, [wire.encode(later)])])
    run(yard, transport)
    _, (topic, reply) = transport.published
    assert topic == "stockyard/v1/dock-a/reply"
    assert (reply["device"], reply["text"]) == ("scanner-1", "1 x BOLT-M8 received at desk")


def test_an_old_answer_is_dropped(yard: Yard) -> None:
    yard.clock.now = MIDNIGHT + 31 * SECOND
    transport = Transport([batch(EPOCH, 1, scans("SY:QTY:5"))])
    run(yard, transport)
    assert [topic for topic, _ in transport.published] == ["stockyard/v1/dock-a/receipt"]


def test_a_book_that_is_away_is_waited_for(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STORE_AWAY_S", 0.01)
    transport = Transport([batch(EPOCH, 1, scans("SY:CONFIRM"))])
    true, failures = yard.ingest.take, [0]

    def take(messages: Any) -> Any:
        failures[0] += 1
        if failures[0] < 4:
            assert not transport.published
            raise OperationalError("BEGIN", None, Exception("locked"))
        return true(messages)

    monkeypatch.setattr(yard.ingest, "take", take)
    run(yard, transport)
    assert [body for _, body in transport.published] == [{"epoch": EPOCH, "seq": 1}]


def test_while_another_transaction_holds_the_lock_everything_waits_and_nothing_is_lost(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A long history that is folded anew holds it for longer than a writer waits for its turn."""
    monkeypatch.setattr(module, "STORE_AWAY_S", 0.01)
    event.listen(yard.book, "connect", lambda connection, _entry: connection.execute("PRAGMA busy_timeout=20"))
    true, tries = yard.ingest.take, [0]

    def take(messages: Any) -> Any:
        tries[0] += 1
        return true(messages)

    monkeypatch.setattr(yard.ingest, "take", take)
    yard.book.dispose()
    transport = Transport([batch(EPOCH, 1, scans("SY:CONFIRM")), batch(EPOCH, 2, scans("SY:QTY:5"))])
    worker = Thread(target=run, args=(yard, transport))
    with write(yard.book):
        worker.start()
        while worker.is_alive() and tries[0] < 4:
            worker.join(0.01)
        assert caplog.text.count("the book is away; 2 messages wait") == 1
        assert worker.is_alive()
        assert not transport.published
    worker.join(10)
    assert [body for topic, body in transport.published if topic.endswith("/receipt")][-1] == {"epoch": EPOCH, "seq": 2}
    assert len(yard.rows(journal)) == 2


def test_a_book_that_was_away_for_long_says_so_itself_when_it_is_back(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "STORE_AWAY_S", 0.001)
    true = yard.ingest.take
    for seconds, told in ((2, []), (91, ["The book took no readings for 90 s: database or disk is full"])):
        begun = yard.clock.now

        def take(messages: Any, until: int = begun + seconds * SECOND) -> Any:
            if yard.clock.now < until:
                yard.clock.now += SECOND
                raise OperationalError("COMMIT", None, Exception("database or disk is full"))
            return true(messages)

        monkeypatch.setattr(yard.ingest, "take", take)
        run(yard, Transport([batch(EPOCH, 1, scans("SY:CONFIRM"))]))
        found = [row["title"] for row in yard.rows(alert) if row["rule"] == "book_away"]
        assert found == told
    assert caplog.text.count("messages wait") == 2
    assert caplog.text.count("takes readings again") == 2


def test_after_a_bug_nothing_is_receipted(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    def take(_messages: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(yard.ingest, "take", take)
    transport = Transport([batch(EPOCH, 1, scans("SY:CONFIRM"))])
    with pytest.raises(ZeroDivisionError):
        run(yard, transport)
    assert not transport.published


@pytest.mark.parametrize("connected", [True, False])
def test_others_begin_when_what_waited_is_committed_or_nothing_came(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, *, connected: bool
) -> None:
    true, transport = yard.ingest.take, Transport([batch(EPOCH, 1, scans("SY:CONFIRM"))], connected=connected)
    worker = IngestWorker(yard.ingest, transport, yard.clock)  # type: ignore[arg-type]

    def take(messages: Any) -> Any:
        assert not worker.settled.is_set()
        return true(messages)

    monkeypatch.setattr(yard.ingest, "take", take)
    worker.run(transport.stop)
    assert worker.settled.is_set()
    idle = Transport([], connected=connected)
    worker = IngestWorker(yard.ingest, idle, yard.clock)  # type: ignore[arg-type]
    worker.run(idle.stop)
    assert worker.settled.is_set() is connected, "while the broker is away, what waits cannot come"


@dataclass
class Away(Transport):
    """Takes what is published into its memory, and never says that the broker has it."""

    def delivered(self, _wait_s: float) -> bool:
        return False


def test_events_count_as_published_when_the_broker_has_them(yard: Yard) -> None:
    with write(yard.book) as tx:
        events.emit(tx, "gateway", {"name": "dock-a"}, 1)
    assert Announcer(yard.book, Away([])).step() == 0  # type: ignore[arg-type]
    with read(yard.book) as tx:
        assert [kind for _, kind, _ in events.unpublished(tx)] == ["gateway"]


def test_every_act_and_refusal_is_answered_in_words(yard: Yard) -> None:
    """Of a batch with several acts, each with its own text; scans that only set something have no answer."""
    yard.clock.now = MIDNIGHT + SECOND
    codes = ["SY:MOVE", f"01{BOLT}304", "SY:LOC:desk", "SY:LOC:warehouse", "SY:UNDO", "SY:UNDO", "SY:LOC:roof"]
    transport = Transport([batch(EPOCH, 1, scans(*codes))])
    run(yard, transport)
    replies = [(body["ok"], body["text"]) for topic, body in transport.published if topic.endswith("/reply")]
    assert replies == [
        (True, "4 x BOLT-M8 moved from desk to warehouse"),
        (True, "taken back: 4 x BOLT-M8 moved from desk to warehouse"),
        (False, "nothing to take back"),
        (False, "unknown location 'roof'"),
    ]
