"""The tracker listener on real sockets: who may log in, and that nothing is acknowledged before it is durable."""

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.driver import DeviceLost, DeviceRefused
from edge.drivers import tracker_keeping, tracker_port
from edge.drivers.teltonika import TeltonikaDriver, TeltonikaSettings
from edge.intake import Intake
from edge.outbox import Outbox
from models.reading import DeviceEvent, Fix, Input
from models.wire import decode
from tests.edge.delivery_site import free_port, wait_for
from tests.edge.drivers.tracker_client import IMEI, Site, body, frame, login, packet, record

OTHER = "356307042441021"
Start = Callable[..., Site]


@pytest.fixture
def start() -> Iterator[Start]:
    sites: list[Site] = []

    def make(**settings: Any) -> Site:
        sites.append(Site(**settings))
        return sites[-1].start()

    yield make
    for site in sites:
        site.close()


def fixes(site: Site) -> list[tuple[str, float | None]]:
    return [(each.device, each.lat) for each in site.readings if isinstance(each, Fix)]


def test_records_become_readings_and_are_counted(start: Start) -> None:
    site = start()
    tracker = site.tracker()
    assert tracker.send(*(record(number) for number in range(25))) == 25
    assert tracker.send(record(25, io={1: b"\x01", 240: b"\x00"})) == 1
    assert fixes(site) == [(f"imei:{IMEI}", (510_600_000 + number) / 1e7) for number in range(26)]
    assert [each.name for each in site.readings if isinstance(each, Input)] == ["ignition"] * 25 + ["moving"]
    assert (site.answers, site.bad, site.driver.trackers()) == (1, [], {"connected": 1, "silent": 0})


@pytest.mark.parametrize("codec", [0x08, 0x8E, 0x10])
def test_every_codec_is_read(start: Start, codec: int) -> None:
    site = start()
    tracker = site.tracker()
    tracker.socket.sendall(frame(body([record(1), record(2)], codec)))
    assert tracker.count() == 2
    assert len(site.readings) == 4


def test_login_and_frames_in_one_piece_are_answered_in_order(start: Start) -> None:
    site = start()
    tracker = site.tracker(imei=None)
    tracker.socket.sendall(login() + packet(record(0)) + b"\xff" + packet(record(1), record(2)))
    assert tracker.heard(9) == b"\x01\x00\x00\x00\x01\x00\x00\x00\x02"
    assert len(fixes(site)) == 3


def test_an_acknowledgement_waits_until_the_records_are_durable(start: Start) -> None:
    site = start()
    site.hold = True
    tracker, other = site.tracker(), site.tracker(OTHER)
    tracker.socket.sendall(packet(record()))
    wait_for(lambda: len(site.held) == 1)
    assert tracker.is_silent()
    site.hold = False
    assert other.send(record(1)) == 1, "another tracker is not held up"
    site.held[0].set_result(None)
    assert tracker.count() == 1


@pytest.mark.parametrize("end", ["fails", "is cancelled"])
def test_records_that_were_not_made_durable_are_not_acknowledged_and_taken_again(start: Start, end: str) -> None:
    site = start()
    site.hold = True
    tracker = site.tracker()
    tracker.socket.sendall(packet(record()))
    wait_for(lambda: len(site.held) == 1)
    if end == "fails":
        site.held[0].set_exception(OSError("disk"))
    else:
        site.held[0].cancel()
    assert tracker.is_hung_up()
    site.hold = False
    assert site.tracker().send(record()) == 1
    assert len(fixes(site)) == 2


def test_a_bug_ends_its_connection_only_and_is_said_once(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    site = start()
    good = site.tracker(OTHER)
    site.put_error = ZeroDivisionError("put")
    for _ in range(3):
        tracker = site.tracker()
        tracker.socket.sendall(packet(record()))
        assert tracker.is_hung_up()
    site.put_error = None
    assert good.send(record()) == 1
    wait_for(lambda: site.driver.trackers()["connected"] == 1)
    assert [entry.message for entry in caplog.records if entry.levelno >= logging.ERROR] == ["a connection failed"]


def test_a_new_connection_replaces_the_older_one_of_its_tracker(start: Start) -> None:
    site = start()
    site.hold = True
    older = site.tracker()
    older.socket.sendall(packet(record(0), record(1)))
    wait_for(lambda: len(site.held) == 1)
    newer = site.tracker()
    assert older.is_hung_up()
    site.held[0].set_result(None)
    assert newer.is_silent(), "the older frame's acknowledgement is not for this connection"
    site.hold = False
    assert newer.send(record(0)) == 1
    assert site.driver.trackers()["connected"] == 1
    newer.close()
    wait_for(lambda: site.driver.trackers()["connected"] == 0)


def test_a_frame_that_waited_longer_than_its_tracker_is_left_to_be_sent_again(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracker_keeping, "MAX_IN_HAND", 1)
    site = start()
    site.hold = True
    slow, impatient = site.tracker(OTHER), site.tracker()
    slow.socket.sendall(packet(record(0)))
    wait_for(lambda: len(site.held) == 1)
    impatient.socket.sendall(packet(record(1)))
    assert impatient.is_silent(0.1)
    again = site.tracker()
    site.hold = False
    site.held[0].set_result(None)
    assert again.send(record(1)) == 1
    assert [device for device, _ in fixes(site)] == [f"imei:{OTHER}", f"imei:{IMEI}"]


def test_a_tracker_that_half_closes_still_gets_its_acknowledgement(start: Start) -> None:
    site = start()
    site.hold = True
    tracker = site.tracker()
    tracker.socket.sendall(packet(record()))
    tracker.socket.shutdown(socket.SHUT_WR)
    wait_for(lambda: len(site.held) == 1)
    site.held[0].set_result(None)
    assert tracker.count() == 1
    assert tracker.is_hung_up()


def test_only_listed_trackers_may_log_in(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    site = start(imeis=(IMEI,))
    for _ in range(3):
        stranger = site.tracker(imei=None)
        stranger.socket.sendall(login(OTHER))
        assert stranger.heard(2) == b"\x00"
    assert site.tracker().send(record()) == 1
    assert [entry.message for entry in caplog.records if OTHER in entry.message] == [
        f"imei:{OTHER} from 127.0.0.1 is not one of the trackers that are listed: refused"
    ]
    assert site.bad == [], "a tracker that is not ours says nothing wrong"


@pytest.mark.parametrize("sent", [b"\x00\x0e35630704244101", b"\x00\x0f35630704244101x", b"GET / HTTP/1.1\r\n\r\n"])
def test_what_is_no_login_is_refused_and_counted(start: Start, sent: bytes) -> None:
    site = start()
    stranger = site.tracker(imei=None)
    stranger.socket.sendall(sent)
    assert stranger.heard(2)[:1] in {b"\x00", b""}, "the end of a connection may overtake its last byte"
    wait_for(lambda: len(site.bad) == 1)
    assert site.bad[0].startswith("127.0.0.1: login: ")


def test_a_tracker_is_known_from_its_login_on_and_heard_with_its_records(start: Start) -> None:
    site = start(silent_s=1.0, imeis=(IMEI, OTHER))
    tracker = site.tracker()
    wait_for(lambda: site.driver.trackers() == {"connected": 1, "silent": 2})
    assert tracker.send(record()) == 1
    assert site.driver.trackers() == {"connected": 1, "silent": 1}, "the other one never came"


def test_an_address_that_cannot_be_listened_on_is_a_loss(start: Start) -> None:
    taken = start()
    again = Site()
    again.driver = TeltonikaDriver("trackers", taken.settings)
    again.start().join()
    assert isinstance(again.error, DeviceLost)
    assert f"listening on {taken.settings.listen}: " in str(again.error)


def test_the_probe_knows_a_free_port_a_gateway_and_a_stranger(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    site = start()
    assert site.driver.probe() == f"a gateway is listening for trackers at {site.settings.listen}"
    free = TeltonikaSettings(listen=f"127.0.0.1:{free_port()}")
    assert TeltonikaDriver("trackers", free).probe() == f"{free.listen} is free for trackers to connect to"
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        taken = TeltonikaSettings(listen=f"127.0.0.1:{stranger.getsockname()[1]}")
        monkeypatch.setattr(tracker_port, "_PROBE_S", 0.3)
        with pytest.raises(DeviceRefused, match="taken by a program that does not speak to trackers"):
            TeltonikaDriver("trackers", taken).probe()
    with pytest.raises(DeviceLost, match=r"listening on 192\.0\.2\.1:5027: "):
        TeltonikaDriver("trackers", TeltonikaSettings(listen="192.0.2.1:5027")).probe()
    assert site.bad == [], "the gateway that was asked has not counted it"


def test_it_stops_within_two_seconds_whatever_waits(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    site = start()
    site.hold = True
    held, blocked, behind, silent = (site.tracker(f"35630704244{number:04}") for number in range(4))
    held.socket.sendall(packet(record(0)))
    wait_for(lambda: len(site.held) == 1)
    site.gate.clear()
    blocked.socket.sendall(packet(record(1)))
    behind.socket.sendall(packet(record(2)))
    assert site.tracker().is_silent(0.2), "a put that blocks holds up no login"
    started = time.monotonic()
    site.stop.set()
    site.join()
    assert time.monotonic() - started < 2
    assert all(tracker.is_hung_up() for tracker in (held, blocked, behind, silent))
    site.held[0].set_result(None)
    site.gate.set()
    wait_for(lambda: len(site.held) == 2)
    site.held[1].set_exception(OSError("closed"))
    assert (site.error, site.driver.trackers()["connected"]) == (None, 0)
    assert [entry.message for entry in caplog.records if entry.levelno >= logging.WARNING] == []
    assert not any(isinstance(each, DeviceEvent) for each in site.readings)


def test_it_stops_while_nobody_takes_its_news(caplog: pytest.LogCaptureFixture) -> None:
    site = Site()
    taken = threading.Event()
    site.reading = lambda: setattr(site, "answers", taken.wait(10))  # type: ignore[method-assign]
    runs = threading.Thread(target=site.driver.run, args=(site.put, site, site.stop))
    runs.start()
    wait_for(lambda: site.driver.probe().startswith("a gateway"))
    site.stop.set()
    runs.join(2)
    assert not runs.is_alive()
    taken.set()
    wait_for(lambda: site.answers)
    time.sleep(0.1)
    assert [entry.message for entry in caplog.records if entry.levelno >= logging.WARNING] == []


def test_what_is_acknowledged_is_in_the_outbox(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    intake = Intake(outbox.put)
    site = Site()
    site.put = intake.put  # type: ignore[method-assign]
    tracker = site.start().tracker()
    try:
        for number in range(20):
            assert tracker.send(record(2 * number), record(2 * number + 1)) == 2
            [line] = outbox.lines()
            assert line.next_seq == 1 + 4 * (number + 1)
        [line] = outbox.lines()
        rows = [decode(text) for _, text in outbox.rows(line.epoch, 1, 100)]
        assert [each.lat for each in rows if isinstance(each, Fix)] == [(510_600_000 + n) / 1e7 for n in range(40)]
    finally:
        site.close()
        intake.close(5)
        outbox.close()
