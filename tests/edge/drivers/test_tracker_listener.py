"""What the listener does whatever the protocol is, on a protocol of lines."""

import socket
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from edge.driver import BadFrame
from edge.drivers import tracker_session
from edge.drivers.conversation import Heard, bad_reading
from edge.drivers.tracker_driver import TrackerDriver
from edge.drivers.tracker_port import Listening
from models.reading import DeviceEvent
from tests.edge.delivery_site import wait_for
from tests.edge.drivers.tracker_client import Site, Tracker

Start = Callable[..., Site]


class Lines:
    """`name` logs in, `+text` says something, `name+text` does both, `-` is noise that is counted, `!` is the end."""

    refused = b"no\n"

    def __init__(self) -> None:
        self.buffer = b""

    @property
    def begun(self) -> bool:
        return bool(self.buffer)

    def feed(self, data: bytes) -> None:
        self.buffer += data

    def next(self, received_at: datetime) -> Heard | None:
        line, end, rest = self.buffer.partition(b"\n")
        if not end:
            return None
        self.buffer, text = rest, line.decode()
        if text == "!":
            msg = "line: no ! expected"
            raise BadFrame(msg)
        if text == "-":
            return Heard(wrong=("noise",))
        name, plus, said = text.partition("+")
        tracker = (f"id:{name}" if name != "nobody" else "") if name else None
        kept = [bad_reading(tracker or "id:a", received_at, said)] if plus else []
        return Heard(tracker, kept, answer=f"{len(said)}\n".encode() if plus else b"yes\n")


@pytest.fixture
def start() -> Iterator[Start]:
    sites: list[Site] = []

    def make(*allowed: str, **settings: Any) -> Site:
        site = Site()
        listening = Listening(site.settings.listen, **settings)
        site.driver = TrackerDriver(listening, Lines, allowed)  # type: ignore[assignment]
        sites.append(site)
        return site.start()

    yield make
    for site in sites:
        site.close()


def told(tracker: Tracker, sent: bytes, size: int) -> bytes:
    tracker.socket.sendall(sent)
    return tracker.heard(size)


def details(site: Site) -> list[tuple[str, str | None]]:
    return [(each.device, each.detail) for each in site.readings if isinstance(each, DeviceEvent)]


def test_each_message_is_answered_in_its_order(start: Start) -> None:
    site = start()
    tracker = site.tracker(imei=None)
    assert told(tracker, b"a\n+four\n-\n+seventh\n+on", 8) == b"yes\n4\n7\n"
    assert told(tracker, b"e\n", 2) == b"3\n"
    assert (details(site), site.bad) == (
        [("id:a", "four"), ("id:a", "seventh"), ("id:a", "one")],
        ["id:a: noise"],
    )
    assert site.driver.trackers() == {"connected": 1, "silent": 0}


def test_a_login_that_says_something_is_answered_when_that_is_durable(start: Start) -> None:
    site = start()
    site.hold = True
    tracker = site.tracker(imei=None)
    tracker.socket.sendall(b"a+four\n")
    wait_for(lambda: len(site.held) == 1)
    assert tracker.is_silent(0.2)
    site.held[0].set_result(None)
    assert tracker.heard(2) == b"4\n"


def test_the_first_message_must_be_a_login(start: Start) -> None:
    site = start()
    tracker = site.tracker(imei=None)
    assert told(tracker, b"+four\n", 9) in {b"no\n", b""}
    wait_for(lambda: site.bad)
    assert (site.bad, details(site)) == (["127.0.0.1: a login expected as the first message"], [])


def test_a_tracker_may_log_in_again_and_no_other_may(start: Start) -> None:
    site = start()
    tracker = site.tracker(imei=None)
    assert told(tracker, b"a\na\na+x\n", 10) == b"yes\nyes\n1\n"
    tracker.socket.sendall(b"b\n+lost\n")
    assert tracker.is_hung_up()
    wait_for(lambda: site.bad)
    assert site.bad == ["id:a: one tracker on a connection expected, got a login of id:b"]
    assert details(site) == [("id:a", "x")]


@pytest.mark.parametrize(("sent", "bad"), [(b"b\n", 0), (b"nobody\n", 0), (b"!\n", 1)])
def test_who_may_not_log_in_is_told_so(start: Start, sent: bytes, bad: int) -> None:
    site = start("id:a")
    stranger = site.tracker(imei=None)
    assert told(stranger, sent, 9) == b"no\n"
    wait_for(lambda: len(site.bad) == bad)
    assert told(site.tracker(imei=None), b"a\n", 4) == b"yes\n"


def test_a_message_that_does_not_end_is_not_waited_for_though_bytes_come(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracker_session, "FRAME_S", 0.5)
    tracker = start().tracker(imei=None)
    assert told(tracker, b"a\n+four\n+", 6) == b"yes\n4\n"
    tracker.socket.settimeout(0.05)
    sent = 0
    while sent < 100:
        try:
            tracker.socket.sendall(b"x")
            if not tracker.socket.recv(1):
                break
        except TimeoutError:
            sent += 1
        except ConnectionError:
            break
    assert 5 < sent < 60


def test_a_probe_without_a_knock_says_what_it_sees(start: Start) -> None:
    site = start()
    assert site.driver.probe() == f"{site.settings.listen} is taken: by a gateway that runs, or by another program"


def test_a_bad_reading_is_cut_to_what_the_wire_carries(start: Start) -> None:
    site = start()
    tracker = site.tracker(imei=None)
    assert told(tracker, b"a\n+" + b"x" * 5000 + b"\n", 9) == b"yes\n5000\n"
    [(_, detail)] = details(site)
    assert detail == "x" * 1024


def test_what_a_peer_leaves_unsaid_keeps_nobody(start: Start) -> None:
    site = start(max_connections=2)
    half = site.tracker(imei=None)
    half.socket.sendall(b"a\n+fo")
    assert half.heard(4) == b"yes\n"
    half.socket.shutdown(socket.SHUT_WR)
    assert half.is_hung_up()
    wait_for(lambda: site.driver.trackers()["connected"] == 0)
    assert (site.bad, details(site)) == ([], [])
