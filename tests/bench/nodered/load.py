"""The same messages to whoever listens: as an edge sends them, by receipts, and as any publisher does."""

import threading
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import paho.mqtt.client as paho

from backend.telemetry.measured import KINDS, measured
from models import wire
from models.reading import Fix, micros
from tests.bench.mixed_world import GATEWAYS, MESSAGE, Gateway

IN_FLIGHT, AGAIN_S = 8, 2.0
HOUR_US = 3_600_000_000
Figure = tuple[str, str, str, int, float]
"""Device, name, unit, at in microseconds, value."""


class Message(NamedTuple):
    """One batch of a gateway, and the number of its last reading."""

    gateway: str
    last: int
    payload: bytes


class Load(NamedTuple):
    """Messages of all gateways in turn, and what is in them."""

    messages: Sequence[Message]
    figures: frozenset[Figure]
    rows: int
    """Fixes, and figures of other readings: each is a row of InfluxDB."""

    @property
    def readings(self) -> int:
        return len(self.messages) * MESSAGE


def make(readings: int, seed: int) -> Load:
    """About so many readings of mixed kinds, that begin an hour ago."""
    begin = time.time_ns() // 1000 - HOUR_US
    sources = [(each.name, each.messages()) for each in (Gateway(k, begin, seed) for k in range(GATEWAYS))]
    messages: list[Message] = []
    while len(messages) * MESSAGE < readings:
        messages += [Message(name, *next(said)) for name, said in sources]
    figures: set[Figure] = set()
    rows: set[tuple[object, ...]] = set()
    for each in messages:
        for raw in wire.decode_batch(each.payload)[0].readings:
            reading = wire.decode(bytes(raw))
            if type(reading).__name__.lower() not in KINDS:
                continue
            device = reading.device if wire.is_global(reading.device) else f"{each.gateway}/{reading.device}"
            values, columns = measured(bytes(raw))
            named = zip(columns.series, values, strict=True)
            told = [(device, *series, micros(reading.at), value) for series, value in named]
            figures.update(told)
            rows.update([(device, micros(reading.at))] if isinstance(reading, Fix) else [of[:4] for of in told])
    return Load(messages, frozenset(figures), len(rows))


def plain(port: int, messages: Sequence[Message], per_s: float = 0.0) -> None:
    """All at QoS 1 in their order, as fast as the broker takes them, or so many messages in a second."""
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.max_inflight_messages_set(200)
    client.connect("127.0.0.1", port)
    client.loop_start()
    began = time.monotonic()
    for k, each in enumerate(messages):
        if per_s:
            time.sleep(max(0.0, began + k / per_s - time.monotonic()))
        last = client.publish(wire.topic(each.gateway, "readings"), each.payload, 1)
    last.wait_for_publish(60)
    client.disconnect()
    client.loop_stop()


class Edges:
    """As edges send: eight messages of a gateway in flight, the next by its receipts, again what got none."""

    def __init__(self, port: int, messages: Sequence[Message]) -> None:
        self._waiting: defaultdict[str, deque[Message]] = defaultdict(deque)
        self._flight: defaultdict[str, deque[Message]] = defaultdict(deque)
        for each in messages:
            self._waiting[each.gateway].append(each)
        self._changed = threading.Condition()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._client.max_inflight_messages_set(200)
        self._client.on_message = self._receipt
        self._client.connect("127.0.0.1", port)
        self._client.subscribe(wire.topic("+", "receipt"), 1)
        self._client.loop_start()

    def _receipt(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        receipt = msgspec.json.decode(message.payload, type=wire.Receipt)
        with self._changed:
            flight = self._flight[wire.gateway_of(message.topic)]
            while flight and flight[0].last <= receipt.seq:
                flight.popleft()
                self._changed.notify()

    def run(self, per_s: float = 0.0, within_s: float = 600.0) -> None:
        """Until every message has its receipt; `per_s` messages a second at most."""
        began, sent, heard = time.monotonic(), 0, time.monotonic()
        names = list(self._waiting)
        while any(self._waiting.values()) or any(self._flight.values()):
            assert time.monotonic() - began < within_s, "receipts do not come"
            with self._changed:
                ready = [name for name in names if self._waiting[name] and len(self._flight[name]) < IN_FLIGHT]
                if per_s and sent / per_s > time.monotonic() - began:
                    self._changed.wait(0.005)
                    continue
                if not ready:
                    if self._changed.wait(0.2):
                        heard = time.monotonic()
                    elif time.monotonic() - heard > AGAIN_S:
                        heard = time.monotonic()
                        for each in (each for flight in self._flight.values() for each in flight):
                            self._client.publish(wire.topic(each.gateway, "readings"), each.payload, 1)
                    continue
                batch = [self._waiting[name].popleft() for name in (ready[:1] if per_s else ready)]
                for each in batch:
                    self._flight[each.gateway].append(each)
            names = names[1:] + names[:1]
            sent += len(batch)
            for each in batch:
                self._client.publish(wire.topic(each.gateway, "readings"), each.payload, 1)
        self._client.disconnect()
        self._client.loop_stop()
