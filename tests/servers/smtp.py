"""An SMTP server on loopback that keeps what it took, and fails as it is told to: away, refusing, silent, cut off.

What it does with the next messages is in `plan`, a word each, and then `else_`: take, greet_421, rcpt_4xx, rcpt_5xx,
data_4xx, data_5xx, hang (nothing more is said), cut (taken, and the connection ends before that is said).
"""

import re
import socketserver
import ssl
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from threading import Event, Thread
from typing import Any

SAYS = {
    "rcpt_4xx": "450 mailbox busy",
    "rcpt_5xx": "550 no such mailbox",
    "greet_421": "421 come back later",
    "data_4xx": "451 local error",
    "data_5xx": "554 refused",
}


@dataclass
class Mailbox:
    """What came: (recipient, mail) for every message taken, whether or not that could be said."""

    plan: list[str] = field(default_factory=list[str])
    else_: str = "take"
    password: str | None = None
    tls: ssl.SSLContext | None = None
    taken: list[tuple[str, EmailMessage]] = field(default_factory=list[tuple[str, EmailMessage]])
    signed_in: list[str] = field(default_factory=list[str])
    said: list[str] = field(default_factory=list[str])
    """Every line of every client."""
    port: int = 0
    hung: Event = field(default_factory=Event)

    @property
    def ids(self) -> list[str]:
        """Message-IDs of what came, with repeats."""
        return [mail["Message-ID"] for _, mail in self.taken]

    @contextmanager
    def open(self) -> Iterator["Mailbox"]:
        """Listen, on the port of before if there was one."""

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address, daemon_threads = True, True

        box = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                talk = _Talk(box, self)
                with suppress(OSError, ValueError):
                    talk.run()
                talk.close()

        server = Server(("127.0.0.1", self.port), Handler)
        self.port = server.server_address[1]
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield self
        finally:
            self.hung.set()
            server.shutdown()
            server.server_close()


class _Talk:
    """One connection."""

    def __init__(self, box: Mailbox, handler: Any) -> None:
        self._box, self._socket, self._lines = box, handler.connection, handler.rfile
        self._recipient = ""

    def run(self) -> None:
        box = self._box
        if box.else_ == "greet_421" and not box.plan:
            self._say(SAYS["greet_421"])
            return
        self._say("220 mail.test ESMTP")
        while line := self._lines.readline():
            text = line.decode("ascii").rstrip("\r\n")
            box.said.append(text)
            if not self._answer(text):
                return

    def close(self) -> None:
        """End it; the handler ends only what it opened itself."""
        self._lines.close()
        self._socket.close()

    def _say(self, text: str) -> None:
        self._socket.sendall(text.encode() + b"\r\n")

    def _answer(self, text: str) -> bool:
        """False once the connection is to end."""
        match text.split(" ", 1)[0].upper():
            case "EHLO":
                more = ["STARTTLS"] if self._box.tls is not None else []
                more += ["AUTH PLAIN"] if self._box.password is not None else []
                for each in ("mail.test", *more):
                    self._say(f"250-{each}")
                self._say("250 SIZE 1000000")
            case "STARTTLS" if self._box.tls is not None:
                self._say("220 go on")
                self._socket = self._box.tls.wrap_socket(self._socket, server_side=True)
                self._lines = self._socket.makefile("rb")
            case "AUTH":
                _, name, password = b64decode(text.split(" ")[2]).decode().split("\0")
                is_right = password == self._box.password
                self._box.signed_in += [name] if is_right else []
                self._say("235 welcome" if is_right else "535 wrong")
            case "RCPT":
                found = re.search(r"<(.*?)>", text)
                self._recipient = found[1] if found else ""
                doing = self._doing()
                refusal = SAYS[doing] if doing.startswith(("rcpt", "greet")) else None
                self._say(refusal or "250 known")
                if refusal is not None:
                    self._done()
            case "DATA":
                return self._data()
            case "QUIT":
                self._say("221 bye")
                return False
            case _:
                self._say("250 ok")
        return True

    def _doing(self) -> str:
        return self._box.plan[0] if self._box.plan else self._box.else_

    def _done(self) -> None:
        if self._box.plan:
            self._box.plan.pop(0)

    def _data(self) -> bool:
        doing = self._doing()
        self._say("354 send it")
        lines: list[bytes] = []
        while (line := self._lines.readline()) not in {b".\r\n", b""}:
            lines.append(line[1:] if line.startswith(b"..") else line)
        self._done()
        if doing == "hang":
            self._box.hung.wait(30)
            return False
        if doing.startswith("data"):
            self._say(SAYS[doing])
            return True
        mail = message_from_bytes(b"".join(lines), policy=policy.default)
        self._box.taken.append((self._recipient, mail))  # type: ignore[arg-type]
        if doing == "cut":
            return False
        self._say("250 taken")
        return True
