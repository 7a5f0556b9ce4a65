"""Readers found on loopback addresses: free, busy, silent, and what is none; every reader is left as it was."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import IO, Any

import pytest
from typer.testing import CliRunner, Result

from edge import discover as discovery
from edge.cli import app
from edge.discover import MAX_ADDRESSES, Found, addresses, ask, in_order, search
from simulators.devices.llrp import LlrpReader

FREE: dict[str, Any] = {
    "state": "free",
    "name": "02:53:59:ff:fe:00:00:01",
    "make": "enterprise 4294967295",
    "model": 1,
    "firmware": "stockyard 1",
    "antennas": 4,
}
GREETING = bytes.fromhex("043f 00000020 00000001 00f60016 0080000c0000000000000001 010000060000")


def discover(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["discover", *arguments], env={"COLUMNS": "160"})


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "GREETING_S", 0.3)
    monkeypatch.setattr(discovery, "ANSWER_S", 0.6)


@dataclass
class Site:
    """Where its readers listen; a line of `hung` for each client of the one that hangs."""

    port: int
    hung: IO[bytes]


@pytest.fixture
def site() -> Iterator[Site]:
    """On one port: 127.0.0.2 a reader, .3 a reader with a client, .4 a reader that hangs, .5 a web server."""
    with ExitStack() as stack:
        free = LlrpReader(("127.0.0.2", 0))
        free.start()
        stack.callback(free.stop)
        port = free.address[1]
        busy = LlrpReader(("127.0.0.3", port), is_impinj=True)
        busy.start()
        stack.callback(busy.stop)
        client = stack.enter_context(socket.create_connection(busy.address))
        assert client.recv(100)
        hangs = stack.enter_context(speaking("127.0.0.4", port, GREETING))
        stack.enter_context(speaking("127.0.0.5", port, b"HTTP/1.1 400 Bad Request\r\n\r\n"))
        yield Site(port, hangs)


@contextmanager
def speaking(host: str, port: int, words: bytes) -> Iterator[IO[bytes]]:
    """What says these words to whoever connects, and then nothing; a line for each of them."""
    script = f"""
import socket, time
family = socket.AF_INET6 if ':' in {host!r} else socket.AF_INET
server = socket.create_server(({host!r}, {port}), family=family)
print(flush=True)
kept = []
while True:
    kept.append(server.accept()[0])
    kept[-1].sendall({words!r})
    print(flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    try:
        yield process.stdout
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()


def test_a_subnet_is_asked_and_left_as_it_was(site: Site) -> None:
    expected = [
        {"address": "127.0.0.2", "port": site.port, **FREE},
        {"address": "127.0.0.3", "port": site.port, "state": "busy"},
        {"address": "127.0.0.4", "port": site.port, "state": "silent"},
    ]
    for _ in range(2):  # a reader that was asked takes its next client
        done = discover("127.0.0.0/29", "--port", str(site.port), "--json")
        assert done.exit_code == 0, done.output
        found = json.loads(done.stdout)
        assert (found["subnet"], found["addresses"], found["asked"]) == ("127.0.0.0/29", 6, 6)
        assert found["readers"] == expected
    table = discover("127.0.0.0/29", "--port", str(site.port)).stdout
    assert f"127.0.0.2:{site.port}" in table
    assert "stockyard 1" in table


def test_one_address() -> None:
    reader = LlrpReader(("127.0.0.1", 0))
    reader.start()
    port = reader.address[1]
    try:
        assert ask("127.0.0.1", port, Event()) == Found("127.0.0.1", port, **FREE)
        assert list(search(["127.0.0.1"], port, Event())) == [Found("127.0.0.1", port, **FREE)]
    finally:
        reader.stop()


def test_one_address_of_ipv6() -> None:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
            port = server.getsockname()[1]
    except OSError:
        pytest.skip("no ::1 on this machine")
    with speaking("::1", port, GREETING):
        assert ask("::1", port, Event()) == Found("::1", port, "silent")


def test_an_impinj_reader_is_named(site: Site) -> None:
    reader = LlrpReader(("127.0.0.6", site.port), is_impinj=True)
    reader.start()
    try:
        found = ask("127.0.0.6", site.port, Event())
    finally:
        reader.stop()
    assert found is not None
    assert (found.make, found.state) == ("Impinj", "free")


@pytest.mark.parametrize(
    ("subnet", "count"),
    [
        ("192.0.2.7", 1),
        ("192.0.2.7/24", 254),
        ("192.0.2.0/31", 2),
        ("10.0.0.0/20", MAX_ADDRESSES - 2),
        ("2001:db8::/120", 255),
        ("2001:db8::/116", MAX_ADDRESSES - 1),
    ],
)
def test_how_many_addresses_a_subnet_has(subnet: str, count: int) -> None:
    assert len(addresses(subnet)) == count


@pytest.mark.parametrize(
    ("subnet", "words"),
    [
        ("dock", "an address or a network like 192.0.2.0/24 expected, got 'dock'"),
        ("10.0.0.0/33", "an address or a network"),
        ("10.0.0.0/19", "at most 4096 addresses expected, /20 or longer, got 10.0.0.0/19 with 8192"),
        ("2001:db8::/64", "at most 4096 addresses expected, /116 or longer"),
    ],
)
def test_a_subnet_that_is_none_or_too_large_is_refused(subnet: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        addresses(subnet)


def test_a_wrong_subnet_is_exit_2() -> None:
    done = discover("10.0.0.0/8")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "at most 4096 addresses expected" in " ".join(done.stderr.replace("│", "").split())


def test_ctrl_c_prints_what_was_found_so_far(site: Site, tmp_path: Path) -> None:
    """127.0.0.4 is asked until it times out: before that, the others are known."""
    with (tmp_path / "out").open("w") as out, (tmp_path / "err").open("w") as err:
        command = [sys.executable, "-u", "-m", "edge", "discover", "127.0.0.0/29", "--port", str(site.port), "--json"]
        process = subprocess.Popen(command, stdout=out, stderr=err)
        site.hung.readline()
        time.sleep(0.7)  # the greeting of what is no reader, and the answer of what hangs, are waited for 2 s
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(20) == 0
    found = json.loads((tmp_path / "out").read_text())
    assert "stopped: " in (tmp_path / "err").read_text()
    assert found["asked"] < found["addresses"]
    assert {each["address"] for each in found["readers"]} == {"127.0.0.2", "127.0.0.3"}


def test_readers_are_in_the_order_of_their_addresses() -> None:
    found = [Found(address, 5084, "busy") for address in ("10.0.0.10", "10.0.0.9", "10.0.0.100")]
    assert [each.address for each in in_order(found)] == ["10.0.0.9", "10.0.0.10", "10.0.0.100"]


def test_nothing_found_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    done = discover("127.0.0.1", "--port", str(port))
    assert (done.exit_code, done.stdout) == (0, f"no LLRP reader answers on port {port} at 1 addresses\n")


def test_a_running_gateway_does_not_load_what_shows_it() -> None:
    code = "import sys, edge.gateway, edge.discover; print('rich' in sys.modules)"
    done: Any = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"
