"""Real gpsd between our simulated receiver and our driver, by TCP and by gpsfake; and our NMEA driver without it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

import pytest

from edge import supervisor as supervisor_module
from edge.driver import Driver
from edge.drivers.gpsd import GpsdDriver, GpsdSettings
from edge.drivers.nmea import NmeaDriver, NmeaSettings
from edge.supervisor import Supervisor
from models.reading import DeviceEvent, Fix, Reading
from simulators.devices.nmea_codec import Position, burst, told

GPSD, GPSFAKE = shutil.which("gpsd") or shutil.which("/usr/sbin/gpsd"), shutil.which("gpsfake")
MISSED = 20
"""The most fixes of the beginning that may pass before gpsd and the driver are connected and the first one arrives."""
Start = Callable[..., subprocess.Popen[str]]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


class Edge:
    """One driver, run as the gateway runs it; what it put is kept."""

    def __init__(self, driver: Driver) -> None:
        self.lock = Lock()
        self.readings: list[Reading] = []
        self.supervisor = Supervisor({"gps": driver}, self.put)
        self.supervisor.start(lambda: None)

    def put(self, readings: Sequence[Reading]) -> "Future[None]":
        with self.lock:
            self.readings += readings
        done: Future[None] = Future()
        done.set_result(None)
        return done

    @property
    def fixes(self) -> list[Fix]:
        with self.lock:
            return [each for each in self.readings if isinstance(each, Fix)]

    def until(self, true: Callable[[], bool], seconds: float) -> None:
        until = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < until, (self.supervisor.devices(), self.readings[-3:])
            time.sleep(0.02)


@pytest.fixture
def edge(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Driver], Edge]]:
    monkeypatch.setattr(supervisor_module, "FIRST_BACKOFF_S", 0.05)
    monkeypatch.setattr(supervisor_module, "MAX_BACKOFF_S", 0.2)
    made: list[Edge] = []

    def start(driver: Driver) -> Edge:
        made.append(Edge(driver))
        return made[-1]

    yield start
    for each in made:
        assert each.supervisor.stop(5) == []


@pytest.fixture
def run() -> Iterator[Start]:
    """Processes in sessions of their own, so that what gpsfake starts ends with it."""
    started: list[subprocess.Popen[str]] = []

    def start(*command: str | Path, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [str(each) for each in command],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            env=os.environ | environment,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(2)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(5)
        assert process.stdout is not None
        process.stdout.close()


def receiver(run: Start, truth: Path, seconds: float, *options: str) -> tuple[subprocess.Popen[str], str]:
    """Our simulated receiver, five fixes a second, and where it listens."""
    command = [sys.executable, "-m", "simulators", "device", "nmea", "--listen", "127.0.0.1:0", "--rate", "5"]
    process = run(*command, "--for", str(seconds), "--truth", truth, *options)
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())["address"]


def truths(path: Path) -> list[dict[str, Any]]:
    facts = [json.loads(line) for line in path.read_text().splitlines()]
    return [fact | {"at": datetime.fromisoformat(fact["at"])} for fact in facts if fact["kind"] == "fix"]


def same(fix: Fix, true: dict[str, Any]) -> bool:
    """Equal to the last digit that gpsd prints."""
    if not true["valid"]:
        return fix.valid is False and fix.lat is None
    assert None not in {fix.lat, fix.lon, fix.altitude_m, fix.speed_mps}, fix
    return (
        fix.valid is True
        and abs(fix.lat - true["lat"]) < 2e-9  # type: ignore[operator]
        and abs(fix.lon - true["lon"]) < 2e-9  # type: ignore[operator]
        and abs(fix.altitude_m - true["altitude_m"]) < 1e-3  # type: ignore[operator]
        and abs(fix.speed_mps - true["speed_mps"]) < 1e-3  # type: ignore[operator]
    )


def every_fix_once(fixes: Sequence[Fix], true: Sequence[dict[str, Any]]) -> None:
    """From the first that arrived on, of which gpsd may have swallowed a few before anybody listened to it."""
    valid = [fix for fix in fixes if fix.valid]
    expected = {each["at"]: each for each in true if each["valid"]}
    assert len([at for at in expected if at < valid[0].at]) <= MISSED
    expected = {at: each for at, each in expected.items() if at >= valid[0].at}
    assert Counter(fix.at for fix in valid) == Counter(expected.keys())
    assert not [fix for fix in valid if not same(fix, expected[fix.at])]
    assert len(valid) >= 15


@pytest.mark.skipif(GPSD is None, reason="gpsd is not installed")
def test_receiver_to_gpsd_to_driver(run: Start, edge: Callable[[Driver], Edge], tmp_path: Path) -> None:
    truth = tmp_path / "truth"
    simulated, address = receiver(run, truth, 6)
    port = free_port()
    run(GPSD, "-N", "-n", "-b", "-S", str(port), f"tcp://{address}")
    reading = edge(GpsdDriver("gps", GpsdSettings(f"127.0.0.1:{port}", every_s=0)))
    simulated.wait(12)
    last = [each for each in truths(truth) if each["valid"]][-1]["at"]
    reading.until(lambda: any(fix.at == last for fix in reading.fixes), 3)
    every_fix_once(reading.fixes, truths(truth))
    assert all(fix.accuracy_m for fix in reading.fixes if fix.valid)
    skies = {each["at"]: (min(each["satellites"], 12), each["hdop"]) for each in truths(truth) if each["valid"]}
    told_too = [fix for fix in reading.fixes if fix.valid and fix.hdop is not None]
    assert [(fix.satellites, fix.hdop) for fix in told_too] == [skies[fix.at] for fix in told_too]
    assert len(told_too) >= 15


@pytest.mark.skipif(GPSD is None or GPSFAKE is None, reason="gpsd or gpsfake is not installed")
def test_gpsfake_to_driver(run: Start, edge: Callable[[Driver], Edge], tmp_path: Path) -> None:
    start = datetime(2026, 11, 26, 8, tzinfo=UTC)
    made = [
        Position(
            start + timedelta(seconds=n),
            has_fix=True,
            lat=51.06 + n * 1e-5,
            lon=-3.73 - n * 2e-5,
            altitude_m=8.5,
            speed_kmh=36.0,
            course_deg=311.5,
            satellites=9,
            hdop=1.1,
        )
        for n in range(40)
    ]
    log = tmp_path / "receiver.log"
    log.write_text("".join(line for position in made for line in burst(position)), newline="")
    port = free_port()
    run(GPSFAKE, "-1", "-q", "-P", str(port), "-c", "0.02", log, TMPDIR=str(tmp_path))
    reading = edge(GpsdDriver("gps", GpsdSettings(f"127.0.0.1:{port}", every_s=0)))
    reading.until(lambda: any(fix.at == made[-1].at for fix in reading.fixes), 13)
    true = [
        {"at": each.at, "valid": True, "lat": told(each.lat), "lon": told(each.lon), "altitude_m": 8.5, "speed_mps": 10}
        for each in made
    ]
    every_fix_once(reading.fixes, true)


def test_receiver_to_our_own_driver_whatever_happens(
    run: Start, edge: Callable[[Driver], Edge], tmp_path: Path
) -> None:
    faults = ("unplug:0.3@1.5", "garbage@2.2", "no_fix:1@2.5", "half_sentence:0.3@4", "week_back@5")
    options = [part for fault in faults for part in ("--fault", fault)]
    simulated, address = receiver(run, tmp_path / "truth", 6.5, *options)
    reading = edge(NmeaDriver("gps", NmeaSettings(f"tcp://{address}", every_s=0)))
    simulated.wait(12)
    true = truths(tmp_path / "truth")
    reading.until(lambda: any(fix.at == true[-1]["at"] for fix in reading.fixes), 3)
    assert Counter(fix.at for fix in reading.fixes) == Counter(each["at"] for each in true)
    assert not [fix for fix, each in zip(reading.fixes, true, strict=True) if not same(fix, each)]
    assert Counter(fix.valid for fix in reading.fixes)[False] >= 4
    rolled = {fix.at - fix.device_at for fix in reading.fixes if fix.device_at is not None}
    assert rolled == {timedelta(weeks=1024)}
    events = [each.name for each in reading.readings if isinstance(each, DeviceEvent)]
    assert events.count("lost") >= 2
    assert "bad_frames" in events
