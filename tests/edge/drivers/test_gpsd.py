"""The gpsd driver against a gpsd that plays a script. The real one is in tests/system."""

import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import msgspec
import pytest

from edge.driver import DeviceLost, DeviceRefused
from edge.drivers import gpsd as module
from edge.drivers.gpsd import GpsdDriver, GpsdSettings

Start = Callable[[GpsdDriver], Any]
VERSION = b'{"class":"VERSION","release":"3.25","rev":"3.25","proto_major":3,"proto_minor":15}\r\n'


def tpv(second: int, **rest: Any) -> bytes:
    said = {"class": "TPV", "device": "a", "mode": 3, "lat": 51.0, "lon": 4.0} | rest
    return json.dumps(said | {"time": f"2026-11-26T08:00:{second:02}.000Z"}).encode() + b"\r\n"


class Script:
    """For each connection: the greeting, and once something is asked, what `answers` says; None hangs up."""

    def __init__(self) -> None:
        self.greeting = VERSION
        self.answers: list[bytes | None] = []
        self.asked: list[bytes] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(0.05)
        self.address = "{}:{}".format(*self.listener.getsockname())
        self.over = False
        self.thread = Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        while not self.over:
            with contextlib.suppress(TimeoutError, ConnectionError):
                client, _ = self.listener.accept()
                with client:
                    client.settimeout(5)
                    client.sendall(self.greeting)
                    asked = client.recv(4096)
                    self.asked += [asked] if asked else []
                    self.play(client)

    def play(self, client: socket.socket) -> None:
        for answer in self.answers:
            if answer is None:
                return
            client.sendall(answer)
        while not self.over:
            time.sleep(0.02)

    def close(self) -> None:
        self.over = True
        self.thread.join()
        self.listener.close()


@pytest.fixture
def gpsd() -> Iterator[Script]:
    script = Script()
    yield script
    script.close()


def driver(gpsd: Script, **settings: Any) -> GpsdDriver:
    return GpsdDriver("roof", GpsdSettings(gpsd.address, **({"every_s": 0} | settings)))


def test_fixes_of_a_time_are_one(gpsd: Script, running: Start) -> None:
    gpsd.answers = [b'{"class":"DEVICES","devices":[]}\r\n', tpv(1)[:20], tpv(1)[20:], tpv(1, altMSL=9.0), tpv(2)]
    run = running(driver(gpsd))
    run.until(lambda: len(run.readings) == 2)
    assert [(fix.device, fix.at.second, fix.altitude_m) for fix in run.readings] == [
        ("roof", 1, 9.0),
        ("roof", 2, None),
    ]
    assert (run.answers, run.bad) == (1, [])
    assert gpsd.asked == [b'?WATCH={"class":"WATCH","enable":true,"json":true};\n']


def test_one_receiver_is_asked_for(gpsd: Script, running: Start) -> None:
    gpsd.answers = [tpv(1), tpv(2, device="b")]
    run = running(driver(gpsd, gpsd_device="b"))
    run.until(lambda: len(run.readings) == 1)
    assert json.loads(gpsd.asked[0].partition(b"=")[2].rstrip(b";\n"))["device"] == "b"
    assert run.readings[0].at.second == 2


def test_hostile_lines_are_counted_and_the_next_is_read(gpsd: Script, running: Start) -> None:
    gpsd.answers = [b"{]\n\n", tpv(1, lat=91), b"x" * 3 * module.MAX_LINE_BYTES, b"\n", tpv(3)]
    run = running(driver(gpsd))
    run.until(lambda: len(run.readings) == 1)
    assert run.readings[0].at.second == 3
    assert [why.startswith("gpsd: ") for why in run.bad] == [True] * 3
    assert "a line of at most" in run.bad[2]


def test_no_fix_is_told_twice_over_a_reconnection(gpsd: Script, running: Start) -> None:
    gpsd.answers = [tpv(1), None]
    made = driver(gpsd)
    first = running(made)
    assert "hung up" in str(first.ended())
    gpsd.answers = [tpv(1), tpv(2)]
    second = running(made)
    second.until(lambda: len(second.readings) == 1)
    assert [fix.at.second for fix in (*first.readings, *second.readings)] == [1, 2]


def test_a_receiver_that_was_plugged_in_again_is_heard_by_its_new_name(gpsd: Script, running: Start) -> None:
    gpsd.answers = [tpv(1), None]
    made = driver(gpsd)
    running(made).ended()
    gpsd.answers = [tpv(2, device="b"), tpv(3, device="b")]
    again = running(made)
    again.until(lambda: len(again.readings) == 2)
    assert [fix.at.second for fix in again.readings] == [2, 3]


def test_another_receiver_is_not_this_one(gpsd: Script, running: Start) -> None:
    gpsd.answers = [tpv(1)]
    run = running(driver(gpsd, gpsd_device="b", silent_s=1))
    assert "reports no receiver for 1 s" in str(run.ended())
    assert run.answers == 0


def test_it_stops_before_a_greeting(gpsd: Script, running: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECT_S", 60.0)
    gpsd.greeting = b""
    run = running(driver(gpsd))
    run.stop.set()
    assert run.ended() is None


@pytest.fixture
def impatient(running: Start, monkeypatch: pytest.MonkeyPatch) -> Start:
    monkeypatch.setattr(module, "CONNECT_S", 0.5)
    return running


@pytest.mark.parametrize(
    ("greeting", "kind", "words"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", DeviceLost, "gpsd's greeting expected"),
        (tpv(1), DeviceLost, "gpsd's greeting expected"),
        (VERSION.replace(b'major":3', b'major":2'), DeviceRefused, "its protocol 3 expected, got 2"),
        (b"", DeviceLost, "no greeting within"),
    ],
)
def test_what_is_no_gpsd(gpsd: Script, impatient: Start, greeting: bytes, kind: type[Exception], words: str) -> None:
    gpsd.greeting = greeting
    error = impatient(driver(gpsd)).ended()
    assert type(error) is kind
    assert words in str(error)


def test_an_error_of_gpsd_is_a_refusal(gpsd: Script, running: Start) -> None:
    gpsd.answers = [b'{"class":"ERROR","message":"No such device as /dev/none"}\r\n']
    error = running(driver(gpsd, gpsd_device="/dev/none")).ended()
    assert isinstance(error, DeviceRefused)
    assert "No such device as /dev/none" in str(error)


def test_a_gpsd_without_a_receiver_is_lost(gpsd: Script, running: Start) -> None:
    gpsd.answers = [b'{"class":"DEVICES","devices":[]}\r\n']
    error = running(driver(gpsd, silent_s=1)).ended()
    assert "reports no receiver for 1 s" in str(error)


def test_probe(gpsd: Script) -> None:
    assert driver(gpsd).probe() == f"gpsd 3.25 answers at {gpsd.address}"
    with pytest.raises(DeviceLost, match="connecting to"):
        GpsdDriver("roof", GpsdSettings("127.0.0.1:1")).probe()


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"address": "host:0"}, "address: HOST:PORT"), ({"every_s": -1}, "every_s"), ({"silent_s": 0}, "silent_s")],
)
def test_settings(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=words):
        msgspec.convert(settings, GpsdSettings)
