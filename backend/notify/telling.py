"""Turns what is to be told of an alert into messages: a mail for who has an address, a post for who has a webhook."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Row

from backend.alert_settings import contact_of, settings_of, teams_of
from backend.book import alert_rows, messages, webhooks
from backend.book.messages import Draft
from models import mail
from models.alert import Alert
from models.alert_defaults import Settings
from models.declared import Asset
from models.declared_alerts import Contact, Team
from models.escalation import addressed
from models.local_times import quiet_until
from models.reading import from_micros
from models.register import Register


@dataclass(frozen=True, slots=True)
class Ways:
    """What is configured: whether there is a mail server, the webhooks by name, and where the page is."""

    has_mail: bool = False
    hooks: Collection[str] = ()
    page: str = ""


@dataclass(frozen=True, slots=True)
class Office:
    """One turn of the desk: a transaction of one moment, the register, and the ways there are."""

    tx: Connection
    register: Register
    now: int
    ways: Ways

    @property
    def teams(self) -> Mapping[str, Team]:
        return teams_of(self.register, self.now)


@dataclass(frozen=True, slots=True)
class Case:
    """An alert as it stands, how its rule is set, and the teams that answer for it."""

    row: Row[Any]
    alert: Alert
    settings: Settings
    teams: Mapping[str, Team]


class _Detail(msgspec.Struct):
    asset: str = ""


def case_of(office: Office, row: Row[Any]) -> Case:
    """What is known of an alert."""
    alert = alert_rows.raised(row).alert
    said = settings_of(office.register, alert.rule, office.now)
    teams = office.teams
    return Case(row, alert, said, {each: teams[each] for each in addressed(teams, said, _fleet(office, alert))})


def _fleet(office: Office, alert: Alert) -> str | None:
    """The fleet of the asset that an alert names; "" if it has none."""
    try:
        named = msgspec.json.decode(alert.detail, type=_Detail).asset
    except msgspec.MsgspecError:
        return None
    asset = office.register.get("assets", named, office.now) if named else None
    return (asset.fleet or "") if isinstance(asset, Asset) else None


def tell(office: Office, case: Case, contacts: Iterable[str], step: str, why: str) -> int:
    """Queue what each of these contacts is to be told at a step of an alert's life; how many messages are new."""
    found = ((ident, contact_of(office.register, ident, office.now)) for ident in contacts)
    return sum(_tell(office, case, (ident, each), step, why) for ident, each in found if each is not None)


def _tell(office: Office, case: Case, to: tuple[str, Contact], step: str, why: str) -> int:
    ident, contact = to
    words = mail.text(case.alert, case.row.raised_at, [why], office.ways.page)
    kind = step.partition(":")[0]
    about = mail.subject(case.alert, "" if kind == "raised" else kind)

    def draft(channel: messages.Channel, recipient: str, due_at: int) -> Draft:
        return Draft(case.row.id, step, channel, recipient, ident, about, words, due_at)

    new = 0
    if contact.email is not None and office.ways.has_mail:
        is_urgent = case.alert.severity == "critical"
        rests_until = None if is_urgent else quiet_until(contact.quiet, contact.time_zone, office.now)
        due_at = office.now if rests_until is None else rests_until
        new += messages.queue(office.tx, draft("mail", contact.email, due_at), messages.WAITING, office.now)
    if contact.webhook is not None:
        new += _hand(office, case, draft("webhook", contact.webhook, office.now))
    return new


def _hand(office: Office, case: Case, draft: Draft) -> bool:
    """To the webhook's own outbox, once; it is signed and tried again there."""
    if draft.recipient not in office.ways.hooks:
        problem = f"no [webhook.{draft.recipient}] is configured"
        return messages.queue(office.tx, draft, messages.DEAD, office.now, problem)
    if not messages.queue(office.tx, draft, messages.HANDED, office.now):
        return False
    row = case.row
    body = {
        "alert": row.id,
        **{name: getattr(row, name) for name in ("rule", "subject", "severity", "title", "state", "level", "assignee")},
        "raised_at": from_micros(row.raised_at),
        "contact": draft.contact,
        "step": draft.step,
    }
    webhooks.owe(office.tx, draft.recipient, draft.id, ("notification", body), office.now)
    return True
