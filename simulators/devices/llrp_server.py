"""The side of a reader that faces its client: listens, serves one, answers, and does what is due by the clock.

One lock guards all of it. ROSpecs and configuration outlive connections; what is on its way when one dies is lost, as
with hardware. What goes wrong with a reader is done to this side by simulators.devices.llrp.
"""

import contextlib
import socket
import time
from threading import Condition, Thread
from typing import Final

from simulators.devices.llrp_codec import VERSION, Code, Fault, Message, Param, event, tlv
from simulators.devices.llrp_link import Link
from simulators.devices.llrp_machine import Machine
from simulators.devices.llrp_reports import Reports, Telling

KEEPALIVES_MISSED: Final = 3
SHORTEST_SILENCE_S: Final = 2.0
RETRY_S: Final = 0.05
ACCEPTED, CLIENT_EXISTS = b"\0\0", b"\0\2"


class LlrpServer:
    """One reader's client side. `address` is where it listens; port 0 becomes the port that was found at `start`."""

    def __init__(self, listen: tuple[str, int], machine: Machine, telling: Telling) -> None:
        self.address = listen
        self.clock_offset_us = 0
        self._lock = Condition()
        self._machine = machine
        self._reports = Reports(telling)
        self._server: socket.socket | None = None
        self._link: Link | None = None
        self._heard_at = self._keepalive_at = 0.0
        self._running = False
        self._up_at: float | None = None
        self._goes_on_at: float | None = None
        self._threads: list[Thread] = []
        self._clients: list[Thread] = []
        self._orphans: list[Link] = []

    def start(self) -> None:
        """Listens. Raises OSError when the address is taken."""
        self._listen()
        self._running = True
        pump = Thread(target=self._pump, name="llrp-pump", daemon=True)
        self._threads.append(pump)
        pump.start()

    def stop(self) -> None:
        """Tells the client that the reader closes, and ends; `start` may follow, on the same port."""
        with self._lock:
            self._running = False
            self._up_at = self._goes_on_at = None
            if self._link:
                self._link.stalled = False
                self._notify(self._link, tlv(Param.CONNECTION_CLOSE))
                self._link.finish()
            for orphan in self._orphans:
                orphan.drop()
            self._close()
        for thread in self._threads + self._clients:
            thread.join()
        self._threads.clear()

    def _listen(self) -> None:
        """Opens the port (lock held, or not started yet)."""
        server = socket.create_server(self.address)
        self.address = server.getsockname()[:2]
        self._server = server
        thread = Thread(target=self._accept, args=(server,), name="llrp-accept", daemon=True)
        self._threads = [each for each in self._threads if each.is_alive()] + [thread]
        thread.start()

    def _close(self) -> None:
        """Closes the port (lock held)."""
        server, self._server = self._server, None
        if server:
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            server.close()
        self._lock.notify_all()

    def _accept(self, server: socket.socket) -> None:
        while self._server is server:
            try:
                connection, _ = server.accept()
            except OSError:
                time.sleep(RETRY_S if self._server is server else 0)
                continue
            with self._lock:
                self._lock.wait_for(lambda: self._goes_on_at is None or self._server is not server)
                if self._server is not server:
                    connection.close()
                    return
                self._greet(connection)

    def _greet(self, connection: socket.socket) -> None:
        if self._link and self._link.left:
            self._release(self._link)
        link, accepted = Link(connection, self._lock), self._link is None
        self._notify(link, tlv(Param.CONNECTION_ATTEMPT, ACCEPTED if accepted else CLIENT_EXISTS))
        if accepted:
            self._link = link
            self._heard_at = self._keepalive_at = time.monotonic()
            self._machine.connected()
            self._reports.holding = self._machine.config.hold
        else:
            link.finish()
        thread = Thread(target=self._serve if accepted else Link.join, args=(link,), daemon=True)
        self._clients = [each for each in self._clients if each.is_alive()] + [thread]
        thread.start()

    def _serve(self, link: Link) -> None:
        try:
            for version, kind, number, body in link.frames():
                with self._lock:
                    if self._link is not link:
                        continue
                    self._heard_at = time.monotonic()
                    self._handle(link, (version, kind, number), body)
        except Fault as fault:
            with self._lock:
                link.send(Message.ERROR_MESSAGE, fault.status())
        finally:
            with self._lock:
                self._release(link)
                link.finish()
            link.join()

    def _release(self, link: Link) -> None:
        """The connection is no longer the client's, whatever still comes of it (lock held)."""
        if self._link is link:
            self._link = None
            self._reports.clear()

    def _handle(self, link: Link, header: tuple[int, int, int], body: bytes) -> None:
        version, number_of_kind, number = header
        try:
            kind = _known(version, number_of_kind)
            answer = self._machine.answer(kind, body, time.monotonic())
        except Fault as fault:
            link.send(Message.ERROR_MESSAGE, fault.status(), number)
            return
        if kind is Message.GET_REPORT:
            self._reports.flush(link, time.monotonic(), self.clock_offset_us)
        elif kind is Message.ENABLE_EVENTS_AND_REPORTS:
            self._reports.holding = False
        self._tell_rospecs(link, answer and (*answer, number))
        if kind is Message.CLOSE_CONNECTION:
            link.finish()
        self._lock.notify_all()

    def _tell_rospecs(self, link: Link, answer: tuple[int, bytes, int] | None = None) -> None:
        """What ended is reported, then the request is answered, then the starts and ends are told."""
        events = list(self._machine.rospecs.events)
        self._machine.rospecs.events.clear()
        if any(self._reports.at_end(told) for told, _, _ in events):
            self._reports.flush(link, time.monotonic(), self.clock_offset_us)
        if answer:
            link.send(*answer)
        for what in events:
            body = self._machine.event_of(what, self._now_us())
            if body:
                link.send(Message.READER_EVENT_NOTIFICATION, body)

    def _pump(self) -> None:
        with self._lock:
            while self._running:
                self._lock.wait(self._tick(time.monotonic()))

    def _tick(self, now: float) -> float | None:
        """Does what is due: triggers, keepalives, reports. Returns seconds until the next of them."""
        due = [at for at in (self._machine.rospecs.tick(now), *self._recover(now)) if at is not None]
        if self._link is None:
            self._machine.rospecs.events.clear()
        elif self._goes_on_at is None:
            self._tell_rospecs(self._link)
            due += self._keep_alive(self._link, now)
            due += self._reports.due(self._link, self._machine.report(), now, self.clock_offset_us)
        return max(0.0, min(due) - now) if due else None

    def _recover(self, now: float) -> tuple[float | None, float | None]:
        """Ends a stall or an outage that is over; returns when those that are not will be."""
        if self._goes_on_at is not None and now >= self._goes_on_at:
            self._goes_on_at = None
            self._heard_at = now
            if self._link:
                self._link.stalled = False
            self._lock.notify_all()
        if self._up_at is not None and now >= self._up_at:
            try:
                self._listen()
                self._up_at = None
            except OSError:
                self._up_at = now + RETRY_S
        return self._goes_on_at, self._up_at

    def _keep_alive(self, link: Link, now: float) -> list[float]:
        period_s = self._machine.config.keepalive_s
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

    def _notify(self, link: Link, detail: bytes) -> None:
        link.send(Message.READER_EVENT_NOTIFICATION, event(self._now_us(), detail))

    def _now_us(self) -> int:
        return time.time_ns() // 1000 + self.clock_offset_us


def _known(version: int, kind: int) -> Message:
    if version != VERSION:
        raise Fault(Code.M_UNSUPPORTED_VERSION, f"version {version}: expected {VERSION}")
    if kind not in tuple(Message):
        raise Fault(Code.M_UNSUPPORTED_MESSAGE, f"message type {kind} is not known")
    return Message(kind)
