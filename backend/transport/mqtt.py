"""MQTT by paho: deliveries wait in fair lanes, one per gateway, and the broker is told at once that they have come.

A clean session: the outbox at the edge is the queue, the broker only carries, and the receipt says what is durable.
An unacknowledged message would hold one of the broker's few places (20 in Mosquitto), and one gateway's would hold
them all. A callback never raises, because an exception in one would end paho's thread while the process lives on.
"""

import logging
import secrets
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from backend.config import Mqtt
from backend.fairness import Bounds, FairQueue, Pressure, readings_in
from backend.ingest import Message
from backend.transport import tls
from models import wire
from models.errors import BadEnvelope

log = logging.getLogger(__name__)
OUTGOING = 10_000
KEEPALIVE_S = 5
"""A connection that the network has forgotten on one side is noticed by nothing else."""
MOST_BYTES = (1 << 20) + 1
"""More of a payload is not kept waiting: whatever it is, it is too long to be read."""
FOLLOWED = ("readings", "status")
TOPICS_A_PACKET = 500
PORTS = {"mqtt": 1883, "mqtts": 8883}


def _pages(gateways: Sequence[str]) -> Iterator[Sequence[str]]:
    return (gateways[low : low + TOPICS_A_PACKET] for low in range(0, len(gateways), TOPICS_A_PACKET))


class MqttTransport:
    """One connection to the broker, kept up for ever by paho's own thread."""

    def __init__(self, config: Mqtt, bounds: Bounds | None = None, qos: int = 1) -> None:
        self._qos = qos
        self._followed: frozenset[str] | None = None
        self._following = Lock()
        self._url = urlsplit(config.url)
        self._queue: FairQueue[Message] = FairQueue(lambda each: readings_in(each.payload), bounds)
        self._stopping = False
        self._last: MQTTMessageInfo | None = None
        self._told = ""
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"backend-{secrets.token_hex(4)}",
            clean_session=True,
        )
        if config.username:
            client.username_pw_set(config.username, Path(config.password_file).read_text(encoding="utf-8").strip())
        if self._url.scheme == "mqtts":
            client.tls_set_context(tls.context(config))  # pyright: ignore[reportUnknownMemberType]
        client.max_inflight_messages_set(1000)
        client.max_queued_messages_set(OUTGOING)
        client.reconnect_delay_set(min_delay=1, max_delay=2)
        client.on_connect, client.on_disconnect, client.on_message = self._connected, self._lost, self._arrived
        client.on_connect_fail = self._failed
        self._client = client

    def start(self) -> None:
        """Begin connecting; returns at once."""
        port = self._url.port or PORTS[self._url.scheme]
        self._client.connect_async(self._url.hostname or "127.0.0.1", port, keepalive=KEEPALIVE_S)
        self._client.loop_start()

    def stop(self) -> None:
        """Disconnect; what was not acknowledged comes again from the edge."""
        self._stopping = True
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def connected(self) -> bool:
        """Whether the broker is reached now."""
        return self._client.is_connected()

    @property
    def followed(self) -> Collection[str] | None:
        """The gateways whose messages are delivered now; None is everything."""
        return self._followed

    def follow(self, gateways: Collection[str] | None) -> None:
        """Subscribe to what these gateways send and to nothing else; None is everything. Holds on every connection.

        What a broker retains, it sends again at each subscription: so the last status of a gateway comes with it.
        """
        with self._following:
            before = {"+"} if self._followed is None else self._followed
            self._followed = None if gateways is None else frozenset(gateways)
            wanted = {"+"} if self._followed is None else self._followed
            if self.connected:
                for page in _pages(sorted(before - wanted)):
                    self._client.unsubscribe([wire.topic(each, kind) for each in page for kind in FOLLOWED])
                self._subscribe(sorted(wanted - before))

    def _subscribe(self, gateways: Sequence[str]) -> None:
        for page in _pages(gateways):
            self._client.subscribe([(wire.topic(each, kind), self._qos) for each in page for kind in FOLLOWED])

    def take(self, wait_s: float, window_s: float, most: int, most_readings: int = 1 << 30) -> list[Message]:
        """Wait for a message, then gather what comes within the window; gateways in turn.

        Up to `most` messages, and none after those that have about `most_readings`.
        """
        return self._queue.take(wait_s, window_s, most, most_readings)

    def pressure(self) -> dict[str, Pressure]:
        """By gateway: what was dropped, and how long its quota held it, since this was last asked."""
        return self._queue.pressure()

    def publish(self, topic: str, payload: bytes) -> bool:
        """Publish at QoS 1; False while the broker is away or does not keep up."""
        if not self.connected:
            return False
        self._last = self._client.publish(topic, payload, qos=1)
        return self._last.rc == 0

    def delivered(self, wait_s: float) -> bool:
        """Whether the broker has what was published last, and so all before it; waits for a while."""
        try:
            if self._last is not None:
                self._last.wait_for_publish(wait_s)
            return self._last is None or self._last.is_published()
        except (RuntimeError, ValueError):
            return False

    def _connected(
        self, _client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if reason.is_failure:
            log.warning("the broker refused the connection: %s", reason)
            return
        self._told = ""
        log.info("connected to the broker")
        with self._following:
            self._subscribe(["+"] if self._followed is None else sorted(self._followed))

    def _failed(self, _client: Client, _data: object) -> None:
        """Nothing was connected; said once, not at every try. paho calls this while it handles the error."""
        error = sys.exception()
        why = tls.words(error) if error is not None else "no answer"
        log.log(logging.DEBUG if why == self._told else logging.WARNING, "broker %s: %s", self._url.geturl(), why)
        self._told = why

    def _lost(
        self,
        _client: Client,
        _data: object,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            log.warning("the broker is lost: %s", reason)

    def _arrived(self, _client: Client, _data: Any, message: MQTTMessage) -> None:  # noqa: ANN401 - paho's
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        kept = Message(topic, bytes(message.payload[:MOST_BYTES]))
        try:
            gateway = wire.gateway_of(topic)
        except BadEnvelope:
            gateway = ""
        self._queue.offer(gateway, kept, len(kept.payload), latest=topic.endswith("/status"))
