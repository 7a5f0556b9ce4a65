"""How announcements stand: the ledger's movements from and to the world outside, against what was announced.

Worked out anew whenever it is asked, from all that is known then; so what becomes known late, or is taken back, changes
the verdict of an announcement that is over too.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Row, or_, select

from backend.book import expected
from backend.book.ledger import IDS_A_QUERY
from backend.book.outside import Outside, outside
from backend.book.schema import crossing, device, gateway, movement
from models.declared import Device
from models.register import Register
from models.scan.tagging import name_of_epc
from models.stock.expected import Expected, Kind, Passed, Standing, judge
from models.stock.fulfilment import Move

DECIDED_AFTER_US = 3600 * 1_000_000
"""A crossing that is closed so long after it was last heard is looked for by when it was closed."""


class _Ends(NamedTuple):
    """The places outside, with the party that each is, all places that are not real, and what is inside of doors."""

    parties: Mapping[str, str | None]
    unreal: frozenset[str]
    insides: Mapping[str, str]


def standings(tx: Connection, known: Register, asked: Sequence[Expected], now: int) -> dict[str, Standing]:
    """How these announcements stand now, by id."""
    if not asked:
        return {}
    ends = outside(known, now)
    devices = known.all("devices", now).items()
    insides = {name: body.door.inside for name, body in devices if isinstance(body, Device) and body.door is not None}
    return {each.id: _standing(tx, each, _Ends(_parties(each.kind, ends), ends.all, insides), now) for each in asked}


def _parties(kind: Kind, places: Outside) -> Mapping[str, str | None]:
    return places.suppliers if kind == "receipt" else {ident: ident for ident in places.users}


def _standing(tx: Connection, each: Expected, ends: _Ends, now: int) -> Standing:
    skus = {line.sku for line in each.lines}
    if (each.party, each.place) != (None, None):
        skus |= {row.sku for row in _rows(tx, ends, (each.begin, each.end), None)}
    announced, span = expected.touching(tx, each, skus)
    moves = _moves(tx, each.kind, ends, _rows(tx, ends, span, skus))
    return judge(announced, moves, _passed(tx, each, ends.insides), now)[each.id]


def _rows(tx: Connection, ends: _Ends, span: tuple[int, int], skus: Collection[str] | None) -> Sequence[Row[Any]]:
    places = sorted(ends.parties)
    query = select(movement).where(
        movement.c.at >= span[0],
        movement.c.at < span[1],
        or_(movement.c.source.in_(places), movement.c.target.in_(places)),
    )
    return tx.execute(query if skus is None else query.where(movement.c.sku.in_(sorted(skus)))).all()


def _moves(tx: Connection, kind: Kind, ends: _Ends, rows: Iterable[Row[Any]]) -> list[Move]:
    """What holds of these entries, signed: the right way, or back. A fact that was reversed sums to nothing."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    facts: dict[str, Row[Any]] = {}
    for row in rows:
        came = row.source in ends.parties
        if came == (row.target in ends.parties) or (row.target if came else row.source) in ends.unreal:
            continue
        is_right = came == (kind == "receipt")
        sums[row.movement_id] += Decimal(row.quantity) if is_right else -Decimal(row.quantity)
        if row.reverses is None:
            facts[row.movement_id] = row
    held = {ident: facts[ident] for ident, quantity in sums.items() if quantity and ident in facts}
    doors = _doors(tx, held.values())
    found: list[Move] = []
    for ident, row in held.items():
        far, near = (row.source, row.target) if row.source in ends.parties else (row.target, row.source)
        places = frozenset({near, *doors.get(ident, ())})
        found.append(Move(ident, row.at, row.sku, sums[ident], ends.parties[far], row.lot, places))
    return found


def _doors(tx: Connection, rows: Iterable[Row[Any]]) -> dict[str, list[str]]:
    """The doors that facts went through, as gateway/name, by fact."""
    of: dict[str, str] = {}
    for row in rows:
        for each in msgspec.json.decode(row.evidence, type=list[str]):
            kind, _, what = each.partition(":")
            if kind == "crossing":
                of[what] = row.movement_id
    found: defaultdict[str, list[str]] = defaultdict(list)
    idents = sorted(of)
    for low in range(0, len(idents), IDS_A_QUERY):
        for passed in tx.execute(_DOORS.where(crossing.c.id.in_(idents[low : low + IDS_A_QUERY]))):
            found[of[passed.id]].append(_name(passed.gateway, passed.name))
    return found


_DOORS = (
    select(crossing.c.id, crossing.c.subject, crossing.c.last_at, device.c.name, gateway.c.name.label("gateway"))
    .join(device, device.c.id == crossing.c.device_id)
    .outerjoin(gateway, gateway.c.id == device.c.gateway_id)
)


def _name(gateway_name: str | None, name: str) -> str:
    return name if gateway_name is None else f"{gateway_name}/{name}"


def _passed(tx: Connection, each: Expected, insides: Mapping[str, str]) -> list[Passed]:
    """The announced tags that went through a door the right way."""
    wanted = {tag for line in each.lines for tag in line.tags}
    if not wanted:
        return []
    query = _DOORS.where(
        crossing.c.kind.in_(("stock", "asset", "unknown")),
        crossing.c.closed_at >= each.begin,
        crossing.c.closed_at < each.until + DECIDED_AFTER_US,
        crossing.c.direction == ("in" if each.kind == "receipt" else "out"),
    )
    found = [(name_of_epc(row.subject), row) for row in tx.execute(query)]
    return [
        Passed(name, row.last_at, frozenset({door, insides.get(door, door)}))
        for name, row in found
        if name in wanted and (door := _name(row.gateway, row.name))
    ]
