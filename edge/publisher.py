"""Sends the outbox to the backend over MQTT, for ever: the I/O around `models.delivery.Sender`.

One thread runs the machine. paho's network thread only puts what it hears into a queue, so that no callback can fail;
each connection is a new paho client, so that nothing of an old one is sent again behind the machine's back.
"""

import importlib.metadata
import logging
import random
import secrets
import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from queue import Empty, SimpleQueue
from threading import Event

import msgspec
from paho.mqtt.client import Client

from edge.certificates import words
from edge.connection import CONNECT_S, Heard, Mqtt, new_client
from edge.outbox import Outbox
from models.delivery import Effect, NewEpoch, RaiseAlert, Send, SendEmpty, Sender, fill
from models.reading import DeviceEvent
from models.wire import DeviceState, Receipt, Reply, Status, Stream, encode, encode_batch, topic

__all__ = ["Mqtt", "Publisher"]
KEEPALIVE_S = 15
STATUS_S = 30.0
TICK_S = 0.2
MIN_RETRY_S, FIRST_RETRY_S, MAX_RETRY_S = 0.05, 2.0, 30.0
COMPRESS_BYTES = 4096
REPLY_AGE = timedelta(seconds=30)
log = logging.getLogger(__name__)
_receipt = msgspec.json.Decoder(Receipt)
_reply = msgspec.json.Decoder(Reply)


class Publisher:
    """One gateway's end of the delivery."""

    def __init__(
        self,
        gateway: str,
        mqtt: Mqtt,
        outbox: Outbox,
        devices: Callable[[], list[DeviceState]],
        on_reply: Callable[[Reply], None],
    ) -> None:
        self._gateway, self._mqtt, self._outbox, self._devices, self._on_reply = (
            gateway,
            mqtt,
            outbox,
            devices,
            on_reply,
        )
        self.trackers: Callable[[], dict[str, int] | None] = _none
        """What the status says of trackers. Set it before `run`."""
        self.beat: Callable[[], None] = _none
        """Called each time the loop comes round, connected or not. Set it before `run`."""
        self._client_id = f"{gateway}-{secrets.token_hex(4)}"
        self._version = importlib.metadata.version("stockyard")
        self._heard: SimpleQueue[Heard] = SimpleQueue()
        self._sender = Sender([])
        self._client: Client | None = None
        self._status_at = 0.0
        self._bad_payloads = 0
        self._read_failed = False

    def run(self, stop: Event) -> None:
        """Publish until `stop`, through every loss of the broker; a bug is logged and everything begun anew."""
        self._outbox.on_commit = self._hear_commit
        while not stop.is_set():
            try:
                self._sender = Sender(self._outbox.lines())
                self._run(stop)
            except Exception:
                log.exception("publisher: begins anew")
                self._close()
                self._pause(FIRST_RETRY_S, stop)

    def devices_changed(self) -> None:
        """Send the status now. Any thread may call it."""
        self._heard.put(Heard(None, "devices"))

    def _hear_commit(self, epoch: str, next_seq: int) -> None:
        self._heard.put(Heard(None, "commit", committed=(epoch, next_seq, time.monotonic())))

    def _run(self, stop: Event) -> None:
        lost_at, told = time.monotonic(), False
        while not stop.is_set():
            problem = self._connect(stop)
            if problem is None:
                log.info("broker %s: connected", self._mqtt.url)
                self._serve(stop)
                lost_at, told = time.monotonic(), False
                problem = "connection lost"
            self._close()
            if not stop.is_set():
                # one line per loss, not one per try
                log.log(logging.DEBUG if told else logging.WARNING, "broker %s: %s", self._mqtt.url, problem)
                told = True
                # full jitter under a ceiling that grows with the outage: 2 s for the first 20 s, 30 s after 5 minutes
                ceiling_s = min(max(FIRST_RETRY_S, (time.monotonic() - lost_at) / 10), MAX_RETRY_S)
                self._pause(random.uniform(MIN_RETRY_S, ceiling_s), stop)  # noqa: S311 - jitter, no secret

    def _pause(self, seconds: float, stop: Event) -> None:
        """Wait, and let nothing pile up meanwhile: the machine hears of commits while there is no broker too."""
        until = time.monotonic() + seconds
        while not stop.is_set() and (left_s := until - time.monotonic()) > 0:
            self._next(min(left_s, TICK_S))

    def _connect(self, stop: Event) -> str | None:
        """Connect and subscribe; None once the broker has granted both, else what went wrong."""
        try:
            self._client = client = new_client(self._gateway, self._client_id, self._mqtt, self._heard.put)
            client.connect(*self._mqtt.address, keepalive=KEEPALIVE_S)
            client.loop_start()
        except (OSError, ValueError) as error:
            return words(error)
        deadline = time.monotonic() + CONNECT_S
        while time.monotonic() < deadline and not stop.is_set():
            heard = self._next()
            if heard is None or heard.client is not client:
                continue
            if heard.what == "subscribed":
                return None
            if heard.what in {"refused", "lost"}:
                return heard.payload.decode()
        return "no answer"

    def _serve(self, stop: Event) -> None:
        """One connection's life."""
        self._sender.connected(time.monotonic())
        self._send_status()
        self._send()
        while not stop.is_set():
            heard = self._next()
            while heard is not None:
                if heard.what == "lost" and heard.client is self._client:
                    return
                self._take(heard)
                heard = self._next(0)
            self._send()
            if time.monotonic() >= self._status_at:
                self._send_status()

    def _next(self, wait_s: float = TICK_S) -> Heard | None:
        """What was heard next, within `wait_s`. Commits count whether connected or not."""
        self.beat()
        try:
            heard = self._heard.get(timeout=wait_s)
        except Empty:
            return None
        if heard.what == "commit":
            self._sender.committed(*heard.committed)
        return heard

    def _take(self, heard: Heard) -> None:
        if heard.what == "devices":
            self._status_at = 0.0
        if heard.client is not self._client or heard.what not in {"receipt", "reply"}:
            return
        try:
            if heard.what == "receipt":
                receipt = _receipt.decode(heard.payload)
                for effect in self._sender.receipt(receipt.epoch, receipt.seq, time.monotonic()):
                    self._do(effect)
            else:
                self._reply(_reply.decode(heard.payload))
        except (msgspec.MsgspecError, ValueError) as error:
            self._bad_payloads += 1
            if self._bad_payloads.bit_count() == 1:
                log.warning("%s: %d unreadable so far, the last: %s", heard.what, self._bad_payloads, error)

    def _do(self, effect: Effect) -> None:
        if isinstance(effect, NewEpoch):
            log.info("outbox: a new epoch begins (%s)", effect.why)
            self._outbox.begin_epoch()
        elif isinstance(effect, RaiseAlert):
            log.error("outbox: %s", effect.text)
            self._outbox.put([DeviceEvent("", datetime.now(UTC), "outbox_shared", effect.text)])
        else:
            self._outbox.save_mark(effect.epoch, effect.mark, effect.receipted)

    def _reply(self, reply: Reply) -> None:
        if datetime.now(UTC) - reply.at > REPLY_AGE:
            return
        try:
            self._on_reply(reply)
        except Exception:
            log.exception("reply to %s: not delivered", reply.device)

    def _send(self) -> None:
        """Everything the machine wants sent now. Rows that cannot be read are tried again at the next tick."""
        while step := self._sender.poll(time.monotonic()):
            texts: list[bytes] = []
            last = 0
            if isinstance(step, Send):
                try:
                    rows = self._outbox.rows(step.epoch, step.seq, step.limit)
                except sqlite3.Error as error:
                    log.log(logging.DEBUG if self._read_failed else logging.ERROR, "outbox: cannot be read: %s", error)
                    self._read_failed = True
                    return
                self._read_failed = False
                texts, last = fill(step, rows, self._sender.line(step.epoch), datetime.now(UTC))
            self._publish_batch(step, texts)
            if isinstance(step, Send):
                self._sender.sent(step, last, time.monotonic())

    def _publish_batch(self, step: Send | SendEmpty, texts: list[bytes]) -> None:
        large = sum(map(len, texts)) > COMPRESS_BYTES
        payload = encode_batch(step.epoch, step.seq, datetime.now(UTC), texts, compress=large)
        self._publish("readings", payload)

    def _publish(self, leaf: str, payload: bytes, *, retain: bool = False) -> None:
        if self._client is not None:
            self._client.publish(topic(self._gateway, leaf), payload, qos=1, retain=retain)

    def _send_status(self) -> None:
        streams = [
            Stream(line.epoch, line.next_seq, line.next_seq - 1 - line.mark, self._outbox.oldest_at(line))
            for line in self._sender.listed()
        ]
        status = Status(
            online=True,
            version=self._version,
            streams=streams,
            devices=self._devices(),
            trackers=self.trackers(),
        )
        self._publish("status", encode(status), retain=True)
        self._status_at = time.monotonic() + STATUS_S

    def _close(self) -> None:
        """End the connection; what was not receipted is sent again on the next one."""
        self._sender.disconnected()
        client, self._client = self._client, None
        if client is None:
            return
        if client.is_connected():
            info = client.publish(topic(self._gateway, "status"), encode(Status(online=False)), qos=1, retain=True)
            try:
                info.wait_for_publish(1)
            except (RuntimeError, ValueError) as error:
                log.debug("last status: %s", error)
        client.disconnect()
        client.loop_stop()
        if connection := client.socket():
            connection.close()


def _none() -> None:
    """A gateway without trackers, or one that nobody watches."""
