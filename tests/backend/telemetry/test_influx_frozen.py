"""An InfluxDB that takes requests and answers none: nobody waits long for it, and after the first nobody at all."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from threading import Event, Thread

import msgspec
import pytest

from backend.api import create_app
from backend.api.services import Services
from backend.server import THREADS, Server
from backend.telemetry import influx_http
from backend.telemetry.influx_breaker import Breaker
from simulators.torture.parts import wait_for
from tests.backend.telemetry.followed_site import Site, readings
from tests.backend.telemetry.influx_stores import store_on
from tests.servers import influx

READ_S, PAUSE_S = 0.8, 2.0
Answer = tuple[int, str, float]
"""Status, type of the problem, seconds that it took."""


def test_one_at_a_time_sees_whether_it_answers_again() -> None:
    now = [100.0]
    breaker = Breaker(3.0, lambda: now[0])
    assert [breaker.lets_through() for _ in range(3)] == [True, True, True]
    breaker.timed_out()
    assert not breaker.lets_through()
    now[0] += 3.0
    assert [breaker.lets_through() for _ in range(3)] == [True, False, False]
    breaker.timed_out()
    now[0] += 2.9
    assert not breaker.lets_through()
    now[0] += 0.1
    assert breaker.lets_through()
    breaker.answered()
    assert [breaker.lets_through() for _ in range(2)] == [True, True]


def _put_scan(*_given: object) -> bool:
    return True


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[influx.InfluxServer, int]]:
    """A server of InfluxDB, and the port of an API that reads from it."""
    monkeypatch.setattr(influx_http, "PAUSE_S", PAUSE_S)
    with influx.on_loopback() as own:
        site = Site(tmp_path / "book.db", store_on(own, limits=(5.0, 30.0, READ_S)))
        site.journal("0" * 12, readings(10))
        site.digest()
        services = Services(site.book, lambda: time.time_ns() // 1000, _put_scan, telemetry=site.store)
        server, stop = Server(partial(create_app, services), "127.0.0.1", 0), Event()
        thread = Thread(target=server.run, args=(stop,))
        thread.start()
        yield own, server.port
        stop.set()
        thread.join(10)
        assert not thread.is_alive()
        site.close()


def _get(port: int, path: str) -> Answer:
    began = time.monotonic()
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", f"/api/v1/{path}")
    answer = connection.getresponse()
    body = msgspec.json.decode(answer.read(), type=dict[str, object])
    connection.close()
    return answer.status, str(body.get("type", "")), time.monotonic() - began


def _many(port: int) -> list[Answer]:
    with ThreadPoolExecutor(THREADS) as pool:
        return [*pool.map(_get, [port] * THREADS, ["fleet/positions"] * THREADS)]


def test_pages_fail_fast_while_the_server_is_stopped(
    served: tuple[influx.InfluxServer, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, port = served
    assert {status for status, _, _ in _many(port)} == {200}
    asked: list[object] = []
    query = influx_http.Connection.query

    def told(connection: influx_http.Connection, statements: Sequence[str], patience: tuple[int, int]) -> bytes:
        asked.append(statements)
        return query(connection, statements, patience)

    monkeypatch.setattr(influx_http.Connection, "query", told)
    server.pause()
    away = (503, "urn:stockyard:problem:unavailable")
    first = _many(port)
    assert {each[:2] for each in first} == {away}
    assert max(took for *_, took in first) < READ_S + 3.0, "30 s are waited for what is written"
    asked.clear()
    began = time.monotonic()
    again = [each for _ in range(3) for each in _many(port)]
    assert {each[:2] for each in again} == {away}
    assert len(asked) <= (time.monotonic() - began) // PAUSE_S + 1, "one goes and sees, the others do not wait"
    assert sorted(took for *_, took in again)[len(again) // 2] < READ_S / 2
    assert _get(port, "gateways")[0] == 200
    server.resume()
    wait_for("it to be read again", lambda: _get(port, "fleet/positions")[0] == 200, 20)
