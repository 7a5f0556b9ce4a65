"""The GT06 driver on a real socket: nothing is acknowledged that is not durable, and nobody is let in who may not."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec import ValidationError, convert

from edge.drivers.gt06 import Gt06Driver, Gt06Settings
from edge.drivers.tracker_port import TrackerPort
from models.reading import DeviceEvent, Fix
from tests.edge.delivery_site import free_port, wait_for
from tests.edge.drivers.gt06_client import IMEI, Gt06Site, location, login, packet

Start = Callable[..., Gt06Site]


@pytest.fixture
def start() -> Iterator[Start]:
    sites: list[Gt06Site] = []

    def make(**settings: Any) -> Gt06Site:
        sites.append(Gt06Site(**settings))
        sites[-1].start()
        return sites[-1]

    yield make
    for site in sites:
        site.close()


def test_a_location_is_acknowledged_only_once_it_is_durable(start: Start) -> None:
    site = start()
    tracker = site.gt06()
    site.hold = True
    tracker.socket.sendall(location(0, 7))
    wait_for(lambda: len(site.held) == 1)
    assert tracker.is_silent()
    site.held[0].set_result(None)
    assert tracker.heard() == packet(0x22, b"", 7)
    assert [each.lat for each in site.readings if isinstance(each, Fix)] == [pytest.approx(23.111693, abs=1e-6)]
    assert site.driver.trackers() == {"connected": 1, "silent": 0}


def test_what_cannot_be_made_durable_is_not_acknowledged(start: Start) -> None:
    site = start()
    tracker = site.gt06()
    site.hold = True
    tracker.socket.sendall(location(0, 7))
    wait_for(lambda: len(site.held) == 1)
    site.held[0].set_exception(OSError("the disk is full"))
    assert tracker.is_hung_up()
    site.hold = False
    assert site.gt06().send(location(0, 1)) == packet(0x22, b"", 1)


def test_a_burst_is_acknowledged_one_by_one(start: Start) -> None:
    site = start()
    tracker = site.gt06()
    tracker.socket.sendall(b"".join(location(number, number + 2) for number in range(50)))
    assert tracker.heard(500) == b"".join(packet(0x22, b"", number + 2) for number in range(50))
    assert sum(isinstance(each, Fix) for each in site.readings) == 50


def test_garbage_between_packets_costs_nothing_but_itself(start: Start) -> None:
    site = start()
    tracker = site.gt06()
    assert tracker.send(b"\x00\x78\x78\x05garbage\r\n" + location(0, 9)) == packet(0x22, b"", 9)
    assert site.bad
    assert not any(isinstance(each, DeviceEvent) for each in site.readings)


def test_a_tracker_that_is_not_listed_is_hung_up_on(start: Start) -> None:
    site = start(imeis=(IMEI,))
    assert site.gt06().send(location()) == packet(0x22)
    stranger = site.gt06(None)
    stranger.socket.sendall(login("353413532150370"))
    assert stranger.is_hung_up()
    assert site.driver.trackers()["connected"] == 1


@pytest.mark.parametrize("sent", [location(), b"GET / HTTP/1.1\r\n\r\n", login("000000000000000"), packet(0x01)])
def test_who_does_not_log_in_is_hung_up_on(start: Start, sent: bytes) -> None:
    site = start()
    stranger = site.gt06(None)
    stranger.socket.sendall(sent)
    assert stranger.is_hung_up()
    assert site.readings == []


def test_another_login_on_the_same_connection_ends_it(start: Start) -> None:
    site = start()
    tracker = site.gt06()
    assert tracker.send(login(serial=3)) == packet(0x01, b"", 3)
    tracker.socket.sendall(login("353413532150370"))
    assert tracker.is_hung_up()


def test_a_bad_packet_is_kept_before_it_is_acknowledged(start: Start) -> None:
    site = start()
    assert site.gt06().send(packet(0x22, b"what?", 5)) == packet(0x22, b"", 5)
    [event] = site.readings
    assert event.name == "bad_reading"
    assert b"what?".hex() in event.detail


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"listen": "nowhere"}, "listen: HOST:PORT expected"),
        ({"clock": "cet"}, "clock"),
        ({"clock": "+15:00"}, "clock"),
        ({"clock": "+05:30\n"}, "clock"),
        ({"imeis": ["35"]}, "imeis"),
        ({"heartbeat_volt": True}, "heartbeat_volt"),
    ],
)
def test_settings_that_are_wrong_are_named(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        convert({"listen": "127.0.0.1:5023", **settings}, Gt06Settings)


@pytest.mark.parametrize(("clock", "minutes"), [("utc", 0), ("login", None), ("+05:30", 330), ("-03:00", -180)])
def test_clocks(clock: str, minutes: int | None) -> None:
    ahead = Gt06Settings("127.0.0.1:5023", clock=clock).habits().ahead
    assert (None if ahead is None else ahead.total_seconds() / 60) == minutes


def test_a_port_that_is_free_and_one_that_is_taken(start: Start) -> None:
    site = start()
    assert "taken" in site.driver.probe()
    driver: TrackerPort = Gt06Driver("other", Gt06Settings(f"127.0.0.1:{free_port()}"))
    assert "free" in driver.probe()
