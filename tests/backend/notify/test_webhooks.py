"""Webhooks on a real receiver: signed, told at least once, in order, through restarts of either side."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from backend.book import alerts, events, webhooks
from backend.book.db import read, write
from backend.book.schema_notify import webhook_delivery, webhook_mark
from backend.config import Webhook
from backend.notify.webhooks import Sender, Webhooks
from models.webhook import RETRY_S, key_of, signature
from simulators.torture.parts import free_port
from tests.backend.books import SECOND, Yard

ON_BOTH = True
SECRET = "whsec_" + b64encode(b"a secret of twenty-four.").decode()


@dataclass
class Shop:
    """Answers with what is in `answers`, 204 when that is empty; keeps what it heard."""

    answers: list[int] = field(default_factory=list[int])
    heard: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    port: int = 0

    def open(self) -> ThreadingHTTPServer:
        shop = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                shop.heard.append({"headers": {k.lower(): v for k, v in self.headers.items()}, "body": body})
                self.send_response(shop.answers.pop(0) if shop.answers else 204)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        server.daemon_threads = True
        self.port = server.server_port
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return server

    @property
    def told(self) -> list[int]:
        return [msgspec.json.decode(each["body"])["data"]["k"] for each in self.heard]


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop()
    server = shop.open()
    yield shop
    server.shutdown()
    server.server_close()


Begin = Callable[[Shop], Sender]


@pytest.fixture
def sender(yard: Yard, tmp_path: Path) -> Iterator[Begin]:
    (tmp_path / "secret").write_text(SECRET + "\n")
    with ExitStack() as ends:

        def begin(shop: Shop) -> Sender:
            with write(yard.book) as tx:
                webhooks.begin(tx, ["shop"])
            hook = Webhook(f"http://127.0.0.1:{shop.port}/stock?x=1", str(tmp_path / "secret"))
            made = Sender(yard.book, yard.clock, "shop", hook)
            ends.callback(made.close)
            return made

        yield begin


def emit(yard: Yard, *numbers: int, kind: str = "availability") -> None:
    with write(yard.book) as tx:
        events.emit_all(tx, [(kind, {"k": k}) for k in numbers], yard.clock.now)


def states(yard: Yard) -> list[tuple[str, int, int | None]]:
    with read(yard.book) as tx:
        rows = tx.execute(select(webhook_delivery).order_by(webhook_delivery.c.n))
        return [(row.state, row.tries, row.status) for row in rows]


def test_what_is_wanted_is_told_signed_and_in_order(yard: Yard, sender: Begin, shop: Shop) -> None:
    emit(yard, 0)
    one = sender(shop)
    emit(yard, 1, 2)
    emit(yard, 9, kind="movement")
    emit(yard, 3)
    assert one.step(Event()) == 3
    assert one.step(Event()) == 0
    assert shop.told == [1, 2, 3], "what was before it was configured, and other kinds, are not for it"
    for each in shop.heard:
        ident, at, signed = (each["headers"][f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
        assert signed == signature(key_of(SECRET), ident, int(at), each["body"])
    assert {each["headers"]["webhook-id"] for each in shop.heard} == {e["headers"]["webhook-id"] for e in shop.heard}
    assert states(yard) == [("delivered", 1, 204)] * 3
    body = msgspec.json.decode(shop.heard[0]["body"])
    assert (body["type"], body["data"]) == ("availability", {"k": 1})


def test_a_refusal_is_tried_again_and_does_not_hold_up_the_others(yard: Yard, sender: Begin, shop: Shop) -> None:
    one = sender(shop)
    emit(yard, 1, 2)
    shop.answers = [500]
    assert one.step(Event()) == 2
    assert states(yard) == [("waiting", 1, 500), ("delivered", 1, 204)]
    assert one.step(Event()) == 0
    yard.clock.now += RETRY_S[0] * SECOND
    assert one.step(Event()) == 1
    assert shop.told == [1, 2, 1]
    first, _, third = (each["headers"]["webhook-id"] for each in shop.heard)
    assert first == third, "a receiver leaves out what it has"


def test_one_that_is_away_is_asked_with_one_event_and_gets_all_of_them(yard: Yard, sender: Begin) -> None:
    away = Shop(port=free_port())
    one = sender(away)
    emit(yard, *range(120))
    tried = [one.step(Event()) for _ in range(3)]
    assert tried == [1, 1, 1]
    server = away.open()
    yard.clock.now += RETRY_S[1] * SECOND
    while one.step(Event()):
        pass
    server.shutdown()
    server.server_close()
    assert sorted(away.told) == [*range(120)]


@pytest.mark.parametrize("answers", [[410], [500] * (len(RETRY_S) + 1)], ids=["wants nothing more", "for days"])
def test_what_is_never_taken_is_dead_and_can_be_sent_again(
    yard: Yard, sender: Begin, shop: Shop, answers: list[int]
) -> None:
    one = sender(shop)
    emit(yard, 1)
    tries = len(answers)
    shop.answers = [*answers]
    for _ in range(tries):
        assert one.step(Event()) == 1
        yard.clock.now += RETRY_S[-1] * SECOND
    assert [state for state, _, _ in states(yard)] == ["dead"]
    with read(yard.book) as tx:
        assert list(alerts.open_subjects(tx, "webhook_dead")) == ["webhook:shop"]
    assert one.step(Event()) == 0
    with write(yard.book) as tx:
        n: int = tx.execute(select(webhook_delivery.c.n)).scalar_one()
        assert webhooks.again(tx, n, yard.clock.now)
    one.step(Event())
    assert [state for state, _, _ in states(yard)] == ["delivered"]
    with write(yard.book) as tx:
        assert not webhooks.again(tx, n, yard.clock.now), "it was told"


def test_another_process_goes_on_where_one_was_killed(yard: Yard, sender: Begin, shop: Shop) -> None:
    emit(yard, 0)
    sender(shop)
    emit(yard, 1, 2)
    one = sender(shop)
    one._queue(yard.clock.now)
    emit(yard, 3)
    other = sender(shop)
    assert other.step(Event()) == 3
    assert shop.told == [1, 2, 3]


def test_events_stay_until_every_receiver_has_them(
    yard: Yard, sender: Begin, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "KEPT_EVENTS", 0)
    one = sender(shop)
    emit(yard, 1, 2)
    with write(yard.book) as tx:
        events.published(tx, webhooks.newest_event(tx))
    one.step(Event())
    assert shop.told == [1, 2]
    with write(yard.book) as tx:
        events.published(tx, webhooks.newest_event(tx))
        assert webhooks.newest_event(tx) == 0
        webhooks.begin(tx, [])
    emit(yard, 3)
    one.step(Event())
    assert shop.told == [1, 2], "it is not configured any more"


def test_all_receivers_on_threads(yard: Yard, tmp_path: Path, shop: Shop) -> None:
    (tmp_path / "secret").write_text(SECRET)
    hook = Webhook(f"http://127.0.0.1:{shop.port}", str(tmp_path / "secret"))
    stop = Event()
    thread = Thread(target=Webhooks(yard.book, yard.clock, {"a": hook, "b": hook}).run, args=(stop,))
    thread.start()
    while _begun(yard) < 2:
        stop.wait(0.02)
    emit(yard, 1)
    while len(shop.heard) < 2:
        stop.wait(0.02)
    stop.set()
    thread.join()
    assert shop.told == [1, 1]


def _begun(yard: Yard) -> int:
    with read(yard.book) as tx:
        return len(tx.execute(select(webhook_mark)).all())
