"""A telematics provider's endpoint: a fleet in pages over HTTP, and what goes wrong with such a thing.

ISO/TS 15143-3:2020. A fault is of the pages after the first one where there are any, so that a poll has begun when it
meets it; each lasts for a time.
"""

import base64
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from threading import Event, Lock, Thread
from typing import IO

from simulators.devices.aemp_fleet import Element, Form, Machine, page
from simulators.devices.alone import TruthFile
from simulators.devices.faults import Kind

FAULTS = (
    "loop",
    "missing_page",
    "repeated_page",
    "empty_pages",
    "foreign_host",
    "garbage",
    "busy",
    "slow",
    "entity_bomb",
    "truncated",
    "unauthorized",
)
FAULT_S = 5.0
RETRY_AFTER_S = 1
PREFIX = "/aemp/Fleet/"
SECOND_US = 1_000_000
DRIP_S = 0.05
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE Fleet [<!ENTITY a "xxxxxxxxxx">'
    + b"".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">'.encode()
        for before, name in zip("abcdefghi", "bcdefghij", strict=True)
    )
    + b"]><Fleet>&j;</Fleet>"
)


@dataclass(frozen=True, slots=True)
class Shown:
    """How the fleet is shown."""

    per_page: int = 10
    form: Form = "xml"
    seed: int = 1
    login: str = ""
    """NAME:PASSWORD that is asked for; empty: none is."""


class AempServer:
    """One endpoint. `note` is called with every element of a page that was sent as a whole, without a fault."""

    def __init__(
        self,
        address: tuple[str, int],
        pins: Sequence[str],
        note: Callable[[str, Element], None],
        shown: Shown = Shown(),
    ) -> None:
        self._note, self._shown = note, shown
        self._machines = [Machine(Random(f"{shown.seed}/{pin}"), pin) for pin in pins]
        self._lock = Lock()
        self._fault, self._until = "", 0.0
        self._stopping = Event()
        self._server = _server(address, self)
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), name="aemp", daemon=True)
        self.address: tuple[str, int] = self._server.server_address[:2]  # type: ignore[assignment]
        self.asked = 0
        """Requests so far."""

    @property
    def url(self) -> str:
        """Where its first page is."""
        return "http://{}:{}{}1".format(*self.address, PREFIX)

    def start(self) -> None:
        """Answers from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Answers no more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def send(self, at_us: int) -> list[tuple[str, Element]]:
        """Every machine sends its news, at a whole second. Returns them by PIN."""
        at_us -= at_us % SECOND_US
        with self._lock:
            return [(machine.pin, each) for machine in self._machines for each in machine.send(at_us)]

    def fault(self, name: str, seconds: float) -> None:
        """From now on, for so long."""
        with self._lock:
            self._fault, self._until = name, time.monotonic() + seconds

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        """One request."""
        with self._lock:
            self.asked += 1
            number = handler.path.removeprefix(PREFIX)
            last = max(1, -(-len(self._machines) // self._shown.per_page))
            fault = self._fault if time.monotonic() < self._until and (number != "1" or last == 1) else ""
            if fault == "repeated_page" and number.isdecimal():
                last = int(number) + 1
            text, said = self._page(number, last, fault)
        if not self._is_known(handler) or fault == "unauthorized":
            _answer(handler, 401, b"", {"WWW-Authenticate": 'Basic realm="fleet"'})
        elif text is None or fault == "missing_page":
            _answer(handler, 404, b"")
        elif fault == "busy":
            _answer(handler, 503, b"", {"Retry-After": str(RETRY_AFTER_S)})
        elif fault == "slow":
            self._drip(handler, text)
        elif fault == "truncated":
            _answer(handler, 200, text, {"Content-Length": str(len(text) + 1000)})
        else:
            body = {"garbage": b"<html>Log in", "entity_bomb": BOMB}.get(fault, text)
            _answer(handler, 200, body, {"Content-Type": f"application/{self._shown.form}"})
            for pin, element in said if body is text else ():
                self._note(pin, element)

    def _page(self, number: str, last: int, fault: str) -> tuple[bytes | None, list[tuple[str, Element]]]:
        if not number.isdecimal() or not 1 <= int(number) <= last + 1:
            return None, []
        here, of = int(number), 1 if fault == "repeated_page" else int(number)
        begin = (of - 1) * self._shown.per_page
        machines = self._machines[begin : begin + self._shown.per_page] if fault != "empty_pages" else []
        told = {machine.pin: list(machine.elements.values()) for machine in machines}
        links = {"self": self._url(here)}
        if here < last or fault in {"repeated_page", "empty_pages"}:
            links["next"] = self._url(here + 1)
        if fault == "loop":
            links["next"] = self._url(1)
        if fault == "foreign_host":
            links["next"] = f"http://127.0.0.2:{self.address[1]}{PREFIX}{here + 1}"
        links["last"] = self._url(last)
        return page(told, links, self._shown.form), [(pin, each) for pin, elements in told.items() for each in elements]

    def _url(self, number: int) -> str:
        return "http://{}:{}{}{}".format(*self.address, PREFIX, number)

    def _is_known(self, handler: BaseHTTPRequestHandler) -> bool:
        if not self._shown.login:
            return True
        return handler.headers.get("Authorization") == "Basic " + base64.b64encode(self._shown.login.encode()).decode()

    def _drip(self, handler: BaseHTTPRequestHandler, text: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        for at in range(len(text)):
            if self._stopping.wait(DRIP_S):
                return
            handler.wfile.write(text[at : at + 1])
            handler.wfile.flush()


class ElementTruth(TruthFile):
    """One line for each element: when a page with it was first sent as a whole; the others when this is closed."""

    def __init__(self, file: IO[str] | None) -> None:
        super().__init__(file)
        self._lock = Lock()
        self._open: dict[tuple[str, Element], None] = {}
        self.sent = self.read = 0

    def offer(self, elements: Sequence[tuple[str, Element]]) -> None:
        """What machines say now."""
        with self._lock:
            self.sent += len(elements)
            self._open |= dict.fromkeys(elements)

    def served(self, pin: str, element: Element) -> None:
        """From any thread of the server."""
        with self._lock:
            if (pin, element) in self._open:
                del self._open[pin, element]
                self.read += 1
                self._element(pin, element, is_served=True)

    def close(self) -> None:
        """After the server stopped: what was replaced by newer news, or never asked for."""
        for pin, element in self._open:
            self._element(pin, element, is_served=False)
        self._open.clear()

    def _element(self, pin: str, element: Element, *, is_served: bool) -> None:
        members = dict(element.members)
        line: dict[str, object] = {"kind": "element", "pin": pin, "name": element.name, "at_us": element.at_us}
        self._write([line | {"members": members, "served": is_served}])


def of_aemp(server: AempServer) -> dict[str, Kind]:
    """Its faults; the value is how many seconds each lasts."""

    def act(name: str) -> Callable[[float], None]:
        return lambda seconds: server.fault(name, seconds)

    return {name: Kind(act(name), FAULT_S) for name in FAULTS}


def _answer(handler: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
    handler.send_response(status)
    for name, value in ({"Content-Length": str(len(body))} | (headers or {})).items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def _server(address: tuple[str, int], endpoint: AempServer) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with suppress(OSError):
                endpoint.serve(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's; it prints otherwise
            pass

    server = ThreadingHTTPServer(address, Handler)
    server.daemon_threads = True
    return server
