"""Sends the site of mixed_world over real MQTT, as its gateways would: 8 messages in flight each, the next by receipts.

    python -m tests.bench.mixed_publisher --port 1883 --seconds 30 [--rate 2000] [--begin MICROSECONDS]

Prints a JSON object at the end: readings with a receipt, and the time from sending to the receipt. Messages are made
ahead, so that little of the machine goes into making them.
"""

import argparse
import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from models import wire
from models.reading import from_micros
from tests.bench.mixed_world import GATEWAYS, MESSAGE, Gateway

IN_FLIGHT, AGAIN_S, MADE_AHEAD = 8, 10.0, 600
DRAIN_S = 30.0


@dataclass
class Line:
    """One gateway's way out."""

    gateway: Gateway
    made: deque[tuple[int, bytes]] = field(default_factory=deque[tuple[int, bytes]])
    flight: deque[tuple[int, bytes, float]] = field(default_factory=deque[tuple[int, bytes, float]])
    heard_at: float = 0.0

    def __post_init__(self) -> None:
        self.source: Iterator[tuple[int, bytes]] = self.gateway.messages()

    def next(self) -> tuple[int, bytes]:
        return self.made.popleft() if self.made else next(self.source)


class Publisher:
    """All gateways over one connection; the broker cannot tell."""

    def __init__(self, port: int, begin: int, seed: int) -> None:
        self.lines = {g.name: Line(g) for g in (Gateway(number, begin, seed) for number in range(GATEWAYS))}
        self.changed = threading.Condition()
        self.took: list[tuple[float, float]] = []
        """(when, seconds from sending to the receipt), by message."""
        self.last_at = 0.0
        self.client = Client(CallbackAPIVersion.VERSION2, client_id="bench-gateways")
        self.client.max_inflight_messages_set(0)
        self.client.on_message = self._receipt
        self.client.connect("127.0.0.1", port)
        self.client.subscribe(wire.topic("+", "receipt"), 1)
        self.client.loop_start()

    def make(self, ahead: int) -> None:
        for line in self.lines.values():
            line.made.extend(next(line.source) for _ in range(ahead))

    def ask(self) -> None:
        """Wait until somebody answers for every gateway, as an edge does that has just connected."""
        until = time.monotonic() + 60
        while any(not line.heard_at for line in self.lines.values()) and time.monotonic() < until:
            for name, line in self.lines.items():
                if not line.heard_at:
                    empty = wire.encode_batch(line.gateway.epoch, 1, from_micros(line.gateway.begin), [])
                    self.client.publish(wire.topic(name, "readings"), empty, qos=1)
            time.sleep(0.5)

    def status(self) -> None:
        for name in self.lines:
            self.client.publish(wire.topic(name, "status"), b'{"online":true,"version":"bench"}', qos=1, retain=True)

    def _receipt(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        receipt = msgspec.json.decode(message.payload, type=wire.Receipt)
        line, now = self.lines.get(wire.gateway_of(message.topic)), time.monotonic()
        if line is None:  # of another publisher
            return
        with self.changed:
            line.heard_at = now
            while line.flight and line.flight[0][0] <= receipt.seq:
                _, _, sent_at = line.flight.popleft()
                self.took.append((now, now - sent_at))
                self.last_at = now
            self.changed.notify()

    def run(self, seconds: float, rate: float) -> float:
        """Send for so long; `rate` readings a second, or as receipts allow. Seconds to the last receipt."""
        began, sent = time.monotonic(), 0
        names, next_status = list(self.lines), 0.0
        while (now := time.monotonic()) < began + seconds:
            if now >= next_status:
                self.status()
                next_status = now + 10
            if rate and sent * MESSAGE >= rate * (now - began):
                time.sleep(0.002)
                continue
            with self.changed:
                ready = [name for name in names if len(self.lines[name].flight) < IN_FLIGHT]
                if not ready:
                    self.changed.wait(0.5)
                    self._again(now)
                    continue
            for name in ready[:1] if rate else ready:
                names.append(names.pop(names.index(name)))
                self._send(name)
                sent += 1
        end = time.monotonic() + DRAIN_S
        with self.changed:
            while any(line.flight for line in self.lines.values()) and time.monotonic() < end:
                self.changed.wait(0.5)
        return self.last_at - began

    def _send(self, name: str) -> None:
        line = self.lines[name]
        number, payload = line.next()
        with self.changed:
            line.flight.append((number, payload, time.monotonic()))
        self.client.publish(wire.topic(name, "readings"), payload, qos=1)

    def _again(self, now: float) -> None:
        """What had no receipt for long was lost on the way."""
        for name, line in self.lines.items():
            if line.flight and now - max(line.flight[-1][2], line.heard_at) > AGAIN_S:
                line.heard_at = now
                for _, payload, _ in line.flight:
                    self.client.publish(wire.topic(name, "readings"), payload, qos=1)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--warm", type=float, default=0.0)
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--begin", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    begin = asked.begin or time.time_ns() // 1000 - 120_000_000
    publisher = Publisher(asked.port, begin, asked.seed)
    publisher.make(min(MADE_AHEAD, round(asked.seconds * (asked.rate or 15_000) / MESSAGE / GATEWAYS) + 1))
    publisher.ask()
    began, cpu = time.monotonic(), time.process_time()
    lasted = publisher.run(asked.seconds, asked.rate)
    settled = sorted(took for at, took in publisher.took if at >= began + asked.warm) or [DRAIN_S]
    count = len(publisher.took) * MESSAGE
    last = {name: line.gateway.sent for name, line in publisher.lines.items()}
    left = sum(len(line.flight) for line in publisher.lines.values())
    pick = {f"p{share}_ms": 1000 * settled[min(len(settled) - 1, len(settled) * share // 100)] for share in (50, 99)}
    print(
        json.dumps(
            {
                "readings": count,
                "seconds": lasted,
                "per_s": count / lasted,
                "left": left,
                "cpu_us": 1e6 * (time.process_time() - cpu) / max(count, 1),
                **pick,
                "made": last,
            }
        )
    )


if __name__ == "__main__":
    main()
