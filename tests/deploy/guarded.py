"""deploy/mosquitto.conf on a real broker, with an edge's publisher and a backend's ingest that connect by TLS."""

import re
import shutil
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from backend.app import clock
from backend.book.db import open_engine
from backend.book.migrations import migrate
from backend.config import Mqtt as BackendMqtt
from backend.ingest import Ingest
from backend.transport.mqtt import MqttTransport
from backend.worker import IngestWorker
from edge.connection import Mqtt as EdgeMqtt
from edge.outbox import Outbox
from edge.publisher import Publisher
from models.reading import Signal
from tests.servers.broker import Broker, Options, passwords
from tests.servers.certificates import Authority, Pair

DEPLOY = Path(__file__).parents[2] / "deploy"
INSTALLED = "/etc/mosquitto/stockyard"
BACKEND = "stockyard.backend"
USERS = {BACKEND: "b", "dock-a": "a", "dock-b": "c"}


def wait_for(what: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.01)


def installed(folder: Path, server: Pair, more: str = "") -> Broker:
    """The shipped configuration, its files put in a folder of the test's instead of /etc, on loopback."""
    folder.mkdir(parents=True)
    shutil.copy(server.cert, folder / "server.crt")
    shutil.copy(server.key, folder / "server.key")
    shutil.copy(DEPLOY / "mosquitto.acl", folder / "acl")
    passwords(folder / "passwords", USERS)
    text = (DEPLOY / "mosquitto.conf").read_text(encoding="utf-8")
    named = set(re.findall(rf"(?m)^\w+ {INSTALLED}/(\S+)$", text))
    assert named == {"server.crt", "server.key", "passwords", "acl"}
    text = re.sub(r"(?m)^listener 8883$", "listener {port} 127.0.0.1", text).replace(INSTALLED, str(folder))
    return Broker(folder, Options(tls=server, config=f"{text}user root\n{more}"))


@dataclass
class Guarded:
    """The broker, who signed its certificate, and everybody's passwords."""

    broker: Broker
    authority: Authority
    folder: Path

    def backend_config(self, **changed: str) -> BackendMqtt:
        secret = self.folder / "backend.secret"
        secret.write_text(USERS[BACKEND] + "\n")
        known = {"url": self.broker.url, "username": BACKEND, "password_file": str(secret)}
        return BackendMqtt(**(known | {"ca_file": str(self.authority.ca)} | changed))

    def edge_config(self, **changed: Any) -> EdgeMqtt:
        known = {"url": self.broker.url, "username": "dock-a", "password": USERS["dock-a"]}
        return EdgeMqtt(**(known | {"ca_file": self.authority.ca} | changed))

    def client(self, name: str = "", password: str = "") -> "Listener":
        return Listener(self, name, password)


class Listener:
    """Any MQTT client, as somebody might write one; what it hears, and what it was told."""

    def __init__(self, guarded: Guarded, name: str, password: str) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.refused: str | None = None
        self.granted: list[bool] = []
        self.connected = threading.Event()
        self._client = client = Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
        if name:
            client.username_pw_set(name, password)
        client.tls_set(str(guarded.authority.ca))
        client.on_message, client.on_connect, client.on_subscribe = self._message, self._connect, self._subscribed
        client.connect("localhost", guarded.broker.port)
        client.loop_start()
        assert self.connected.wait(5)

    def subscribe(self, topic: str) -> bool:
        """Whether it was granted."""
        before = len(self.granted)
        self._client.subscribe(topic, 1)
        wait_for(lambda: len(self.granted) > before)
        return self.granted[-1]

    def publish(self, topic: str, payload: bytes = b"{}", *, retain: bool = False) -> None:
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(5)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        self.heard.append((message.topic, message.payload))

    def _connect(self, _client: Client, _data: object, _flags: object, reason: Any, _more: object) -> None:
        self.refused = str(reason) if reason.is_failure else None
        self.connected.set()

    def _subscribed(self, _client: Client, _data: object, _mid: int, reasons: list[Any], _more: object) -> None:
        self.granted.append(not any(reason.is_failure for reason in reasons))


@contextmanager
def ingesting(folder: Path, config: BackendMqtt) -> Generator[Path]:
    """A backend's transport and ingest on an empty book; the book's file."""
    book = open_engine("sqlite", folder / "book.db")
    migrate(book)
    transport, stop = MqttTransport(config), threading.Event()
    worker = threading.Thread(target=IngestWorker(Ingest(book, clock), transport, clock).run, args=(stop,))
    transport.start()
    worker.start()
    try:
        yield folder / "book.db"
    finally:
        stop.set()
        worker.join()
        transport.stop()
        book.dispose()


@contextmanager
def publishing(folder: Path, config: EdgeMqtt, gateway: str = "dock-a") -> Generator[Outbox]:
    """An edge's outbox and publisher."""
    outbox, stop = Outbox(folder / "outbox.db"), threading.Event()
    publisher = Publisher(gateway, config, outbox, list, lambda _reply: None)
    worker = threading.Thread(target=publisher.run, args=(stop,))
    worker.start()
    try:
        yield outbox
    finally:
        stop.set()
        worker.join()
        outbox.close()


def signals(count: int) -> list[Signal]:
    return [Signal("crane-2", datetime.now(UTC), "load", float(number), "kg") for number in range(count)]
