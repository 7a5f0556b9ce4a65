"""One page of a telematics endpoint over HTTP: what may be asked, how long it may take, how large it may be.

It is fetched in a thread of its own, so that a server that hangs or drips holds up neither the end of the gateway nor
the next poll: whatever it waits for ends when its connection is cut.
"""

import re
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from socket import SHUT_RDWR, socket
from threading import Event, Thread
from time import monotonic
from urllib.parse import SplitResult, urljoin, urlsplit

from edge.driver import BadFrame, DeviceLost

CONNECT_S, PAGE_S = 15.0, 60.0
"""The most that one read, and a whole page may take."""
MAX_PAGE_BYTES = 8 * 1024 * 1024
LEAST_RETRY_S, MOST_RETRY_S = 1.0, 3600.0
PORTS = {"http": 80, "https": 443}
_TICK_S = 0.1
_SHOWN = 120
_USER, _QUERY = re.compile(r"(^|//)[^/]*@"), re.compile("[?#]")
_READ_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answers."""

    status: int
    url: str
    """Where it is from."""
    body: bytes = b""
    location: str = ""
    retry_s: float | None = None
    """For how long it asks to be left alone, within bounds."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What every request carries, and whom it trusts."""

    headers: Mapping[str, str]
    trust: ssl.SSLContext | None


def place(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of an http or https URL. Raises ValueError.

    >>> place("HTTPS://OEM.example/aemp")
    ('https', 'oem.example', 443)
    """
    parts = _split(url)
    return parts.scheme, parts.hostname or "", parts.port or PORTS[parts.scheme]


def shown(url: str) -> str:
    """An address for people and logs: without its query and its user, in which secrets may be.

    >>> shown("https://me:pass@oem.example/Fleet/1?key=secret")
    'https://oem.example/Fleet/1'
    """
    return _USER.sub(r"\1", _QUERY.split(url, maxsplit=1)[0])[:_SHOWN]


def beside(url: str, link: str) -> str:
    """Where a page's link leads. Raises BadFrame if that is not on the same server: passwords go there with it."""
    try:
        target = urljoin(url, link)
        if place(target) == place(url):
            return target.partition("#")[0]
    except ValueError as error:
        msg = f"Links: {error}"
        raise BadFrame(msg) from error
    msg = f"Links: an address on the same server expected, got {shown(link)!r}"
    raise BadFrame(msg)


def get(url: str, ask: Ask, stop: Event) -> Answer | None:
    """The answer, or None when stopped before. Raises DeviceLost."""
    exchange = _Exchange(url, ask)
    Thread(target=exchange.run, name="aemp", daemon=True).start()
    until = monotonic() + PAGE_S
    while not exchange.done.wait(_TICK_S):
        if stop.is_set():
            exchange.cut()
            return None
        if monotonic() > until:
            exchange.cut()
            msg = f"{shown(url)}: no whole page within {PAGE_S:g} s"
            raise DeviceLost(msg)
    if exchange.answer is None:
        msg = f"{shown(url)}: {exchange.why}"
        raise DeviceLost(msg)
    return exchange.answer


def _split(url: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname or parts.username is not None:
        msg = f"http:// or https:// with a host and no user expected, got {shown(url)!r}"
        raise ValueError(msg)
    if not all("!" <= each <= "~" for each in url):  # http.client would say all of such a one
        msg = f"an address without blanks and accents expected, got {shown(url)!r}"
        raise ValueError(msg)
    return parts


class _Exchange:
    """One request and its answer; `cut` ends it from another thread."""

    def __init__(self, url: str, ask: Ask) -> None:
        self.done = Event()
        self.answer: Answer | None = None
        self.why = "the request failed"
        self._url, self._ask = url, ask
        self._cut = False
        self._socket: socket | None = None
        scheme, host, port = place(url)
        self._http = (
            HTTPSConnection(host, port, timeout=CONNECT_S, context=ask.trust)
            if scheme == "https"
            else HTTPConnection(host, port, timeout=CONNECT_S)
        )

    def run(self) -> None:
        """The thread."""
        try:
            parts = urlsplit(self._url)
            self._http.connect()
            self._socket = self._http.sock  # which HTTPConnection forgets as soon as an answer is to end with it
            if self._cut:
                return
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            self._http.request("GET", target, headers=dict(self._ask.headers))
            self._take(self._http.getresponse())
        except (OSError, HTTPException, ValueError) as error:
            self.why = str(error) or type(error).__name__
        finally:
            self._http.close()
            self.done.set()

    def cut(self) -> None:
        """Whatever it waits for ends."""
        self._cut = True
        if (connection := self._socket or self._http.sock) is not None:
            with suppress(OSError):  # not the one of TLS, which is for the thread that reads
                socket.shutdown(connection, SHUT_RDWR)

    def _take(self, response: HTTPResponse) -> None:
        length, body = response.length, bytearray()
        while data := response.read(_READ_BYTES):
            body += data
            if len(body) > MAX_PAGE_BYTES:
                self.why = f"a page of at most {MAX_PAGE_BYTES} bytes expected"
                return
        if length is not None and len(body) != length:
            self.why = f"a page of {length} bytes expected, got {len(body)}"
            return
        if (coding := response.headers.get("Content-Encoding", "identity").lower()) != "identity":
            self.why = f"Content-Encoding: none expected, got {coding[:40]!r}"
            return
        headers = response.headers
        retry_s = _retry_s(headers.get("Retry-After", ""))
        self.answer = Answer(response.status, self._url, bytes(body), headers.get("Location", ""), retry_s)


def _retry_s(text: str) -> float | None:
    """Seconds, or a date of HTTP (RFC 9110, 10.2.3); None if it is neither."""
    if text.isascii() and text.isdecimal() and len(text) <= len("99999999"):
        seconds = float(text)
    else:
        try:
            seconds = (parsedate_to_datetime(text).astimezone(UTC) - datetime.now(UTC)).total_seconds()
        except (ValueError, OverflowError, TypeError, IndexError):
            return None
    return min(max(seconds, LEAST_RETRY_S), MOST_RETRY_S)
