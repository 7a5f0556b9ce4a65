"""The alert inbox: what stands of stock, assets or devices, and what sleeps until when; also that of one asset."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Connection

from backend.api import items
from backend.api.queries import inbox
from backend.api.services import Services

ROWS, ASLEEP, CLOSED, REASONS = 50, 50, 10, 3
Context = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """An alert, what it is about in one word, and the asset that it names."""

    alert: items.Alert
    sort: str
    asset: str | None

    @property
    def reasons(self) -> list[str]:
        """Why, in words, as its rule gave them."""
        said = self.alert.detail.get("reasons")
        texts = [_text(one) for one in cast("list[object]", said)[:REASONS]] if isinstance(said, list) else []
        return [text for text in texts if text and text not in self.alert.title]


def _text(reason: object) -> str:
    """A reason in words: it is those, or has them."""
    if isinstance(reason, dict):
        return str(cast("dict[str, object]", reason).get("text", ""))
    return str(reason)


def entry(found: items.Alert) -> Entry:
    """What an alert is about."""
    if found.rule in inbox.ASSET_RULES:
        return Entry(found, "asset", inbox.asset_of(found))
    return Entry(found, "stock" if found.rule in inbox.STOCK_RULES else "device", None)


def alerts(tx: Connection, _services: Services, ask: Mapping[str, str]) -> Context:
    """The section of the page: of the chosen sort, with how many there are of each."""
    chosen = ask.get("alerts", "all")
    where = inbox.SORTS.get(chosen, ())
    return {
        "entries": [entry(each) for each in inbox.standing(tx, ROWS, where)],
        "asleep": [entry(each) for each in inbox.asleep(tx, ASLEEP, where)],
        "counts": inbox.counts(tx),
        "chosen": chosen,
        "asset": None,
    }


def of_asset(tx: Connection, ident: str) -> Context:
    """The part of an asset's page."""
    where = [inbox.OF_ASSETS, inbox.names(ident)]
    return {
        "entries": [each for each in map(entry, inbox.standing(tx, ROWS, where)) if each.asset == ident],
        "asleep": [one for each in inbox.asleep(tx, ASLEEP, where) if (one := entry(each)).asset == ident],
        "closed": [entry(each) for each in inbox.closed_of(tx, ident, CLOSED)],
        "chosen": "all",
        "asset": ident,
    }
