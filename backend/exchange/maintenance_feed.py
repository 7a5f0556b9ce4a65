"""The maintenance to come of some assets as calendar entries: what plans call for, and work orders with a day.

A plan's service keeps its entry when a work order is made of it; an order's days come before the plan's.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, Row, select

from backend.api.queries.plan_calendar import Occurrence, occurrences
from backend.book import calendar_entries, services
from backend.book.db import read, repeated, write
from backend.book.schema_work import work_order
from models.ids import derived_id
from models.maintenance import feed
from models.maintenance.feed import Changes, Entry
from models.maintenance.work_order import OPEN
from models.reading import from_micros
from models.register import Register

HORIZON_US = 180 * 86_400_000_000
_table = work_order.c
_OPEN = select(work_order).where(_table.state.in_(OPEN))


def entries(book: Engine, register: Register, assets: Sequence[str], now: int) -> list[Entry]:
    """What is planned of these assets, as it is told now; changes are written down first."""
    with read(book) as tx:
        held = calendar_entries.held(tx, assets)
        done = {key: len(each) for key, each in services.done_by_plan(tx, assets, now).items()}
        present = [*_present(tx, register, assets, now)]
    changes = feed.changes(present, held, done, now)
    if changes.saved or changes.gone:
        repeated(partial(_save, book, changes))
    told = held | {entry.uid: entry for entry in changes.saved}
    kept = (entry for uid, entry in told.items() if uid not in changes.gone)
    return sorted(kept, key=lambda each: (each.begin, each.asset, each.uid))


def assets_of_orders(tx: Connection, team: str) -> list[str]:
    """Assets that a team has an open order for."""
    query = select(_table.asset).where(_table.state.in_(OPEN), _table.team == team).distinct()
    return [*tx.scalars(query.order_by(_table.asset))]


def _save(book: Engine, changes: Changes) -> None:
    with write(book) as tx:
        calendar_entries.save(tx, changes)


def _present(tx: Connection, register: Register, assets: Sequence[str], now: int) -> Iterator[Entry]:
    orders = {row.id: row for row in tx.execute(_OPEN.where(_table.asset.in_(assets)))}
    of_plans: set[str] = set()
    for each in occurrences(tx, register, now, now + HORIZON_US, [*assets]):
        order = orders.get(each.work_order or "")
        of_plans |= {order.id} if order is not None else set[str]()
        yield _of_plan(each, order, now)
    yield from (_of_order(row) for row in orders.values() if row.id not in of_plans and _days(row) is not None)


def _of_plan(each: Occurrence, order: Row[Any] | None, now: int) -> Entry:
    planned = each.planned
    soonest = now if planned.due_from is None else planned.due_from
    days = (_day(soonest), _day(soonest if planned.due_by is None else max(planned.due_by, soonest)))
    latest = "a day that cannot be said" if planned.due_by is None else f"{days[1]}"
    lines = [f"{each.plan.name} of {each.asset}: due between {days[0]} and {latest}"]
    lines += [f"State: {planned.state}", f"Service number {planned.occurrence} of the plan {each.plan_id}"]
    lines += [f"With it: {', '.join(planned.packages)}"] if planned.packages else []
    lines += [f"Work order {order.id}: {order.state}"] if order is not None else []
    return Entry(
        uid=derived_id("calendar", each.asset, each.plan_id, str(planned.occurrence)),
        asset=each.asset,
        plan=each.plan_id,
        occurrence=planned.occurrence,
        team=None if order is None else order.team,
        begin=(found := (None if order is None else _days(order)) or days)[0],
        end=found[1],
        title=f"{each.asset}: {each.plan.name}",
        text="\n".join(lines),
    )


def _of_order(row: Row[Any]) -> Entry:
    begin, end = _days(row) or (date.min, date.min)
    return Entry(
        uid=derived_id("calendar", row.id),
        asset=row.asset,
        plan=None,
        occurrence=None,
        team=row.team,
        begin=begin,
        end=end,
        title=f"{row.asset}: {row.title}",
        text=f"Work order {row.id}: {row.state}\nPlanned from {begin} to {end}",
    )


def _days(order: Row[Any]) -> tuple[date, date] | None:
    """From when it is planned, or the day it is due; up to that, or both are one."""
    begin = order.due_at if order.planned_at is None else order.planned_at
    if begin is None:
        return None
    return _day(begin), _day(begin if order.due_at is None else max(order.due_at, begin))


def _day(at: int) -> date:
    """In UTC, as the days of alerts are."""
    return from_micros(at).date()


def of_team(found: Collection[Entry], team: str, assets: Collection[str]) -> list[Entry]:
    """What is a team's: its own orders, and of its assets what is no other team's."""
    return [each for each in found if each.team == team or (each.team is None and each.asset in assets)]
