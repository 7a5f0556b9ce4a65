"""Two gateways of one name, a stranger in a gateway's epoch, and an outbox that is too small, by real processes."""

from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from models import wire
from models.reading import Signal
from simulators.torture import books
from simulators.torture.parts import wait_for
from tests.system.plant import GATEWAY, MOSQUITTO, Plant, say

UP_S, DRAINED_S = 45.0, 30.0
MANY_A_SECOND, LEAST_GONE, LEAST_LIVE = 500.0, 300, 100
pytestmark = pytest.mark.timeout(150)


def test_two_gateways_of_one_name_do_not_disturb_each_other(plant: Plant) -> None:
    edge, twin = plant.parts["edge"], plant.parts["twin"]
    twin.start()
    wait_for("the twin's epoch", lambda: books.receipted(plant.twin_outbox), UP_S)
    edge.kill()  # it had the readers; now the twin has them
    plant.await_up(UP_S)
    edge.start()
    wait_for("a new epoch", lambda: len(books.receipted(plant.outbox)) == 2, UP_S)
    account = plant.settle(DRAINED_S)
    epochs = Counter(epoch for (epoch, _), _ in account.journal)
    say(f"epochs of both {dict(epochs)}")
    assert epochs.keys() == books.receipted(plant.outbox).keys() | books.receipted(plant.twin_outbox).keys()
    assert (account.strange, account.extra) == ([], {"gap": 0, "quarantine": 0})
    assert books.query(plant.book, "SELECT rule FROM alert WHERE rule IN ('conflict', 'outbox_shared')") == []


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


@contextmanager
def batches(plant: Plant) -> Generator[list[str]]:
    """The epoch of each batch that goes over the broker."""
    sent: list[str] = []
    client = Client(CallbackAPIVersion.VERSION2)

    def note(_client: Client, _data: object, message: MQTTMessage) -> None:
        batch, _ = wire.decode_batch(message.payload)
        if batch.readings:
            sent.append(batch.epoch)

    client.on_message = note
    client.connect("127.0.0.1", plant.broker_port)
    client.subscribe(wire.topic(GATEWAY, "readings"), qos=1)
    client.loop_start()
    try:
        yield sent
    finally:
        client.disconnect()
        client.loop_stop()


@pytest.fixture
def small(tmp_path: Path, seed: int) -> Iterator[Plant]:
    """Started: its readers tell much, and its outbox has room for little."""
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed")
    plant = Plant(tmp_path, seed, MANY_A_SECOND, quota_mb=1)
    try:
        plant.start()
        yield plant
    finally:
        plant.drop()


def test_what_the_quota_forces_out_is_a_named_gap_and_live_readings_go_before_the_backlog(small: Plant) -> None:
    backend, edge = small.parts["backend"], small.parts["edge"]
    backend.kill()
    ((old, mark),) = books.marks(small.book).items()
    first = "SELECT min(seq) FROM readings"
    wait_for("rows forced out", lambda: books.query(small.outbox, first)[0][0] > mark + LEAST_GONE, UP_S)
    edge.kill()
    edge.start()
    wait_for("live readings", lambda: _waiting(small, old) > LEAST_LIVE, UP_S)
    small.end_readers()
    waiting = dict(books.query(small.outbox, "SELECT epoch, next_seq - 1 FROM epochs"))
    (new,) = waiting.keys() - {old}
    with batches(small) as sent:
        backend.start()
        small.await_drained(DRAINED_S)
    spans = books.query(small.book, "SELECT from_seq, to_seq, reason, epoch FROM gap JOIN stream ON id = stream_id")
    account = books.account([small.outbox], small.book, small.truths)
    say(f"rows of both runs {waiting}; gaps {spans}; journal {len(account.journal)}")
    assert {(reason, epoch) for _, _, reason, epoch in spans} == {("outbox quota", old)}
    numbers = Counter(account_key for account_key, _ in account.journal)
    numbers.update((epoch, seq) for begin, end, _, epoch in spans for seq in range(begin, end + 1))
    assert numbers == Counter((epoch, seq) for epoch, last in waiting.items() for seq in range(1, last + 1))
    assert (account.lost, account.doubled, account.extra["quarantine"]) == ([], [], 0)
    assert (account.doubled_content, account.invented) == ([], set())
    assert ("gap",) in books.query(small.book, "SELECT rule FROM alert WHERE state = 'open'")
    ends = {epoch: n for n, epoch in enumerate(sent)}
    assert ends[new] < ends[old], "what is new waited for all of the backlog"
    assert small.broken_invariants() == []
    small.check_logs()


def _waiting(plant: Plant, old: str) -> int:
    return sum(
        next_seq - 1
        for epoch, next_seq in books.query(plant.outbox, "SELECT epoch, next_seq FROM epochs")
        if epoch != old
    )
