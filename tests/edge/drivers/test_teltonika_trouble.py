"""The tracker listener among poisoned frames, garbage, slow senders and too many connections."""

import logging
import random
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Event, Thread
from typing import Any

import pytest

from edge.drivers import tracker_session
from models.reading import DeviceEvent, Fix
from tests.edge.delivery_site import wait_for
from tests.edge.drivers.tracker_client import IMEI, Site, body, frame, login, packet, record

Start = Callable[..., Site]
NEVER_MS = 2**63


@pytest.fixture
def start() -> Iterator[Start]:
    sites: list[Site] = []

    def make(**settings: Any) -> Site:
        sites.append(Site(**settings))
        return sites[-1].start()

    yield make
    for site in sites:
        site.close()


def events(site: Site) -> list[DeviceEvent]:
    return [each for each in site.readings if isinstance(each, DeviceEvent)]


@pytest.mark.parametrize("data", [b"\x07\x03" + bytes(50) + b"\x03", b"\x8e\x03" + bytes(600) + b"\x04"])
def test_a_frame_that_can_never_be_read_is_kept_and_acknowledged(start: Start, data: bytes) -> None:
    site = start()
    site.hold = True
    tracker = site.tracker()
    tracker.socket.sendall(frame(data))
    wait_for(lambda: len(site.held) == 1)
    assert tracker.is_silent(), "it too is acknowledged only when it is durable"
    site.hold = False
    site.held[0].set_result(None)
    assert tracker.count() == 3, "the number that it claims, so that the tracker goes on"
    assert tracker.send(record()) == 1
    [event] = events(site)
    assert (event.device, event.name) == (f"imei:{IMEI}", "bad_reading")
    assert event.detail is not None
    assert data[:400].hex() in event.detail
    assert len(event.detail) <= 1024
    assert len(site.bad) == 1


def test_one_record_of_an_impossible_time_costs_no_other(start: Start) -> None:
    site = start()
    wrong = record(1, at_ms=NEVER_MS, io={256: bytes(900)})
    assert site.tracker().send(record(0), wrong, record(2)) == 3
    assert [each.lat for each in site.readings if isinstance(each, Fix)] == [51.06, 51.0600002]
    [event] = events(site)
    assert event.detail is not None
    assert "a time before 2200 expected" in event.detail
    assert "lat_e7=510600001" in event.detail, "what it said is kept"
    assert len(event.detail) == 1024, "as much as the wire carries"
    assert len(site.bad) == 1


@pytest.mark.parametrize(
    "broken",
    [
        packet(record())[:-1] + b"\x00",
        packet(record()).replace(b"\x00\xef", b"\x00\xee"),
        b"\x01" + packet(record()),
        bytes(4) + struct.pack("!I", 70_000) + bytes(100),
        login(),
    ],
)
def test_a_frame_that_the_network_broke_is_not_acknowledged_and_is_taken_again(start: Start, broken: bytes) -> None:
    site = start()
    tracker = site.tracker()
    assert tracker.send(record(0)) == 1
    tracker.socket.sendall(broken + packet(record(9)))
    assert tracker.is_hung_up()
    assert site.tracker().send(record(1)) == 1
    assert [each.lat for each in site.readings if isinstance(each, Fix)] == [51.06, 51.0600001]
    assert (len(site.bad), events(site)) == (1, [])
    assert site.bad[0].startswith(f"imei:{IMEI}: frame: ")


@pytest.mark.parametrize("codec", [0x0C, 0x0D])
def test_a_text_is_counted_and_not_answered(start: Start, codec: int) -> None:
    site = start()
    tracker = site.tracker()
    tracker.socket.sendall(frame(bytes([codec]) + bytes.fromhex("010600000003414243") + b"\x01"))
    assert tracker.is_silent()
    assert tracker.send(record()) == 1
    assert site.bad == [f"imei:{IMEI}: codec {codec:#04x}, not records"]


def test_an_empty_frame_is_acknowledged_as_such(start: Start) -> None:
    site = start()
    assert site.tracker().send() == 0
    assert site.readings == []


def test_a_slow_sender_is_read_and_one_that_stops_is_not_waited_for(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = start()
    tracker, sent = site.tracker(), packet(record())
    for byte in sent[:-1]:
        tracker.socket.sendall(bytes([byte]))
        time.sleep(0.002)
    assert tracker.is_silent(0.1)
    tracker.socket.sendall(sent[-1:])
    assert tracker.count() == 1
    monkeypatch.setattr(tracker_session, "FRAME_S", 0.3)
    tracker.socket.sendall(b"\xff\xff" + sent[:20])
    assert tracker.is_hung_up()
    assert site.bad == []


def test_a_connection_without_a_byte_is_closed_and_pings_keep_it(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracker_session, "LOGIN_S", 0.3)
    site = start(idle_s=1.0)
    nobody = site.tracker(imei=None)
    nobody.socket.sendall(b"\x00")
    assert nobody.is_hung_up()
    idle, pinging = site.tracker(), site.tracker("356307042441021")
    started = time.monotonic()
    while time.monotonic() - started < 1.5:
        pinging.socket.sendall(b"\xff")
        time.sleep(0.1)
    assert idle.is_hung_up()
    assert pinging.send(record()) == 1
    wait_for(lambda: site.driver.trackers()["connected"] == 1)


def test_those_that_do_not_log_in_make_room_for_those_that_do(start: Start) -> None:
    site = start(max_connections=3)
    strangers = [site.tracker(imei=None) for _ in range(10)]
    for stranger in strangers[:7]:
        assert stranger.is_hung_up()
    trackers = [site.tracker(f"35630704244{number:04}") for number in range(3)]
    assert all(stranger.is_hung_up() for stranger in strangers)
    assert [tracker.send(record()) for tracker in trackers] == [1, 1, 1]


def test_the_longest_silent_makes_room_for_one_that_comes_back(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    site = start(max_connections=3)
    dead, *alive = [site.tracker(f"35630704244{number:04}") for number in range(3)]
    assert [tracker.send(record()) for tracker in alive] == [1, 1]
    alive.append(site.tracker("356307042449999"))
    assert dead.is_hung_up()
    assert [tracker.send(record()) for tracker in (alive[1], alive[0], alive[2])] == [1, 1, 1]
    assert site.driver.trackers()["connected"] == 3
    for _ in range(20):
        site.tracker(imei=None)
    assert alive[1].is_hung_up(), "the longest silent now"
    assert [tracker.send(record()) for tracker in (alive[0], alive[2])] == [1, 1], "strangers cost no more than one"
    assert [entry.message for entry in caplog.records if entry.levelno >= logging.WARNING] == [
        "3 connections: the longest silent are closed for new ones"
    ]


def test_a_wall_of_slow_logins_holds_up_nobody(start: Start) -> None:
    site = start(max_connections=100)
    for _ in range(300):
        with suppress(ConnectionError):
            site.tracker(imei=None).socket.sendall(b"\x00")
    tracker = site.tracker()
    started = time.monotonic()
    for number in range(50):
        assert tracker.send(record(number)) == 1
    assert time.monotonic() - started < 5


def garble(chance: random.Random) -> bytes:
    """Bytes that begin as a tracker's do and end otherwise, or never were a tracker's."""
    good = bytearray(login(f"35630704{chance.randrange(10**7):07}") + packet(record(), record(1)))
    kind = chance.randrange(5)
    if kind == 0:
        return chance.randbytes(chance.randrange(1, 200))
    if kind == 1:
        return bytes(good[: chance.randrange(1, len(good))])
    if kind == 2:
        return bytes(good[:17]) + chance.randbytes(chance.randrange(1, 400))
    if kind == 3:
        data = bytearray(body([record()]))
        data[chance.randrange(len(data))] = chance.randrange(256)
        return bytes(good[:17]) + frame(bytes(data))
    for _ in range(3):
        good[chance.randrange(len(good))] = chance.randrange(256)
    return bytes(good)


def pour(site: Site, seed: int, done: Event) -> None:
    chance = random.Random(seed)
    for _ in range(150):
        with suppress(OSError), socket.create_connection(("127.0.0.1", site.port), timeout=5) as connection:
            if chance.random() < 0.5:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sendall(garble(chance))
            if chance.random() < 0.5:
                connection.settimeout(0.02)
                connection.recv(100)
    done.set()


def test_a_good_tracker_is_served_amid_garbage(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    site = start()
    good = site.tracker()
    ends = [Event() for _ in range(4)]
    for seed, done in enumerate(ends):
        Thread(target=pour, args=(site, seed, done), daemon=True).start()
    sent = 0
    while sent < 20 or not all(done.is_set() for done in ends):
        assert good.send(record(sent)) == 1
        sent += 1
    mine = [each.lat for each in site.readings if isinstance(each, Fix) and each.device == f"imei:{IMEI}"]
    assert mine == [(510_600_000 + number) / 1e7 for number in range(sent)]
    assert len(site.bad) > 50, "some 300 of the 600; a reset may overtake what was sent"
    wait_for(lambda: site.driver.trackers()["connected"] == 1)
    assert [entry.message for entry in caplog.records if entry.levelno >= logging.ERROR] == []
