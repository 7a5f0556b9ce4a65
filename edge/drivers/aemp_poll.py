"""From page to page of a fleet, each page's news made durable, and what was told before not told again.

A poll ends where the links end. Links that lead in a circle, to pages of machines that were on earlier ones, or to
another server end it too and are counted: what came until then is kept. A snapshot repeats each element until the
machine sends a newer one, so what was told is remembered; after a restart it may be told once more, which is harmless.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event

from edge.driver import BadFrame, DeviceLost, Health, Put, SettingRefused
from edge.drivers.aemp_feed import Page, parse_page
from edge.drivers.aemp_fetch import Answer, Ask, beside, get, shown
from models.reading import DeviceEvent, Reading
from models.wire import encode

MAX_PAGES, MAX_REDIRECTS, MAX_EMPTY = 1000, 5, 2
MAX_REMEMBERED = 200_000
PUT_READINGS = 500
OK, UNAUTHORIZED, FORBIDDEN = 200, 401, 403
REDIRECTS, BUSY = {301, 302, 303, 307, 308}, {429, 503}
_TICK_S = 0.1
_DIGEST_BYTES = 12


class Busy(DeviceLost):
    """The server asks to be left alone for `retry_s`, None if it does not say for how long."""

    def __init__(self, why: str, retry_s: float | None) -> None:
        super().__init__(why)
        self.retry_s = retry_s


class Told:
    """What was told last, bounded: what was not on a page for the longest time is forgotten first."""

    def __init__(self, limit: int = MAX_REMEMBERED) -> None:
        self._limit = limit
        self._known: OrderedDict[bytes, None] = OrderedDict()

    def news(self, readings: Iterable[Reading]) -> dict[bytes, Reading]:
        """Those that were not told, each once, by what they are remembered by."""
        found: dict[bytes, Reading] = {}
        for reading in readings:
            key = _key(reading)
            if key in self._known:
                self._known.move_to_end(key)
            else:
                found[key] = reading
        return found

    def remember(self, keys: Iterable[bytes]) -> None:
        """They are durable."""
        for key in keys:
            self._known[key] = None
        while len(self._known) > self._limit:
            self._known.popitem(last=False)


def _key(reading: Reading) -> bytes:
    """By its content; what could not be read has no time of its own."""
    if isinstance(reading, DeviceEvent) and reading.name == "bad_reading":
        text = f"{reading.device}\n{reading.detail}".encode(errors="replace")
    else:
        text = encode(reading)
    return hashlib.blake2b(text, digest_size=_DIGEST_BYTES).digest()


@dataclass(slots=True)
class Feed:
    """An endpoint over all polls: its first page, what it told, and the page that it was too busy for."""

    name: str
    url: str
    key: str
    """The setting that a refused password or token is in."""
    told: Told = field(default_factory=Told)
    waiting: str | None = None


@dataclass(slots=True)
class Poll:
    """One poll."""

    feed: Feed
    ask: Ask
    put: Put
    health: Health
    stop: Event
    seen: set[str] = field(default_factory=set[str])
    """Machines."""

    def run(self) -> bool:
        """Every page; whether it came to an end and was not stopped. Raises DeviceLost."""
        url, self.feed.waiting = self.feed.waiting or self.feed.url, None
        visited, empty = set[str](), 0
        for _ in range(MAX_PAGES):
            answer = self._fetch(url)
            page = None if answer is None else self._parse(answer)
            if answer is None or page is None or not self._keep(page):
                return False
            visited |= {url, answer.url}
            is_repeated = bool(page.machines) and page.machines.keys() <= self.seen
            self.seen |= page.machines.keys()
            empty = 0 if page.machines else empty + 1
            try:
                link = self._next(answer.url, page, visited, repeated=is_repeated, empty=empty)
            except BadFrame as error:
                self.health.bad_frame(str(error))
                return True
            if link is None:
                return True
            url = link
        self.health.bad_frame(f"Links: at most {MAX_PAGES} pages expected")
        return True

    def first(self) -> Page | None:
        """The first page only, and nothing of it is kept. Raises DeviceLost."""
        answer = self._fetch(self.feed.url)
        return None if answer is None else self._parse(answer)

    def _fetch(self, url: str) -> Answer | None:
        """A page's answer, redirected or not; None when stopped. Raises DeviceLost."""
        at = url
        for _ in range(MAX_REDIRECTS + 1):
            answer = get(at, self.ask, self.stop)
            if answer is None or answer.status == OK:
                return answer
            if answer.status in REDIRECTS:
                try:
                    at = beside(at, answer.location)
                except BadFrame as error:
                    msg = f"{shown(at)}: redirected: {error}"
                    raise DeviceLost(msg) from error
                continue
            self._refused(url, answer)
        msg = f"{shown(url)}: at most {MAX_REDIRECTS} redirects expected"
        raise DeviceLost(msg)

    def _refused(self, url: str, answer: Answer) -> None:
        if answer.status in {UNAUTHORIZED, FORBIDDEN}:
            msg = f"{self.feed.key}: {shown(url)} answers {answer.status}"
            raise SettingRefused(msg)
        if answer.status in BUSY:
            self.feed.waiting = url
            msg = f"{shown(url)} answers {answer.status}"
            raise Busy(msg, answer.retry_s)
        msg = f"{shown(url)} answers {answer.status}"
        raise DeviceLost(msg)

    def _parse(self, answer: Answer) -> Page:
        try:
            return parse_page(answer.body, datetime.now(UTC))
        except BadFrame as error:
            msg = f"{shown(answer.url)}: {error}"
            self.health.bad_frame(msg)
            raise DeviceLost(msg) from error

    def _keep(self, page: Page) -> bool:
        """Make the page's news durable; whether that was to the end and not stopped."""
        nameless = [DeviceEvent(self.feed.name, datetime.now(UTC), "bad_reading", each) for each in page.nameless]
        said = [reading for readings in page.machines.values() for reading in readings]
        news = self.feed.told.news([*said, *nameless])
        for reading in news.values():
            if isinstance(reading, DeviceEvent) and reading.name == "bad_reading":
                self.health.bad_frame(f"{reading.device}: {reading.detail}")
        keys = list(news)
        for begin in range(0, len(keys), PUT_READINGS):
            some = keys[begin : begin + PUT_READINGS]
            if not self._put(some, [news[key] for key in some]):
                return False
        return not self.stop.is_set()

    def _put(self, keys: Sequence[bytes], readings: Sequence[Reading]) -> bool:
        """What could not be made durable is news at the next poll again."""
        if self.stop.is_set():
            return False
        put = self.put(readings)
        try:
            if not _settled(put, self.stop):
                return False
        except (CancelledError, OSError):
            return True
        self.feed.told.remember(keys)
        return True

    @staticmethod
    def _next(url: str, page: Page, visited: set[str], *, repeated: bool, empty: int) -> str | None:
        """The next page's address, from the page at `url`. Raises BadFrame where links do not lead on, but should."""
        links = {beside(url, each) for each in page.next}
        if len(links) > 1:
            msg = f"Links: one next expected, got {len(links)}"
            raise BadFrame(msg)
        link = next(iter(links), None)
        if link is None or link == url:  # how some makers say that this is the last one
            return None
        if link in visited:
            msg = f"Links: a page that was not there yet expected, got {shown(link)!r}"
            raise BadFrame(msg)
        if repeated:
            msg = f"{shown(url)}: machines expected that were on no page before"
            raise BadFrame(msg)
        if empty >= MAX_EMPTY:
            msg = f"{shown(url)}: no further pages after {MAX_EMPTY} empty ones expected"
            raise BadFrame(msg)
        return link


def _settled(put: "Future[None]", stop: Event) -> bool:
    """Wait until it is durable; False when stopped before. Raises what it failed with."""
    while not stop.is_set():
        try:
            put.result(_TICK_S)
        except TimeoutError:
            if put.done():
                raise
        else:
            return True
    return False
