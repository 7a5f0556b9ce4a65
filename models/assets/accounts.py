"""The accounts of the assets' side, and which two of them each flow of value moves: one literal table.

Every flow is between two accounts, so that what is posted balances by its shape. None of them is an account of stock.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal, NamedTuple

Flow = Literal[
    "acquisition",
    "take over",
    "taken over depreciation",
    "addition",
    "upkeep",
    "depreciation",
    "disposal of depreciation",
    "disposal of book value",
    "proceeds",
]
COST, ACCUMULATED = "assets.cost", "assets.accumulated_depreciation"
DISPOSAL = "assets.disposal"
CHART = {
    COST: "Assets at cost",
    ACCUMULATED: "Accumulated depreciation",
    "assets.invoices_clearing": "Invoices for assets, to be paid",
    "assets.opening": "Taken over from other books",
    "assets.depreciation": "Depreciation",
    "assets.upkeep": "Upkeep of assets",
    DISPOSAL: "Gain and loss on disposals",
    "assets.proceeds_clearing": "Proceeds of disposals, to be received",
}
"""Every account there is here, with its name; their ids all begin with `assets.`."""
ACCOUNTS: dict[Flow, tuple[str, str]] = {
    "acquisition": (COST, "assets.invoices_clearing"),
    "take over": (COST, "assets.opening"),
    "taken over depreciation": ("assets.opening", ACCUMULATED),
    "addition": (COST, "assets.invoices_clearing"),
    "upkeep": ("assets.upkeep", "assets.invoices_clearing"),
    "depreciation": ("assets.depreciation", ACCUMULATED),
    "disposal of depreciation": (ACCUMULATED, COST),
    "disposal of book value": (DISPOSAL, COST),
    "proceeds": ("assets.proceeds_clearing", DISPOSAL),
}
"""The account to debit and the one to credit, by flow. What the disposals' account is left with is gain, or loss."""


class Line(NamedTuple):
    """One line of a journal entry: one of the two is 0."""

    account: str
    debit: Decimal
    credit: Decimal


def journal(flow: Flow, amount: Decimal) -> list[Line]:
    """The balanced lines of an amount; a negative one goes the other way, nothing is no line."""
    debit, credit = ACCOUNTS[flow]
    if amount < 0:
        debit, credit, amount = credit, debit, -amount
    zero = Decimal(0)
    return [Line(debit, amount, zero), Line(credit, zero, amount)] if amount else []


def balance(lines: Iterable[Line]) -> dict[str, Decimal]:
    """Debit less credit by account, in order of the chart."""
    sums = dict.fromkeys(CHART, Decimal(0))
    for line in lines:
        sums[line.account] += line.debit - line.credit
    return {account: amount for account, amount in sums.items() if amount}
