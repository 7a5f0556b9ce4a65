import asyncio
import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.responses import StreamingResponse

from backend.api import create_app, sse
from backend.api.services import Services
from backend.book import events
from backend.book.db import read, write
from backend.server import THREADS, Server

Listen = Callable[..., Any]
Message = tuple[str, str, str | None]


@pytest.fixture
def server(book: Engine) -> Iterator[tuple[Server, Event]]:
    def put_scan(*_given: object) -> bool:
        return True

    stop = Event()
    app = create_app(Services(book, lambda: time.time_ns() // 1000, put_scan))
    server = Server(lambda: app, "127.0.0.1", 0)
    thread = Thread(target=server.run, args=(stop,))
    thread.start()
    yield server, stop
    stop.set()
    thread.join(5)
    assert not thread.is_alive()


@pytest.fixture
def listen(server: tuple[Server, Event]) -> Iterator[Listen]:
    """Open an event stream; closed at the end of the test."""
    opened: list[http.client.HTTPConnection] = []

    def open_stream(path: str = "/api/v1/events", headers: dict[str, str] | None = None) -> Any:
        opened.append(http.client.HTTPConnection("127.0.0.1", server[0].port, timeout=10))
        opened[-1].request("GET", path, headers=headers or {})
        return opened[-1].getresponse()

    answers: list[Any] = []
    yield lambda *given: answers.append(open_stream(*given)) or answers[-1]
    for one in (*answers, *opened):
        one.close()


def next_message(answer: Any, skip: str = "") -> Message | None:
    fields: dict[str, str] = {}
    while line := answer.readline().decode():
        name, _, value = line.rstrip("\n").partition(": ")
        if name:
            fields[name] = value
        elif "event" in fields and fields["event"] != skip:
            return fields["event"], fields.get("data", ""), fields.get("id")
        else:
            fields = {}
    return None


def is_listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except ConnectionRefusedError:
        return False
    return True


def emit(book: Engine, kind: str, body: dict[str, Any]) -> None:
    with write(book) as tx:
        events.emit(tx, kind, body, 1)


def test_events_arrive_at_once_and_resume_from_any_number(listen: Listen, book: Engine) -> None:
    stream = listen()
    beat = next_message(stream)
    assert beat is not None
    assert beat[0] == "heartbeat"
    assert set(json.loads(beat[1])) == {"at", "committed_at"}
    took: list[float] = []
    n: str | None = None
    for _ in range(3):
        started = time.monotonic()
        emit(book, "crossing", {"text": "a\nb"})
        found = next_message(stream, "heartbeat")
        took.append(time.monotonic() - started)
        assert found is not None
        kind, body, n = found
        assert (kind, json.loads(body)) == ("crossing", {"text": "a\nb"})
    assert sorted(took)[1] < 0.6, "not with the next heartbeat"
    emit(book, "alert", {"k": 2})
    resumed = listen("/api/v1/events", {"Last-Event-ID": str(n)})
    told = next_message(resumed, "heartbeat")
    assert told is not None
    assert (told[0], json.loads(told[1])) == ("alert", {"k": 2})
    behind = listen("/api/v1/events?after=999999999")
    emit(book, "scan", {"k": 3})
    assert (next_message(behind, "heartbeat") or ("",))[0] == "scan"


def test_what_happens_after_the_headers_is_told_however_late_the_body_begins(book: Engine) -> None:
    async def told() -> str:
        services = Services(book, lambda: 1, lambda *_: True)
        answer = await sse.stream(services, None, sse.each)
        assert isinstance(answer, StreamingResponse)
        emit(book, "scan", {"k": 4})
        async for text in answer.body_iterator:
            if "event: scan" in str(text):
                return str(text)
        return ""

    assert '"k":4' in asyncio.run(told())


def test_a_heartbeat_every_two_seconds(listen: Listen) -> None:
    stream = listen()
    times = [time.monotonic() for _ in range(3) if next_message(stream)]
    assert 1.5 < times[1] - times[0] < 3
    assert 1.5 < times[2] - times[1] < 3


def test_it_stops_within_two_seconds_with_streams_open(listen: Listen, server: tuple[Server, Event]) -> None:
    streams = [listen() for _ in range(5)]
    assert all(next_message(stream) for stream in streams)
    started = time.monotonic()
    server[1].set()
    for stream in streams:
        assert next_message(stream, "heartbeat") is None
    while is_listening(server[0].port):
        time.sleep(0.05)
    assert time.monotonic() - started < 2


def test_a_port_in_use_is_an_error_at_once(server: tuple[Server, Event], book: Engine) -> None:
    def put_scan(*_given: object) -> bool:
        return True

    with pytest.raises(OSError, match="in use"):
        Server(lambda: create_app(Services(book, lambda: 0, put_scan)), "127.0.0.1", server[0].port)


def test_too_many_streams_are_refused(listen: Listen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.api.sse.MAX_STREAMS", 1)
    held = listen()
    assert next_message(held)
    assert listen().status == 503


def test_however_many_ask_at_once_the_workers_have_connections_to_the_book(
    server: tuple[Server, Event], book: Engine
) -> None:
    """A request holds a connection while it is answered; the rest wait for a thread, and not the ingest for one."""
    held: list[int] = []

    def slow() -> None:
        with read(book):
            time.sleep(0.3)
            held.append(book.pool.checkedout())  # type: ignore[attr-defined]

    app = server[0]._app
    assert app is not None
    app.add_api_route("/slow", slow)

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server[0].port, timeout=20)
        connection.request("GET", "/slow")
        connection.getresponse().read()
        connection.close()

    asking = [Thread(target=ask) for _ in range(60)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert len(held) == 60
    assert max(held) <= THREADS < 20
