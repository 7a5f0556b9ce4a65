"""What was done at the desks: the acts of scanners, and what lies on which pallet after them."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from pydantic import Field
from sqlalchemy import Connection, Row, Select, and_, or_, select

from backend.api import items_scans as items
from backend.api.answers import Ask, When
from backend.api.queries.moves import with_device
from backend.book.schema import device, scan_act
from models.reading import from_micros, micros
from models.scan import Action
from models.scan.tagging import epc_of, name_of_epc

_texts = msgspec.json.Decoder(list[str])
SSCC_DIGITS = 18
Named = Annotated[str | None, Field(max_length=128)]


class ScanAsk(Ask, frozen=True):
    """Which acts: above an n, of one device (its name, or gateway/name), of one action."""

    after: int = Field(0, ge=0, lt=2**63)
    device: Named = None
    action: Action | None = None
    limit: int = Field(1000, ge=1, le=1000)


class PackAsk(Ask, frozen=True):
    """What lies on a pallet, or where a child lies, at a time; default now. `after` is how many to leave out."""

    pallet: Named = Field(None, description="SSCC (18 digits, or (00) and digits) or its EPC in hexadecimal")
    child: Named = Field(None, description="(01)GTIN(21)serial, SSCC or EPC in hexadecimal")
    as_of: When | None = None
    after: int = Field(0, ge=0, lt=2**63)
    limit: int = Field(1000, ge=1, le=1000)


def scans(tx: Connection, ask: ScanAsk) -> list[items.Scanned]:
    """Acts of scanners, by n."""
    query = with_device(scan_act).where(scan_act.c.n > ask.after)
    if ask.device is not None:
        query = query.where(or_(scan_act.c.device == ask.device, device.c.name == ask.device))
    if ask.action is not None:
        query = query.where(scan_act.c.action == ask.action)
    return acts(tx, query.order_by(scan_act.c.n).limit(ask.limit))


def acts(tx: Connection, query: Select[Any]) -> list[items.Scanned]:
    """The acts of a query of `with_device`."""
    return [_scanned(row) for row in tx.execute(query)]


def latest_scans(tx: Connection, limit: int) -> list[items.Scanned]:
    """What was done at the desks last, newest first."""
    query = with_device(scan_act).order_by(scan_act.c.at.desc(), scan_act.c.n.desc()).limit(limit)
    return acts(tx, query)


def packs(tx: Connection, ask: PackAsk) -> list[items.Packed]:
    """What lay on pallets at a time, by when it was put there: of each child its newest act that stood then."""
    until = None if ask.as_of is None else micros(ask.as_of)
    act, newer = scan_act.alias("act"), scan_act.alias("newer")
    later = or_(newer.c.at > act.c.at, and_(newer.c.at == act.c.at, newer.c.id > act.c.id))
    query = _standing(act, until).where(~_standing(newer, until).where(newer.c.child == act.c.child, later).exists())
    if ask.pallet is not None:
        query = query.where(act.c.parent == name_of(ask.pallet))
    if ask.child is not None:
        query = query.where(act.c.child == name_of(ask.child))
    rows = tx.execute(query.order_by(act.c.at, act.c.id).offset(ask.after).limit(ask.limit))
    return [
        items.Packed(
            row.child, row.parent, from_micros(row.at), row.sku, row.badge, row.id, _texts.decode(row.evidence)
        )
        for row in rows
    ]


def _standing(act: Any, until: int | None) -> Select[Any]:  # noqa: ANN401 - an alias of scan_act
    """Acts of packing that were done, and not taken back, by then."""
    undo = scan_act.alias()
    taken_back = select(undo.c.id).where(undo.c.undoes == act.c.id)
    standing = select(act).where(act.c.action == "pack")
    if until is not None:
        taken_back, standing = taken_back.where(undo.c.at <= until), standing.where(act.c.at <= until)
    return standing.where(~taken_back.exists())


def name_of(text: str) -> str:
    """How acts name a pallet or carton, from what a person has: an SSCC with or without its (00), an EPC, or that name.

    >>> name_of("095213210000000421"), name_of("3074257BF7194E4000001A85")
    ('(00)095213210000000421', '(01)80614141123458(21)6789')
    """
    digits = text.removeprefix("00") if len(text) == SSCC_DIGITS + 2 else text
    if digits.isascii() and digits.isdecimal() and len(digits) == SSCC_DIGITS:
        return f"(00){digits}"
    tag = epc_of(text)
    return text if tag is None else name_of_epc(tag)


def as_of(asked: datetime | None, complete_to: int) -> int:
    """Up to when an answer as of a time rests on everything."""
    return complete_to if asked is None else min(complete_to, micros(asked))


def _scanned(row: Row[Any]) -> items.Scanned:
    return items.Scanned(
        id=row.id,
        n=row.n,
        gateway=row.gateway_name,
        device=row.device,
        at=from_micros(row.at),
        action=row.action,
        ok=bool(row.ok),
        text=row.text,
        sku=row.sku,
        lot=row.lot,
        serial=row.serial,
        quantity=row.quantity,
        location=row.location,
        target=row.target,
        parent=row.parent,
        child=row.child,
        epc=row.epc,
        asset=row.asset,
        badge=row.badge,
        undoes=row.undoes,
        expires=row.expires,
        evidence=_texts.decode(row.evidence),
        movement=row.movement,
    )
