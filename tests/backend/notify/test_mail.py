"""Mail to a server that fails in every way: nothing lost, one message per Message-ID in the end, refusals are dead."""

import ssl
from collections import Counter
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import select

from backend.book import alerts, messages
from backend.book.db import read, write
from backend.book.schema_desk import message
from backend.config import Mail
from backend.notify import smtp
from backend.notify.smtp import Server, ServerAway, mail_of
from models.mail import GIVEN_UP_US
from tests.backend.notify.conftest import Office
from tests.servers.certificates import OPENSSL, Authority
from tests.servers.smtp import Mailbox

RULE = "failure_risk"
MINUTE = 60
PASSWORD = "right one"  # noqa: S105 - of the double


HASTY_S, PATIENT_S = 0.05, 60.0
"""How long a server is waited for: one that says nothing for not long, one that is there also on a busy machine."""


def test_ten_minutes_without_a_server_and_each_alert_is_delivered_once(
    office: Office, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Down, refusing, busy, silent, and cut off before it could say that it had taken one."""
    assets = [f"asset:M-{n}/gearbox" for n in range(6)]
    failures = ("greet_421", "data_4xx", "rcpt_4xx", "hang")
    monkeypatch.setattr(smtp, "TIMEOUT_S", HASTY_S)
    for minute in range(10):
        box.else_ = failures[minute % len(failures)]
        if minute < len(assets):
            office.raise_alert(RULE, assets[minute])
        for _ in range(6):
            office.work(10)
    assert box.taken == []
    monkeypatch.setattr(smtp, "TIMEOUT_S", PATIENT_S)
    box.plan, box.else_ = ["cut", "take", "cut"], "take"
    for _ in range(16):
        office.work(MINUTE)
    first = [mail for recipient, mail in box.taken if recipient == "ann@yard.example"]
    by_id = {mail["Message-ID"]: mail for mail in first}
    assert len(by_id) == len(assets), "a receiver that leaves out repeats has each once"
    assert len(first) == len(assets) + Counter(box.ids).total() - len({*box.ids})
    assert {mail.get_content() for mail in first} == {mail.get_content() for mail in by_id.values()}
    assert {state for _, state, _ in office.messages()} == {"delivered"}
    before = len(box.taken)
    office.work(3600)
    assert [each for each in box.ids[before:] if each in by_id] == []


def test_a_process_that_dies_before_it_noted_sends_the_same_message_again(office: Office, box: Mailbox) -> None:
    office.raise_alert(RULE, "asset:M-1/gearbox")
    while office.desk.step():
        pass
    noted = office.mailer._note
    office.mailer._note = lambda *_: (_ for _ in ()).throw(SystemExit)  # type: ignore[assignment,method-assign]
    with pytest.raises(SystemExit):
        office.mailer.step(Event())
    office.mailer._note = noted  # type: ignore[method-assign]
    office.work()
    assert len(box.taken) == 2
    assert len({*box.ids}) == 1
    assert [state for _, state, _ in office.messages()] == ["delivered"]


@pytest.mark.parametrize("refusal", ["rcpt_5xx", "data_5xx"])
def test_what_is_refused_for_ever_is_dead_alone_and_can_be_sent_again(
    office: Office, box: Mailbox, refusal: str
) -> None:
    box.plan = [refusal]
    office.raise_alert(RULE, "asset:M-1/gearbox")
    office.raise_alert(RULE, "asset:M-2/gearbox")
    office.work()
    assert sorted(office.messages())[:2] == [("ann@yard.example", "dead", 1), ("ann@yard.example", "delivered", 1)]
    with read(office.yard.book) as tx:
        assert alerts.open_subjects(tx, "mail_dead") == ["mail"]
        problem = tx.scalars(select(message.c.problem).where(message.c.state == "dead")).one()
    assert problem[:3] in {"550", "554"}
    with write(office.yard.book) as tx:
        n: int = tx.scalars(select(message.c.n).where(message.c.state == "dead")).one()
        messages.again(tx, n, office.yard.clock.now)
    office.work()
    assert len({*box.ids}) == len(box.ids) == 2


def test_what_no_server_takes_for_three_days_is_dead(office: Office, box: Mailbox) -> None:
    box.else_ = "data_4xx"
    office.raise_alert("odometer_drift", "asset:M-1/odometer", "warning")
    office.work()
    assert office.messages() == [("ann@yard.example", "waiting", 1)]
    office.work(GIVEN_UP_US / 1e6)
    assert ("ann@yard.example", "dead", 2) in office.messages()


def test_nothing_that_is_told_can_become_a_header_or_a_command(office: Office, box: Mailbox) -> None:
    bad = "Truck\r\nBcc: all@evil.example\r\n.\r\nMAIL FROM:<x@evil.example>\u2028ü"
    office.raise_alert(RULE, "asset:M-1/gearbox", title=bad)
    office.work()
    ((recipient, mail),) = box.taken
    assert recipient == "ann@yard.example"
    assert mail["Bcc"] is None
    assert " ".join(mail["Subject"].split()) == "[CRITICAL] Truck Bcc: all@evil.example . MAIL FROM:<x@evil.example> ü"
    assert not [line for line in box.said if "evil" in line]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().rstrip().endswith("https://stockyard.example/")


@pytest.mark.skipif(OPENSSL is None, reason="no openssl here: apt-get install openssl")
def test_a_password_goes_by_tls_and_a_wrong_one_is_no_message_s_fault(tmp_path: Path) -> None:
    authority = Authority.make(tmp_path)
    pair = authority.server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.cert, pair.key)
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    row: Any = type(
        "Row", (), {"id": "i", "alert_id": "", "subject": "s", "text": "t\n", "made_at": 0, "recipient": "a@b"}
    )
    known = {"username": "yard", "password_file": str(tmp_path / "password"), "sender": "s@yard.example"}
    with Mailbox(password=PASSWORD, tls=context).open() as box:
        url = f"smtp://localhost:{box.port}"
        server = Server(Mail(url=url, ca_file=str(authority.ca), **known))
        assert server.send(mail_of(row, "s@yard.example"), "a@b").problem is None
        server.close()
        assert box.signed_in == ["yard"]
        assert not [line for line in box.said[: box.said.index("STARTTLS")] if line.startswith("AUTH")]
        box.password = PASSWORD[1:]
        with pytest.raises(ServerAway, match="535"):
            server.send(mail_of(row, "s@yard.example"), "a@b")
        with pytest.raises(ServerAway, match=r"(?i)certificate"):
            Server(Mail(url=url, **known)).check()
