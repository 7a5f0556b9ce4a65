"""What a running system answers over its HTTP API (docs/contract.md section 4), as the checker reads it."""

import http.client
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Generic, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from msgspec import Raw, Struct

from models.reading import from_micros
from simulators.answers_fleet import Alert, AssetNow, Due, Kept, MeterUse, Risk, ServiceDone, TrackPoint

T = TypeVar("T")
TIMEOUT_S = 60.0
RETRIES = 3
LARGEST = {"journal": 5000}
PAGE = 1000


class Unreachable(Exception):
    """The API does not answer, or not as the contract says."""


class Page(Struct, Generic[T], frozen=True):
    """A list and where it goes on."""

    items: list[T]
    next: str | int | None = None
    complete_to: datetime | None = None


class Stream(Struct, frozen=True):
    """One epoch of a gateway as the backend has it."""

    epoch: str
    committed: int


class Gateway(Struct, frozen=True):
    """A gateway's epochs."""

    name: str
    streams: list[Stream]


class Entry(Struct, frozen=True):
    """A committed reading; `reading` is its text as it came."""

    seq: int
    kind: str
    device: str
    at: datetime
    reading: Raw


class Gap(Struct, frozen=True):
    """Numbers that an outbox's quota forced out."""

    gateway: str
    epoch: str
    from_seq: int
    to_seq: int
    reason: str


class Quarantined(Struct, frozen=True):
    """A reading that could not be used."""

    reason: str
    gateway: str | None = None
    epoch: str | None = None
    seq: int | None = None
    sort: str = "reading"


class Crossing(Struct, frozen=True):
    """A pass as the system judged it."""

    id: str
    device: str
    epc: str
    first_at: datetime
    last_at: datetime
    direction: str
    kind: str | None = None
    sku: str | None = None


class Movement(Struct, frozen=True):
    """An entry of the stock ledger."""

    id: str
    n: int
    sku: str
    lot: str | None
    quantity: str
    source: str
    target: str
    evidence: list[str]
    reverses: str | None = None


class Stock(Struct, frozen=True):
    """On hand of one lot at one place."""

    sku: str
    location: str
    on_hand: str
    lot: str | None = None


class Act(Struct, frozen=True):
    """What a scan came to."""

    action: str
    evidence: list[str]
    sku: str | None = None
    lot: str | None = None
    quantity: str | None = None
    location: str | None = None
    parent: str | None = None
    child: str | None = None
    epc: str | None = None
    asset: str | None = None


class Packed(Struct, frozen=True):
    """What lies on a pallet."""

    child: str
    parent: str


class Bound(Struct, frozen=True, omit_defaults=True):
    """What a tag is on."""

    thing: str
    sku: str | None = None
    quantity: str | None = None
    asset: str | None = None


class BoundTag(Struct, frozen=True):
    """A tag of the register."""

    id: str
    body: Bound


class System:
    """The API at a URL. Every method raises Unreachable."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            msg = f"--url: http://host:port expected, got {url!r}"
            raise ValueError(msg)
        self._url = url
        self._host = parts.netloc
        self._secure = parts.scheme == "https"
        self._prefix = parts.path.rstrip("/") + "/api/v1/"
        self._connection: http.client.HTTPConnection | None = None

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def gateways(self) -> list[Gateway]:
        return list(self._all("gateways", Gateway))

    def journal(self, gateway: str, epoch: str) -> Iterator[Entry]:
        """Everything committed of one epoch, by seq."""
        return self._all("journal", Entry, gateway=gateway, epoch=epoch)

    def gaps(self) -> list[Gap]:
        return list(self._all("gaps", Gap))

    def quarantine(self) -> list[Quarantined]:
        return list(self._all("quarantine", Quarantined))

    def crossings(self) -> list[Crossing]:
        return list(self._all("crossings", Crossing))

    def movements(self) -> list[Movement]:
        return list(self._all("movements", Movement))

    def stock(self) -> list[Stock]:
        return list(self._all("stock", Stock))

    def acts(self) -> list[Act]:
        return list(self._all("scans", Act))

    def packs(self) -> list[Packed]:
        return list(self._all("packs", Packed))

    def tags(self) -> list[BoundTag]:
        """What the register says of tags now; it answers all at once."""
        return self._page("tags", BoundTag, {}).items

    def complete_to(self) -> datetime | None:
        """The time up to which the figures of stock rest on everything that was read."""
        return self._page("stock", Stock, {"limit": "1"}).complete_to

    def alerts(self, rule: str) -> list[Alert]:
        """Every alert of a rule, whatever became of it."""
        return [one for one in self._all("alerts", Alert) if one.rule == rule]

    def fleet(self) -> list[AssetNow]:
        return self._page("fleet", AssetNow, {}).items

    def meters(self, asset: str, span: tuple[int, int], *, by_day: bool = False) -> list[MeterUse]:
        """What each meter of an asset counted between two moments, or on each UTC day between them."""
        return self._page(_of(asset, "meters"), MeterUse, {**_span(span), **({"by": "day"} if by_day else {})}).items

    def track(self, asset: str, span: tuple[int, int], limit: int) -> list[TrackPoint]:
        """The newest `limit` positions from one moment to another, both included."""
        return self._page(_of(asset, "track"), TrackPoint, {**_span(span), "limit": str(limit)}).items

    def due(self) -> list[Due]:
        return self._page("due", Due, {}).items

    def kept(self, asset: str, plan: str) -> list[Kept]:
        """The services of a plan that were done, the newest first."""
        return self._page("due/history", Kept, {"asset": asset, "plan": plan, "limit": str(PAGE)}).items

    def services(self) -> list[ServiceDone]:
        return list(self._all("services", ServiceDone))

    def risk(self) -> list[Risk]:
        return list(self._all("risk", Risk))

    def _all(self, path: str, shape: type[T], **query: str) -> Iterator[T]:
        limit = LARGEST.get(path, PAGE)
        asked = query if path == "gateways" else {**query, "limit": str(limit)}
        while True:
            page = self._page(path, shape, asked)
            yield from page.items
            if page.next is None:
                return
            asked = {**asked, "after": str(page.next)}

    def _page(self, path: str, shape: type[T], query: dict[str, str]) -> Page[T]:
        body = self._get(f"{self._prefix}{path}?{urlencode(query)}")
        try:
            return msgspec.json.decode(body, type=Page[shape])  # type: ignore[valid-type]
        except msgspec.MsgspecError as error:
            msg = f"{self._url} /{path}: {error}"
            raise Unreachable(msg) from error

    def _get(self, target: str) -> bytes:
        """One answer; a connection that broke is made anew, because a server may restart."""
        trouble = "no answer"
        for attempt in range(RETRIES):
            time.sleep(attempt)
            try:
                if self._connection is None:
                    make = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
                    self._connection = make(self._host, timeout=TIMEOUT_S)
                self._connection.request("GET", target, headers={"accept": "application/json"})
                response = self._connection.getresponse()
                body = response.read()
            except (OSError, http.client.HTTPException) as error:
                self.close()
                trouble = f"{type(error).__name__}: {error}"
                continue
            if response.status == http.client.OK:
                return body
            trouble = f"{response.status} {body[:300].decode(errors='replace')}"
        msg = f"{self._url}{target.partition('?')[0]}: {trouble}"
        raise Unreachable(msg)


def _of(asset: str, what: str) -> str:
    return f"assets/{quote(asset, safe='')}/{what}"


def _span(span: tuple[int, int]) -> dict[str, str]:
    since, until = (from_micros(at).isoformat() for at in span)
    return {"since": since, "until": until}
