"""MQTT by paho: deliveries are queued as they come and acknowledged only when the book has them.

A clean session: the outbox at the edge is the queue, the broker only carries. A callback never raises, because an
exception in one would end paho's thread while the process lives on.
"""

import logging
import secrets
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Full, Queue
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from backend.config import Mqtt
from backend.ingest import Message
from models import wire

log = logging.getLogger(__name__)
OUTGOING = 10_000
WAITING = 500
MOST_BYTES = (1 << 20) + 1
"""More of a payload is not kept waiting: whatever it is, it is too long to be read."""
PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message and what its acknowledgement needs."""

    message: Message
    mid: int
    qos: int
    connection: int


class MqttTransport:
    """One connection to the broker, kept up for ever by paho's own thread."""

    def __init__(self, config: Mqtt) -> None:
        self._url = urlsplit(config.url)
        self._queue: Queue[Delivery] = Queue(WAITING)
        self._connection = 0
        self._stopping = False
        self._last: MQTTMessageInfo | None = None
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"backend-{secrets.token_hex(4)}",
            clean_session=True,
            manual_ack=True,
        )
        if config.username:
            client.username_pw_set(config.username, Path(config.password_file).read_text(encoding="utf-8").strip())
        if self._url.scheme == "mqtts":
            client.tls_set_context(ssl.create_default_context())  # pyright: ignore[reportUnknownMemberType]
        client.max_inflight_messages_set(1000)
        client.max_queued_messages_set(OUTGOING)
        client.reconnect_delay_set(min_delay=1, max_delay=2)
        client.on_connect, client.on_disconnect, client.on_message = self._connected, self._lost, self._arrived
        self._client = client

    def start(self) -> None:
        """Begin connecting; returns at once."""
        port = self._url.port or PORTS[self._url.scheme]
        self._client.connect_async(self._url.hostname or "127.0.0.1", port, keepalive=15)
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

    def take(self, wait_s: float, window_s: float, most: int) -> list[Delivery]:
        """Wait for a delivery, then gather what comes within the window, up to `most` messages."""
        try:
            taken = [self._queue.get(timeout=wait_s)]
        except Empty:
            return []
        end = monotonic() + window_s
        while len(taken) < most and (left := end - monotonic()) > 0:
            try:
                taken.append(self._queue.get(timeout=left))
            except Empty:
                break
        return taken

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Tell the broker that these are durable; those of a connection that has ended are its loss."""
        for delivery in deliveries:
            if delivery.qos and delivery.connection == self._connection:
                self._client.ack(delivery.mid, delivery.qos)

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
        self, client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if reason.is_failure:
            log.warning("the broker refused the connection: %s", reason)
            return
        self._connection += 1
        log.info("connected to the broker")
        client.subscribe([(wire.topic("+", "readings"), 1), (wire.topic("+", "status"), 1)])

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
        delivery = Delivery(
            Message(topic, bytes(message.payload[:MOST_BYTES])), message.mid, message.qos, self._connection
        )
        while not self._stopping:
            try:
                self._queue.put(delivery, timeout=0.2)
            except Full:
                continue
            return
