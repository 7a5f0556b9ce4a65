"""What was sealed: the seals, and by which of them a reading went."""

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, select

from backend.api.items_seals import Gone, Seal, SealedNumbers, SealedStep
from backend.api.queries.intake import time
from backend.book import sealed
from backend.book.schema import gateway, seal, seal_step, seal_stream, stream
from models.reading import from_micros


def seals(tx: Connection, after: date | None, limit: int) -> list[Seal]:
    """Seals by day, those after a day."""
    query = select(seal).order_by(seal.c.day).limit(limit)
    if after is not None:
        query = query.where(seal.c.day > (after - sealed.date_of(0)).days)
    return [_seal(tx, row) for row in tx.execute(query).all()]


def _seal(tx: Connection, row: Row[Any]) -> Seal:
    numbers = (
        select(seal_stream, gateway.c.name, stream.c.epoch)
        .join(stream, stream.c.id == seal_stream.c.stream_id)
        .join(gateway, gateway.c.id == stream.c.gateway_id)
        .where(seal_stream.c.day == row.day)
        .order_by(gateway.c.name, stream.c.id)
    )
    is_made = row.sealed_at is not None
    streams = [
        SealedNumbers(each.name, each.epoch, each.from_seq, each.to_seq, json.loads(each.counts), each.digest.hex())
        for each in (tx.execute(numbers) if is_made else ())
    ]
    steps = [
        SealedStep(each.step, each.states, each.states_digest.hex(), each.row_count, each.rows_digest.hex())
        for each in tx.execute(select(seal_step).where(seal_step.c.day == row.day).order_by(seal_step.c.step))
        if is_made
    ]
    return Seal(
        day=sealed.date_of(row.day),
        closed_at=from_micros(row.closed_at),
        sealed_at=time(row.sealed_at),
        pruned_at=time(row.pruned_at),
        digest=None if row.digest is None else row.digest.hex(),
        readings=sum(each.to_seq - each.from_seq + 1 for each in streams),
        steps=steps,
        streams=streams,
    )


def gone(tx: Connection, streams: Iterable[Row[Any]], above: int) -> list[Gone]:
    """Of streams (id, name, epoch, pruned_to) those that are pruned of what comes after a number, and when it went."""
    found: list[Gone] = []
    for row in streams:
        day = sealed.day_of_number(tx, row.id, above + 1) if row.pruned_to > above else None
        if day is not None:
            found.append(Gone(row.name, row.epoch, above + 1, row.pruned_to, day))
    return found
