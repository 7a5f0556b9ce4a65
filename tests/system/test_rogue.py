"""What a client of the broker can do that should not: each deed, what becomes of it, and the setting that stops it.

The broker here lets everybody in, so that what the backend bears by itself is seen; deploy/mosquitto.conf and its
access list are tested beside the broker. `pytest -s` prints the table.
"""

import os
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from models import wire
from models.reading import Signal
from simulators.torture import books
from simulators.torture.parts import wait_for
from tests.system.crowd import Crowd, Gateway

SCALE = 80 if os.environ.get("STOCKYARD_LONG") else 20
QUOTA = 2000
MOST_MB = 400
VICTIM = "dock-a"
ROGUE = "rogue-1"
ACL = "acl_file: a name reaches only its own topics"
LIMIT = "message_size_limit"


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[Crowd]:
    with Crowd(tmp_path, QUOTA) as crowd:
        yield crowd


class Rogue:
    """A client that knows the topics."""

    def __init__(self, crowd: Crowd, client_id: str = "") -> None:
        self.crowd = crowd
        self.heard: list[str] = []
        self.client = Client(CallbackAPIVersion.VERSION2, client_id)
        self.client.max_inflight_messages_set(1000)
        self.client.max_queued_messages_set(0)
        self.client.on_message = lambda _client, _data, message: self.heard.append(message.topic)
        self.client.connect("127.0.0.1", crowd.broker.port)
        self.client.loop_start()
        wait_for("the rogue", self.client.is_connected, 10)

    def subscribe(self, *topics: str) -> None:
        """Returns when the broker has granted it."""
        granted = Event()
        self.client.on_subscribe = lambda *_: granted.set()
        self.client.subscribe([(topic, 0) for topic in topics])
        assert granted.wait(10)

    def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self.client.publish(topic, payload, qos=1, retain=retain)

    def flush(self, seconds: float = 30) -> None:
        """Wait until the broker has everything."""
        self.client.publish("done", b"", qos=1).wait_for_publish(seconds)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def readings(epoch: str, seq: int, count: int = 1, device: str = "forged") -> bytes:
    texts = [wire.encode(Signal(device, datetime.now(UTC), "load", float(k), "kg")) for k in range(count)]
    return wire.encode_batch(epoch, seq, datetime.now(UTC), texts)


def speak_as_another(rogue: Rogue, victim: Gateway) -> str:
    rogue.say(wire.topic(VICTIM, "readings"), readings("R0GUE0R0GUE0", 1))
    rogue.say(wire.topic(VICTIM, "readings"), readings(victim.epoch, 1))
    wait_for("it", lambda: books.query(rogue.crowd.book, "SELECT 1 FROM quarantine WHERE sort = 'conflict'"), 10)
    return "its readings count as the gateway's; what repeats a number is a conflict, with an alert"


def flood(rogue: Rogue, _victim: Gateway) -> str:
    for n in range(50 * SCALE):
        rogue.say(wire.topic(ROGUE, "readings"), readings("F100DF100DF1", 1 + 20 * n, 20))
    rogue.flush()
    counted = "SELECT 1 FROM refused_count WHERE sort = 'quota' AND count > 0"
    wait_for("dropped ones counted", lambda: books.query(rogue.crowd.book, counted), 15)
    return "what is above its quota is dropped without a receipt; alert gateway_quota"


def flood_of_names(rogue: Rogue, _victim: Gateway) -> str:
    for n in range(10 * SCALE):
        rogue.say(wire.topic(f"name-{n}", "status"), b'{"online": true, "version": "1"}')
    rogue.flush()
    return "as many gateways that never were, each offline soon"


def garbage(rogue: Rogue, _victim: Gateway) -> str:
    before = _kept(rogue)
    for n in range(20 * SCALE):
        rogue.say(wire.topic("garbage", "readings"), os.urandom(64) + str(n).encode())
    rogue.flush()
    wait_for("some of it", lambda: _kept(rogue) > before, 10)
    time.sleep(1)
    assert _kept(rogue) - before <= 10
    return "counted, the first ten of a day kept; one alert"


def _kept(rogue: Rogue) -> int:
    return len(
        books.query(rogue.crowd.book, "SELECT 1 FROM quarantine WHERE sort = 'envelope' AND gateway = 'garbage'")
    )


def huge(rogue: Rogue, _victim: Gateway) -> str:
    for _ in range(SCALE // 4):
        rogue.say(wire.topic("huge", "readings"), b"[" * 5_000_000)
    rogue.say(wire.topic("huge", "readings"), zlib.compress(b" " * 500_000_000, 9))
    rogue.flush()
    return "1 MiB of each is looked at and 200 kB kept; one at a time is held whole"


def retained(rogue: Rogue, _victim: Gateway) -> str:
    rogue.say(wire.topic("retainer", "readings"), readings("KEPTKEPTKEPT", 1), retain=True)
    rogue.flush()
    query = "SELECT mark FROM stream WHERE epoch = 'KEPTKEPTKEPT'"
    wait_for("it", lambda: books.query(rogue.crowd.book, query) == [(1,)], 10)
    rogue.crowd.backend.end()
    rogue.crowd.start_backend()
    time.sleep(1)
    assert books.query(rogue.crowd.book, query) == [(1,)]
    return "comes again at each start of the backend, and is a repeat that changes nothing"


def same_client_id(rogue: Rogue, victim: Gateway) -> str:
    other = Rogue(rogue.crowd, f"{VICTIM}-test")
    time.sleep(0.5)
    other.close()
    wait_for("the gateway again", victim.client.is_connected, 20)
    return "a gateway whose id is guessed is thrown out and connects again; ids are random"


def listen_to_all(rogue: Rogue, victim: Gateway) -> str:
    rogue.subscribe("#", "$SYS/#")
    victim.send(1)
    wait_for("what it heard", lambda: wire.topic(VICTIM, "readings") in rogue.heard, 10)
    rogue.client.unsubscribe(["#", "$SYS/#"])
    return "hears every reading and every event"


def forge_receipts(rogue: Rogue, victim: Gateway) -> str:
    rogue.say(wire.topic(VICTIM, "receipt"), wire.encode(wire.Receipt(victim.epoch, 1 << 40)))
    rogue.say(wire.topic(VICTIM, "receipt"), b"nonsense")
    wait_for("it", lambda: (victim.epoch, 1 << 40) in victim.receipts, 10)
    return "the edge cuts it to what it sent and alerts; kept rows are sent again after the next true receipt"


Deed = Callable[[Rogue, Gateway], str]
DEEDS: list[tuple[Deed, str]] = [
    (speak_as_another, ACL),
    (flood, "max_inflight_messages, max_queued_messages; per name: a proxy before the broker"),
    (flood_of_names, ACL),
    (garbage, ACL),
    (huge, LIMIT),
    (retained, "retain_available false would stop status too; " + ACL),
    (same_client_id, "use_username_as_clientid, or a password for each gateway"),
    (listen_to_all, ACL),
    (forge_receipts, ACL),
]


@pytest.mark.timeout(240)
def test_what_a_rogue_can_do_and_what_stops_it(crowd: Crowd) -> None:
    victim = Gateway(crowd.broker.port, VICTIM)
    rogue = Rogue(crowd)
    victim.send(5)
    rows: list[str] = []
    most = 0.0
    for deed, setting in DEEDS:
        begin = time.monotonic()
        effect = deed(rogue, victim)
        took_s = time.monotonic() - begin
        rss = crowd.rss_mb()
        most = max(most, rss)
        rows.append(f"{deed.__name__.replace('_', ' '):18} {effect}; {rss:.0f} MiB, {took_s:.1f} s | {setting}")
        served(crowd)
    print("\n" + "\n".join(rows))
    rogue.close()
    victim.close()
    assert most < MOST_MB
    crowd.backend.end()
    assert not crowd.backend.bugs()


def served(crowd: Crowd) -> None:
    """Another gateway still gets its receipts, and soon."""
    other = Gateway(crowd.broker.port, "dock-b")
    for _ in range(3):
        other.send(5)
        wait_for("receipts of another gateway", lambda: not other.unreceipted, 10)
    other.close()
