"""What assets are worth, as is told: value at a date, depreciation posted and expected, costs, disposals, entries."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import Field
from sqlalchemy import Connection

from backend.api import items_asset_value as items
from backend.api.answers import Ask, Paged
from backend.asset_use import AssetUse
from backend.book import asset_costs, asset_disposals, asset_facts, asset_ledger
from backend.book.schema_value import asset_cost, asset_disposal, asset_posting
from models.assets import forecast
from models.assets.accounts import journal
from models.assets.capital import Class, totals
from models.assets.posting import Posting
from models.assets.value import Facts, leaving, standing
from models.declared import Asset
from models.declared_assets import LAST_YEAR
from models.errors import NotFound
from models.months import month_text, parse_month
from models.reading import from_micros
from models.register import Register
from models.units import quantity_text

Named = Annotated[str | None, Field(max_length=64)]


class ValueAsk(Ask, frozen=True):
    """At the end of which day; default today."""

    at: Annotated[date | None, Field(le=date(LAST_YEAR, 12, 31))] = None


class CostAsk(Paged, frozen=True):
    """Costs of an asset, of a class, or of all."""

    asset: Named = None
    as_: Class | None = Field(None, alias="class")


class DisposalAsk(Paged, frozen=True):
    """How one asset went, or all."""

    asset: Named = None


class EntryAsk(Paged, frozen=True):
    """Entries posted in a month, of an asset, or of all."""

    period: Annotated[str | None, Field(max_length=7)] = None
    asset: Named = None


def money(amount: Decimal) -> str:
    """To the cent, as it is posted."""
    return f"{amount:.2f}"


def facts_of(tx: Connection, register: Register, asset: str, now: int) -> Facts:
    """Raises NotFound of an asset that nobody said was bought."""
    found = asset_facts.facts(tx, register, [asset], now).get(asset)
    if found is None:
        msg = f"assets: no acquisition of {asset[:64]!r} is known"
        raise NotFound(msg)
    return found


def value(tx: Connection, register: Register, asset: str, ask: ValueAsk, now: tuple[int, int]) -> items.AssetValue:
    """What it is worth, with up to when that rests on everything; `now` is both."""
    clock, complete_to = now
    facts = facts_of(tx, register, asset, clock)
    at = ask.at or from_micros(clock).date()
    stand = standing(facts, at, AssetUse(tx, register, asset, clock).used)
    body = register.get("assets", asset, clock)
    warranty = body.warranty_until if isinstance(body, Asset) else None
    return items.AssetValue(
        asset=asset,
        at=at,
        gross=money(stand.gross),
        additions=money(stand.additions),
        accumulated=money(stand.accumulated),
        book_value=money(stand.book_value),
        method=None if facts.policy is None else facts.policy.method,
        bought=facts.bought,
        in_service=facts.begun,
        left=None if facts.left is None else facts.left.at,
        warranty_until=warranty,
        in_warranty=None if warranty is None else at <= warranty,
        complete_to=from_micros(complete_to),
    )


def depreciation(tx: Connection, register: Register, asset: str, now: int) -> items.AssetDepreciation:
    """What was posted, and what is expected."""
    facts = facts_of(tx, register, asset, now)
    policy = facts.estimates[-1].policy if facts.estimates else facts.policy
    use = AssetUse(tx, register, asset, now)
    today = from_micros(now).date()
    per_unit = None
    if policy is not None and policy.total_units:
        per_unit = quantity_text(round((facts.cost - policy.salvage) / policy.total_units, 6))
    return items.AssetDepreciation(
        asset=asset,
        method=None if policy is None else policy.method,
        convention=None if policy is None else policy.convention,
        life_months=None if policy is None else policy.life_months,
        salvage=None if policy is None else money(policy.salvage),
        meter=None if policy is None else policy.meter,
        total_units=None if policy is None or policy.total_units is None else quantity_text(policy.total_units),
        per_unit=per_unit,
        posted=[*_months(asset_ledger.of_assets(tx, [asset])[asset])],
        years=[
            items.DepreciationYear(each.year, money(each.amount), money(each.book_value))
            for each in forecast.years(facts, today, use.used)
        ],
    )


def _months(postings: list[Posting]) -> Iterator[items.DepreciationMonth]:
    for posting in postings:
        for line in posting.lines:
            if line.flow == "depreciation":
                yield items.DepreciationMonth(
                    month=month_text(posting.origin),
                    period=month_text(posting.period),
                    what=posting.what,
                    amount=money(line.amount),
                    units=None if line.units is None else quantity_text(line.units),
                    unobserved=None if line.unobserved is None else quantity_text(line.unobserved),
                    n=posting.n,
                )


def costs(tx: Connection, ask: CostAsk) -> items.AssetCosts:
    """A page of costs by n; the sums are of all that were asked for."""
    of = [asset_cost.c.asset == ask.asset] if ask.asset is not None else []
    found = [each for each in asset_costs.listed(tx, *of) if ask.as_ in {None, each.as_}]
    sums = totals((each.as_, each.cost.amount) for each in found)
    page = [each for each in found if each.n > ask.after][: ask.limit]
    return items.AssetCosts(
        items=[cost_told(each) for each in page],
        next=str(page[-1].n) if len(page) == ask.limit else None,
        capex=money(sums.capex),
        opex=money(sums.opex),
        spent=money(sums.spent),
    )


def cost_told(each: asset_costs.Recorded) -> items.AssetCost:
    """A cost as it is told."""
    cost = each.cost
    return items.AssetCost(
        id=cost.id,
        n=each.n,
        asset=cost.asset,
        at=cost.at,
        amount=money(cost.amount),
        nature=cost.nature,
        extends_life=cost.extends_life,
        adds_capacity=cost.adds_capacity,
        document=cost.document,
        note=cost.note,
        as_=each.as_,
        by_rule=each.by_rule,
        rule=each.rule,
        changes=[
            items.AssetCostClass(as_=said.as_, reason=said.reason, actor=said.actor, at=from_micros(said.at))
            for said in each.said
        ],
        actor=each.actor,
        recorded_at=from_micros(each.recorded_at),
    )


def disposals(tx: Connection, register: Register, ask: DisposalAsk, now: int) -> list[items.AssetDisposal]:
    """How assets went, by n."""
    of = [asset_disposal.c.asset == ask.asset] if ask.asset is not None else []
    found = asset_disposals.listed(tx, asset_disposal.c.n > ask.after, *of, limit=ask.limit)
    facts = asset_facts.facts(tx, register, {each.disposal.asset for each in found}, now)
    return [_disposal(tx, register, each, facts.get(each.disposal.asset), now) for each in found]


def _disposal(
    tx: Connection, register: Register, each: asset_disposals.Recorded, facts: Facts | None, now: int
) -> items.AssetDisposal:
    of = each.disposal
    body = register.get("assets", of.asset, each.entry_at)
    holds = isinstance(body, Asset) and body.state == of.state
    value = None
    if facts is not None and facts.left is not None and holds:
        value = leaving(facts, facts.left, AssetUse(tx, register, of.asset, now).used).book_value
    return items.AssetDisposal(
        id=of.id,
        n=each.n,
        asset=of.asset,
        date=of.date,
        state=of.state,
        proceeds=money(of.proceeds),
        buyer=of.buyer,
        note=of.note,
        holds=holds,
        book_value=None if value is None else money(value),
        gain=None if value is None else money(of.proceeds - value),
        actor=each.actor,
        recorded_at=from_micros(each.recorded_at),
    )


def entries(tx: Connection, ask: EntryAsk) -> list[items.AssetEntry]:
    """Balanced entries by n."""
    which = [asset_posting.c.n > ask.after]
    which += [asset_posting.c.period == parse_month(ask.period)] if ask.period is not None else []
    which += [asset_posting.c.asset == ask.asset] if ask.asset is not None else []
    return [_entry(posting) for posting, _ in asset_ledger.postings(tx, *which, limit=ask.limit)]


def _entry(posting: Posting) -> items.AssetEntry:
    return items.AssetEntry(
        n=posting.n,
        what=posting.what,
        asset=posting.asset,
        period=month_text(posting.period),
        origin=month_text(posting.origin),
        lines=[
            items.AssetJournalLine(line.account, money(line.debit), money(line.credit), each.flow)
            for each in posting.lines
            for line in journal(each.flow, each.amount)
        ],
        recorded_at=from_micros(posting.recorded_at),
        actor=posting.actor,
    )
