"""How assets go: sold, recycled or disposed of; what was got for them and the register's entry in one transaction."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, Row, insert, select

from backend.book import asset_costs, asset_marks, locks, register, sealed
from backend.book.asset_costs import check_cents
from backend.book.schema_value import asset_cost, asset_disposal
from models.assets.asset import GONE
from models.declared import Asset
from models.errors import Clash, Refused
from models.months import begin_of_day
from models.reading import from_micros
from models.register import Register


class Disposal(Struct, frozen=True, kw_only=True):
    """An asset went on a day: to whom, and for how much."""

    id: str
    asset: str
    date: date
    state: Literal["sold", "recycled", "disposed"]
    proceeds: Decimal
    buyer: str | None = None
    note: str | None = None


class Recorded(Struct, frozen=True, kw_only=True):
    """A disposal with its number, and from when the register says so."""

    n: int
    disposal: Disposal
    entry_at: int
    actor: str
    recorded_at: int


def dispose(tx: Connection, known: Register, wanted: Disposal, actor: str, now: int) -> Literal["created", "same"]:
    """Write it down and enter it in the register, on that day or as soon after as can be; the same again is harmless.

    Raises Refused naming the field, or where the register has a later entry; Clash if the id has other content.
    """
    locks.own_register(tx)
    locks.number(tx)
    asked = msgspec.json.encode(wanted, order="deterministic")
    row = tx.execute(select(asset_disposal.c.asked).where(asset_disposal.c.id == wanted.id)).one_or_none()
    if row is not None:
        if bytes(row.asked) != asked:
            msg = f"id: disposal {wanted.id} is there with other content"
            raise Clash(msg)
        return "same"
    at = max(min(begin_of_day(wanted.date + timedelta(days=1)) - 1, now), sealed.boundary(tx))
    body = _body(known, wanted, now)
    for cost in asset_costs.listed(tx, asset_cost.c.asset == wanted.asset):
        if cost.as_ == "capex" and cost.cost.at > wanted.date:
            msg = f"date: {cost.cost.at} or later expected: the cost {cost.cost.id} of that day is capital"
            raise Refused(msg)
    register.put(tx, "assets", wanted.asset, body, valid_from=at, actor=actor, now=now)
    values = {"id": wanted.id, "asset": wanted.asset, "at": wanted.date.isoformat(), "entry_at": at}
    made = {"proceeds": f"{wanted.proceeds:f}", "asked": asked, "actor": actor, "recorded_at": now}
    tx.execute(insert(asset_disposal).values(**values, **made))
    asset_marks.mark(tx, [wanted.asset])
    return "created"


def listed(tx: Connection, *which: ColumnElement[bool], limit: int | None = None) -> list[Recorded]:
    """Disposals by n, also those that the register says no more."""
    rows = tx.execute(select(asset_disposal).where(*which).order_by(asset_disposal.c.n).limit(limit))
    return [_of_row(row) for row in rows]


def _of_row(row: Row[Any]) -> Recorded:
    return Recorded(
        n=row.n,
        disposal=msgspec.json.decode(row.asked, type=Disposal),
        entry_at=row.entry_at,
        actor=row.actor,
        recorded_at=row.recorded_at,
    )


def _body(known: Register, wanted: Disposal, now: int) -> Asset:
    """The asset as it is, gone."""
    body = known.get("assets", wanted.asset, now)
    if not isinstance(body, Asset):
        msg = f"asset: one of the assets expected, got {wanted.asset!r}"
        raise Refused(msg)
    if body.state in GONE:
        msg = f"asset: {wanted.asset} is {body.state} already"
        raise Clash(msg)
    if wanted.date > from_micros(now).date():
        msg = f"date: a day that has come expected, got {wanted.date}"
        raise Refused(msg)
    if body.acquired is not None and wanted.date < body.acquired.at:
        msg = f"date: {body.acquired.at} or later expected, when it was bought, got {wanted.date}"
        raise Refused(msg)
    check_cents("proceeds", wanted.proceeds)
    if wanted.proceeds < 0:
        msg = f"proceeds: 0 or more expected, got {wanted.proceeds}"
        raise Refused(msg)
    return replace(body, state=wanted.state)
