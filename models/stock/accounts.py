"""The accounts of the stock side, and which of them each flow of value moves: one literal table.

Every flow is between the inventory and one other account, so that what is posted balances by its shape. No account is
shared with the assets' side: a spare that is capitalised passes through a clearing account.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from models.place import ADJUSTMENT, CAPITALISED, CUSTOMER, PRODUCTION, PROJECT, SCRAP, SUPPLIER
from models.stock.costing import LANDED, RECEIPT, REVALUATION, SUPPLIER_RETURN, TRUE_UP

INVENTORY = "stock.inventory"
CHART = {
    INVENTORY: "Inventory",
    "stock.received_not_invoiced": "Goods received, not invoiced",
    "stock.landed_clearing": "Landed costs to be invoiced",
    "stock.cost_of_goods_sold": "Cost of goods sold",
    "stock.consumption": "Consumables and spares used up",
    "stock.work_orders": "Parts used by work orders",
    "stock.work_in_progress": "Work in progress",
    "stock.projects": "Material of projects",
    "stock.write_off": "Scrap and write-offs",
    "stock.adjustment": "Found and lost at counts",
    "stock.price_variance": "Price variance and revaluation",
    "stock.capitalised_clearing": "Spares that became assets, to be taken over",
}
"""Every account there is here, with its name; their ids all begin with `stock.`."""

CONSUMPTION, WORK_ORDER = "consumption", "work order"


class Way(NamedTuple):
    """Where value comes from and goes to: the flow in, the flow out, the account on the other side."""

    into: str
    out: str
    account: str


WAYS = {
    SUPPLIER: Way(RECEIPT, SUPPLIER_RETURN, "stock.received_not_invoiced"),
    CUSTOMER: Way("customer return", "sale", "stock.cost_of_goods_sold"),
    PRODUCTION: Way("produced", "production", "stock.work_in_progress"),
    CONSUMPTION: Way("consumption return", "consumption", "stock.consumption"),
    WORK_ORDER: Way("work order return", "work order", "stock.work_orders"),
    PROJECT: Way("project return", "project", "stock.projects"),
    SCRAP: Way("scrap return", "scrap", "stock.write_off"),
    ADJUSTMENT: Way("found", "lost", "stock.adjustment"),
    CAPITALISED: Way("capitalised return", "capitalised", "stock.capitalised_clearing"),
}
"""By the kind of the location on the other side, where `way_of` says nothing else."""
INTO = {way.into for way in WAYS.values()} | {LANDED}
"""Flows that add to the inventory; all others take from it."""
ACCOUNTS = (
    {way.into: (INVENTORY, way.account) for way in WAYS.values()}
    | {way.out: (way.account, INVENTORY) for way in WAYS.values()}
    | {way.out + TRUE_UP: (way.account, INVENTORY) for way in WAYS.values()}
    | {LANDED: (INVENTORY, "stock.landed_clearing"), REVALUATION: ("stock.price_variance", INVENTORY)}
)
"""The account to debit and the one to credit, by flow."""
COGS = {"sale": 1, "sale" + TRUE_UP: 1, "customer return": -1}
"""What the cost of goods sold consists of."""
USED_UP = {"consumable", "spare"}


class Line(NamedTuple):
    """One line of a journal entry: one of the two is 0."""

    account: str
    debit: Decimal
    credit: Decimal


def way_of(kind: str, purpose: str, reason: str) -> Way:
    """The way of a movement from or to a location of this kind, of an item of this purpose.

    What a work order uses is its cost; what production uses of consumables and spares is an expense of the day.
    """
    if kind in {PRODUCTION, PROJECT} and reason.startswith(WORK_ORDER):
        return WAYS[WORK_ORDER]
    if kind == PRODUCTION and purpose in USED_UP:
        return WAYS[CONSUMPTION]
    return WAYS[kind]


def signed(flow: str, value: Decimal) -> Decimal:
    """What a flow adds to the inventory."""
    return value if flow in INTO else -value


def counted(flow: str, quantity: Decimal) -> Decimal:
    """What a flow adds to the quantity: a true-up says again how much was short."""
    return Decimal(0) if flow.endswith(TRUE_UP) else signed(flow, quantity)


def journal(flow: str, amount: Decimal) -> list[Line]:
    """The balanced lines of an amount; a negative one goes the other way, nothing is no line."""
    debit, credit = ACCOUNTS[flow]
    if not amount:
        return []
    if amount < 0:
        debit, credit, amount = credit, debit, -amount
    zero = Decimal(0)
    return [Line(debit, amount, zero), Line(credit, zero, amount)]


def cents(value: Decimal, carry: Decimal) -> tuple[Decimal, Decimal]:
    """What is posted of a value, to the cent, and what is carried to the next posting: no fraction is ever lost."""
    amount = (value + carry).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return amount, value + carry - amount


def balance(lines: Iterable[Line]) -> dict[str, Decimal]:
    """Debit less credit by account, in order of the chart."""
    sums = dict.fromkeys(CHART, Decimal(0))
    for line in lines:
        sums[line.account] += line.debit - line.credit
    return {account: amount for account, amount in sums.items() if amount}
