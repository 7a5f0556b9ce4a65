"""The publisher against real brokers, killed and restarted; a small paho client commits with models.commit."""

import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from iotcore import Broker
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from edge.connection import Mqtt
from edge.outbox import Outbox
from edge.publisher import Publisher
from models.commit import Held, commit
from models.reading import Signal
from models.wire import DeviceState, Receipt, Reply, Status, decode_batch, encode

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
STATE = DeviceState("door-1", "reading", AT, 7, 0)
MOSQUITTO = shutil.which("mosquitto")


def wait_for(what: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.01)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def signals(first: int, count: int) -> list[Signal]:
    return [Signal("crane-2", AT, "load", float(number), "kg") for number in range(first, first + count)]


class Mosquitto:
    """A mosquitto that keeps nothing."""

    def __init__(self, folder: Path, extra: str = "") -> None:
        self.port = free_port()
        self.config = folder / "mosquitto.conf"
        self.config.write_text(
            f"listener {self.port} 127.0.0.1\npersistence false\n{extra or 'allow_anonymous true'}\n"
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [str(MOSQUITTO), "-c", str(self.config)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.answers)

    def answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None


class Iotcore:
    """The embedded broker of the demo."""

    def __init__(self, _folder: Path) -> None:
        self.port = free_port()
        self.broker: Broker | None = None

    def start(self) -> None:
        self.broker = Broker(port=self.port, listen="127.0.0.1", max_payload_size=1 << 20).start()

    def kill(self) -> None:
        if self.broker is not None:
            self.broker._process.send_signal(signal.SIGKILL)
            self.broker.stop()
            self.broker = None


class Backend:
    """Journal and marks in memory; every receipt as the contract says, unless `silent`."""

    def __init__(self, port: int) -> None:
        self.journal: dict[tuple[str, int], bytes] = {}
        self.gaps: list[tuple[str, int, int]] = []
        self.marks: dict[str, int] = {}
        self.doubles = self.conflicts = 0
        self.batches: list[tuple[str, int, int]] = []
        self.statuses: list[Status] = []
        self.silent = False
        self.subscribed = threading.Event()
        self.client = client = Client(CallbackAPIVersion.VERSION2)
        client.reconnect_delay_set(1, 1)
        client.on_connect = lambda *_: client.subscribe([("stockyard/v1/+/readings", 1), ("stockyard/v1/+/status", 1)])
        client.on_subscribe = lambda *_: self.subscribed.set()
        client.on_message = self.take
        client.connect_async("127.0.0.1", port)
        client.loop_start()

    def take(self, client: Client, _data: Any, message: MQTTMessage) -> None:
        if message.topic.endswith("/status"):
            self.statuses.append(msgspec.json.decode(message.payload, type=Status))
            return
        if self.silent:
            return
        batch, gap = decode_batch(bytes(message.payload))
        self.batches.append((batch.epoch, batch.seq, len(batch.readings)))
        held = Held(self.marks.get(batch.epoch, 0), 0, lambda seq, text: self.journal[batch.epoch, seq] == text)
        done = commit(held, batch.seq, [bytes(raw) for raw in batch.readings], gap)
        self.journal |= {(batch.epoch, seq): text for seq, text in done.journal}
        self.gaps += [(batch.epoch, *done.gap)] if done.gap else []
        self.conflicts += len(done.conflicts)
        self.doubles += done.dropped
        self.marks[batch.epoch] = done.mark
        client.publish(message.topic.replace("readings", "receipt"), encode(Receipt(batch.epoch, done.mark)), qos=1)

    def values(self) -> list[float]:
        return sorted(msgspec.json.decode(text)["value"] for text in self.journal.values())

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


class Site:
    """Broker, backend, outbox and publisher of one test."""

    def __init__(self, folder: Path, broker: Mosquitto | Iotcore) -> None:
        self.folder, self.broker = folder, broker
        broker.start()
        self.backend = Backend(broker.port)
        assert self.backend.subscribed.wait(10)
        self.outbox = Outbox(folder / "outbox.db", 16)
        self.replies: list[Reply] = []
        self.stop = threading.Event()
        self.thread: threading.Thread | None = None

    def publish(self, **settings: Any) -> Publisher:
        mqtt = Mqtt(f"mqtt://127.0.0.1:{self.broker.port}", **settings)
        publisher = Publisher("dock-a", mqtt, self.outbox, lambda: [STATE], self.hear)
        self.thread = threading.Thread(target=publisher.run, args=(self.stop,))
        self.thread.start()
        return publisher

    def hear(self, reply: Reply) -> None:
        if reply.device == "bug":
            msg = "a bug of whoever handles replies"
            raise RuntimeError(msg)
        self.replies.append(reply)

    def end_publisher(self) -> None:
        self.stop.set()
        if self.thread is not None:
            self.thread.join(10)
            assert not self.thread.is_alive()
            self.thread = None

    def close(self) -> None:
        self.end_publisher()
        self.outbox.close()
        self.backend.close()
        self.broker.kill()


@pytest.fixture(params=["mosquitto", "iotcore"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """Everything but the publisher runs; on both brokers."""
    if request.param == "mosquitto" and MOSQUITTO is None:
        pytest.skip("mosquitto is not installed")
    site = Site(tmp_path, Mosquitto(tmp_path) if request.param == "mosquitto" else Iotcore(tmp_path))
    yield site
    site.close()


def test_readings_arrive_in_order_are_receipted_and_the_status_is_retained(site: Site) -> None:
    publisher = site.publish()
    site.outbox.put(signals(0, 300)).result(5)
    wait_for(lambda: len(site.backend.journal) == 300)
    assert site.backend.values() == [float(number) for number in range(300)]

    def listed_as_drained() -> bool:
        publisher.devices_changed()
        streams = site.backend.statuses[-1].streams
        return bool(streams) and (streams[0].next_seq, streams[0].outbox_depth) == (301, 0)

    wait_for(listed_as_drained)
    assert (site.backend.statuses[-1].online, site.backend.statuses[-1].devices) == (True, [STATE])
    site.end_publisher()
    wait_for(lambda: not site.backend.statuses[-1].online)


def test_a_backlog_of_several_runs_drains_and_live_rows_go_beside_it(site: Site) -> None:
    for run in range(3):
        site.outbox.put(signals(run * 5000, 5000)).result(10)
        site.outbox.begin_epoch()
    started = time.monotonic()
    site.publish()
    wait_for(lambda: len(site.backend.journal) == 15000, 20)
    rate = 15000 / (time.monotonic() - started)
    assert site.backend.values() == [float(number) for number in range(15000)]
    assert site.backend.doubles == 0
    assert rate > 1000, "measured 22,000 readings/s on two idle cores"


def test_the_broker_is_killed_and_restarted_and_nothing_is_lost_or_doubled(site: Site) -> None:
    site.publish()
    for turn in range(2 if isinstance(site.broker, Mosquitto) else 1):
        futures = [site.outbox.put(signals(turn * 400 + part * 40, 40)) for part in range(10)]
        time.sleep(0.05 * turn)
        site.broker.kill()
        for future in futures:
            future.result(5)
        site.backend.subscribed.clear()
        site.broker.start()
        assert site.backend.subscribed.wait(10)
    site.outbox.put(signals(400 * turn + 400, 1)).result(5)
    wait_for(lambda: len(site.backend.journal) == 400 * turn + 401, 15)
    assert site.backend.values() == [float(number) for number in range(400 * turn + 401)]
    assert site.backend.conflicts == 0


def test_a_reply_reaches_its_device_unless_it_is_old_and_junk_changes_nothing(site: Site) -> None:
    site.publish()
    site.outbox.put(signals(0, 1)).result(5)
    wait_for(lambda: site.backend.journal)
    now = datetime.now(UTC)
    for payload in (
        b"\xff{",
        b"{}",
        encode(Reply("scanner-1", now - timedelta(seconds=31), ok=True, text="too late")),
        encode(Reply("bug", now, ok=True, text="raises")),
        encode(Reply("scanner-1", now, ok=True, text="40 x BOLT-M8 received")),
    ):
        site.backend.client.publish("stockyard/v1/dock-a/reply", payload, qos=1)
        site.backend.client.publish("stockyard/v1/dock-a/receipt", payload, qos=1)
    wait_for(lambda: site.replies)
    assert [reply.text for reply in site.replies] == ["40 x BOLT-M8 received"]
    site.outbox.put(signals(1, 1)).result(5)
    wait_for(lambda: len(site.backend.journal) == 2)


def test_a_backend_that_was_down_gets_everything_when_it_answers_again(tmp_path: Path) -> None:
    site = Site(tmp_path, Iotcore(tmp_path))
    try:
        site.backend.silent = True
        site.publish()
        site.outbox.put(signals(0, 50)).result(5)
        time.sleep(0.5)
        site.backend.silent = False
        wait_for(lambda: len(site.backend.journal) == 50, 15)
        wait_for(lambda: site.outbox.lines()[0].mark == 50)
    finally:
        site.close()


def test_the_quota_is_told_as_a_gap(tmp_path: Path) -> None:
    site = Site(tmp_path, Iotcore(tmp_path))
    try:
        site.outbox.close()
        site.outbox = Outbox(tmp_path / "small.db", 1)
        site.outbox.put(signals(0, 20000)).result(20)
        site.publish()
        (epoch,) = [line.epoch for line in site.outbox.lines()]
        wait_for(lambda: site.backend.marks.get(epoch) == 20000, 15)
        kept = len(site.backend.journal)
        assert site.backend.gaps == [(epoch, 1, 20000 - kept)]
        assert 1000 < kept < 19000
    finally:
        site.close()


@pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")
def test_the_last_will_says_offline_and_mqtt_5_works(tmp_path: Path) -> None:
    site = Site(tmp_path, Mosquitto(tmp_path))
    try:
        publisher = site.publish(version="5")
        site.outbox.put(signals(0, 1)).result(5)
        wait_for(lambda: site.backend.journal)
        assert publisher._client is not None
        connection = publisher._client.socket()
        assert connection is not None
        connection.shutdown(socket.SHUT_RDWR)
        wait_for(lambda: [status.online for status in site.backend.statuses[-2:]] == [False, True])
    finally:
        site.close()


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"url": "http://broker"}, "mqtt.url"),
        ({"url": "broker:1883"}, "mqtt.url"),
        ({"url": "mqtt://user:secret@broker"}, "mqtt.url"),
        ({"url": "mqtt://broker", "ca_file": Path("ca.pem")}, "mqtts"),
        ({"url": "mqtt://broker", "version": "4"}, "mqtt.version"),
    ],
)
def test_settings_that_cannot_work_are_named(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Mqtt(**settings)


def test_the_password_is_not_in_its_repr() -> None:
    assert "secret" not in repr(Mqtt("mqtts://broker", "dock-a", "secret"))
