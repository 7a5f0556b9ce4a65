"""What is forgotten after its time, so that a book does not grow by what nobody asks for any more.

Domain events, subjects that nobody planned, unreadable messages, clock ticks, risks and what was told of alerts; counts
of refusals of old days become one. In transactions of a few hundred rows, so that ingest never waits. Readings go only
behind a seal (backend.keeping.sealed_days); ledgers, what is derived, alerts and decisions are kept for ever.
"""

import logging
from collections.abc import Callable
from threading import Event

from sqlalchemy import ColumnElement, Connection, Engine, Table, delete, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import OperationalError

from backend.book import alert_counts, messages
from backend.book.db import repeated, write
from backend.book.schema import changed, clock_tick, event, quarantine, refused_count, risk
from backend.book.schema_notify import webhook_delivery
from backend.keeping.sealed_days import Sealer
from backend.step import DAY_US

log = logging.getLogger(__name__)
ROWS_A_TURN = 500
PAUSE_S = 0.05
EVERY_S = 3600.0
OLD_DAYS = 0
"""The day under which refusals of all days that are past their time are counted together."""


class Retention:
    """Forgets, once an hour, what is older than `history_days`, and has the journal sealed."""

    def __init__(self, book: Engine, clock: Callable[[], int], history_days: int, sealer: Sealer | None = None) -> None:
        self._book = book
        self._clock = clock
        self._sealer = sealer
        self._kept_us = history_days * DAY_US
        self._envelopes_seen = 0

    def run(self, stop: Event) -> None:
        """Work until stop."""
        while not stop.is_set():
            try:
                self.all(stop)
                if self._sealer is not None:
                    self._sealer.all(stop)
            except OperationalError as error:
                log.warning("nothing is forgotten while the book is away: %s", error.orig)
            stop.wait(EVERY_S)

    def all(self, stop: Event) -> int:
        """Forget everything that is past its time; how many rows."""
        total = 0
        while not stop.is_set() and (gone := self.turn()):
            total += gone
            stop.wait(PAUSE_S)
        if total:
            log.info("forgot %d rows that were past their time", total)
        return total

    def turn(self) -> int:
        """At most some hundred rows of each kind; how many."""
        before = self._clock() - self._kept_us
        kinds: list[Callable[[Connection], int]] = [
            lambda tx: _oldest(tx, event, event.c.at, before),
            lambda tx: _oldest(tx, changed, changed.c.at, before),
            lambda tx: _oldest(tx, clock_tick, clock_tick.c.at, before),
            lambda tx: self._envelopes(tx, before),
            lambda tx: _risks(tx, before),
            lambda tx: _refusals(tx, before),
            lambda tx: _deliveries(tx, before),
            lambda tx: messages.forget(tx, before, ROWS_A_TURN),
            lambda tx: alert_counts.forget(tx, before),
        ]
        return sum(self._write(kind) for kind in kinds)

    def _write(self, kind: Callable[[Connection], int]) -> int:
        def work() -> int:
            with write(self._book) as tx:
                return kind(tx)

        return repeated(work)

    def _envelopes(self, tx: Connection, before: int) -> int:
        """Unreadable messages; readings in quarantine are of the journal, and stay."""
        table = quarantine.c
        old = select(table.id).where(table.id > self._envelopes_seen, table.received_at < before)
        ids = tx.scalars(old.where(table.sort == "envelope").order_by(table.id).limit(ROWS_A_TURN)).all()
        if ids:
            tx.execute(delete(quarantine).where(table.id.in_(ids)))
            self._envelopes_seen = ids[-1]
        return len(ids)


def _oldest(tx: Connection, table: Table, at: ColumnElement[int], before: int) -> int:
    """Rows by their number while they are old: they were written in the order of time, and there is no other index."""
    first = tx.execute(select(table.c.n, at).order_by(table.c.n).limit(ROWS_A_TURN)).all()
    old = [n for n, when in first if when < before]
    if old:
        tx.execute(delete(table).where(table.c.n <= old[-1], at < before))
    return len(old)


def _risks(tx: Connection, before: int) -> int:
    """Risks, but for the newest that each model says of each asset."""
    later = risk.alias()
    same = (later.c.asset == risk.c.asset, later.c.model == risk.c.model, later.c.at > risk.c.at)
    is_old = (risk.c.at < before, select(later.c.at).where(*same).exists())
    key = (risk.c.asset, risk.c.model, risk.c.at)
    rows = tx.execute(select(*key).where(*is_old).order_by(risk.c.at).limit(ROWS_A_TURN)).all()
    for asset, model, at in rows:
        tx.execute(delete(risk).where(risk.c.asset == asset, risk.c.model == model, risk.c.at == at))
    return len(rows)


def _deliveries(tx: Connection, before: int) -> int:
    """What webhooks were told, or never took; what still waits stays."""
    table = webhook_delivery.c
    over = select(table.n).where(table.done_at < before).order_by(table.n).limit(ROWS_A_TURN)
    ids = tx.scalars(over).all()
    tx.execute(delete(webhook_delivery).where(table.n.in_(ids)))
    return len(ids)


def _refusals(tx: Connection, before: int) -> int:
    """Counts of old days, added up: how often something was refused is not forgotten."""
    table = refused_count.c
    query = select(refused_count).where(table.day > OLD_DAYS, table.day < before // DAY_US)
    rows = tx.execute(query.order_by(table.day).limit(ROWS_A_TURN)).all()
    for row in rows:
        one = delete(refused_count).filter_by(gateway=row.gateway, day=row.day, sort=row.sort)
        count = tx.scalar(one.returning(table.count))
        if count is None:  # another process was faster, and has added it
            continue
        key = {"gateway": row.gateway, "day": OLD_DAYS, "sort": row.sort}
        added = upsert(refused_count).values(**key, count=count)
        tx.execute(added.on_conflict_do_update(index_elements=list(key), set_={"count": table.count + count}))
    return len(rows)
