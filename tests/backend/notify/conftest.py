"""A book with teams, a desk and a mailer whose clock the test moves, and an SMTP server that fails as it is told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from threading import Event

import pytest
from msgspec import Struct
from sqlalchemy import select

from backend.book import alerts, register
from backend.book.db import read, write
from backend.book.schema import alert
from backend.book.schema_desk import message
from backend.config import Mail
from backend.notify.desk import Desk
from backend.notify.mail import Mailer
from backend.notify.telling import Ways
from models.alert import Alert, Severity
from models.declared_alerts import AlertRule, Contact, Quiet, Team
from tests.backend.books import SECOND, Yard
from tests.servers.smtp import Mailbox

AFTER_THE_EXAMPLE = 1_700_000_000 * SECOND
PAGE = "https://stockyard.example/"
DECLARED: Mapping[tuple[str, str], Struct] = {
    ("contacts", "ann"): Contact("Ann", "ann@yard.example"),
    ("contacts", "ben"): Contact("Ben", "ben@yard.example"),
    ("contacts", "boss"): Contact("Boss", "boss@yard.example"),
    ("contacts", "sue"): Contact("Sue", "sue@yard.example", time_zone="Europe/Brussels", quiet=Quiet("22:00", "06:00")),
    ("teams", "fleet"): Team("Fleet", ["assets"], [["ann"], ["ben"], ["boss"]], digest_at=["07:00"]),
    ("teams", "stores"): Team("Stores", ["stock"], [["sue"]]),
    ("rules", "lot_missing"): AlertRule(escalate_after_s=0, teams=[]),
}


@dataclass
class Office:
    """One book with who is told of its alerts."""

    yard: Yard
    box: Mailbox
    desk: Desk
    mailer: Mailer
    stop: Event = field(default_factory=Event)

    def declare(self, kind: str, ident: str, body: Struct) -> None:
        with write(self.yard.book) as tx:
            register.put(tx, kind, ident, body, valid_from=AFTER_THE_EXAMPLE, actor="test", now=self.yard.clock.now)

    def raise_alert(self, rule: str, subject: str, severity: Severity = "critical", title: str = "title") -> str:
        with write(self.yard.book) as tx:
            alerts.raise_alert(tx, Alert(rule, subject, severity, title, "{}"), self.yard.clock.now, "planner")
            found = select(alert.c.id).where(alert.c.rule == rule, alert.c.subject == subject).order_by(alert.c.n)
            return tx.scalars(found).all()[-1]

    def work(self, seconds: float = 0) -> None:
        """Let time pass, and desk and mailer do what is to be done then."""
        self.yard.clock.now += round(seconds * SECOND)
        while self.desk.step():
            pass
        while self.mailer.step(self.stop):
            pass

    def told(self) -> list[tuple[str, str]]:
        """(recipient, subject) of what has come, in order."""
        return [(recipient.partition("@")[0], mail["Subject"]) for recipient, mail in self.box.taken]

    def messages(self) -> list[tuple[str, str, int]]:
        with read(self.yard.book) as tx:
            return [(row.recipient, row.state, row.tries) for row in tx.execute(select(message).order_by(message.c.n))]


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with Mailbox().open() as box:
        yield box


@pytest.fixture
def office(yard: Yard, box: Mailbox) -> Iterator[Office]:
    config = Mail(url=f"smtp://127.0.0.1:{box.port}", starttls=False, sender="stockyard@yard.example", page=PAGE)
    desk = Desk(yard.book, yard.clock, Ways(has_mail=True, hooks=frozenset({"ops"}), page=PAGE))
    made = Office(yard, box, desk, Mailer(yard.book, yard.clock, config))
    for (kind, ident), body in DECLARED.items():
        made.declare(kind, ident, body)
    made.work()
    yield made
    made.mailer._server.close()
