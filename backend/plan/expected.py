"""What is due for announcements: one is over and not all of it came, or something came that was not announced."""

import json
from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Row, and_, or_, select

from backend.book import expected
from backend.book.expected_moves import standings
from backend.book.schema_expected import expected as table
from backend.book.schema_expected import expected_line
from backend.plan.rule import DAY_US, SECOND_US, Rule, View
from models.alert import Alert
from models.stock.expected import Expected, Standing
from models.units import quantity_text

LOOK_EVERY_US = 60 * SECOND_US
LATE_US = 31 * DAY_US
"""What becomes known of one that was over before shows where it is asked for, and is told to nobody."""


class Delivery(Struct, frozen=True):
    """An announcement and how it stands; whether others were told that it is over."""

    announced: Expected
    stands: Standing
    is_told: bool


def load_deliveries(view: View, skus: Sequence[str]) -> list[tuple[str, Delivery]]:
    """The announcements of some items, and those that are open and would tell of items that nobody announced."""
    with_them = table.c.id.in_(select(expected_line.c.expected_id).where(expected_line.c.sku.in_(skus)))
    of_items = and_(with_them, or_(table.c.end_at > view.now - LATE_US, ~table.c.is_told))
    named = or_(table.c.party.is_not(None), table.c.place.is_not(None))
    is_open = and_(table.c.closed_at.is_(None), table.c.end_at > view.now, table.c.begin_at <= view.now, named)
    found: list[tuple[Row[Any], Expected]] = expected.of_query(view.tx, select(table).where(or_(of_items, is_open)))
    stands = standings(view.tx, view.register, [each for _, each in found], view.now)
    return [(f"expected:{each.id}", Delivery(each, stands[each.id], bool(row.is_told))) for row, each in found]


def items_due(view: View) -> list[str]:
    """Items of announcements that are over, and nobody was told of it."""
    due = ~table.c.is_told & or_(table.c.end_at <= view.now, table.c.closed_at.is_not(None))
    of_due = select(expected_line.c.sku).join(table, table.c.id == expected_line.c.expected_id).where(due)
    return sorted({*view.tx.scalars(of_due)})


def settle_delivery(view: View, facts: Delivery) -> None:
    """Others are told once that it is over."""
    if facts.stands.is_over and not facts.is_told:
        expected.told(view.tx, facts.announced.id, view.now)


def differs(facts: Delivery, _now: int) -> Alert | None:
    """Short once it is over; more, or something else, than was announced at once."""
    each, stands = facts.announced, facts.stands
    short = [(n.line.sku, n.line.quantity - n.came) for n in stands.lines if n.verdict == "short"]
    over = [(n.line.sku, n.over) for n in stands.lines if n.verdict == "over"]
    wrong = [(n.sku, n.quantity) for n in stands.wrong]
    missing = [tag for line in stands.lines for tag in line.missing] if stands.is_over else []
    if not (short or over or wrong or missing):
        return None
    told = {
        what: [f"{quantity_text(quantity)} x {sku}" for sku, quantity in found]
        for what, found in (("short", short), ("over", over), ("not announced", wrong))
        if found
    }
    parts = [f"{what} {', '.join(found)}" for what, found in told.items()]
    parts += [f"{len(missing)} tags not seen"] if missing else []
    detail = json.dumps({"id": each.id, "kind": each.kind, **told, "missing": missing})
    return Alert("expected", f"expected:{each.id}", "warning", f"{each.kind} {each.id}: {'; '.join(parts)}", detail)


EXPECTED = Rule(
    "expected",
    "item",
    load_deliveries,
    differs,
    everything=items_due,
    every_us=LOOK_EVERY_US,
    settle=settle_delivery,
)
