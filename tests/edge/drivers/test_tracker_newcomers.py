"""Newcomers: how many are accepted at once, what of theirs is kept in memory, and who makes room for them."""

import asyncio
import contextlib
import logging
import select
import socket
import subprocess
import sys
from collections.abc import Coroutine
from typing import Any

import pytest

from edge.drivers.tracker_newcomers import Connections, listening
from edge.drivers.tracker_tasks import Tasks
from tests.edge.delivery_site import free_port, wait_for

LIMIT, NEWCOMERS = 356, 600
SERVER = f"""
import os, resource, sys
from concurrent.futures import Future
from threading import Event, Thread
from edge.drivers.teltonika_conversation import TeltonikaConversation
from edge.drivers.tracker_driver import TrackerDriver
from edge.drivers.tracker_port import Listening

resource.setrlimit(resource.RLIMIT_NOFILE, ({LIMIT}, {LIMIT}))
most, all_wait = [], Event()

class Nobody:
    def reading(self): pass
    def bad_frame(self, why): pass

def talk():
    if not all_wait.is_set():
        sys.stdin.readline()  # the event loop stands still until all have knocked
        all_wait.set()
    most.append(len(os.listdir("/proc/self/fd")))
    return TeltonikaConversation({{}})

driver = TrackerDriver(Listening(sys.argv[1], max_connections=2000), talk)
Thread(target=driver.run, args=(lambda said: Future(), Nobody(), Event()), daemon=True).start()
all_wait.wait()
sys.stdin.readline()
print(max(most), len(most), flush=True)
os._exit(0)
"""


def knock(port: int) -> socket.socket | None:
    with contextlib.suppress(ConnectionError):
        return socket.create_connection(("127.0.0.1", port), timeout=5)
    return None


def is_hung_up(each: socket.socket) -> bool:
    try:
        return bool(select.select([each], [], [], 0)[0]) and each.recv(1) == b""
    except ConnectionError:
        return True


def test_more_newcomers_at_once_than_files_leave_files_for_others() -> None:
    port, stack = free_port(), contextlib.ExitStack()
    command = [sys.executable, "-c", SERVER, f"127.0.0.1:{port}"]
    with stack, subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        stack.callback(server.kill)
        assert server.stdin is not None
        knocks: list[socket.socket] = []
        wait_for(lambda: knocks.extend(each for each in [knock(port)] if each) or knocks)
        for _ in range(NEWCOMERS):
            knocks.append(stack.enter_context(socket.socket()))
            knocks[-1].settimeout(0)
            knocks[-1].connect_ex(("127.0.0.1", port))
        stack.enter_context(knocks[0])
        server.stdin.write("\n")
        server.stdin.flush()
        left = set(knocks)

        def most_are_closed() -> bool:
            left.difference_update([each for each in left if is_hung_up(each)])
            return len(left) <= LIMIT

        wait_for(most_are_closed, 20)
        output, _ = server.communicate("\n", timeout=10)
    open_files, served = (int(text) for text in output.split())
    assert served > NEWCOMERS - LIMIT
    assert LIMIT - open_files > 100


def served(host: str, body: Any) -> None:
    """Run `body(port, readers)` while newcomers of that host wait to be read."""
    readers: list[asyncio.StreamReader] = []

    async def main() -> None:
        over = asyncio.Event()

        async def live(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            readers.append(reader)
            await over.wait()
            writer.close()

        port = free_port()
        async with listening(live, Tasks("a connection"), host, port):
            work: Coroutine[Any, Any, None] = body(port, readers)
            await work
            over.set()
            await asyncio.sleep(0.01)

    asyncio.run(main())


def test_what_a_peer_sends_ahead_waits_in_the_network() -> None:
    async def body(port: int, readers: list[asyncio.StreamReader]) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(50):
            writer.write(bytes(4096))
            await asyncio.sleep(0.002)
        assert 0 < len(readers[0]._buffer) <= 4 * 4096  # type: ignore[attr-defined]
        writer.transport.abort()

    served("127.0.0.1", body)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_newcomers_come_by_either_kind_of_address(host: str) -> None:
    async def body(port: int, readers: list[asyncio.StreamReader]) -> None:
        for _ in range(40):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
        async with asyncio.timeout(5):
            while len(readers) < 40:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)

    try:
        socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError:
        pytest.skip("this machine has no such address")
    served(host, body)


class Peer:
    def __init__(self, name: str) -> None:
        self.name, self.closed = name, False

    def hang_up(self) -> None:
        self.closed = True


def test_who_makes_room(caplog: pytest.LogCaptureFixture) -> None:
    a, b, c, d, e, f = peers = [Peer(name) for name in "abcdef"]
    connections = Connections[Peer](3)

    def closed_for(newcomer: Peer) -> str:
        before = [each for each in peers if not each.closed]
        connections.enter(newcomer)
        return "".join(each.name for each in before if each.closed)

    assert [closed_for(each) for each in (a, b, c)] == ["", "", ""]
    connections.welcome(a)
    connections.heard(b)
    assert closed_for(d) == "c", "the stranger that waits longest"
    connections.welcome(b)
    connections.welcome(d)
    connections.heard(a)
    assert caplog.records == []
    assert closed_for(e) == "b", "no stranger: the longest silent"
    connections.welcome(e)
    for gone in (b, c):
        connections.heard(gone)
        connections.welcome(gone)
        connections.leave(gone)
    assert closed_for(f) == "d"
    connections.leave(a)
    assert closed_for(a) == ""
    assert [(each.levelno, each.message) for each in caplog.records] == [
        (logging.WARNING, "3 connections: the longest silent are closed for new ones")
    ]
