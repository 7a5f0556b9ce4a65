"""Datagrams on real sockets: acknowledged when durable, and what is forged, garbled or too much costs nobody else."""

import logging
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from edge.driver import DeviceLost
from edge.drivers import tracker_datagrams, tracker_keeping
from edge.drivers.teltonika import TeltonikaDriver, TeltonikaSettings
from models.reading import Fix
from tests.edge.delivery_site import free_port, wait_for
from tests.edge.drivers.tracker_client import IMEI, Site, body, datagram, record

OTHER = "356307042441021"
Start = Callable[..., Site]


@pytest.fixture
def start() -> Iterator[Start]:
    sites: list[Site] = []

    def make(**settings: Any) -> Site:
        sites.append(Site(**{"transport": "udp", **settings}))
        return sites[-1].start()

    yield make
    for site in sites:
        site.close()


def one(number: int, imei: str = IMEI) -> bytes:
    return datagram(body([record(number)]), number, imei)


def lats(site: Site) -> list[float | None]:
    return [each.lat for each in site.readings if isinstance(each, Fix)]


def test_records_become_readings_and_are_acknowledged(start: Start) -> None:
    site = start(silent_s=1.0, imeis=(IMEI, OTHER))
    sender = site.sender()
    for number in range(20):
        sender.send(datagram(body([record(2 * number), record(2 * number + 1)]), number))
        assert sender.answer().hex() == f"0005ca{number:02x}01{number:02x}02"
    assert lats(site) == [(510_600_000 + number) / 1e7 for number in range(40)]
    assert (site.bad, site.driver.trackers()["connected"]) == ([], 0)


def test_an_acknowledgement_waits_until_the_records_are_durable(start: Start) -> None:
    site = start()
    site.hold = True
    sender, other = site.sender(), site.sender()
    sender.send(one(1))
    wait_for(lambda: len(site.held) == 1)
    sender.send(one(1))
    assert sender.is_silent()
    site.hold = False
    other.send(one(2, OTHER))
    assert other.answer()[-1] == 1, "another tracker is not held up"
    site.held[0].set_result(None)
    assert sender.answer().hex() == "0005ca01010101"
    assert sender.is_silent(), "what came again while it waited is the same"
    assert len(lats(site)) == 2
    sender.send(one(1))
    assert sender.answer().hex() == "0005ca01010101"
    assert len(lats(site)) == 3, "its answer was lost, and it came again"


@pytest.mark.parametrize("end", ["fails", "is cancelled"])
def test_records_that_were_not_made_durable_are_not_acknowledged(start: Start, end: str) -> None:
    site = start()
    site.hold = True
    sender = site.sender()
    sender.send(one(1))
    wait_for(lambda: len(site.held) == 1)
    if end == "fails":
        site.held[0].set_exception(OSError("disk"))
    else:
        site.held[0].cancel()
    assert sender.is_silent()
    site.hold = False
    sender.send(one(1))
    assert sender.answer()[-1] == 1


def test_only_listed_trackers_are_served(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    site = start(imeis=(IMEI,))
    stranger, sender = site.sender(), site.sender()
    for number in range(3):
        stranger.send(one(number, OTHER))
    assert stranger.is_silent()
    sender.send(one(1))
    assert sender.answer()[-1] == 1
    assert [entry.message for entry in caplog.records if OTHER in entry.message] == [
        f"imei:{OTHER} from 127.0.0.1 is not one of the trackers that are listed: refused"
    ]
    assert (len(lats(site)), site.bad) == (1, [])


def test_what_cannot_be_read_is_counted_and_has_no_answer(start: Start) -> None:
    site = start()
    sender = site.sender()
    for sent in (b"", b"GET / HTTP/1.1\r\n\r\n", one(1)[:-1], one(1) + b"\0"):
        sender.send(sent)
    assert sender.is_silent()
    wait_for(lambda: len(site.bad) == 4)
    assert all(why.startswith("127.0.0.1: datagram: ") for why in site.bad)
    sender.send(datagram(b"\x07\x03" + bytes(9) + b"\x03", 5))
    assert sender.answer().hex() == "0005ca05010503", "its tracker would send it for ever"
    assert site.bad[4:] == [f"imei:{IMEI}: data: codec 8, 8E or 10 expected, got 07"]


def test_what_is_in_hand_is_bounded(
    start: Start, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tracker_keeping, "MAX_IN_HAND", 2)
    monkeypatch.setattr(tracker_datagrams, "MAX_WAITING", 5)
    site = start()
    site.hold = True
    sender = site.sender()
    for number in range(20):
        sender.send(one(number))
    wait_for(lambda: len(site.held) == 2)
    assert sender.is_silent(), "two are decoded, three wait, the others were dropped"
    site.hold = False
    for held in site.held:
        held.set_result(None)
    assert sorted(sender.answer()[2:4].hex() for _ in range(5)) == [f"ca{number:02x}" for number in range(5)]
    assert sender.is_silent()
    for number in range(5, 20):
        sender.send(one(number))
        assert sender.answer()[-1] == 1
    assert [entry.message for entry in caplog.records if entry.levelno >= logging.WARNING] == [
        "5 datagrams wait for the disk: more are dropped, to be sent again"
    ]
    assert len(lats(site)) == 20


def test_the_bytes_that_wait_are_bounded(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracker_datagrams, "MAX_WAITING_BYTES", 3 * len(one(0)))
    site = start()
    site.hold = True
    sender = site.sender()
    for number in range(9):
        sender.send(one(number))
    assert sender.is_silent(0.2)
    for held in site.held:
        held.set_result(None)
    assert [sender.answer()[5] for _ in range(3)] == [0, 1, 2]
    assert sender.is_silent(0.2)


def test_a_bug_costs_its_datagram_only_and_is_said_once(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    site = start()
    sender = site.sender()
    site.put_error = ZeroDivisionError("put")
    for number in range(3):
        sender.send(one(number))
    assert sender.is_silent()
    site.put_error = None
    sender.send(one(0))
    assert sender.answer()[-1] == 1
    assert [entry.message for entry in caplog.records if entry.levelno >= logging.ERROR] == ["a datagram failed"]


def test_both_transports_share_an_address(start: Start) -> None:
    site = start(transport="both")
    sender, tracker = site.sender(), site.tracker()
    assert tracker.send(record(1)) == 1
    sender.send(one(2, OTHER))
    assert sender.answer()[-1] == 1
    assert sorted({each.device for each in site.readings}) == [f"imei:{IMEI}", f"imei:{OTHER}"]
    assert site.driver.probe() == (
        f"a gateway is listening for trackers at {site.settings.listen}; "
        f"{site.settings.listen} (UDP) is taken: by a gateway that runs, or by another program"
    )


def test_an_address_that_is_taken_is_a_loss_and_the_probe_knows_a_free_one(start: Start) -> None:
    taken = start()
    again = Site(transport="udp")
    again.driver = TeltonikaDriver("trackers", taken.settings)
    again.start().join()
    assert isinstance(again.error, DeviceLost)
    free = TeltonikaSettings(listen=f"127.0.0.1:{free_port()}", transport="udp")
    assert TeltonikaDriver("t", free).probe() == f"{free.listen} (UDP) is free for trackers to send to"
    with pytest.raises(DeviceLost, match=r"listening on 192\.0\.2\.1:5027: "):
        TeltonikaDriver("t", TeltonikaSettings(listen="192.0.2.1:5027", transport="udp")).probe()


def test_good_datagrams_are_served_amid_garbage(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    site, chance = start(), random.Random(7)
    good, bad = site.sender(), site.sender()
    for number in range(100):
        for _ in range(5):
            garbled = bytearray(one(chance.randrange(256), f"35630704{chance.randrange(10**7):07}"))
            for _ in range(chance.randrange(1, 4)):
                garbled[chance.randrange(len(garbled))] = chance.randrange(256)
            bad.send(bytes(garbled[: chance.randrange(len(garbled) + 1)] if chance.random() < 0.3 else garbled))
        good.send(one(number))
        assert good.answer()[5] == number
    mine = [each.lat for each in site.readings if isinstance(each, Fix) and each.device == f"imei:{IMEI}"]
    assert mine == [(510_600_000 + number) / 1e7 for number in range(100)]
    assert site.bad
    assert [entry.message for entry in caplog.records if entry.levelno >= logging.WARNING] == []
