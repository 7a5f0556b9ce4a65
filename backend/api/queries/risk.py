"""Risks as they are answered."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, Field
from sqlalchemy import Connection

from backend.api import items_risk as items
from backend.api.answers import When
from backend.book import risks
from backend.predict.registry import Registry
from models.predict.card import ModelRefused
from models.reading import from_micros, micros


class RiskAsk(BaseModel, frozen=True, extra="forbid"):
    """Which risks: the newest of every asset, or of one; with `since` everything that was said of it since then."""

    asset: Annotated[str | None, Field(max_length=64)] = None
    since: When | None = None
    after: Annotated[int, Field(ge=0, lt=2**63)] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 1000


def asked(tx: Connection, ask: RiskAsk) -> list[items.Risk]:
    """The risks, by asset, or of one asset by time; `after` is how many to leave out."""
    if ask.asset is not None and ask.since is not None:
        found: Sequence[risks.Risk] = risks.since(tx, ask.asset, micros(ask.since), ask.after + ask.limit)
    else:
        found = [*risks.newest(tx, None if ask.asset is None else [ask.asset]).values()]
    return [_item(row) for row in found[ask.after : ask.after + ask.limit]]


def newest(tx: Connection, asset: str) -> items.Risk | None:
    """What was said last of an asset."""
    row = risks.newest(tx, [asset]).get(asset)
    return None if row is None else _item(row)


def models(registry: Registry | None) -> list[items.Model]:
    """The models that are kept, by version; what cannot be read is left out."""
    if registry is None:
        return []
    try:
        current = registry.current()
    except (ModelRefused, OSError):
        current = None
    return [items.Model(card.version == current, card) for card in registry.cards()]


def _item(row: risks.Risk) -> items.Risk:
    return items.Risk(
        asset=row.asset,
        state=row.state,
        at=from_micros(row.at),
        risk=row.risk,
        threshold=row.threshold,
        reasons=[*row.reasons],
        missing=row.missing,
        model=row.model,
        complete_to=from_micros(row.complete_to),
    )
