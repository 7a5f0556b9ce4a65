"""Counts and sweeps as they are answered."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Literal

import msgspec
from pydantic import Field
from sqlalchemy import Connection, Row, select

from backend.api import items_warehouse as items
from backend.api.answers import Ask, Paged, When
from backend.book import count_lines, counts, sweep_findings, sweeps, work_log
from backend.book.schema_warehouse import counted, stock_count, sweep
from models.reading import from_micros, micros
from models.register import Register
from models.stock.count import Line, accuracy, within_tolerance
from models.units import plain, quantity_text

DECIMALS = Decimal("0.000001")


class CountAsk(Paged, frozen=True):
    """Which counts: in a state."""

    state: Literal["open", "submitted", "approved", "rejected", "cancelled"] | None = None


class SweepAsk(Paged, frozen=True):
    """Which sweeps: in a state, of a place."""

    state: Literal["open", "closed", "approved", "rejected", "cancelled"] | None = None
    place: str | None = Field(None, max_length=64)


class AccuracyAsk(Ask, frozen=True):
    """What was counted in a span of event time; default all."""

    since: When | None = None
    until: When | None = None


def count_heads(tx: Connection, ask: CountAsk) -> list[items.CountHead]:
    """Counts by n."""
    query = select(stock_count).where(stock_count.c.n > ask.after)
    if ask.state is not None:
        query = query.where(stock_count.c.state == ask.state)
    rows = tx.execute(query.order_by(stock_count.c.n).limit(ask.limit))
    return [items.CountHead(**_count(row)) for row in rows]


def one_count(tx: Connection, ident: str) -> items.CountWhole:
    """A count as it stands now. Raises NotFound."""
    count = counts.in_state(tx, ident)
    row = tx.execute(select(stock_count).where(stock_count.c.id == ident)).one()
    lines = count_lines.evaluated(tx, count)
    posted = {each.id: each for each in tx.execute(select(counted).where(counted.c.source == f"count:{ident}"))}
    is_hidden = count.blind and row.state == "open"
    done = [Line(each.key.sku, each.book, each.final.quantity) for each in lines if each.final is not None]
    return items.CountWhole(
        **_count(row),
        accuracy=None if is_hidden else ratio(accuracy(done)),
        lines=[_line(each, posted.get(f"{ident}/{each.n}"), is_hidden=is_hidden) for each in lines],
        steps=steps(tx, f"count:{ident}", is_hidden=is_hidden),
    )


def _count(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "n": row.n,
        "state": row.state,
        "begin": from_micros(row.begin_at),
        "blind": bool(row.blind),
        "skus": None if row.skus is None else msgspec.json.decode(row.skus),
        "locations": None if row.locations is None else msgspec.json.decode(row.locations),
        "by": row.actor,
    }


def _line(line: count_lines.Line, posted: Row[Any] | None, *, is_hidden: bool) -> items.CountLine:
    final, variance = line.final, line.variance
    return items.CountLine(
        line=line.n,
        **line.key._asdict(),
        state=line.state,
        round=line.round,
        counted=None if final is None else quantity_text(final.quantity),
        counted_at=None if final is None else from_micros(final.at),
        counted_by=None if final is None else final.actor,
        evidence=[] if final is None else final.evidence,
        snapshot=None if is_hidden else quantity_text(line.snapshot),
        book=None if is_hidden else quantity_text(line.book),
        variance=None if is_hidden or variance is None else quantity_text(variance),
        adjustment=None if posted is None else posted.adjustment,
        movement=None if posted is None else posted.movement,
    )


def steps(tx: Connection, subject: str, *, is_hidden: bool = False) -> list[items.WorkStep]:
    """The life of a subject; without its details where figures are hidden."""
    return [
        items.WorkStep(from_micros(step.at), step.what, step.actor, {} if is_hidden else step.body)
        for step in work_log.steps(tx, subject)
    ]


def ratio(value: Decimal | None) -> str | None:
    """A share with six decimals."""
    return None if value is None else quantity_text(plain(value.quantize(DECIMALS)))


def record_accuracy(tx: Connection, ask: AccuracyAsk) -> items.RecordAccuracy:
    """Over all that counts and sweeps found in a span, each place by itself."""
    query = select(counted)
    if ask.since is not None:
        query = query.where(counted.c.at >= micros(ask.since))
    if ask.until is not None:
        query = query.where(counted.c.at < micros(ask.until))
    rows = tx.execute(query).all()
    lines = [Line(r.sku, Decimal(r.quantity) - Decimal(r.adjustment), Decimal(r.quantity)) for r in rows]
    classes: dict[str, str] = {}
    for text in tx.scalars(select(stock_count.c.classes).order_by(stock_count.c.n)):
        classes |= msgspec.json.decode(text, type=dict[str, str])
    within = within_tolerance(lines, classes)
    told = [items.WithinTolerance(name, good, of) for name, (good, of) in within.items()]
    return items.RecordAccuracy(ratio(accuracy(lines)), len(lines), told)


def sweep_heads(tx: Connection, ask: SweepAsk) -> list[items.SweepHead]:
    """Sweeps by n."""
    query = select(sweep).where(sweep.c.n > ask.after)
    if ask.state is not None:
        query = query.where(sweep.c.state == ask.state)
    if ask.place is not None:
        query = query.where(sweep.c.place == ask.place)
    return [items.SweepHead(**_sweep(row)) for row in tx.execute(query.order_by(sweep.c.n).limit(ask.limit))]


def one_sweep(tx: Connection, register: Register, ident: str, now: int) -> items.SweepWhole:
    """A sweep and what it found, as is known now. Raises NotFound."""
    row = sweeps.in_state(tx, ident)
    found = sweep_findings.findings(tx, register, row, now)
    return items.SweepWhole(
        **_sweep(row),
        valid=found.reads > 0,
        passes=found.passes,
        accuracy=ratio(accuracy(Line(key.sku, book, there) for key, book, there in found.tallies)),
        tags=[*_tags(found.tags)],
        tallies=[
            items.Tally(
                key.sku, key.location, quantity_text(book), quantity_text(there), quantity_text(plain(there - book))
            )
            for key, book, there in found.tallies
        ],
        steps=steps(tx, f"sweep:{ident}"),
    )


def _tags(found: Iterable[sweep_findings.Finding]) -> Iterable[items.SweptTag]:
    for each in found:
        fields = each._asdict()
        fields["quantity"] = None if each.quantity is None else quantity_text(each.quantity)
        yield items.SweptTag(**fields)


def _sweep(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "n": row.n,
        "state": row.state,
        "place": row.place,
        "device": row.device,
        "begin": from_micros(row.begin_at),
        "end": None if row.end_at is None else from_micros(row.end_at),
        "by": row.actor,
    }
