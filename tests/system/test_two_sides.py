"""What happens to either side: an older book is put back, an outbox is copied, a stranger numbers in its epoch."""

import os
import shutil
import time
from datetime import UTC, datetime

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from models import wire
from models.reading import Signal
from tests.system import books
from tests.system.plant import GATEWAY, Plant, say, wait_for

UP_S, DRAINED_S = 45.0, 60.0
pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(not os.environ.get("STOCKYARD_LONG"), reason="a minute and a half: STOCKYARD_LONG=1 runs it"),
]


def test_an_older_book_is_put_back_and_gets_everything_again(plant: Plant) -> None:
    backend, backup = plant.parts["backend"], plant.folder / "backup"
    backup.mkdir()
    backend.kill()
    for file in plant.book.parent.glob("book.db*"):
        shutil.copy2(file, backup)
    marks = books.marks(plant.book)
    backend.start()
    plant.await_up(UP_S)
    plant.parts["edge"].kill()
    plant.parts["edge"].start()
    plant.await_up(UP_S)
    backend.end()
    forgotten = sum(books.marks(plant.book).values()) - sum(marks.values())
    for file in plant.book.parent.glob("book.db*"):
        file.unlink()
    for file in backup.iterdir():
        shutil.copy2(file, plant.book.parent)
    assert books.marks(plant.book) == marks
    backend.start()
    plant.await_up(UP_S)
    plant.end_readers()
    plant.await_drained(DRAINED_S)
    account = books.account([plant.outbox], plant.book, plant.truths)
    say(f"{forgotten} readings forgotten; outbox {len(account.outbox)}, journal {len(account.journal)}")
    assert forgotten > 300
    assert account.extra == {"gap": 0, "quarantine": 0}
    assert (account.lost, account.doubled, account.strange) == ([], [], [])
    assert (account.lost_content, account.doubled_content, account.invented) == (set(), [], set())
    assert plant.broken_invariants() == []
    plant.check_logs()


def test_a_copied_outbox_in_a_second_gateway_of_the_name_adds_and_loses_nothing(plant: Plant) -> None:
    edge, twin = plant.parts["edge"], plant.parts["twin"]
    plant.parts["backend"].kill()
    time.sleep(1)
    edge.kill()
    shutil.copytree(plant.outbox.parent, plant.twin_outbox.parent)
    _, waiting = books.depth(plant.twin_outbox)
    plant.parts["backend"].start()
    twin.start()
    edge.start()
    plant.await_up(UP_S)
    edge.kill()  # whichever of them had a reader, the twin has both now
    plant.await_up(UP_S)
    edge.start()
    plant.end_readers()
    plant.await_drained(DRAINED_S)
    account = books.account([plant.outbox, plant.twin_outbox], plant.book, plant.truths)
    say(f"{waiting} unreceipted rows were copied; both {len(account.outbox)}, journal {len(account.journal)}")
    assert waiting > 0
    assert account.extra == {"gap": 0, "quarantine": 0}
    assert (account.lost, account.doubled, account.strange) == ([], [], [])
    assert (account.lost_content, account.doubled_content, account.invented) == (set(), [], set())
    assert plant.broken_invariants() == []
    plant.check_logs()


def test_a_stranger_in_a_gateways_epoch_is_kept_aside_or_makes_it_begin_a_new_one(plant: Plant) -> None:
    ((epoch, _),) = books.marks(plant.book).items()
    client = Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", plant.broker_port)
    client.loop_start()

    def say_strange(seq: int) -> list[bytes]:
        texts = [wire.encode(Signal("stranger", datetime.now(UTC), "load", float(seq + n), "kg")) for n in range(5)]
        batch = wire.encode_batch(epoch, seq, datetime.now(UTC), texts)
        client.publish(wire.topic(GATEWAY, "readings"), batch, qos=1)
        return texts

    conflicts = say_strange(1)
    wait_for("conflicts", lambda: books.query(plant.book, "SELECT 1 FROM quarantine"), UP_S)
    plant.end_readers()
    plant.await_drained(DRAINED_S)
    ahead = say_strange(books.marks(plant.book)[epoch] + 1)
    wait_for("a new epoch", lambda: len(books.marks(plant.book)) == len(books.receipted(plant.outbox)) == 2, UP_S)
    wait_for("all receipted", lambda: books.depth(plant.outbox)[1] == 0, DRAINED_S)
    client.disconnect()
    client.loop_stop()
    account = books.account([plant.outbox], plant.book, plant.truths)
    assert set(account.outbox.items()) == {(key, text) for key, text in account.journal if text not in ahead}
    assert any(b'"outbox_shared"' in text for _, text in account.journal)
    aside = books.query(plant.book, "SELECT sort, seq, body FROM quarantine ORDER BY seq")
    assert aside == [("conflict", seq, text) for seq, text in enumerate(conflicts, 1)]
    assert ("conflict",) in books.query(plant.book, "SELECT rule FROM alert WHERE state = 'open'")
    assert plant.broken_invariants() == []
    plant.check_logs()
