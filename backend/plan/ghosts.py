"""Ghosts: what the rule of assets that nobody sees rests on, and what they are worth in the books."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from msgspec.structs import replace
from sqlalchemy import Connection

from backend.asset_use import AssetUse
from backend.book import asset_facts, custody, relocations
from backend.book.relocations import Kept
from backend.identities import devices_of
from backend.plan.rule import Rule, View
from models.assets.asset import ACTIVE
from models.assets.category import category
from models.assets.custody import Holder
from models.assets.ghost import NAME, Unseen, is_missing, missing
from models.assets.value import standing
from models.declared import Asset, AssetClass
from models.reading import from_micros
from models.register import Register

CENT = Decimal("0.01")
MANY = 1000
"""Of more than so many, all that is known is read at once."""


def load(view: View, assets: Sequence[str]) -> list[tuple[str, Unseen]]:
    """What is known of when these assets were seen; what those that are missing are worth."""
    some = None if len(assets) > MANY else assets
    seen, held = relocations.kept(view.tx, some), custody.holders(view.tx, some)
    found: list[tuple[str, Unseen]] = []
    for asset in assets:
        facts = _facts(view, asset, seen.get(asset), held.get(asset))
        if facts is not None and is_missing(facts, view.now):
            facts = _looked_for(view, facts)
        found += [] if facts is None else [(f"asset:{asset}", facts)]
    return found


def _looked_for(view: View, facts: Unseen) -> Unseen:
    """With its value, and when it was last heard where it is: while that only goes on, the planner notes nothing."""
    if facts.place is not None or facts.asset in devices_of(view.register):
        place = relocations.place_of(view.tx, view.register, facts.asset, view.now)
        facts = facts if place is None else replace(facts, seen_at=place.seen_at)
    return replace(facts, book_value=book_value(view.tx, view.register, facts.asset, view.now))


def _facts(view: View, asset: str, seen: Kept | None, held: Holder | None) -> Unseen | None:
    body = view.register.get("assets", asset, view.now)
    if not isinstance(body, Asset):
        return None
    declared = None if body.category is None else view.register.get("classes", body.category, view.now)
    is_missed = seen is not None and seen.place is None and seen.source == "sweep"
    return Unseen(
        asset=asset,
        name=body.name,
        is_active=body.state in ACTIVE,
        since=view.register.begun("assets", asset) or view.now,
        seen_at=None if seen is None else seen.seen_at,
        place=None if seen is None else seen.place,
        missed_by=seen.by if seen is not None and is_missed else None,
        days=category(body.category, declared if isinstance(declared, AssetClass) else None).unseen_days,
        holder=None if held is None else held.holder,
        due_at=None if held is None else held.due_at,
    )


def book_value(tx: Connection, register: Register, asset: str, now: int) -> Decimal | None:
    """What an asset is worth in the books today, to the cent; None if nobody said what it cost."""
    known = asset_facts.facts(tx, register, [asset], now).get(asset)
    if known is None:
        return None
    stand = standing(known, from_micros(now).date(), AssetUse(tx, register, asset, now).used)
    return stand.book_value.quantize(CENT, ROUND_HALF_UP)


def every_asset(view: View) -> list[str]:
    """All of the register."""
    return [*view.register.all("assets", view.now)]


MISSING = Rule(NAME, "asset", load, missing, everything=every_asset)
