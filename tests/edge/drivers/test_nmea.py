"""The NMEA driver on real sockets and a real pty."""

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from edge.driver import DeviceLost, DeviceRefused
from edge.drivers import nmea as module
from edge.drivers.nmea import NmeaDriver, NmeaSettings
from tests.edge.drivers.nmea_lines import GGA, RMC, line, lines
from tests.edge.drivers.scanner_port import Port

Start = Callable[[NmeaDriver], Any]
NEXT = RMC.replace("081836.75", "081837.75")


class Server:
    """A receiver behind a TCP port."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(5)
        self.source = "tcp://{}:{}".format(*self.listener.getsockname())
        self.clients: list[socket.socket] = []

    def accept(self) -> socket.socket:
        client, _ = self.listener.accept()
        self.clients.append(client)
        return client

    def close(self) -> None:
        for each in (*self.clients, self.listener):
            each.close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def driver(source: str, **settings: Any) -> NmeaDriver:
    return NmeaDriver("yard-gps", NmeaSettings(source, **({"every_s": 0} | settings)))


def test_a_port_that_another_program_has_is_a_refusal() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(DeviceRefused, match="Address already in use"):
            driver("udp://{}:{}".format(*taken.getsockname())).probe()
    with pytest.raises(DeviceLost) as lost:
        driver("tcp://127.0.0.1:1").probe()
    assert not isinstance(lost.value, DeviceRefused)


def test_fixes_over_tcp(server: Server, running: Start) -> None:
    run = running(driver(server.source))
    client = server.accept()
    assert run.answers == 0
    client.sendall(lines(RMC, GGA, NEXT))
    run.until(lambda: len(run.readings) == 2)
    first, second = run.readings
    assert (first.device, first.satellites, first.valid, second.satellites) == ("yard-gps", 8, True, None)
    assert (second.at - first.at).total_seconds() == 1
    assert (run.answers, run.bad) == (1, [])


def test_a_fix_is_complete_when_the_receiver_rests(server: Server, running: Start) -> None:
    run = running(driver(server.source))
    client = server.accept()
    client.sendall(lines(RMC))
    run.until(lambda: len(run.readings) == 1)
    client.sendall(lines(GGA))
    time.sleep(2.5 * module.QUIET_S)
    assert len(run.readings) == 1


def test_bad_sentences_are_counted_and_the_next_is_read(server: Server, running: Start) -> None:
    run = running(driver(server.source))
    client = server.accept()
    client.sendall(line(RMC) + b"\r\n" + line(GGA)[:-1] + b"\r\n$GPRMC,half" + lines(NEXT))
    run.until(lambda: len(run.readings) == 2)
    assert [why.partition(":")[0] for why in run.bad] == ["checksum", "sentence"]


def test_a_checksum_may_be_optional(server: Server, running: Start) -> None:
    run = running(driver(server.source, checksum="optional"))
    server.accept().sendall(line(RMC)[:-3] + b"\r\n")
    run.until(lambda: len(run.readings) == 1)
    assert run.bad == []


def test_the_end_of_the_connection_tells_what_was_held_and_is_a_loss(server: Server, running: Start) -> None:
    held = driver(server.source)
    run = running(held)
    client = server.accept()
    client.sendall(lines(RMC))
    run.until(lambda: run.answers == 1)
    client.close()
    assert isinstance(run.ended(), DeviceLost)
    assert len(run.readings) == 1
    again = running(held)
    server.accept().sendall(lines(GGA, NEXT))
    again.until(lambda: len(again.readings) == 1)
    assert (again.readings[0].at - run.readings[0].at).total_seconds() == 1, "told again after the reconnection"


@pytest.mark.parametrize(("said", "words"), [(b"", "nothing for 1 s"), (b"\x80\xff\n" * 9, "is the baud rate right")])
def test_silence_and_noise_are_losses(server: Server, running: Start, said: bytes, words: str) -> None:
    run = running(driver(server.source, silent_s=1))
    client = server.accept()
    until = time.monotonic() + 5
    while run._thread.is_alive() and time.monotonic() < until:
        client.sendall(said)
        time.sleep(0.05)
    assert words in str(run.ended())
    assert run.answers == 0


def test_datagrams(running: Start) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind(("127.0.0.1", 0))
        port = sender.getsockname()[1]
    run = running(driver(f"udp://127.0.0.1:{port}"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", port))
        until = time.monotonic() + 5
        while not run.answers and time.monotonic() < until:
            try:
                sender.send(line(RMC))
                sender.send(lines(GGA).rstrip())
            except ConnectionRefusedError:
                pass
            time.sleep(0.05)
        run.until(lambda: len(run.readings) == 1)
    assert (run.readings[0].satellites, run.readings[0].speed_mps is None) == (8, False)


def test_a_serial_port(running: Start) -> None:
    port = Port()
    run = running(driver(f"serial://{port.name}?baudrate=9600"))
    until = time.monotonic() + 5
    while not run.answers and time.monotonic() < until:
        port.send(lines(RMC))
        time.sleep(0.05)
    run.until(lambda: len(run.readings) == 1)
    port.unplug()
    assert isinstance(run.ended(), DeviceLost)


@pytest.mark.parametrize(
    "source", ["tcp://127.0.0.1:1", "tcp://host.invalid:1", "udp://192.0.2.1:1", "serial:///dev/none"]
)
def test_what_cannot_be_opened_is_lost_and_named(source: str, running: Start) -> None:
    error = running(driver(source)).ended()
    assert isinstance(error, DeviceLost)
    assert str(error)
    with pytest.raises(DeviceLost):
        driver(source).probe()


def test_thinning_keeps_changes(server: Server, running: Start) -> None:
    run = running(driver(server.source, every_s=1))
    bodies = [
        RMC.replace("36.75", f"{36 + n / 10:04.1f}").replace(",A,", ",V," if n == 5 else ",A,") for n in range(20)
    ]
    server.accept().sendall(lines(*bodies))
    run.until(lambda: len(run.readings) == 4)
    time.sleep(2 * module.QUIET_S)
    tenths = [fix.at.second * 10 + fix.at.microsecond // 100_000 if fix.valid else None for fix in run.readings]
    assert tenths == [360, None, 366, 375]


def test_probe(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.listener.listen()
    silent = driver(server.source)
    monkeypatch.setattr(module, "_PROBE_S", 0.3)
    with pytest.raises(DeviceLost, match="nothing is said"):
        silent.probe()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"source": "ttyUSB0"}, "source: tcp://"),
        ({"source": "tcp://a:1", "checksum": "no"}, "checksum"),
        ({"source": "tcp://a:1", "every_s": -1}, "every_s"),
        ({"source": "tcp://a:1", "silent_s": 0}, "silent_s"),
        ({"source": "tcp://a:1", "baudrate": 9600}, "baudrate"),
    ],
)
def test_settings(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=words):
        msgspec.convert(settings, NmeaSettings)
