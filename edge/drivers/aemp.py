"""The fleet of a machine maker or telematics provider, polled by ISO 15143-3 (AEMP 2.0).

Each machine is a device `id:<PIN>`, or its serial number or equipment id where it has no PIN. What it says comes with
the time of each element, often hours old; an element is told once, however often the endpoint repeats it.
"""

import base64
import ssl
from concurrent.futures import Future
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Annotated
from urllib.parse import urlsplit, urlunsplit

from msgspec import Meta, Struct

from edge.driver import DeviceLost, Health, Put, SettingRefused
from edge.drivers.aemp_fetch import Ask, place, shown
from edge.drivers.aemp_poll import Busy, Feed, Poll
from models.wire import Reply

FIRST_RETRY_S = 15.0
_ACCEPT = "application/xml, text/xml;q=0.9, application/json;q=0.8"
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_MAX_DOUBLINGS = 10


class AempSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[[device]]` with driver = "aemp"."""

    url: str
    """The fleet snapshot: the address of its first page, or all of it before /Fleet/1."""
    poll_s: Annotated[float, Meta(ge=10, le=86_400)] = 300.0
    """From one poll to the next; the provider says how often it may be asked."""
    username: str = ""
    """With password_file: for endpoints that ask for a name and a password."""
    password_file: str = ""
    """A file that holds the password."""
    token_file: str = ""
    """A file that holds a bearer token; read anew at each poll."""
    ca_file: str = ""
    """With https: who signs the endpoint's certificate; the system's own list if empty."""

    def __post_init__(self) -> None:
        try:
            scheme, host, _ = place(self.url)
        except ValueError as error:
            msg = f"url: {error}"
            raise ValueError(msg) from error
        if bool(self.username) != bool(self.password_file):
            msg = "username, password_file: both or neither expected"
            raise ValueError(msg)
        if self.username and self.token_file:
            msg = "token_file: none beside username expected"
            raise ValueError(msg)
        if scheme == "http" and (self.username or self.token_file) and host not in _LOOPBACK:
            msg = "url: https:// expected: a password or token is sent to it"
            raise ValueError(msg)
        if scheme == "http" and self.ca_file:
            msg = "ca_file: needs an https:// url"
            raise ValueError(msg)

    def first_page(self) -> str:
        """Where a poll begins.

        >>> AempSettings("https://oem.example/aemp/").first_page()
        'https://oem.example/aemp/Fleet/1'
        >>> AempSettings("https://oem.example/Fleet/0?size=100").first_page()
        'https://oem.example/Fleet/0?size=100'
        """
        parts = urlsplit(self.url)
        path = parts.path.rstrip("/")
        *_, last = path.lower().split("/")
        if "/fleet/" not in path.lower():
            path += "/1" if last == "fleet" else "/Fleet/1"
        return urlunsplit(parts._replace(path=path, fragment=""))

    @property
    def secret(self) -> str:
        """The key that says how the endpoint is asked."""
        return "token_file" if self.token_file else "password_file" if self.username else "username"


class AempDriver:
    """One endpoint."""

    def __init__(self, device: str, settings: AempSettings) -> None:
        self._settings = settings
        self._feed = Feed(device, settings.first_page(), settings.secret)
        self._due = monotonic()
        self._failures = 0

    def run(self, put: Put, health: Health, stop: Event) -> None:
        """Poll until stop. Raises DeviceLost when a poll fails; the next one waits its time, whoever opens it again."""
        while not stop.wait(max(0.0, self._due - monotonic())):
            self._due = monotonic() + self._settings.poll_s
            try:
                is_over = Poll(self._feed, self._ask(), put, health, stop).run()
            except DeviceLost as error:
                self._due = monotonic() + self._retry_s(error)
                raise
            self._failures = 0
            if is_over:
                health.reading()

    def reply(self, reply: Reply) -> None:
        """A feed has no person before it."""

    def probe(self) -> str:
        """Ask for the first page. Raises DeviceLost saying why there is none."""
        page = Poll(self._feed, self._ask(), _nowhere, _Nobody(), Event()).first()
        machines = len(page.machines) if page else 0
        return f"{shown(self._feed.url)} answers: {machines} machines on the first page"

    def _retry_s(self, error: DeviceLost) -> float:
        """As the server asks; else sooner than the next poll, later with each failure."""
        self._failures += 1
        if isinstance(error, Busy) and error.retry_s is not None:
            return error.retry_s
        doubled = FIRST_RETRY_S * 2.0 ** min(self._failures - 1, _MAX_DOUBLINGS)
        return min(self._settings.poll_s, doubled)

    def _ask(self) -> Ask:
        """Raises SettingRefused naming the key whose file cannot be used."""
        settings = self._settings
        headers = {"Accept": _ACCEPT, "Accept-Encoding": "identity", "User-Agent": "stockyard-edge"}
        if settings.username:
            pair = f"{settings.username}:{_secret('password_file', settings.password_file)}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        elif settings.token_file:
            headers["Authorization"] = "Bearer " + _secret("token_file", settings.token_file)
        if not settings.url.lower().startswith("https:"):
            return Ask(headers, None)
        try:
            return Ask(headers, ssl.create_default_context(cafile=settings.ca_file or None))
        except OSError as error:
            msg = f"ca_file: {settings.ca_file}: {error}"
            raise SettingRefused(msg) from error


def _secret(key: str, file: str) -> str:
    try:
        text = Path(file).read_text("utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{key}: {error}"
        raise SettingRefused(msg) from error
    if not text or not text.isprintable() or (key == "token_file" and not text.isascii()):
        msg = f"{key}: one line of text expected in {file}"
        raise SettingRefused(msg)
    return text


def _nowhere(_readings: object) -> "Future[None]":
    msg = "a probe keeps nothing"
    raise DeviceLost(msg)


class _Nobody:
    """Of whose health a probe tells."""

    def reading(self) -> None:
        """Nothing."""

    def bad_frame(self, why: str) -> None:
        """Nothing."""
