"""What stock is worth and what its sales cost: asked of the months, of a part of one, or of what is posted."""

from collections.abc import Iterator, Mapping
from decimal import Decimal, localcontext
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import Connection, Row, func, select

from backend.api import items_costs as items
from backend.api.answers import Ask, When
from backend.book import value_ledger, value_marks, values
from backend.book.schema_costs import value_month, value_posting
from backend.book.value_ledger import sums_of
from backend.book.values import month_of_row
from models.months import BadPeriod, begin_of, month_of
from models.reading import from_micros, micros
from models.register import Register
from models.stock.accounts import COGS
from models.stock.costing import State, thaw
from models.stock.layers import EXACT, ZERO, share
from models.stock.periods import NOTHING, Sum, difference, together
from models.stock.valuation import DAY_US, Month
from models.units import quantity_text

Named = Annotated[str | None, Field(max_length=64)]
Limit = Annotated[int, Field(ge=1, le=1000)]


class ValuationAsk(Ask, frozen=True):
    """Of an item, or of all; at a time."""

    sku: Named = None
    as_of: When | None = None
    after: Annotated[str, Field(max_length=64, description="sku of the last item seen")] = ""
    limit: Limit = 1000


class CogsAsk(Ask, frozen=True, populate_by_name=True):
    """From one time to another; `books`: as posted in whole months, which closings and deltas decide."""

    since: When = Field(alias="from")
    until: When = Field(alias="to")
    sku: Named = None
    basis: Annotated[str, Field(pattern="^(event|books)$")] = "event"
    after: Annotated[str, Field(max_length=64)] = ""
    limit: Limit = 1000


def valuations(tx: Connection, register: Register, ask: ValuationAsk, now: int) -> items.Valuations:
    """Every item that there is something of, or that is short, or that is worth something."""
    at = now if ask.as_of is None else micros(ask.as_of)
    found = [(row.sku, *_standing(tx, register, row, at)) for row in _last_rows(tx, month_of(at), ask.sku)]
    held = [each for each in found if each[1] or each[2] or each[0] == ask.sku]
    with localcontext(EXACT):
        total = sum((value for _, _, value, _ in held), ZERO)
    page = [each for each in held if each[0] > ask.after][: ask.limit]
    told = [
        items.Valuation(
            sku=sku,
            costing=values.method(register, sku, month_of(at)),
            quantity=quantity_text(quantity),
            value=quantity_text(value),
            unit_cost=_unit(value, quantity),
            layers=_layers(values.part(tx, register, sku, at + 1)) if ask.sku is not None else None,
            uncosted=uncosted,
        )
        for sku, quantity, value, uncosted in page
    ]
    until = min(at, value_marks.settled_to(tx, now))
    return items.Valuations(told, _next(page, ask.limit), quantity_text(total), from_micros(until))


def _next(page: list[Any], limit: int) -> str | None:
    return page[-1][0] if len(page) >= limit else None


def _unit(value: Decimal, quantity: Decimal) -> str | None:
    with localcontext(EXACT):
        return quantity_text(share(value, Decimal(1), quantity)) if quantity else None


def _last_rows(tx: Connection, month: int, sku: str | None) -> Iterator[Row[Any]]:
    """The last month of each item up to this one, by item."""
    last = select(value_month.c.sku, func.max(value_month.c.month).label("month")).where(value_month.c.month <= month)
    if sku is not None:
        last = last.where(value_month.c.sku == sku)
    of = last.group_by(value_month.c.sku).subquery()
    rows = select(value_month).join(of, (of.c.sku == value_month.c.sku) & (of.c.month == value_month.c.month))
    yield from tx.execute(rows.order_by(value_month.c.sku))


def _standing(tx: Connection, register: Register, row: Row[Any], at: int) -> tuple[Decimal, Decimal, list[str]]:
    """Quantity, value and what has no cost, at a time in or after a row's month."""
    month = month_of_row(row)
    if row.last_at <= at:
        return month.quantity, month.value, month.uncosted
    if (at + 1) % DAY_US == 0:
        return *month.at_end_of(at // DAY_US), month.uncosted
    part = values.part(tx, register, row.sku, at + 1)
    return part.quantity, part.value, part.uncosted


def _layers(part: Month) -> list[items.Layer]:
    state: State = thaw(part.state)
    found: list[items.Layer] = []
    for lot, pool in sorted(state.pools.items()):
        for rank in pool.order:
            layer = pool.layers[rank]
            found.append(items.Layer(layer.lot, quantity_text(layer.quantity), quantity_text(layer.value)))
        short = [(each.quantity, each.value) for each in pool.shorts]
        found += [
            items.Layer(lot or None, quantity_text(-quantity), quantity_text(-value)) for quantity, value in short
        ]
    return found


def cogs(tx: Connection, register: Register, ask: CogsAsk, now: int) -> items.CogsPage:
    """What sales cost, by item. Raises BadPeriod of the books for times within a month."""
    since, until = micros(ask.since), micros(ask.until)
    flows = _booked(tx, ask.sku, since, until) if ask.basis == "books" else _flowed(tx, register, ask.sku, since, until)
    found = [(sku, sums) for sku, sums in sorted(flows.items()) if any(sums.get(flow) for flow in COGS)]
    total = ZERO
    with localcontext(EXACT):
        told = [_cogs(sku, sums) for sku, sums in found]
        total = sum((Decimal(each.cogs) for each in told), ZERO)
    page = [each for each in told if each.sku > ask.after][: ask.limit]
    settled = from_micros(min(until, value_marks.settled_to(tx, now)))
    following = page[-1].sku if len(page) >= ask.limit else None
    return items.CogsPage(page, following, quantity_text(total), settled)


def _cogs(sku: str, sums: Mapping[str, Sum]) -> items.Cogs:
    sold, trued, back = (sums.get(flow, NOTHING) for flow in COGS)
    return items.Cogs(
        sku=sku,
        quantity=quantity_text(sold.quantity - back.quantity),
        sold=quantity_text(sold.value),
        trued_up=quantity_text(trued.value),
        returned=quantity_text(back.value),
        cogs=quantity_text(sold.value + trued.value - back.value),
    )


def _flowed(tx: Connection, register: Register, sku: str | None, since: int, until: int) -> dict[str, dict[str, Sum]]:
    """By item and flow, by event time: whole months as they are, days as they are, of a part of a day its events."""
    first, last = month_of(since), month_of(until)
    query = select(value_month).where(value_month.c.month >= first, value_month.c.month <= last)
    parts: dict[str, list[Mapping[str, Sum]]] = {}
    before: dict[str, list[Mapping[str, Sum]]] = {}
    for row in tx.execute(query if sku is None else query.where(value_month.c.sku == sku)):
        whole = row.month < last
        parts.setdefault(row.sku, []).append(
            month_of_row(row).sums() if whole else _sums_until(tx, register, row, until)
        )
        if row.month == first:
            before.setdefault(row.sku, []).append(_sums_until(tx, register, row, since))
    return {each: difference(together(before.get(each, [])), together(of)) for each, of in parts.items()}


def _sums_until(tx: Connection, register: Register, row: Row[Any], at: int) -> dict[str, Sum]:
    if row.last_at < at:
        return month_of_row(row).sums()
    if at % DAY_US == 0:
        return month_of_row(row).sums(at // DAY_US - 1)
    return values.part(tx, register, row.sku, at).sums()


def _booked(tx: Connection, sku: str | None, since: int, until: int) -> dict[str, dict[str, Sum]]:
    """By item and flow, as posted: closed months as they were closed, with the deltas; open ones as they stand."""
    for field, at in (("from", since), ("to", until)):
        if begin_of(month_of(at)) != at:
            msg = f"{field}: the beginning of a month (UTC) expected of the books, got {from_micros(at)}"
            raise BadPeriod(msg)
    first, last = month_of(since), month_of(until) - 1
    query = select(value_posting).where(value_posting.c.period >= first, value_posting.c.period <= last)
    found: dict[str, list[Mapping[str, Sum]]] = {}
    for row in tx.execute(query if sku is None else query.where(value_posting.c.sku == sku)):
        found.setdefault(row.sku, []).append(sums_of(value_ledger.of_row(row)[0]))
    closed = value_marks.closed_to(tx)
    for month in range(max(first, -1 if closed is None else closed + 1), last + 1):
        for each, sums in of_month(tx, month, sku):
            found.setdefault(each, []).append(sums)
    return {each: together(parts) for each, parts in found.items()}


def of_month(tx: Connection, month: int, sku: str | None) -> Iterator[tuple[str, dict[str, Sum]]]:
    """What a month's flows come to by item, as is known now."""
    query = select(value_month).where(value_month.c.month == month).order_by(value_month.c.sku)
    for row in tx.execute(query if sku is None else query.where(value_month.c.sku == sku)):
        yield row.sku, month_of_row(row).sums()
