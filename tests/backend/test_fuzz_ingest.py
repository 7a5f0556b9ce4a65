"""Malformed MQTT payloads through a real broker: nothing dies, each is counted, good data after them is committed."""

import threading
from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from threading import Event, Thread
from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from backend.api import create_app
from backend.api.services import Services
from backend.book.schema import gap, journal, quarantine, refused_count, stream
from backend.config import Backend, Config, Mqtt
from backend.fairness import Bounds
from backend.telemetry import open_store
from backend.transport.mqtt import MqttTransport
from backend.verify import verify
from backend.web import add_page
from backend.web.sections import SECTIONS
from backend.worker import IngestWorker
from models import wire
from models.errors import BadEnvelope
from models.reading import Input, from_micros
from tests.backend.bad_messages import DAY, GATEWAY, messages
from tests.backend.books import Yard
from tests.edge.delivery_site import MOSQUITTO, Iotcore, Mosquitto, wait_for

COUNT = 1000
TOPIC = wire.topic(GATEWAY, "readings")
EPOCH = "G00DG00DG00D"
HUGE = 5_000_000


class Sender:
    """Publishes and hears the receipts; connects again when a broker throws it out."""

    def __init__(self, port: int) -> None:
        self.receipts: list[bytes] = []
        self.client = Client(CallbackAPIVersion.VERSION2)
        self.client.on_connect = lambda client, *_: client.subscribe(wire.topic(GATEWAY, "receipt"), 1)
        self.client.on_message = lambda _client, _data, message: self.receipts.append(message.payload)
        self.client.reconnect_delay_set(1, 1)
        self.client.max_inflight_messages_set(100)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture(params=["iotcore", "mosquitto"])
def port(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[int]:
    if request.param == "mosquitto" and MOSQUITTO is None:
        pytest.skip("mosquitto is not installed")
    broker = Mosquitto(tmp_path) if request.param == "mosquitto" else Iotcore(tmp_path)
    broker.start()
    yield broker.port
    broker.kill()


@pytest.fixture
def worker(port: int, yard: Yard) -> Iterator[Thread]:
    """Ingest on a thread of its own that nothing starts again."""
    roomy = Bounds(lane_items=10 * COUNT, lane_bytes=1 << 30, total_bytes=1 << 30)
    transport = MqttTransport(Mqtt(url=f"mqtt://127.0.0.1:{port}"), roomy)
    transport.start()
    wait_for(lambda: transport.connected)
    stop = Event()
    thread = Thread(target=IngestWorker(yard.ingest, transport, yard.clock).run, args=(stop,))
    thread.start()
    yield thread
    stop.set()
    thread.join(10)
    transport.stop()


def good(seq: int, count: int) -> bytes:
    texts = [wire.encode(Input("eye", from_micros(DAY + k), "photo_eye", on=True)) for k in range(seq, seq + count)]
    return wire.encode_batch(EPOCH, seq, from_micros(DAY), texts)


def receipted(sender: Sender, seq: int) -> bool:
    return wire.encode(wire.Receipt(EPOCH, seq)) in sender.receipts


def readable(topic: str, payload: bytes) -> bool:
    """Whether a message can be used: a batch is receipted then; judged by the wire alone."""
    try:
        wire.gateway_of(topic)
        _ = wire.decode_status(payload) if topic.endswith("/status") else wire.decode_batch(payload)
    except BadEnvelope:
        return False
    return True


def figures(yard: Yard) -> Counter[str]:
    counted = Counter({f"refused {row['sort']}": 0 for row in yard.rows(refused_count)})
    for row in yard.rows(refused_count):
        counted[f"refused {row['sort']}"] += row["count"]
    counted.update(f"kept {row['sort']}" for row in yard.rows(quarantine))
    counted.update("unknown kind" for row in yard.rows(journal) if row["kind"] not in wire.KINDS)
    return counted + Counter({"journalled": len(yard.rows(journal)), "gaps": len(yard.rows(gap))})


@pytest.mark.timeout(120)
def test_a_thousand_malformed_payloads(
    port: int, yard: Yard, worker: Thread, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    died: list[str] = []
    threading.excepthook, before = lambda args: died.append(str(args.exc_value)), threading.excepthook
    sender = Sender(port)
    bad = messages(7, COUNT)
    for topic, payload in bad:
        sender.client.publish(topic, payload, qos=1)
    sender.client.publish(TOPIC, good(1, 300), qos=1)
    wait_for(lambda: receipted(sender, 300), 60)
    huge = Sender(port)
    huge.client.publish(TOPIC, b" " * HUGE, qos=1)
    sender.client.publish(TOPIC, good(301, 20), qos=1)
    wait_for(lambda: receipted(sender, 320), 20)
    for each in (huge, sender):
        each.close()
    threading.excepthook = before
    found = figures(yard)
    with capsys.disabled():
        print(f"\n{len(bad)} malformed payloads, {len(sender.receipts)} receipts: {dict(sorted(found.items()))}")
    assert worker.is_alive()
    assert not died
    refused = sum(not readable(topic, payload) for topic, payload in bad)
    batches = sum(readable(topic, payload) for topic, payload in bad if topic.endswith("/readings"))
    assert len(sender.receipts) >= batches + 2, "a readable batch got no receipt"
    statuses = sum(topic.endswith("/status") for topic, _ in bad)
    assert refused - statuses <= found["refused envelope"] <= refused + 1, "the huge one is the broker's to refuse"
    assert found["kept envelope"] <= 10 * len({row["gateway"] for row in yard.rows(refused_count)})
    committed = sum(row["mark"] for row in yard.rows(stream))
    in_gaps = sum(row["to_seq"] - row["from_seq"] + 1 for row in yard.rows(gap))
    assert committed == found["journalled"] + found["kept invalid"] + in_gaps
    assert not [finding for finding in verify(yard.book) if not finding.ok]
    assert answers(yard, tmp_path) == {}


def answers(yard: Yard, folder: Path) -> dict[str, object]:
    """Every GET of the API and the page that does not answer 200 with what can be read."""
    store = open_store(Config(Backend(state_dir=str(folder))))
    store.prepare()
    services = Services(yard.book, yard.clock, lambda _book, _ident, _text, _now: False, telemetry=store)
    wrong: dict[str, object] = {}
    app = create_app(services)
    add_page(app)
    with TestClient(app, "http://127.0.0.1", raise_server_exceptions=False) as client:
        for path in paths(client):
            answer = client.get(path)
            if answer.status_code != HTTPStatus.OK:
                wrong[path] = answer.status_code
            elif answer.headers["content-type"] == "application/json":
                try:
                    msgspec.json.decode(answer.content)
                except (msgspec.MsgspecError, UnicodeError) as error:
                    wrong[path] = error
    store.close()
    return wrong


def asks(described: dict[str, Any]) -> bool:
    """Whether it cannot do without a parameter."""
    return any(parameter.get("required") for parameter in described.get("parameters", ()))


def paths(client: TestClient) -> list[str]:
    """What can be asked without an id or another word, and does not go on for ever."""
    described = client.get("/api/openapi.json").json()["paths"]
    listed = [path for path, methods in described.items() if "get" in methods and not asks(methods["get"])]
    journal_pages = [f"/api/v1/journal?limit=5000&gateway={GATEWAY}", "/api/v1/quarantine?limit=1000"]
    assert {"/metrics", "/api/v1/gateways", "/api/v1/journal"} <= {*listed}
    sections = [f"/page/{name}" for name in SECTIONS]
    return ["/", *sections, *journal_pages, *(path for path in listed if not path.endswith("/events"))]
