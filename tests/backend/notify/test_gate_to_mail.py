"""From a gate to a mailbox: an asset that goes out without an order, while no mail can be sent for ten minutes."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import select

from backend.book import register, schema
from backend.book.db import read, write
from backend.book.schema_desk import message
from backend.config import Mail
from backend.notify import smtp
from backend.notify.desk import Desk
from backend.notify.mail import Mailer
from backend.notify.telling import Ways
from backend.plan.exits import EXIT
from models.declared_alerts import Contact, Team
from tests.backend.books import SECOND, Yard
from tests.backend.conftest import NOW
from tests.backend.owned import Owned, going, tag
from tests.servers.smtp import Mailbox


@pytest.fixture
def owned(template: Path, tmp_path: Path) -> Iterator[Owned]:
    yard = Yard.copy(template, tmp_path / "yard.db", NOW)
    yield Owned(yard, [EXIT])
    yard.book.dispose()


def test_one_exit_is_one_mail_whatever_the_server_did(owned: Owned, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "TIMEOUT_S", 0.05)
    yard, stop = owned.yard, Event()
    with write(yard.book) as tx:
        for kind, ident, body in (
            ("contacts", "guard", Contact("Guard", "guard@yard.example")),
            ("teams", "fleet", Team("Gate", ["assets"], [["guard"]])),
        ):
            register.put(tx, kind, ident, body, valid_from=NOW, actor="test", now=NOW)
    with Mailbox().open() as box:
        config = Mail(url=f"smtp://127.0.0.1:{box.port}", starttls=False, sender="stockyard@yard.example")
        desk, mailer = Desk(yard.book, yard.clock, Ways(has_mail=True)), Mailer(yard.book, yard.clock, config)
        desk.step()
        box.else_ = "greet_421"
        owned.live(going(tag("DRILL-1"), NOW + SECOND))
        began, failures = owned.now, ["data_4xx", "hang", "rcpt_4xx", "greet_421"]
        while owned.now - began < 600 * SECOND:
            desk.step()
            mailer.step(stop)
            box.else_ = failures[(owned.now - began) // (20 * SECOND) % len(failures)]
            owned.over(20 * SECOND)
        assert box.taken == []
        monkeypatch.setattr(smtp, "TIMEOUT_S", 60.0)  # the server is there, also on a busy machine
        box.plan, box.else_ = ["cut"], "take"
        for _ in range(10):
            desk.step()
            mailer.step(stop)
            owned.over(240 * SECOND)
        mailer._server.close()
    with read(yard.book) as tx:
        (row,) = tx.execute(select(message)).all()
        (alert,) = tx.execute(select(schema.alert).where(schema.alert.c.rule == EXIT.name)).all()
    assert (row.state, row.alert_id, row.recipient) == ("delivered", alert.id, "guard@yard.example")
    assert {*box.ids} == {f"<{row.id}@stockyard>"}, "one message, however often it came"
    assert len(box.ids) == 2, "cut off once before the server could say that it had it"
    assert "DRILL-1" in box.taken[-1][1]["Subject"]
