"""The doctor on mail: a server that takes our name and password, and addresses that somebody is to be told at."""

from collections.abc import Iterator

from sqlalchemy import Connection

from backend.book import messages, register
from backend.check import Check
from backend.config import Mail
from backend.notify.smtp import Server, ServerAway
from models.declared_alerts import Contact


def server(config: Mail) -> Iterator[Check]:
    """A connection, TLS and the sign-in as they are configured; nothing is sent. Nothing without [mail]."""
    if not config.url:
        return
    try:
        Server(config).check()
    except ServerAway as away:
        step = "start the mail server, or correct mail.url, mail.username and mail.password_file"
        yield Check("mail server", ok=False, detail=f"{config.url}: {away}", next_step=step)
    else:
        yield Check("mail server", ok=True, detail=f"{config.url} accepts us")


def waiting(config: Mail, tx: Connection, now: int) -> Check:
    """Whether who has an address can be told, and whether anything was never taken."""
    contacts = register.load(tx).all("contacts", now).values()
    addresses = sum(isinstance(each, Contact) and each.email is not None for each in contacts)
    counts = messages.counts(tx)
    detail = f"{counts[messages.WAITING]} wait, {counts[messages.DEAD]} were never taken"
    if addresses and not config.url:
        detail += f"; {addresses} contacts have an address, and there is no mail server (mail.url)"
    step = "" if not counts[messages.DEAD] else "look at GET /api/v1/messages?state=dead, and send them once more"
    return Check("messages", ok=not counts[messages.DEAD], detail=detail, next_step=step)
