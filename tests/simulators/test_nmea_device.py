"""The simulated receiver as a device and as a command: what it says, to whom, and what can go wrong with it."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
import serial

from simulators.devices.nmea import BARE, FixTruth, Receiver, faults_of_receiver, play_fixes
from simulators.devices.nmea_codec import Position, burst
from simulators.devices.scanner import PtyScanner
from simulators.devices.scanner_tcp import TcpScanner

AT = datetime(2026, 11, 26, 8, tzinfo=UTC)


def position(second: int) -> Position:
    return Position(
        AT + timedelta(seconds=second),
        has_fix=True,
        lat=51.06,
        lon=3.73,
        altitude_m=8.0,
        speed_kmh=3.6,
        course_deg=90.0,
        satellites=9,
        hdop=1.0,
    )


class Device:
    """A receiver, its truth, and somebody who listens."""

    def __init__(self) -> None:
        self.line = TcpScanner(("127.0.0.1", 0), BARE)
        self.receiver = Receiver(self.line)
        self.receiver.start()
        self.file = StringIO()
        self.truth = FixTruth(self.file)

    def listen(self) -> socket.socket:
        client = socket.create_connection(self.line.address, timeout=5)
        wait(lambda: self.receiver.connected)
        return client

    def facts(self) -> list[dict[str, object]]:
        return [json.loads(each) for each in self.file.getvalue().splitlines()]


def wait(true: Callable[[], bool], seconds: float = 5) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


def heard(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := client.recv(4096)):
        data += more
    return data


@pytest.fixture
def device() -> Iterator[Device]:
    made = Device()
    yield made
    made.receiver.stop()


def whole(of: Position) -> bytes:
    return "".join(burst(of)).encode()


def test_what_nobody_listens_to_is_not_in_the_truth(device: Device) -> None:
    device.receiver.tell(position(0), device.truth)
    with device.listen() as client:
        device.receiver.tell(position(1), device.truth)
        assert heard(client, len(whole(position(1)))) == whole(position(1))
    assert device.facts() == [
        {
            "kind": "fix",
            "at": "2026-11-26T08:00:01Z",
            "valid": True,
            "lat": 51.06,
            "lon": 3.73,
            "altitude_m": 8.0,
            "speed_mps": 1.0,
            "course_deg": 90.0,
            "satellites": 9,
            "hdop": 1.0,
        }
    ]


def test_faults(device: Device) -> None:
    kinds = faults_of_receiver(device.receiver, device.line)
    with device.listen() as client:
        kinds["no_fix"].act(60)
        device.receiver.tell(position(0), device.truth)
        assert heard(client, 10).startswith(b"$GPRMC,080000.000,V,,,,,,,261126")
        kinds["no_fix"].act(0)
        kinds["week_back"].act(0)
        device.receiver.tell(position(1), device.truth)
        assert b",120407,,,A*" in heard(client, 10)
        kinds["half_sentence"].act(60)
        device.receiver.tell(position(2), device.truth)
        rest = heard(client, 9999)
        assert rest == whole(position(2)).replace(b"261126", b"120407")[: len(rest)]
        assert 0 < len(rest) < 80
    assert [(fact["at"], fact["valid"]) for fact in device.facts()] == [
        ("2026-11-26T08:00:00Z", False),
        ("2026-11-26T08:00:01Z", True),
    ]


def test_fixes_are_at_whole_multiples_of_the_interval(device: Device) -> None:
    until = time.monotonic() + 0.7
    with device.listen():
        made = play_fixes(device.receiver, 1, 20, device.truth, lambda s: time.sleep(s) or time.monotonic() > until)  # type: ignore[func-returns-value]
    times = [datetime.fromisoformat(str(fact["at"])) for fact in device.facts()]
    assert len(times) == made >= 5
    assert all(at.microsecond % 50_000 == 0 for at in times)
    assert times == sorted(set(times))


def test_a_serial_port(tmp_path: Path) -> None:
    receiver = Receiver(PtyScanner(tmp_path / "gps", BARE))
    receiver.start()
    try:
        with serial.Serial(str(tmp_path / "gps"), timeout=2) as port:
            wait(lambda: receiver.connected)
            receiver.tell(position(0), FixTruth(None))
            assert port.read_until(b"\r\n") == burst(position(0))[0].encode()
    finally:
        receiver.stop()


def command(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "simulators", "device", "nmea", *options],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_the_command_says_where_it_listens_and_what_it_told(tmp_path: Path) -> None:
    done = command(
        "--listen", "127.0.0.1:0", "--for", "0.3", "--fault", "garbage@0.1", "--truth", str(tmp_path / "t"), "--json"
    )
    ready, summary = (json.loads(each) for each in done.stdout.splitlines())
    assert ready["ready"] == "nmea"
    assert ready["address"].startswith("127.0.0.1:")
    assert summary == {"device": "nmea", "offered": summary["offered"], "told": 0}
    assert json.loads((tmp_path / "t").read_text())["name"] == "garbage"


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        ([], 2, "one of --listen and --pty expected"),
        (["--listen", "nowhere"], 2, "expected HOST:PORT"),
        (["--listen", "127.0.0.1:0", "--fault", "fire@1"], 2, "NAME[:VALUE]@SECONDS"),
        (["--listen", "192.0.2.1:1"], 4, "--listen 192.0.2.1:1"),
    ],
)
def test_what_the_command_refuses(options: list[str], status: int, words: str) -> None:
    done = command(*options)
    assert (done.returncode, words in done.stderr.replace("\n", " ")) == (status, True), done.stderr
