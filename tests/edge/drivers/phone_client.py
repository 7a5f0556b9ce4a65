"""An OsmAnd listener in a thread with a `put` that can be held, and phones that speak HTTP to it by hand."""

import socket
from collections.abc import Sequence
from concurrent.futures import Future
from threading import Event, Lock, Thread
from typing import Any

from edge.drivers.osmand import OsmandDriver, OsmandSettings
from models.reading import Fix, Reading
from tests.edge.delivery_site import free_port, wait_for


def get(query: str, version: str = "1.1", headers: str = "") -> bytes:
    return f"GET /?{query} HTTP/{version}\r\nHost: gateway\r\n{headers}\r\n".encode()


def post(body: bytes, headers: str = "") -> bytes:
    return f"POST / HTTP/1.1\r\nHost: gateway\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


def place(number: int = 0, phone: str = "7") -> str:
    return f"id={phone}&timestamp={1795679970 + number}&lat={51 + number / 1000:.3f}&lon=3.7"


class Phone:
    """A connection; it waits for every answer, at most 5 s."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        self._buffer = b""

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def ask(self, data: bytes) -> tuple[int, str]:
        self.send(data)
        return self.answer()

    def answer(self) -> tuple[int, str]:
        """Status and text of the next answer."""
        while b"\r\n\r\n" not in self._buffer:
            self._more()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        status, _, fields = head.decode().partition("\r\n")
        named = dict(line.split(": ", 1) for line in fields.split("\r\n") if line)
        length = int(named.get("content-length", 0))
        while len(self._buffer) < length:
            self._more()
        text, self._buffer = self._buffer[:length], self._buffer[length:]
        return int(status.split()[1]), text.decode().strip()

    def is_silent(self, seconds: float = 0.3) -> bool:
        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(1) == b"never"
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(5)

    def is_hung_up(self) -> bool:
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True

    def _more(self) -> None:
        data = self.socket.recv(4096)
        assert data, f"hung up after {self._buffer!r}"
        self._buffer += data


class Site:
    """The driver in a thread. Readings are durable at once, unless `hold` is set; then when the test says so."""

    def __init__(self, **settings: Any) -> None:
        self.port = free_port()
        self.settings = OsmandSettings(listen=f"127.0.0.1:{self.port}", **settings)
        self.driver = OsmandDriver("phones", self.settings)
        self.readings: list[Any] = []
        self.bad: list[str] = []
        self.hold = False
        self.put_error: Exception | None = None
        self.held: list[Future[None]] = []
        self.answers = 0
        self.error: BaseException | None = None
        self.stop = Event()
        self.phones: list[Phone] = []
        self._lock = Lock()
        self._thread = Thread(target=self._run, daemon=True)

    def start(self) -> "Site":
        self._thread.start()
        wait_for(lambda: self.answers > 0 or self.error is not None)
        return self

    def phone(self) -> Phone:
        self.phones.append(Phone(self.port))
        return self.phones[-1]

    def lats(self) -> list[float | None]:
        return [each.lat for each in self.readings if isinstance(each, Fix)]

    def put(self, some: Sequence[Reading]) -> "Future[None]":
        if self.put_error is not None:
            raise self.put_error
        done: Future[None] = Future()
        with self._lock:
            self.readings += some
            if self.hold:
                self.held.append(done)
                return done
        done.set_result(None)
        return done

    def reading(self) -> None:
        self.answers += 1

    def bad_frame(self, why: str) -> None:
        self.bad.append(why)

    def join(self) -> None:
        self._thread.join(5)
        assert not self._thread.is_alive()

    def close(self) -> None:
        self.stop.set()
        if self._thread.ident is not None:
            self.join()
        for phone in self.phones:
            phone.socket.close()

    def _run(self) -> None:
        try:
            self.driver.run(self.put, self, self.stop)
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self.error = error
