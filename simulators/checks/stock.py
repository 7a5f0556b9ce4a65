"""Stock per SKU and place equals the truth once what was missed or misjudged is applied: 0 unexplained differences."""

from decimal import Decimal

from simulators.answers import Stock
from simulators.checks.doors import MOVES
from simulators.checks.found import Found
from simulators.checks.ledger import PLACES, Ledger, Levels, text
from simulators.checks.scans import book, way
from simulators.truth import Truth


def true_levels(truth: Truth) -> Levels:
    """What really lies where."""
    levels: Levels = {}
    for one in truth.passes:
        if one.sku is not None and one.direction in MOVES:
            sign = 1 if one.direction == "in" else -1
            levels[one.sku, "warehouse"] = levels.get((one.sku, "warehouse"), Decimal(0)) + sign * one.units
    items = {scan.id: scan for scan in truth.scans}
    for scan in truth.scans:
        book(scan, way(scan, items), levels)
    return levels


def check(truth: Truth, expected: Levels, stock: list[Stock], ledger: Ledger) -> Found:
    """Compare the answers with `expected`, which the other checks have summed up."""
    found = Found("stock = truth after what was missed or misjudged")
    shown: Levels = {}
    for line in stock:
        key = (line.sku, line.location)
        shown[key] = shown.get(key, Decimal(0)) + Decimal(line.on_hand)
    truly = true_levels(truth)
    for key in sorted({*truly, *expected, *shown}):
        true, wanted, there = (levels.get(key, Decimal(0)) for levels in (truly, expected, shown))
        place = f"{key[0]} at {key[1]}"
        if there != wanted or key[1] not in PLACES:
            found.differences.append(f"{place}: {there} shown, {wanted} expected (truth {true})")
        elif wanted != true:
            found.listed.append(f"{place}: {there}; truth {true}, {wanted - true:+} by missed and misjudged passes")
        else:
            found.listed.append(f"{place}: {there}")
    found.differences += [
        f"movement {entry.id}: {text(entry)}: nothing in the truth explains it"
        for entry in ledger.entries
        if entry.id not in ledger.explained
    ]
    found.figures = {
        "SKU and place": len({*truly, *shown}),
        "net movements": len(ledger.entries),
        "unexplained": len(found.differences),
    }
    return found
