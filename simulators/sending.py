"""Sends a history under a gateway's name, in an epoch of its own, as an edge that was offline would.

The machine is models.delivery; one thread makes readings, commits them and runs it, paho's thread only hears. A sender
of history publishes no status and sets no will.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from threading import Event
from urllib.parse import urlsplit

import msgspec
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from models.delivery import SaveMark, Send, Sender, fill
from models.wire import Receipt, encode_batch, topic
from simulators.outbox import SentRows

PORTS = {"mqtt": 1883, "mqtts": 8883}
CONNECT_S = 30.0
WAIT_S = 0.1
AHEAD = 20_000
"""Rows made beyond the mark before making waits for sending: readings are made faster than they are committed."""
_receipt = msgspec.json.Decoder(Receipt)


class NoBroker(Exception):
    """The broker did not answer in time."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where to send: mqtt://host[:port] or mqtts://host[:port]. Raises ValueError naming the field."""

    url: str
    username: str = ""
    password: str = ""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in PORTS or not parts.hostname:
            msg = f"--mqtt: mqtt://host[:port] or mqtts://host[:port] expected, got {self.url!r}"
            raise ValueError(msg)

    def client(self, gateway: str, heard: "SimpleQueue[Heard]") -> Client:
        """A client that connects and reconnects by itself, and subscribes to the gateway's receipts."""
        client = Client(CallbackAPIVersion.VERSION2, f"{gateway}-{secrets.token_hex(4)}", clean_session=True)
        parts = urlsplit(self.url)
        if self.username:
            client.username_pw_set(self.username, self.password or None)
        if parts.scheme == "mqtts":
            client.tls_set()  # pyright: ignore[reportUnknownMemberType]
        client.reconnect_delay_set(1, 5)
        _listen(client, topic(gateway, "receipt"), heard)
        client.connect_async(parts.hostname or "", parts.port or PORTS[parts.scheme], keepalive=15)
        return client


@dataclass(frozen=True, slots=True)
class Heard:
    """What paho's thread tells: connected, lost, or a receipt."""

    what: str
    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is: `share` of the history is made, `made` readings, `committed` of them by the backend."""

    share: float
    made: int
    committed: int

    @property
    def expected(self) -> int:
        """How many it will be, as far as one can tell now."""
        return round(self.made / self.share) if self.share else self.made


class HistorySender:
    """One history on its way."""

    def __init__(self, gateway: str, rows: SentRows, show: Callable[[Progress], None]) -> None:
        self._gateway = gateway
        self._rows = rows
        self._show = show
        self._sender = Sender([])
        self._heard: SimpleQueue[Heard] = SimpleQueue()
        self._mark = 0
        self._online = False
        self._share = 0.0

    def run(self, broker: Broker, chunks: Iterator[tuple[float, list[bytes]]], stop: Event) -> bool:
        """Send every chunk (share of the history made so far, its readings). True once all are committed.

        Raises NoBroker when nothing answers for half a minute at the beginning.
        """
        client = broker.client(self._gateway, self._heard)
        client.loop_start()
        deadline = time.monotonic() + CONNECT_S
        try:
            while not stop.is_set():
                more = self._make(chunks)
                self._hear(wait=not more)
                self._send(client)
                self._show(Progress(self._share, self._rows.next_seq - 1, self._mark))
                if self._share >= 1 and self._mark == self._rows.next_seq - 1:
                    return True
                if not self._online and not self._mark and time.monotonic() > deadline:
                    msg = f"--mqtt {broker.url}: no answer for {CONNECT_S:.0f} s"
                    raise NoBroker(msg)
            return False
        finally:
            client.disconnect()
            client.loop_stop()

    def _make(self, chunks: Iterator[tuple[float, list[bytes]]]) -> bool:
        """Commit one more chunk unless enough is waiting. Whether it did."""
        if self._share >= 1 or self._rows.next_seq - self._mark > AHEAD:
            return False
        chunk = next(chunks, None)
        if chunk is None:
            self._share = 1.0
            return False
        self._share = min(chunk[0], 0.999)
        self._rows.append(chunk[1])
        self._sender.committed(self._rows.epoch, self._rows.next_seq, time.monotonic())
        return True

    def _hear(self, *, wait: bool) -> None:
        try:
            heard = self._heard.get(wait, WAIT_S)
            while True:
                self._take(heard)
                heard = self._heard.get(block=False)
        except Empty:
            return

    def _take(self, heard: Heard) -> None:
        now = time.monotonic()
        if heard.what == "connected":
            self._online = True
            self._sender.connected(now)
        elif heard.what == "lost":
            self._online = False
            self._sender.disconnected()
        else:
            try:
                receipt = _receipt.decode(heard.payload)
            except (msgspec.MsgspecError, ValueError):
                return
            for effect in self._sender.receipt(receipt.epoch, receipt.seq, now):
                if isinstance(effect, SaveMark):
                    self._mark = effect.mark
                    self._rows.save_mark(effect.mark, effect.receipted)

    def _send(self, client: Client) -> None:
        while step := self._sender.poll(time.monotonic()):
            at = datetime.now(UTC)
            texts: list[bytes] = []
            if isinstance(step, Send):
                rows = self._rows.rows(step.seq, step.limit)
                texts, last = fill(step, rows, self._sender.line(step.epoch), at)
                self._sender.sent(step, last, time.monotonic())
            payload = encode_batch(step.epoch, step.seq, at, texts, compress=bool(texts))
            client.publish(topic(self._gateway, "readings"), payload, qos=1)


def _listen(client: Client, receipts: str, heard: "SimpleQueue[Heard]") -> None:
    def on_connect(
        me: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, _more: Properties | None
    ) -> None:
        if not reason.is_failure:
            me.subscribe(receipts, qos=1)

    def on_subscribe(
        _me: Client, _data: object, _mid: int, _reasons: list[ReasonCode], _more: Properties | None
    ) -> None:
        heard.put(Heard("connected"))

    def on_message(_me: Client, _data: object, message: MQTTMessage) -> None:
        heard.put(Heard("receipt", bytes(message.payload)))

    def on_disconnect(
        _me: Client, _data: object, _flags: DisconnectFlags, _reason: ReasonCode, _more: Properties | None
    ) -> None:
        heard.put(Heard("lost"))

    client.on_connect, client.on_subscribe = on_connect, on_subscribe
    client.on_message, client.on_disconnect = on_message, on_disconnect
