"""One SMTP server: a connection that is kept for a while, and one message to one recipient after the other.

Every recipient has a message of its own, so that what one server refuses for one of them says nothing of the others.
"""

import socket
import ssl
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from functools import partial
from pathlib import Path
from smtplib import SMTP, SMTP_SSL, SMTPDataError, SMTPException, SMTPResponseException
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Row

from backend.book.messages import Tried
from backend.config import Mail
from models.mail import one_line
from models.reading import from_micros

TIMEOUT_S = 10.0
SUBMISSION, SMTPS = 587, 465
CLOSING = 421
"""The server says that it goes away."""
LONGEST_PROBLEM = 200
DOMAIN = "stockyard"
"""The right part of every Message-ID: whoever the sender is set to be, the id of a message stays the same."""
_POLICY = SMTP_POLICY.clone(cte_type="7bit")


class ServerAway(Exception):
    """No server took any message: nothing is said of the one that was tried. The message is the problem."""


class Server:
    """A server as it is configured. Not for more than one thread."""

    def __init__(self, config: Mail) -> None:
        self._config = config
        url = urlsplit(config.url)
        self._is_tls = url.scheme == "smtps"
        self._host, self._port = url.hostname or "", url.port or (SMTPS if self._is_tls else SUBMISSION)
        self._open: SMTP | None = None

    def send(self, message: EmailMessage, recipient: str) -> Tried:
        """What the server answers to one message for one recipient. Raises ServerAway."""
        try:
            if self._open is None:
                self._open = self._connect()
            return _tried(self._open, self._config.sender, recipient, message.as_bytes())
        except (OSError, SMTPException) as error:
            self.close()
            raise ServerAway(f"{type(error).__name__}: {error}"[:LONGEST_PROBLEM]) from error

    def check(self) -> None:
        """Connect, and sign in where that is configured, and say nothing. Raises ServerAway."""
        try:
            self._connect().quit()
        except (OSError, SMTPException) as error:
            raise ServerAway(f"{type(error).__name__}: {error}"[:LONGEST_PROBLEM]) from error

    def close(self) -> None:
        """End the connection, without waiting for an answer."""
        if self._open is not None:
            self._open.close()
        self._open = None

    def _connect(self) -> SMTP:
        config, name = self._config, socket.gethostname()
        context = ssl.create_default_context(cafile=config.ca_file or None)
        if self._is_tls:
            server: SMTP = SMTP_SSL(self._host, self._port, name, timeout=TIMEOUT_S, context=context)
        else:
            server = SMTP(self._host, self._port, name, timeout=TIMEOUT_S)
        try:
            if not self._is_tls and config.starttls:
                server.starttls(context=context)
            if config.username:
                server.login(config.username, Path(config.password_file).read_text(encoding="utf-8").strip())
        except (OSError, SMTPException):
            server.close()
            raise
        return server


def _tried(server: SMTP, sender: str, recipient: str, data: bytes) -> Tried:
    """MAIL, RCPT and DATA; whatever is refused is taken back, so that the connection serves the next."""
    server.ehlo_or_helo_if_needed()
    code, said = 0, b""
    for command in (partial(server.mail, sender), partial(server.rcpt, recipient), partial(_data, server, data)):
        code, said = command()
        if code == CLOSING:
            raise SMTPResponseException(code, said)
        if code // 100 != 2:  # noqa: PLR2004 - 2xx
            server.rset()
            return Tried(code, one_line(f"{code} {said.decode('ascii', 'replace')}")[:LONGEST_PROBLEM])
    return Tried(code, None)


def _data(server: SMTP, data: bytes) -> tuple[int, bytes]:
    """What is answered to the whole of it, or to DATA itself where that is refused."""
    try:
        return server.data(data)
    except SMTPDataError as error:
        return error.smtp_code, error.smtp_error if isinstance(error.smtp_error, bytes) else error.smtp_error.encode()


def mail_of(row: Row[Any], sender: str) -> EmailMessage:
    """A message of the book as a mail: plain text, the same over all tries; those about one alert are one thread."""
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = sender
    mail["To"] = row.recipient
    mail["Subject"] = one_line(row.subject)
    mail["Date"] = format_datetime(from_micros(row.made_at))
    mail["Message-ID"] = f"<{row.id}@{DOMAIN}>"
    if row.alert_id:
        mail["References"] = f"<{row.alert_id}@{DOMAIN}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(row.text)
    return mail
