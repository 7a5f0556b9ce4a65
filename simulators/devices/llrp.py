"""A fixed reader that speaks LLRP 1.0.1 over TCP to one client, as hardware does: it listens, the client connects.

What the world lets it read is offered to it; it tells of a read only while a client has an active ROSpec, and what is
on its way when the connection dies is lost, as with hardware. ROSpecs and configuration outlive connections.
"""

import contextlib
import socket
import time
from collections.abc import Callable, Sequence
from threading import Condition, Thread
from typing import Final

from simulators.devices.llrp_codec import VERSION, Code, Fault, Message, Param, event, tlv
from simulators.devices.llrp_link import Link
from simulators.devices.llrp_machine import Machine
from simulators.devices.llrp_pending import Pending, RawRead

__all__ = ["LlrpReader", "RawRead"]

MAX_PENDING: Final = 5_000
KEEPALIVES_MISSED: Final = 3
SHORTEST_SILENCE_S: Final = 2.0
ACCEPT_RETRY_S: Final = 0.05
ACCEPTED, CLIENT_EXISTS = b"\0\0", b"\0\2"


class LlrpReader:
    """One reader. `address` is where it listens; port 0 becomes the port that was found at `start`."""

    def __init__(
        self,
        listen: tuple[str, int],
        *,
        tags_per_report: int = 10,
        clock_offset_us: int = 0,
        flush_s: float = 0.2,
    ) -> None:
        self.address = listen
        self._tags_per_report = tags_per_report
        self._clock_offset_us = clock_offset_us
        self._flush_s = flush_s
        self._lock = Condition()
        self._machine = Machine()
        self._pending = Pending()
        self._server: socket.socket | None = None
        self._link: Link | None = None
        self._heard_at = self._keepalive_at = 0.0
        self._holding = False
        self._threads: list[Thread] = []
        self._clients: list[Thread] = []

    def start(self) -> None:
        """Listens. Raises OSError when the address is taken."""
        self._server = server = socket.create_server(self.address)
        self.address = server.getsockname()[:2]
        self._threads = [
            Thread(target=self._accept, args=(server,), name="llrp-accept", daemon=True),
            Thread(target=self._pump, args=(server,), name="llrp-pump", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Tells the client that the reader closes, and ends; `start` may follow, on the same port."""
        with self._lock:
            server, self._server = self._server, None
            if self._link:
                self._notify(self._link, tlv(Param.CONNECTION_CLOSE))
                self._link.finish()
            self._lock.notify_all()
        if server:
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            server.close()
        for thread in self._threads:
            thread.join()
        for thread in self._clients:
            thread.join()

    @property
    def reading(self) -> bool:
        """A client is connected and a ROSpec is active: what is offered now is told."""
        with self._lock:
            return self._link is not None and self._machine.rospecs.active() is not None

    def offer(self, reads: Sequence[RawRead], note: Callable[[Sequence[RawRead]], None] | None = None) -> int:
        """How many of `reads` are taken: none while not reading, none of an antenna that the client left out.

        Fewer when the client does not keep up. `note` is called with what is taken before any of it can be sent.
        """
        with self._lock:
            active = self._machine.rospecs.active()
            if self._link is None or active is None or self._link.congested:
                return 0
            room = MAX_PENDING - len(self._pending)
            taken = [read for read in reads if read.antenna in active.antennas][:room]
            if note is not None and taken:
                note(taken)
            selector = self._machine.active_report().selector
            self._pending.add(taken, active.number, selector, time.monotonic())
            self._lock.notify_all()
        return len(taken)

    def _accept(self, server: socket.socket) -> None:
        while self._server is server:
            try:
                connection, _ = server.accept()
            except OSError:
                time.sleep(ACCEPT_RETRY_S if self._server is server else 0)
                continue
            with self._lock:
                link = Link(connection, self._lock)
                accepted = self._link is None and self._server is server
                self._notify(link, tlv(Param.CONNECTION_ATTEMPT, ACCEPTED if accepted else CLIENT_EXISTS))
                if accepted:
                    self._link = link
                    self._heard_at = self._keepalive_at = time.monotonic()
                    self._holding = self._machine.hold
                else:
                    link.finish()
                thread = Thread(target=self._serve if accepted else Link.join, args=(link,), daemon=True)
                self._clients = [each for each in self._clients if each.is_alive()] + [thread]
                thread.start()

    def _serve(self, link: Link) -> None:
        try:
            for version, kind, number, body in link.frames():
                with self._lock:
                    self._heard_at = time.monotonic()
                    self._handle(link, (version, kind, number), body)
        except Fault as fault:
            with self._lock:
                link.send(Message.ERROR_MESSAGE, fault.status())
        finally:
            with self._lock:
                self._link = None
                self._pending.clear()
                link.finish()
            link.join()

    def _handle(self, link: Link, header: tuple[int, int, int], body: bytes) -> None:
        version, number_of_kind, number = header
        try:
            kind = _known(version, number_of_kind)
            answer = self._machine.answer(kind, body, time.monotonic())
        except Fault as fault:
            link.send(Message.ERROR_MESSAGE, fault.status(), number)
            return
        if kind is Message.GET_REPORT:
            self._report(link, len(self._pending))
        elif kind is Message.ENABLE_EVENTS_AND_REPORTS:
            self._holding = False
        self._tell_rospecs(link, answer and (*answer, number))
        if kind is Message.CLOSE_CONNECTION:
            link.finish()
        self._lock.notify_all()

    def _tell_rospecs(self, link: Link, answer: tuple[int, bytes, int] | None = None) -> None:
        """What ended is reported, then the request is answered, then the starts and ends are told."""
        events = list(self._machine.rospecs.events)
        self._machine.rospecs.events.clear()
        if self._pending and any(not started for _, started in events):
            self._report(link, len(self._pending))
        if answer:
            link.send(*answer)
        for number, started in events:
            body = self._machine.rospec_event(number, self._now_us(), started=started)
            if body:
                link.send(Message.READER_EVENT_NOTIFICATION, body)

    def _pump(self, server: socket.socket) -> None:
        with self._lock:
            while self._server is server:
                self._lock.wait(self._tick(time.monotonic()))

    def _tick(self, now: float) -> float | None:
        """Does what is due: triggers, keepalives, reports. Returns seconds until the next of them."""
        due = [at for at in (self._machine.rospecs.tick(now),) if at is not None]
        if self._link is None:
            self._machine.rospecs.events.clear()
        else:
            self._tell_rospecs(self._link)
            due += self._keep_alive(self._link, now) + self._send_due_reports(self._link, now)
        return max(0.0, min(due) - now) if due else None

    def _keep_alive(self, link: Link, now: float) -> list[float]:
        period_s = self._machine.keepalive_s
        if not period_s:
            self._keepalive_at = now
            return []
        if now - self._heard_at > max(KEEPALIVES_MISSED * period_s, SHORTEST_SILENCE_S):
            link.drop()
            return []
        if now - self._keepalive_at >= period_s:
            self._keepalive_at = now
            link.send(Message.KEEPALIVE, b"")
        return [self._keepalive_at + period_s]

    def _send_due_reports(self, link: Link, now: float) -> list[float]:
        spec = self._machine.active_report()
        if self._holding or spec.trigger == 0:
            return []
        limit = min(spec.every or self._tags_per_report, self._tags_per_report)
        while len(self._pending) >= limit:
            self._report(link, limit)
        if self._pending and now - self._pending.since >= self._flush_s:
            self._report(link, limit)
        return [self._pending.since + self._flush_s] if self._pending else []

    def _report(self, link: Link, limit: int) -> None:
        body = self._pending.take(limit, self._clock_offset_us, time.monotonic())
        link.send(Message.RO_ACCESS_REPORT, body)

    def _notify(self, link: Link, detail: bytes) -> None:
        link.send(Message.READER_EVENT_NOTIFICATION, event(self._now_us(), detail))

    def _now_us(self) -> int:
        return time.time_ns() // 1000 + self._clock_offset_us


def _known(version: int, kind: int) -> Message:
    if version != VERSION:
        raise Fault(Code.M_UNSUPPORTED_VERSION, f"version {version}: expected {VERSION}")
    if kind not in tuple(Message):
        raise Fault(Code.M_UNSUPPORTED_MESSAGE, f"message type {kind} is not known")
    return Message(kind)
