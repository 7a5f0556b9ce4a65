"""A telematics endpoint that answers what a test says, and the driver that polls it in a thread."""

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

from edge.driver import DeviceLost
from edge.drivers.aemp import AempDriver, AempSettings
from models.reading import Reading

STAMP = "2026-11-26T06:30:00Z"


def machine(pin: str, hours: float = 5.0, stamp: str = STAMP) -> str:
    return (
        f"<Equipment><EquipmentHeader><PIN>{pin}</PIN></EquipmentHeader>"
        f'<CumulativeOperatingHours datetime="{stamp}"><Hour>{hours}</Hour></CumulativeOperatingHours></Equipment>'
    )


def fleet(*machines: str, following: str | None = None) -> bytes:
    link = f"<Links><rel>next</rel><href>{following}</href></Links>" if following else ""
    return f'<Fleet version="2">{link}{"".join(machines)}</Fleet>'.encode()


Answer = tuple[int, dict[str, str], bytes]


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is gone before it is answered is none: the driver cuts what takes too long."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Endpoint:
    """`pages` by path; one that is callable acts on the handler itself."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes | Answer | Callable[[BaseHTTPRequestHandler], None]] = {}
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                endpoint.asked.append(self.path)
                endpoint.headers.append(dict(self.headers.items()))
                page = endpoint.pages.get(self.path, (404, {}, b""))
                with suppress(OSError):
                    if callable(page):
                        page(self)
                        return
                    status, headers, body = page if isinstance(page, tuple) else (200, {}, page)
                    self.send_response(status)
                    for name, value in ({"Content-Length": str(len(body))} | headers).items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)


class Site:
    """The driver run once more whenever it is lost, as a supervisor does it, without its waits."""

    def __init__(self, endpoint: Endpoint, poll_s: float = 0.05, folder: Path | None = None, **settings: Any) -> None:
        self.settings = AempSettings(f"{endpoint.url}/Fleet/1", poll_s=poll_s, **settings)
        self.folder = folder
        self.driver = AempDriver("feed", self.settings)
        self.readings: list[Any] = []
        self.bad: list[str] = []
        self.lost: list[DeviceLost] = []
        self.answers = 0
        self.hold = False
        self.held: list[Future[None]] = []
        self.fail: BaseException | None = None
        self.stop = Event()
        self._lock = Lock()
        self.thread = Thread(target=self._run, daemon=True)

    def start(self) -> "Site":
        self.thread.start()
        return self

    def put(self, some: Sequence[Reading]) -> "Future[None]":
        done: Future[None] = Future()
        with self._lock:
            self.readings += some
            if self.hold:
                self.held.append(done)
            elif self.fail is not None:
                done.set_exception(self.fail)
            else:
                done.set_result(None)
        return done

    def told(self) -> list[tuple[str, float]]:
        return [(each.device, each.value) for each in self.readings if hasattr(each, "value")]

    def reading(self) -> None:
        self.answers += 1

    def bad_frame(self, why: str) -> None:
        self.bad.append(why)

    def close(self) -> None:
        self.stop.set()
        self.thread.join(5)
        assert not self.thread.is_alive()

    def _run(self) -> None:
        while not self.stop.is_set():
            try:
                self.driver.run(self.put, self, self.stop)
            except DeviceLost as error:
                self.lost.append(error)
