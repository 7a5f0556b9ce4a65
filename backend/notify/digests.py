"""Digests: one mail for a team at its times of day, about what stands of little severity; none where nothing does."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert

from backend.alert_settings import contact_of
from backend.book import alert_rows, messages
from backend.book.messages import Draft
from backend.book.schema_desk import desk_mark
from backend.notify.telling import Case, Office, case_of
from models import escalation, mail
from models.declared_alerts import Team
from models.local_times import last_due

MOST = 500
"""Alerts that are looked through."""


def due(office: Office) -> list[tuple[str, Team, int]]:
    """The teams whose digest is due, with the time it is due for. A new team's first is the next one."""
    held = {name: upto for name, upto in office.tx.execute(select(desk_mark.c.name, desk_mark.c.upto))}  # noqa: C416
    found: list[tuple[str, Team, int]] = []
    for ident, team in office.teams.items():
        at = last_due(team.digest_at, team.time_zone, office.now)
        if at is not None and held.get(_name(ident), 0) < at:
            found.append((ident, team, at))
    return found


def send(office: Office, ident: str, team: Team, at: int) -> int:
    """Queue a team's digest for a time, unless this is the first that is seen of it; how many messages are new."""
    is_first = office.tx.scalar(select(desk_mark.c.upto).where(desk_mark.c.name == _name(ident))) is None
    mark(office, _name(ident), at)
    if is_first or not office.ways.has_mail:
        return 0
    cases = [case for case in _standing(office) if ident in case.teams]
    mine = [case for case in cases if escalation.is_for_digest(team, case.alert.severity)]
    if not mine:
        return 0
    rows = [(case.alert, case.row.raised_at) for case in mine]
    text = mail.digest_text(team.name, rows, len(cases) - len(mine), office.ways.page)
    subject = mail.one_line(f"{team.name}: {len(mine)} alerts stand")
    new = 0
    for contact in escalation.contacts([team], 1):
        told = contact_of(office.register, contact, office.now)
        if told is not None and told.email is not None:
            step = f"digest:{ident}:{at}"
            draft = Draft("", step, "mail", told.email, contact, subject, text, office.now)
            new += messages.queue(office.tx, draft, messages.WAITING, office.now)
    return new


def mark(office: Office, name: str, upto: int) -> None:
    """How far was looked."""
    over = upsert(desk_mark).values(name=name, upto=upto)
    office.tx.execute(over.on_conflict_do_update(index_elements=["name"], set_={"upto": upto}))


def _name(team: str) -> str:
    return f"digest:{team}"


def _standing(office: Office) -> list[Case]:
    table = alert_rows.table.c
    query = alert_rows.rows().where(table.state == "open").order_by(table.n.desc()).limit(MOST)
    return [case_of(office, row) for row in office.tx.execute(query).all()]
