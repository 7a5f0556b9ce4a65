"""The fault proxy between two sockets of the test's own."""

import socket
import time
from collections.abc import Iterator
from threading import Event

import pytest

from simulators.torture.proxy import FAIR, FaultProxy, Weather

CONNECT, PUBLISH, ACK = bytes.fromhex("1000"), bytes.fromhex("3205000178 0001"), bytes.fromhex("40020001")


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(5)
        yield listening


@pytest.fixture
def proxy(server: socket.socket) -> Iterator[FaultProxy]:
    proxy = FaultProxy(("127.0.0.1", 0), server.getsockname(), 1, mqtt=True)
    proxy.start()
    yield proxy
    proxy.stop()


@pytest.fixture
def ends(proxy: FaultProxy, server: socket.socket) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A client's socket and the one that the server has for it."""
    with socket.create_connection(proxy.listen, timeout=5) as client:
        client.sendall(CONNECT)
        there, _ = server.accept()
        with there:
            there.settimeout(5)
            assert there.recv(100) == CONNECT
            yield client, there


def exactly(end: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = end.recv(size - len(data))
        assert more, f"closed after {data!r}"
        data += more
    return data


def is_silent(end: socket.socket, seconds: float = 0.3) -> bool:
    end.settimeout(seconds)
    try:
        return not end.recv(1)
    except TimeoutError:
        return True
    finally:
        end.settimeout(5)


def test_fair_weather_carries_both_ways_and_an_end(ends: tuple[socket.socket, socket.socket]) -> None:
    client, there = ends
    there.sendall(ACK)
    assert exactly(client, len(ACK)) == ACK
    client.shutdown(socket.SHUT_RDWR)
    with pytest.raises(ConnectionResetError):
        there.recv(1)


def test_a_hole_keeps_everything_back_until_it_is_filled(
    proxy: FaultProxy, ends: tuple[socket.socket, socket.socket]
) -> None:
    client, there = ends
    proxy.set(Weather(hole=True))
    client.sendall(PUBLISH)
    assert is_silent(there)
    proxy.set(FAIR)
    assert exactly(there, len(PUBLISH)) == PUBLISH


def test_half_open_is_heard_of_by_who_sends_again_and_what_was_sent_is_lost(
    proxy: FaultProxy, ends: tuple[socket.socket, socket.socket]
) -> None:
    client, there = ends
    proxy.half_open()
    proxy.set(Weather(hole=True))
    client.sendall(PUBLISH)
    assert is_silent(there)
    assert is_silent(client)
    proxy.set(FAIR)
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    assert is_silent(there)
    there.sendall(ACK)
    with pytest.raises(ConnectionResetError):
        there.recv(1)


def test_half_open_is_not_heard_of_by_who_is_silent(
    proxy: FaultProxy, ends: tuple[socket.socket, socket.socket]
) -> None:
    client, there = ends
    proxy.half_open()
    client.close()
    assert is_silent(there)
    there.sendall(ACK)
    with pytest.raises(ConnectionResetError):
        there.recv(1)


def test_a_half_open_connection_is_ended_by_a_cut(proxy: FaultProxy, ends: tuple[socket.socket, socket.socket]) -> None:
    proxy.half_open()
    proxy.cut()
    for end in ends:
        with pytest.raises(ConnectionResetError):
            end.recv(1)


def test_a_cut_resets_both_and_takes_new_connections(
    proxy: FaultProxy, server: socket.socket, ends: tuple[socket.socket, socket.socket]
) -> None:
    proxy.cut()
    for end in ends:
        with pytest.raises(ConnectionResetError):
            end.recv(1)
    with socket.create_connection(proxy.listen, timeout=5):
        again, _ = server.accept()
        again.close()
        until = time.monotonic() + 5
        while proxy.connections < 2 and time.monotonic() < until:
            time.sleep(0.01)
    assert proxy.connections == 2


def test_publish_packets_come_twice_and_nothing_else(
    proxy: FaultProxy, ends: tuple[socket.socket, socket.socket]
) -> None:
    client, there = ends
    proxy.set(Weather(doubled_share=1.0))
    client.sendall(PUBLISH + ACK)
    came = exactly(there, 2 * len(PUBLISH) + len(ACK))
    assert came.startswith(PUBLISH)
    assert came.endswith(PUBLISH[1:] + ACK)
    assert proxy.doubled == 1


def test_slices_and_delay_change_no_byte(proxy: FaultProxy, ends: tuple[socket.socket, socket.socket]) -> None:
    client, there = ends
    proxy.set(Weather(delay_s=0.2, sliced=True))
    long = bytes.fromhex("3290 4e".replace(" ", "")) + bytes(range(256)) * 39 + bytes(16)
    begun = time.monotonic()
    client.sendall(long)
    assert exactly(there, len(long)) == long
    assert time.monotonic() - begun >= 0.1
    assert proxy.bytes_carried == len(CONNECT) + len(long)


def test_what_is_to_happen_after_an_acknowledgement_happens_once(
    proxy: FaultProxy, ends: tuple[socket.socket, socket.socket]
) -> None:
    client, there = ends
    acknowledged = Event()
    times: list[int] = []

    def note() -> None:
        times.append(1)
        acknowledged.set()

    proxy.after_puback(note)
    client.sendall(PUBLISH)
    assert not acknowledged.wait(0.2)
    there.sendall(ACK + ACK)
    assert acknowledged.wait(5)
    there.sendall(ACK)
    assert exactly(client, 3 * len(ACK)) == 3 * ACK
    assert times == [1]


def test_nobody_listens_behind_it(server: socket.socket, proxy: FaultProxy) -> None:
    server.close()
    with pytest.raises(ConnectionResetError), socket.create_connection(proxy.listen, timeout=5) as client:
        client.recv(1)
