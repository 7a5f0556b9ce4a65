"""The journal of stock and its periods: what is posted, and what open months would post as they stand."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Literal

from msgspec import structs
from pydantic import Field
from sqlalchemy import Connection, Row, func, select

from backend.api import items_costs as items
from backend.api.answers import Ask
from backend.api.queries.values import Limit, Named, of_month
from backend.book import asset_ledger, value_ledger, value_marks
from backend.book.schema_costs import period, value_month, value_posting
from backend.book.schema_value import asset_posting
from models.assets import accounts as assets
from models.months import begin_of, month_of, month_text, parse_month
from models.reading import from_micros
from models.stock.accounts import balance, journal
from models.stock.periods import PostedLine, Posting, posted_lines
from models.units import quantity_text

What = Literal["close", "delta", "open"]


class JournalAsk(Ask, frozen=True):
    """Entries of a month, of an item or of all."""

    period: Annotated[str, Field(max_length=7)]
    sku: Named = None
    after: Annotated[str, Field(max_length=80, description="id of the last entry seen")] = ""
    limit: Limit = 1000


def entries(tx: Connection, ask: JournalAsk) -> list[items.JournalEntry]:
    """What is posted in a month, by n, then what its items would post if it were closed now, by item."""
    month = parse_month(ask.period)
    return [*_entries(tx, month, ask.sku, ask.after)][: ask.limit]


def _entries(tx: Connection, month: int, sku: str | None, after: str) -> Iterator[items.JournalEntry]:
    kind, _, seen = after.partition("/")
    if kind in {"", "posting"}:
        which = [value_posting.c.period == month, value_posting.c.n > int(seen if seen.isdecimal() else 0)]
        which += [value_posting.c.sku == sku] if sku is not None else []
        yield from (_entry(posting) for posting, _ in value_ledger.postings(tx, *which))
    closed = value_marks.closed_to(tx)
    if closed is not None and month <= closed:
        return
    for each, sums in of_month(tx, month, sku):
        if kind != "open" or each > seen:
            lines = posted_lines(sums, {})
            yield _told(f"open/{each}", "open", each, (month, month), _lines(lines))


def _entry(posting: Posting) -> items.JournalEntry:
    told = _told(
        f"posting/{posting.n}", posting.what, posting.sku, (posting.period, posting.origin), _lines(posting.lines)
    )
    recorded = {"recorded_at": from_micros(posting.recorded_at), "actor": posting.actor, "causes": posting.causes}
    return structs.replace(told, **recorded)


def _told(
    ident: str, what: What, sku: str, months: tuple[int, int], lines: list[items.JournalLine]
) -> items.JournalEntry:
    return items.JournalEntry(
        id=ident,
        what=what,
        period=month_text(months[0]),
        origin=month_text(months[1]),
        sku=sku,
        lines=lines,
        causes=[],
        recorded_at=None,
        actor=None,
    )


def _lines(posted: list[PostedLine]) -> list[items.JournalLine]:
    return [
        items.JournalLine(
            line.account,
            quantity_text(line.debit),
            quantity_text(line.credit),
            each.flow,
            quantity_text(each.quantity),
            quantity_text(each.value),
        )
        for each in posted
        for line in journal(each.flow, each.amount)
    ]


def periods(tx: Connection, now: int) -> list[items.Period]:
    """Every month from the first that anything is valued in to the present one."""
    closed = {row.month: row for row in tx.execute(select(period))}
    late = select(value_posting.c.period, func.count().label("deltas")).where(value_posting.c.what == "delta")
    deltas = {row.period: row.deltas for row in tx.execute(late.group_by(value_posting.c.period))}
    begun = (tx.scalar(select(func.min(each))) for each in (value_month.c.month, asset_posting.c.period))
    first = min([*closed, *(month_of(now) if month is None else month for month in begun)])
    return [_period(month, closed.get(month), deltas.get(month, 0)) for month in range(first, month_of(now) + 1)]


def _period(month: int, row: Row[Any] | None, deltas: int) -> items.Period:
    return items.Period(
        month=month_text(month),
        state="open" if row is None else "closed",
        closed_at=None if row is None else from_micros(row.closed_at),
        actor=None if row is None else row.actor,
        note=None if row is None else row.note,
        inventory=None if row is None else row.inventory,
        deltas=deltas,
    )


def figures(tx: Connection, text: str, now: int) -> items.PeriodFigures:
    """What a month moved by account, and which late facts of earlier months are in it."""
    month = parse_month(text)
    row = tx.execute(select(period).where(period.c.month == month)).one_or_none()
    lines = [
        line
        for posting, _ in value_ledger.postings(tx, value_posting.c.period == month)
        for each in posting.lines
        for line in journal(each.flow, each.amount)
    ]
    if row is None:
        for _, sums in of_month(tx, month, None):
            lines += [line for each in posted_lines(sums, {}) for line in journal(each.flow, each.amount)]
    late = value_ledger.postings(tx, value_posting.c.period == month, value_posting.c.what == "delta")
    return items.PeriodFigures(
        month=month_text(month),
        state="open" if row is None else "closed",
        inventory=None if row is None else row.inventory,
        accounts={account: quantity_text(amount) for account, amount in balance(lines).items()},
        assets={account: quantity_text(amount) for account, amount in _of_assets(tx, month).items()},
        late=[_entry(posting) for posting, _ in late],
        complete_to=from_micros(min(begin_of(month + 1), value_marks.settled_to(tx, now))),
    )


def _of_assets(tx: Connection, month: int) -> dict[str, Decimal]:
    postings = asset_ledger.postings(tx, asset_posting.c.period == month)
    lines = (
        line for posting, _ in postings for each in posting.lines for line in assets.journal(each.flow, each.amount)
    )
    return assets.balance(lines)
