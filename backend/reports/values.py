"""What stock is worth, what its sales cost and earned, how often it turns, and how long it has been lying there."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal, localcontext

from sqlalchemy import select

from backend.api import items_costs
from backend.api.queries import values as asked
from backend.book import values
from backend.book.schema_costs import value_month
from backend.reports.report import Column, Look, Report, Row, Span
from backend.reports.sale_prices import Sold
from backend.reports.scope import items_of, skus_of
from models.declared import Item
from models.months import month_of
from models.reading import from_micros
from models.stock import ageing
from models.stock.accounts import counted, signed
from models.stock.classes import days_on_hand, turnover
from models.stock.layers import EXACT
from models.stock.valuation import DAY_US

ITEM = (Column("sku", "Item"), Column("name", "Name"), Column("family", "Family"))
ZERO = Decimal(0)


def named(items: dict[str, Item], sku: str) -> tuple[str, str | None, str | None]:
    """The first three cells of an item's row."""
    body = items.get(sku)
    return (sku, None, None) if body is None else (sku, body.name, body.family)


def valuation(look: Look, span: Span) -> Iterator[Row]:
    """What each item is worth at the end of the span."""
    items, wanted = items_of(look), skus_of(look, span)
    for each in _standing(look, span.end):
        if wanted is None or each.sku in wanted:
            unit = None if each.unit_cost is None else Decimal(each.unit_cost)
            uncosted = len(each.uncosted) or None
            yield *named(items, each.sku), each.costing, Decimal(each.quantity), unit, Decimal(each.value), uncosted


def _standing(look: Look, end: int) -> Iterator[items_costs.Valuation]:
    after = ""
    while True:
        ask = asked.ValuationAsk(as_of=from_micros(end - 1), after=after)
        page = asked.valuations(look.tx, look.register, ask, look.now)
        yield from page.items
        if page.next is None:
            return
        after = page.next


def margin(look: Look, span: Span) -> Iterator[Row]:
    """By item: what was sold, what it cost, and at the item's price of that time what it earned."""
    items, wanted = items_of(look), skus_of(look, span)
    for each in _cogs(look, span):
        if wanted is not None and each.sku not in wanted:
            continue
        cost, revenue = Decimal(each.cogs), _revenue(look, each.sku, span)
        earned = None if revenue is None else revenue - cost
        share = None if not revenue or earned is None else earned / revenue
        yield *named(items, each.sku), Decimal(each.quantity), revenue, cost, Decimal(each.trued_up), earned, share


def _cogs(look: Look, span: Span) -> Iterator[items_costs.Cogs]:
    after = ""
    while True:
        of = {"from": from_micros(span.begin), "to": from_micros(span.end), "after": after}
        ask = asked.CogsAsk.model_validate(of)
        page = asked.cogs(look.tx, look.register, ask, look.now)
        yield from page.items
        if page.next is None:
            return
        after = page.next


def _revenue(look: Look, sku: str, span: Span) -> Decimal | None:
    """At the prices of order lines, else at the item's; None if it had no price when some of it was sold."""
    revenue, sold = ZERO, Sold(look.tx, sku)
    for event in values.events(look.tx, look.register, sku, span.begin, span.end):
        body = look.register.get("items", sku, event.at)
        price = body.price if isinstance(body, Item) else None
        if event.went == "sale":
            worth = sold.worth(event.id, event.quantity, price)
        elif event.came == "customer return":
            worth = sold.worth_back(event.at, event.quantity, price)
        else:
            continue
        if worth is None:
            return None
        revenue += worth
    return revenue


def turns(look: Look, span: Span) -> Iterator[Row]:
    """By item: cost of what was sold over the average value of the stock, each day weighing alike."""
    items, wanted = items_of(look), skus_of(look, span)
    used = {each.sku: Decimal(each.cogs) for each in _cogs(look, span)}
    days = Decimal(span.end - span.begin) / DAY_US
    for sku, (quantity, value) in sorted(averages(look, span).items()):
        if wanted is not None and sku not in wanted:
            continue
        rate = turnover(used.get(sku, ZERO), value)
        yearly = None if rate is None else rate * 365 / days
        on_hand = None if not yearly else days_on_hand(yearly)
        yield *named(items, sku), quantity, value, used.get(sku, ZERO), rate, yearly, on_hand


def averages(look: Look, span: Span) -> dict[str, tuple[Decimal, Decimal]]:
    """By item the average quantity and value: of each day the mean of its beginning and its end, whole days UTC."""
    first, last = span.begin // DAY_US, (span.end - 1) // DAY_US
    months = month_of(span.begin), month_of(span.end - 1)
    query = select(value_month).where(value_month.c.month <= months[1]).order_by(value_month.c.sku, value_month.c.month)
    opening: dict[str, tuple[Decimal, Decimal]] = {}
    flows: defaultdict[str, defaultdict[int, list[Decimal]]] = defaultdict(lambda: defaultdict(lambda: [ZERO, ZERO]))
    with localcontext(EXACT):
        for row in look.tx.execute(query if span.sku is None else query.where(value_month.c.sku == span.sku)):
            month = values.month_of_row(row)
            opening[row.sku] = (
                month.at_end_of(first - 1) if row.month <= months[0] else opening.get(row.sku, (ZERO, ZERO))
            )
            for (day, flow), each in month.days.items():
                if first <= day <= last:
                    of = flows[row.sku][day]
                    of[0] += counted(flow, each.quantity)
                    of[1] += signed(flow, each.value)
        return {sku: _average(of, flows[sku], (first, last)) for sku, of in opening.items()}


def _average(
    opening: tuple[Decimal, Decimal], flows: dict[int, list[Decimal]], span: tuple[int, int]
) -> tuple[Decimal, Decimal]:
    """A flow of day d counts half on d and whole on every later day."""
    first, last = span
    days = last - first + 1
    quantity, value = opening[0] * days, opening[1] * days
    for day, (moved, worth) in flows.items():
        weight = Decimal(last - day) + Decimal("0.5")
        quantity, value = quantity + moved * weight, value + worth * weight
    return quantity / days, value / days


def ages(look: Look, span: Span) -> Iterator[Row]:
    """By item: how long what is there has been there, if what came first left first."""
    items, wanted = items_of(look), skus_of(look, span)
    for each in _standing(look, span.end):
        quantity, value = Decimal(each.quantity), Decimal(each.value)
        if quantity <= 0 or (wanted is not None and each.sku not in wanted):
            continue
        came = [
            (event.at, event.quantity)
            for event in values.events(look.tx, look.register, each.sku, 0, span.end)
            if event.came is not None
        ]
        held = ageing.ages(came, quantity, span.end)
        worth = [value * part / quantity for part in held.quantities]
        cells = [cell for pair in zip(held.quantities, worth, strict=True) for cell in pair]
        yield *named(items, each.sku), quantity, value, *cells, held.oldest_days


def _buckets() -> Iterable[Column]:
    for name, title in ageing.BUCKETS:
        yield Column(f"quantity_{name}", title, "quantity")
        yield Column(f"value_{name}", f"{title}, value", "money")


VALUATION = Report(
    "valuation",
    "Valuation at a date",
    "What each item is worth at the end of the span, by its costing method, by event time as is known now",
    (
        *ITEM,
        Column("costing", "Costing"),
        Column("quantity", "Quantity", "quantity"),
        Column("unit_cost", "Unit cost", "quantity", adds=False),
        Column("value", "Value", "money"),
        Column("uncosted", "Movements without a cost", "number"),
    ),
    valuation,
)
MARGIN = Report(
    "cogs",
    "Cost of goods sold and margin",
    "What was sold and cost, trued up where it left before it came; revenue at its order line's price, else the item's",
    (
        *ITEM,
        Column("quantity", "Sold", "quantity"),
        Column("revenue", "Revenue", "money"),
        Column("cogs", "Cost", "money"),
        Column("trued_up", "of that trued up", "money"),
        Column("margin", "Margin", "money"),
        Column("margin_share", "Margin of revenue", "share", ("margin", "revenue")),
    ),
    margin,
)
TURNOVER = Report(
    "turnover",
    "Stock turnover",
    "Cost of goods sold over the time-weighted average value of the stock, in the span and a year; days on hand",
    (
        *ITEM,
        Column("average_quantity", "Average quantity", "quantity"),
        Column("average_value", "Average value", "money"),
        Column("cogs", "Cost of goods sold", "money"),
        Column("turns", "Turns in the span", "share", ("cogs", "average_value")),
        Column("turns_a_year", "Turns a year", "quantity", adds=False),
        Column("days_on_hand", "Days on hand", "quantity", adds=False),
    ),
    turns,
)
AGEING = Report(
    "ageing",
    "Ageing of stock",
    "How long what is on hand has been there, quantities and their share of the value, if what came first left first",
    (
        *ITEM,
        Column("quantity", "Quantity", "quantity"),
        Column("value", "Value", "money"),
        *_buckets(),
        Column("oldest_days", "Oldest, days", "number", adds=False),
    ),
    ages,
)
