"""Cycle counts in the book: opened with a snapshot of it, and counted by people; what follows is decided apart."""

import json
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from msgspec.structs import replace
from sqlalchemy import Connection, Row, insert, select, update

from backend.book import count_lines, locks, past, tag_places, virtual, work_log
from backend.book.count_lines import Line
from backend.book.schema_warehouse import stock_count
from backend.book.work_log import Stamp
from models.declared import Item, Location
from models.errors import Clash, NotFound, Refused
from models.register import Register
from models.stock.count import Count, Key
from models.units import quantity_text

Outcome = Literal["created", "same"]
OPEN = ("open", "submitted")


class Put(NamedTuple):
    """A figure as it is put: how much was there, when (None: now), and at which place, where the line is a new one."""

    quantity: Decimal
    at: int | None
    key: Key | None
    evidence: list[str]


def open_count(
    tx: Connection, register: Register, asked: Count, stamp: Stamp, measured: Mapping[str, str] = MappingProxyType({})
) -> Outcome:
    """Begin a count; items that it names no class of have their measured one, of when it began.

    Again is harmless. Raises Refused for what is not known or is being counted already, or Clash.
    """
    locks.number(tx)
    row = _row(tx, asked.id)
    places = asked.locations
    if places is not None:
        asked = replace(asked, locations=tag_places.under(register, places, asked.at))
    if row is not None:
        held = of_row(row)
        if replace(held, classes={**held.classes, **asked.classes}) != replace(asked, classes=held.classes):
            msg = f"count {asked.id}: it is there with other content, {held}"
            raise Clash(msg)
        return "same"
    _check(tx, register, asked, stamp.now)
    begun = _snapshot(tx, asked)
    of_lines = {key.sku: measured[key.sku] for key in begun if key.sku in measured}
    asked = replace(asked, classes={**of_lines, **asked.classes})
    values = {**_stored(asked), "state": "open", "actor": stamp.actor, "recorded_at": stamp.now}
    tx.execute(insert(stock_count).values(values))
    for n, (key, book) in enumerate(sorted(begun.items(), key=lambda each: str(each[0])), 1):
        count_lines.add(tx, asked, (n, key), book)
    work_log.record(tx, f"count:{asked.id}", "opened", stamp)
    return "created"


def _check(tx: Connection, register: Register, asked: Count, now: int) -> None:
    for field, kind, shape, named in (
        ("skus", "items", Item, asked.skus),
        ("locations", "locations", Location, asked.locations),
    ):
        for ident in named or ():
            body = register.get(kind, ident, now)
            if not isinstance(body, shape) or (isinstance(body, Location) and body.is_virtual):
                msg = f"{field}: one of the real {kind} of the register expected, got {ident!r}"
                raise Refused(msg)
    if asked.at > now:
        msg = "at: a time that has come expected"
        raise Refused(msg)
    for row in tx.execute(select(stock_count).where(stock_count.c.state.in_(OPEN))):
        if asked.overlaps(of_row(row)):
            msg = f"skus, locations: some are being counted already, by count {row.id}"
            raise Refused(msg)


def _snapshot(tx: Connection, asked: Count) -> dict[Key, Decimal]:
    """What the book has in the scope at the beginning; of named items at named places also what it has not."""
    if asked.locations is not None:
        known = past.of_places(tx, asked.locations, asked.at)
    else:
        known = past.of_skus(tx, asked.skus or (), asked.at)
    outside = virtual.kinds(tx, {key.location for key in known.keys()}, asked.at)  # noqa: SIM118 - no dict
    inside = (key for key in known.keys() if asked.holds(key) and key.location not in outside)  # noqa: SIM118
    found = {key: book for key in inside if (book := known.at(key, asked.at))}
    for sku in asked.skus or ():
        for place in asked.locations or ():
            if not any((key.sku, key.location) == (sku, place) for key in found):
                found[Key(sku, place)] = Decimal(0)
    return found


def put_line(tx: Connection, ident: str, n: int, put: Put, stamp: Stamp) -> Outcome:
    """What somebody counted. The same again is harmless, another figure of the same round a Clash.

    Raises NotFound, or Refused for a line of no known place, or a time that cannot be.
    """
    locks.number(tx)
    count = in_state(tx, ident, "open")
    line = count_lines.one(tx, count, n)
    if line is None:
        line = _new_line(tx, count, n, put.key)
    elif put.key is not None and put.key != line.key:
        msg = f"line {n}: {_said(line.key)} expected, got {_said(put.key)}"
        raise Refused(msg)
    at = stamp.now if put.at is None else put.at
    if not line.round_from <= at <= stamp.now:
        msg = f"at: a time of round {line.round}, and not one to come, expected"
        raise Refused(msg)
    if (held := line.put) is not None:
        if held.quantity == put.quantity and put.at in (None, held.at) and held.evidence == put.evidence:
            return "same"
        msg = f"line {n}: counted {quantity_text(held.quantity)} in round {line.round}; a recount begins another"
        raise Clash(msg)
    count_lines.keep(tx, count, line, count_lines.Reading(at, put.quantity, put.evidence, stamp.actor), stamp.now)
    return "created"


def _new_line(tx: Connection, count: Count, n: int, key: Key | None) -> Line:
    """A place that the book has nothing at, and the counter found something."""
    if key is None or not count.holds(key):
        msg = f"line {n}: sku and location of this count expected for a new line, got {_said(key)}"
        raise Refused(msg)
    if (other := count_lines.of_key(tx, count, key)) is not None:
        msg = f"line {n}: {_said(key)} is line {other}"
        raise Refused(msg)
    count_lines.add(tx, count, (n, key), past.of_skus(tx, [key.sku], count.at).at(key, count.at))
    found = count_lines.one(tx, count, n)
    assert found is not None  # noqa: S101 - added just now
    return found


def _said(key: Key | None) -> str:
    return "nothing" if key is None else f"{key.sku} at {key.location}" + (f" of lot {key.lot}" if key.lot else "")


def lines(tx: Connection, ident: str) -> list[Line]:
    """The lines of a count as they stand. Raises NotFound."""
    return count_lines.evaluated(tx, in_state(tx, ident))


def in_state(tx: Connection, ident: str, *states: str) -> Count:
    """The count, if it is in one of these states, or in any. Raises NotFound or Clash."""
    row = _row(tx, ident)
    if row is None:
        msg = f"counts: nothing of id {ident!r}"
        raise NotFound(msg)
    if states and row.state not in states:
        msg = f"count {ident}: {' or '.join(states)} expected, it is {row.state}"
        raise Clash(msg)
    return of_row(row)


def begun(tx: Connection, ident: str) -> int | None:
    """When it began, or None of no such count."""
    return tx.scalar(select(stock_count.c.begin_at).where(stock_count.c.id == ident))


def state_of(tx: Connection, ident: str) -> str | None:
    """Its state, or None of no such count."""
    return tx.scalar(select(stock_count.c.state).where(stock_count.c.id == ident))


def move(tx: Connection, ident: str, step: tuple[str, str], stamp: Stamp, body: dict[str, Any]) -> None:
    """Let a count go into a state; what was done, and why, is recorded."""
    state, what = step
    tx.execute(update(stock_count).where(stock_count.c.id == ident).values(state=state))
    work_log.record(tx, f"count:{ident}", what, stamp, body)


def _row(tx: Connection, ident: str) -> Row[Any] | None:
    return tx.execute(select(stock_count).where(stock_count.c.id == ident)).one_or_none()


def of_row(row: Row[Any]) -> Count:
    """A count from its row."""
    return Count(
        id=row.id,
        skus=None if row.skus is None else json.loads(row.skus),
        locations=None if row.locations is None else json.loads(row.locations),
        blind=bool(row.blind),
        classes=json.loads(row.classes),
        at=row.begin_at,
    )


def _stored(asked: Count) -> dict[str, Any]:
    return {
        "id": asked.id,
        "skus": None if asked.skus is None else json.dumps(asked.skus),
        "locations": None if asked.locations is None else json.dumps(asked.locations),
        "blind": asked.blind,
        "classes": json.dumps(asked.classes, sort_keys=True),
        "begin_at": asked.at,
    }
