"""A report of items as one of their families: what is money or counted is added up, shares are made of the sums.

Quantities are added only where all items of a family are counted in one unit; else there is no such figure.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import cast

from backend.reports.report import Cell, Column, Look, Report, Row
from backend.reports.scope import items_of
from models.errors import Refused

FAMILY, ITEMS = Column("family", "Family"), Column("items", "Items", "number")
ADDED = ("quantity", "money", "number")


def by_family(report: Report, look: Look, rows: Iterable[Row]) -> tuple[Report, list[Row]]:
    """The report with a line for each family, in order; the last is of items without one. Raises Refused of others."""
    places = {column.name: place for place, column in enumerate(report.columns)}
    if "family" not in places:
        msg = f"group: nothing expected: {report.name} does not tell families"
        raise Refused(msg)
    columns = [each for each in report.columns if (each.adds and each.kind in ADDED) or each.share_of is not None]
    of_family: defaultdict[str | None, list[Row]] = defaultdict(list)
    for row in rows:
        of_family[cast("str | None", row[places["family"]])].append(row)
    units = {sku: item.uom for sku, item in items_of(look).items()}
    found: list[Row] = []
    for family, some in sorted(of_family.items(), key=lambda each: (each[0] is None, each[0] or "")):
        skus = {cast("str", row[places["sku"]]) for row in some}
        is_alike = len({units.get(sku) for sku in skus}) == 1
        sums = {each.name: _sum([row[places[each.name]] for row in some], each, is_alike) for each in columns}
        found.append((family, len(skus), *(_cell(each, sums) for each in columns)))
    return replace(report, columns=(FAMILY, ITEMS, *columns)), found


def _sum(cells: Sequence[Cell], column: Column, is_alike: bool) -> Decimal | int | None:  # noqa: FBT001 - of these cells
    """What nothing is said of counts as 0, but it is no money and no quantity."""
    if column.kind == "number":
        return sum(each for each in cells if isinstance(each, int))
    if column.kind not in ADDED or None in cells or (column.kind == "quantity" and not is_alike):
        return None
    return sum((each for each in cells if isinstance(each, Decimal)), Decimal(0))


def _cell(column: Column, sums: dict[str, Decimal | int | None]) -> Cell:
    if column.share_of is None:
        return sums[column.name]
    part, whole = (sums.get(name) for name in column.share_of)
    return Decimal(part) / Decimal(whole) if part is not None and whole else None
