"""The OsmAnd listener on real sockets: HTTP as phones speak it, and no 200 before it is durable."""

import json
import logging
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.driver import DeviceLost
from edge.drivers import osmand_http, tracker_keeping
from edge.drivers.osmand import OsmandDriver, OsmandSettings
from edge.intake import Intake
from edge.outbox import Outbox
from models.reading import DeviceEvent, Fix
from models.wire import decode
from tests.edge.delivery_site import free_port, wait_for
from tests.edge.drivers.phone_client import Site, get, place, post

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


def test_query_form_and_json_on_one_connection(start: Start) -> None:
    site = start()
    phone = site.phone()
    body = {"device_id": "7", "location": {"coords": {"latitude": 53, "longitude": 4}}}
    assert phone.ask(get(place())) == (200, "OK")
    assert phone.ask(post(b"id=7&lat=52&lon=4", "Content-Type: application/x-www-form-urlencoded\r\n")) == (200, "OK")
    assert phone.ask(post(json.dumps(body).encode(), "Content-Type: application/json\r\n")) == (200, "OK")
    assert site.lats() == [51.0, 52.0, 53.0]
    assert (site.answers, site.bad, site.driver.trackers()) == (1, [], {"connected": 0, "silent": 0})


def test_an_answer_waits_until_the_readings_are_durable(start: Start) -> None:
    site = start()
    site.hold = True
    phone, other = site.phone(), site.phone()
    phone.send(get(place()))
    wait_for(lambda: len(site.held) == 1)
    assert phone.is_silent()
    site.hold = False
    assert other.ask(get(place(1, "8"))) == (200, "OK"), "another phone is not held up"
    site.held[0].set_result(None)
    assert phone.answer() == (200, "OK")


@pytest.mark.parametrize("end", ["fails", "is cancelled"])
def test_what_was_not_made_durable_is_503_and_taken_again(start: Start, end: str) -> None:
    site = start()
    site.hold = True
    phone = site.phone()
    phone.send(get(place()))
    wait_for(lambda: len(site.held) == 1)
    if end == "fails":
        site.held[0].set_exception(OSError("disk"))
    else:
        site.held[0].cancel()
    assert phone.answer() == (503, "not kept in time, send it again")
    site.hold = False
    assert phone.ask(get(place())) == (200, "OK"), "the connection lives"


def test_what_is_not_durable_in_time_is_503_and_keeps_its_place(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracker_keeping, "MAX_IN_HAND", 1)
    site = start(answer_s=0.2)
    site.hold = True
    phone = site.phone()
    assert phone.ask(get(place()))[0] == 503
    assert phone.ask(get(place()))[0] == 503, "the first one is still in hand"
    assert len(site.held) == 1, "so that nothing piles up"
    site.hold = False
    site.held[0].set_result(None)
    wait_for(lambda: phone.ask(get(place()))[0] == 200)


def test_what_cannot_be_read_is_kept_by_name_and_counted_and_what_names_nobody_is_400(start: Start) -> None:
    site = start()
    phone = site.phone()
    words = "lat: a number of -90 ... 90 expected, got '91'"
    assert phone.ask(get("id=7&lat=91&lon=2")) == (200, f"kept as it is: {words}")
    assert phone.ask(get("lat=1&lon=2")) == (400, "id: one identifier expected, got ''")
    assert phone.ask(get(place())) == (200, "OK")
    assert site.bad == [f"id:7: {words}", "127.0.0.1: id: one identifier expected, got ''"]
    assert site.lats() == [51.0]


def test_who_only_looks_whether_it_is_there_is_not_counted(start: Start) -> None:
    site = start()
    phone = site.phone()
    assert phone.ask(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")[0] == 400
    assert phone.ask(get(place())) == (200, "OK")
    assert site.bad == []


WRONG = "record 1: lat: a number of -90 ... 90 expected, got '91'"


def test_a_batch_with_a_bad_record_is_kept_and_counted(start: Start) -> None:
    site = start()
    good, bad = ({"coords": {"latitude": lat, "longitude": 1}} for lat in (1, 91))
    body = json.dumps({"device_id": "7", "location": [good, bad]}).encode()
    assert site.phone().ask(post(body)) == (200, f"kept as it is: {WRONG}")
    assert [getattr(each, "name", "fix") for each in site.readings] == ["fix", "bad_reading"]
    assert site.bad == [f"id:7: {WRONG}"]


def test_only_listed_phones_are_served(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    site = start(ids=("7", "356307042441013"))
    phone = site.phone()
    for _ in range(3):
        assert phone.ask(get(place(0, "8"))) == (403, "id: not one of the trackers that are served here")
    assert phone.ask(get(place(0, "356307042441013")))[0] == 200
    assert [entry.message.split(" from")[0] for entry in caplog.records] == ["id:8"]
    assert {each.device for each in site.readings} == {"imei:356307042441013"}
    assert site.bad == []


def test_a_phone_is_silent_some_time_after_its_last_record(start: Start) -> None:
    site = start(silent_s=1.0, ids=("7", "8"))
    wait_for(lambda: site.driver.trackers() == {"connected": 0, "silent": 2})
    assert site.phone().ask(get(place()))[0] == 200
    assert site.driver.trackers() == {"connected": 0, "silent": 1}


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x00\x0f356307042441013", 400),
        (b"GET /\xc3\xa4?id=7 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /?id=7 HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 40_000 + b"\r\n\r\n", 431),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + b"a" * 300_000, 413),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
    ],
)
def test_what_is_no_http_is_refused_and_counted(start: Start, sent: bytes, status: int) -> None:
    site = start()
    phone = site.phone()
    try:
        phone.send(sent)
        assert phone.answer()[0] == status
    except ConnectionError:
        assert status in {413, 431}, "it may hang up before it has all of something large"
    assert phone.is_hung_up()
    wait_for(lambda: len(site.bad) == 1)
    assert site.bad[0].startswith("127.0.0.1: HTTP: ")
    assert site.phone().ask(get(place())) == (200, "OK")


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "CONNECT", "OPTIONS"])
def test_other_methods_are_not_allowed(start: Start, method: str) -> None:
    site = start()
    phone = site.phone()
    phone.send(f"{method} x:1 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    answer = b""
    while data := phone.socket.recv(4096):
        answer += data
    assert answer.startswith(b"HTTP/1.1 405 ")
    assert b"allow: GET, POST" in answer
    assert answer.endswith(b"\r\n\r\n") == (method == "HEAD")
    assert site.readings == []


def test_requests_in_pieces_ahead_and_in_chunks(start: Start) -> None:
    site = start()
    phone = site.phone()
    for byte in get(place()):
        phone.send(bytes([byte]))
    assert phone.answer() == (200, "OK")
    phone.send(b"".join(get(place(number)) for number in range(1, 200)))
    assert [phone.answer()[0] for _ in range(199)] == [200] * 199
    assert site.lats() == [pytest.approx(51 + number / 1000) for number in range(200)]
    chunks = (
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nid=7\r\nc\r\n&lat=1&lon=2\r\n0\r\n\r\n"
    )
    assert phone.ask(chunks) == (200, "OK")
    assert site.lats()[-1] == 1.0


def test_a_phone_that_asks_before_its_body_is_told_to_go_on(start: Start) -> None:
    phone = start().phone()
    assert phone.ask(b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 17\r\n\r\n")[0] == 100
    assert phone.ask(b"id=7&lat=52&lon=4") == (200, "OK")


@pytest.mark.parametrize("sent", [get(place(), "1.0"), get(place(), headers="Connection: close\r\n")])
def test_a_connection_that_is_for_one_request_ends(start: Start, sent: bytes) -> None:
    phone = start().phone()
    assert phone.ask(sent) == (200, "OK")
    assert phone.is_hung_up()


def test_a_phone_that_half_closes_still_gets_its_answer(start: Start) -> None:
    phone = start().phone()
    phone.send(get(place()))
    phone.socket.shutdown(socket.SHUT_WR)
    assert phone.answer() == (200, "OK")
    assert phone.is_hung_up()


def test_every_wait_has_an_end(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(osmand_http, "REQUEST_S", 0.3)
    site = start(idle_s=10.0)
    slow, silent = site.phone(), site.phone()
    slow.send(b"GET / HTTP/1.1\r\n")
    assert slow.is_hung_up()
    assert silent.is_silent(0.05), "a request has less time than a pause"
    assert start(idle_s=0.3).phone().is_hung_up()
    assert site.bad == []


def test_for_one_connection_more_the_longest_silent_is_closed(start: Start) -> None:
    site = start(max_connections=2)
    good, silent = site.phone(), site.phone()
    assert good.ask(get(place()))[0] == 200
    wait_for(lambda: not silent.is_silent(0.05) or site.phone().ask(get(place(1)))[0] == 200)
    assert silent.is_hung_up(), "the one that sent nothing goes first"
    newest = site.phone()
    assert newest.ask(get(place(2)))[0] == 200
    assert good.is_hung_up()


def test_a_bug_ends_its_connection_only_and_is_said_once(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    site = start()
    site.put_error = ZeroDivisionError("put")
    for _ in range(3):
        assert site.phone().ask(get(place()))[0] == 503
    site.put_error = None
    assert site.phone().ask(get(place()))[0] == 200
    assert [entry.message for entry in caplog.records if entry.levelno >= logging.ERROR] == ["a connection failed"]


def test_an_address_that_cannot_be_listened_on_is_a_loss(start: Start) -> None:
    taken = start()
    again = Site()
    again.driver = OsmandDriver("phones", taken.settings)
    again.start().join()
    assert isinstance(again.error, DeviceLost)
    assert f"listening on {taken.settings.listen}: " in str(again.error)
    free = OsmandSettings(listen=f"127.0.0.1:{free_port()}")
    assert OsmandDriver("phones", free).probe() == f"{free.listen} is free for trackers to connect to"


def test_it_stops_within_two_seconds_whatever_waits(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    site = start()
    site.hold = True
    held, begun, silent = (site.phone() for _ in range(3))
    held.send(get(place()))
    begun.send(b"GET /?id=7")
    wait_for(lambda: len(site.held) == 1)
    started = time.monotonic()
    site.stop.set()
    site.join()
    assert time.monotonic() - started < 2
    assert all(phone.is_hung_up() for phone in (held, begun, silent))
    site.held[0].set_result(None)
    assert site.error is None
    assert [entry.message for entry in caplog.records if entry.levelno >= logging.WARNING] == []


def test_what_is_answered_is_in_the_outbox(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    intake = Intake(outbox.put)
    site = Site()
    site.put = intake.put  # type: ignore[method-assign]
    phone = site.start().phone()
    try:
        for number in range(20):
            assert phone.ask(get(place(number)))[0] == 200
            [line] = outbox.lines()
            assert line.next_seq == 2 + number
        rows = [decode(text) for _, text in outbox.rows(line.epoch, 1, 100)]
        assert [each.lat for each in rows if isinstance(each, Fix)] == [
            pytest.approx(51 + number / 1000) for number in range(20)
        ]
        assert not any(isinstance(each, DeviceEvent) for each in rows)
    finally:
        site.close()
        intake.close(5)
        outbox.close()
