"""Sweeps in the book: a place, a beginning, passes with what they heard, an end, and the decision of a person."""

import json
from collections.abc import Collection
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, Row, insert, select, update

from backend.book import locks, work_log
from backend.book.schema import device, gateway, journal
from backend.book.schema_warehouse import sweep as table
from backend.book.schema_warehouse import sweep_pass
from backend.book.work_log import Stamp
from models import wire
from models.declared import Device, Location
from models.errors import Clash, NotFound, Refused
from models.reading import Tag
from models.register import Register
from models.stock.sweep import Sweep
from models.units import quantity_text

Outcome = Literal["created", "same"]


class Pass(NamedTuple):
    """One time over the place: when, and the tags that were heard; None: those that the sweep's reader told."""

    begin_at: int
    end_at: int
    epcs: list[str] | None


def open_sweep(tx: Connection, register: Register, asked: Sweep, stamp: Stamp) -> Outcome:
    """Begin a sweep. Again is harmless. Raises Refused for a place or reader that is not known, or Clash."""
    locks.number(tx)
    row = _row(tx, asked.id)
    if row is not None:
        if of_row(row) != asked:
            msg = f"sweep {asked.id}: it is there with other content"
            raise Clash(msg)
        return "same"
    place = register.get("locations", asked.place, stamp.now)
    if not isinstance(place, Location) or place.is_virtual:
        msg = f"place: one of the real locations of the register expected, got {asked.place!r}"
        raise Refused(msg)
    if asked.device is not None and not isinstance(register.get("devices", asked.device, stamp.now), Device):
        msg = f"device: one of the devices of the register expected, got {asked.device!r}"
        raise Refused(msg)
    values = {"id": asked.id, "place": asked.place, "device": asked.device, "begin_at": asked.at, "state": "open"}
    rates = json.dumps({name: quantity_text(rate) for name, rate in sorted(asked.read_rates.items())})
    tx.execute(insert(table).values(**values, read_rates=rates, actor=stamp.actor, recorded_at=stamp.now))
    work_log.record(tx, f"sweep:{asked.id}", "opened", stamp)
    return "created"


def put_pass(tx: Connection, ident: str, n: int, heard: Pass, stamp: Stamp) -> Outcome:
    """One pass. Again is harmless. Raises NotFound, Refused of a span that cannot be, or Clash."""
    locks.number(tx)
    if (known := passes(tx, ident).get(n)) is not None:
        if known != heard:
            msg = f"sweep {ident}: pass {n} is there with other content"
            raise Clash(msg)
        return "same"
    row = in_state(tx, ident, "open")
    if not row.begin_at <= heard.begin_at <= heard.end_at <= stamp.now:
        msg = "begin, end: a span since the sweep began, and not one to come, expected"
        raise Refused(msg)
    if heard.epcs is None and row.device is None:
        msg = "epcs: expected, as the sweep names no reader"
        raise Refused(msg)
    texts = None if heard.epcs is None else json.dumps(heard.epcs)
    own = {"sweep_id": ident, "pass": n, "begin_at": heard.begin_at, "end_at": heard.end_at, "epcs": texts}
    tx.execute(insert(sweep_pass).values(**own, actor=stamp.actor, recorded_at=stamp.now))
    return "created"


def close(tx: Connection, ident: str, at: int | None, stamp: Stamp) -> None:
    """The sweep ends. Again is harmless. A sweep by a reader without passes is one pass. Raises NotFound or Clash."""
    locks.number(tx)
    if state_of(tx, ident) == "closed":
        return
    row = in_state(tx, ident, "open")
    end_at = stamp.now if at is None else at
    last = max((each.end_at for each in passes(tx, ident).values()), default=row.begin_at)
    if not last <= end_at <= stamp.now:
        msg = "at: a time after the last pass, and not one to come, expected"
        raise Refused(msg)
    if row.device is not None and not passes(tx, ident):
        put_pass(tx, ident, 1, Pass(row.begin_at, end_at, None), stamp)
    tx.execute(update(table).where(table.c.id == ident).values(end_at=end_at))
    move(tx, ident, "closed", stamp, {"end_at": end_at})


def end(tx: Connection, ident: str, state: Literal["rejected", "cancelled"], reason: str, stamp: Stamp) -> None:
    """Post nothing. Again is harmless. Raises NotFound, or Clash if it was decided otherwise."""
    locks.number(tx)
    if state_of(tx, ident) != state:
        in_state(tx, ident, "open", "closed")
        move(tx, ident, state, stamp, {"reason": reason})


def move(tx: Connection, ident: str, state: str, stamp: Stamp, body: dict[str, Any]) -> None:
    """Let a sweep go into a state; why is recorded."""
    tx.execute(update(table).where(table.c.id == ident).values(state=state))
    work_log.record(tx, f"sweep:{ident}", state, stamp, body)


def begun(tx: Connection, ident: str) -> int | None:
    """When it began, or None of no such sweep."""
    return tx.scalar(select(table.c.begin_at).where(table.c.id == ident))


def state_of(tx: Connection, ident: str) -> str | None:
    """Its state, or None of no such sweep."""
    return tx.scalar(select(table.c.state).where(table.c.id == ident))


def in_state(tx: Connection, ident: str, *states: str) -> Row[Any]:
    """The sweep's row, if it is in one of these states, or in any. Raises NotFound or Clash."""
    row = _row(tx, ident)
    if row is None:
        msg = f"sweeps: nothing of id {ident!r}"
        raise NotFound(msg)
    if states and row.state not in states:
        msg = f"sweep {ident}: {' or '.join(states)} expected, it is {row.state}"
        raise Clash(msg)
    return row


def _row(tx: Connection, ident: str) -> Row[Any] | None:
    return tx.execute(select(table).where(table.c.id == ident)).one_or_none()


def of_row(row: Row[Any]) -> Sweep:
    """A sweep from its row."""
    rates = {name: Decimal(text) for name, text in json.loads(row.read_rates).items()}
    return Sweep(id=row.id, place=row.place, device=row.device, read_rates=rates, at=row.begin_at)


def passes(tx: Connection, ident: str) -> dict[int, Pass]:
    """The passes by number."""
    rows = tx.execute(select(sweep_pass).where(sweep_pass.c.sweep_id == ident).order_by(sweep_pass.c["pass"]))
    return {
        row["pass"]: Pass(row["begin_at"], row["end_at"], None if row["epcs"] is None else json.loads(row["epcs"]))
        for row in rows.mappings()
    }


def actors(tx: Connection, ident: str) -> set[str]:
    """Who began the sweep and put its passes."""
    put = select(sweep_pass.c.actor).where(sweep_pass.c.sweep_id == ident)
    return {*tx.scalars(put), *tx.scalars(select(table.c.actor).where(table.c.id == ident))}


def heard_by(tx: Connection, name: str, span: tuple[int, int], antennas: Collection[int] | None) -> set[str]:
    """The tags that a reader told between two times, of some of its antennas or of all."""
    owner, _, own = name.rpartition("/")
    query = select(journal.c.body).join(device, device.c.id == journal.c.device_id)
    if wire.is_global(name):
        query = query.where(device.c.gateway_id == 0, device.c.name == name)
    else:
        query = query.join(gateway, gateway.c.id == device.c.gateway_id)
        query = query.where(gateway.c.name == owner, device.c.name == own)
    rows = tx.scalars(query.where(journal.c.kind == "tag", journal.c.at.between(*span)))
    tags = (tag for body in rows if isinstance(tag := wire.decode(bytes(body)), Tag))
    return {tag.epc for tag in tags if antennas is None or tag.antenna in antennas}
