"""What an asset's value rests on, from the book: the register's entries, what was spent, how it went."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import date
from decimal import Decimal

from msgspec.structs import replace
from sqlalchemy import Connection, bindparam, select

from backend.book.references_assets import category_of
from backend.book.schema_value import asset_cost, asset_cost_class, asset_disposal
from models.assets.asset import GONE
from models.assets.depreciation import Change
from models.assets.value import Cost, Facts, Left
from models.declared import Asset
from models.declared_assets import DepreciationPolicy
from models.reading import from_micros
from models.register import Register

_COSTS = select(asset_cost).where(asset_cost.c.asset.in_(bindparam("assets", expanding=True))).order_by(asset_cost.c.n)
_CLASSES = (
    select(asset_cost_class.c.cost_id, asset_cost_class.c.as_)
    .join_from(asset_cost_class, asset_cost, asset_cost.c.id == asset_cost_class.c.cost_id)
    .where(asset_cost.c.asset.in_(bindparam("assets", expanding=True)))
    .order_by(asset_cost_class.c.n)
)
_DISPOSALS = (
    select(asset_disposal)
    .where(asset_disposal.c.asset.in_(bindparam("assets", expanding=True)))
    .order_by(asset_disposal.c.n)
)


def facts(tx: Connection, register: Register, assets: Collection[str], now: int) -> dict[str, Facts]:
    """The facts of those of these assets that were bought, as they are known now."""
    costs, told = _costs(tx, assets), _told(tx, assets)
    found: dict[str, Facts] = {}
    for asset in sorted(assets):
        of = _of_register(register, asset, now)
        if of is not None:
            left = _left(register, asset, of.bought, told.get(asset, {}), now)
            spent = (_spent(each, left) for each in costs.get(asset, ()))
            found[asset] = replace(of, costs=tuple(spent), left=left)
    return found


def _spent(cost: Cost, left: Left | None) -> Cost:
    """Nothing joins the cost of what has gone."""
    return replace(cost, is_capital=False) if left is not None and cost.at > left.at else cost


def valued(register: Register, now: int) -> list[str]:
    """Every asset that was ever said to have been bought."""
    assets = (ident for kind, ident in register.entries if kind == "assets")
    return sorted(each for each in assets if _of_register(register, each, now) is not None)


def _of_register(register: Register, asset: str, now: int) -> Facts | None:
    """What was bought for how much is as said last; ways to depreciate hold from when they were said to."""
    bodies = [(at, body) for at, body in _bodies(register, asset, now) if body.acquired is not None]
    if not bodies or (acquired := bodies[-1][1].acquired) is None:
        return None
    begun = acquired.in_service_on or acquired.at
    ways = [*policies(register, asset, now)]
    opening = ways[-1][1].opening if ways else None
    first = [policy for at, policy in ways if at <= begun][-1:] or [policy for _, policy in ways[:1]]
    return Facts(
        cost=acquired.cost,
        bought=acquired.at,
        begun=begun,
        policy=replace(first[0], opening=opening) if first else None,
        estimates=tuple(Change(at, policy) for at, policy in _changes(ways, begun)),
    )


def _bodies(register: Register, asset: str, now: int) -> Iterator[tuple[int, Asset]]:
    for at in register.changes("assets", asset):
        body = register.get("assets", asset, at)
        if at <= now and isinstance(body, Asset):
            yield at, body


def policies(register: Register, asset: str, now: int) -> Iterator[tuple[date, DepreciationPolicy]]:
    """Each way to depreciate it, its own or its category's, with the day from which that holds."""
    bodies = [*_bodies(register, asset, now)]
    categories = {body.category for _, body in bodies if body.category is not None}
    times = {at for at, _ in bodies} | {at for each in categories for at in register.changes("classes", each)}
    for at in sorted(each for each in times if bodies[0][0] <= each <= now):
        body = register.get("assets", asset, at)
        if isinstance(body, Asset):
            policy = body.depreciation or category_of(register, at, body.category).depreciation
            if policy is not None:
                yield from_micros(at).date(), policy


def _changes(ways: list[tuple[date, DepreciationPolicy]], begun: date) -> Iterator[tuple[date, DepreciationPolicy]]:
    """Those that are another one than the one before; what was taken over is no change."""
    plain = [(at, replace(policy, opening=None)) for at, policy in ways]
    held = next((policy for at, policy in reversed(plain) if at <= begun), plain[0][1] if plain else None)
    for at, policy in plain:
        if at > begun and policy != held:
            yield at, policy
            held = policy


def _left(register: Register, asset: str, bought: date, told: dict[int, Left], now: int) -> Left | None:
    """When it went: as is said of that entry of the register, else on its day and for nothing."""
    gone = [at for at, body in _bodies(register, asset, now) if body.state in GONE]
    if not gone:
        return None
    left = told.get(gone[0]) or Left(from_micros(gone[0]).date())
    return replace(left, at=max(left.at, bought))


def _costs(tx: Connection, assets: Collection[str]) -> dict[str, list[Cost]]:
    wanted = {"assets": sorted(assets)}
    classes = {row.cost_id: row.as_ for row in tx.execute(_CLASSES, wanted)}
    found: defaultdict[str, list[Cost]] = defaultdict(list)
    for row in tx.execute(_COSTS, wanted):
        is_capital = classes.get(row.id, row.as_) == "capex"
        found[row.asset].append(Cost(date.fromisoformat(row.at), Decimal(row.amount), is_capital))
    return dict(found)


def _told(tx: Connection, assets: Collection[str]) -> dict[str, dict[int, Left]]:
    """Disposals by asset and entry of the register."""
    found: defaultdict[str, dict[int, Left]] = defaultdict(dict)
    for row in tx.execute(_DISPOSALS, {"assets": sorted(assets)}):
        found[row.asset][row.entry_at] = Left(date.fromisoformat(row.at), Decimal(row.proceeds))
    return dict(found)
