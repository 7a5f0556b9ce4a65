"""Which items matter and which lie still: ABC by annual value, XYZ by how evenly months ask for them, cash tied up."""

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import Connection

from backend.api import items_purchases as shapes
from backend.book.outside import outside
from backend.plan import items as plan
from backend.plan import levels
from backend.plan.rule import View
from models.declared import Item
from models.register import Register
from models.stock import classes
from models.stock.demand import DAY_US
from models.stock.policy import Level
from models.units import quantity_text

MONTH_US = 365 * DAY_US // 12
CENT = Decimal("0.01")


def classes_of(tx: Connection, register: Register, now: int) -> list[shapes.Class]:
    """Every item of the register, what is worth most first. The unit cost is the supplier's price."""
    view = View(tx, register, now)
    items = {sku: body for sku, body in register.all("items", now).items() if isinstance(body, Item)}
    asked = {sku: levels.terms(register, item, now) for sku, item in items.items()}
    measured = levels.current(tx, register, asked, now)
    stand = plan.positions(view, list(items), measured)
    used = levels.used_of(tx, list(items), outside(register, now), now - 12 * MONTH_US)
    totals = {sku: sum((quantity for _, quantity in used.get(sku, [])), Decimal(0)) for sku in items}
    values = {sku: totals[sku] * (asked[sku].price or Decimal(0)) for sku in items}
    of_value = classes.abc(values)
    found: list[shapes.Class] = []
    for sku in sorted(items, key=lambda each: (-values[each], each)):
        cv = classes.variation(_months(used.get(sku, []), now))
        idle = None if not used.get(sku) else (now - used[sku][-1][0]) / DAY_US
        there, price = stand[sku].holding.on_hand, asked[sku].price
        how = classes.standing(there, float(totals[sku]) / 365, _ceiling(stand[sku].level), idle, price)
        holding = None if how.cash is None else how.cash * asked[sku].policy.holding_rate
        found.append(
            shapes.Class(
                sku=sku,
                name=items[sku].name,
                family=items[sku].family,
                abc=of_value[sku],
                xyz=classes.xyz(cv),
                variation=cv,
                used=quantity_text(totals[sku]),
                value=_money(None if price is None else values[sku]),
                unit_cost=None if price is None else quantity_text(price),
                on_hand=quantity_text(there),
                days_on_hand=None if how.days is None else quantity_text(how.days),
                over=quantity_text(how.over),
                is_slow=how.is_slow,
                idle_days=idle,
                cash=_money(how.cash),
                cash_over=_money(how.cash_over),
                holding_a_year=_money(holding),
            )
        )
    return found


def measured(tx: Connection, register: Register, now: int) -> dict[str, str]:
    """The class of every item of the register by what was used of it in a year, at its supplier's price."""
    items = {sku: body for sku, body in register.all("items", now).items() if isinstance(body, Item)}
    used = levels.used_of(tx, list(items), outside(register, now), now - 12 * MONTH_US)
    totals = {sku: sum((quantity for _, quantity in used.get(sku, [])), Decimal(0)) for sku in items}
    prices = {sku: levels.terms(register, item, now).price for sku, item in items.items() if totals[sku]}
    values = {sku: total * (prices.get(sku) or Decimal(0)) for sku, total in totals.items()}
    return {sku: name for sku, name in classes.abc(values).items() if values[sku]}


def _months(used: Sequence[tuple[int, Decimal]], now: int) -> list[float]:
    """The sums of the last twelve twelfths of a year."""
    sums = [0.0] * 12
    for at, quantity in used:
        sums[min(11, max(0, 11 - (now - at) // MONTH_US))] += float(quantity)
    return sums


def _ceiling(level: Level | None) -> Decimal | None:
    if level is None:
        return None
    return level.rule.maximum if level.rule.ceiling is None else level.rule.ceiling


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else quantity_text(amount.quantize(CENT))
