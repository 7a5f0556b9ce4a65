"""The address of API and page: bound when made, so that a port in use is an error at once; served on a thread of ours.

What it serves is made there too: its libraries take a second to load, and ingest need not wait for them. Who connects
before waits in the socket's queue.
"""

import asyncio
import socket
from collections.abc import Callable
from threading import Event
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

GRACE_S = 1
WATCH_S = 0.1
THREADS = 16
"""So many requests are worked on at once: each holds a connection to the book, of which the workers need some."""


class Server:
    """One app on one address. `port` 0 takes a free one; read it from `port`."""

    def __init__(self, make: "Callable[[], FastAPI]", host: str, port: int) -> None:
        self._make = make
        self._app: FastAPI | None = None
        self.host = host
        self._socket = self._bind(port)
        self.port: int = self._socket.getsockname()[1]

    def _bind(self, port: int) -> socket.socket:
        return socket.create_server((self.host, port), family=socket.AF_INET6 if ":" in self.host else socket.AF_INET)

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}/"

    def run(self, stop: Event) -> None:
        """Serve until `stop`; open event streams end with it. Returns within 2 s of it."""
        import uvicorn  # noqa: PLC0415 - after ingest has begun

        if self._app is None:
            self._app = self._make()
        if self._socket.fileno() == -1:
            self._socket = self._bind(self.port)
        config = uvicorn.Config(
            self._app,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=GRACE_S,
        )
        asyncio.run(self._serve(uvicorn.Server(config), self._app, stop))

    async def _serve(self, server: "uvicorn.Server", app: "FastAPI", stop: Event) -> None:
        from anyio import to_thread  # noqa: PLC0415 - as uvicorn

        to_thread.current_default_thread_limiter().total_tokens = THREADS
        watcher = asyncio.create_task(self._watch(server, app, stop))
        try:
            await server.serve(sockets=[self._socket])
        finally:
            watcher.cancel()
            self._socket.close()

    @staticmethod
    async def _watch(server: "uvicorn.Server", app: "FastAPI", stop: Event) -> None:
        while not stop.is_set():  # noqa: ASYNC110 - a threading.Event
            await asyncio.sleep(WATCH_S)
        app.state.services.stopping.set()
        server.should_exit = True
