"""A gateway's publisher between a real broker and a small backend that commits with models.commit."""

import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
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
        mqtt = Mqtt(**{"url": f"mqtt://127.0.0.1:{self.broker.port}", **settings})
        publisher = Publisher("dock-a", mqtt, self.outbox, lambda: [STATE], self.hear)
        self.stop.clear()
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
