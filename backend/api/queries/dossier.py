"""The dossier of an asset as of a moment, from what each part of the API answers by itself, with the proofs."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol, TypeVar

from msgspec import Raw
from msgspec.structs import replace
from sqlalchemy import Connection, select

from backend.api import items, items_asset_value, items_custody, items_dossier
from backend.api.queries import asset_value, custody, fleet, maintenance, use, work_orders
from backend.book import proofs
from backend.book.schema import register_entry
from backend.book.schema_proofs import asset_proof
from models.chain import GENESIS
from models.errors import NotFound
from models.reading import from_micros
from models.register import Register

A_PAGE = 1000
T = TypeVar("T", bound="Numbered")


class Numbered(Protocol):
    """An entry of a list that is followed by `n`."""

    @property
    def n(self) -> int: ...


class Moment(NamedTuple):
    """As of when, by whose clock, and up to when the readings are whole."""

    at: int
    now: int
    complete_to: int


def dossier(tx: Connection, register: Register, asset: str, moment: Moment) -> items_dossier.Dossier:
    """What was at `moment.at`, by all that is known now: what happened until then, whenever it was written down."""
    at, when = moment.at, from_micros(moment.at)
    begun = min(*register.changes("assets", asset), at)
    chain = custody.chain(tx, asset)
    services = _all(lambda n: maintenance.services(tx, maintenance.ServiceAsk(asset=asset, after=n)))
    work = _all(lambda n: work_orders.listed(tx, work_orders.WorkAsk.model_construct(asset=asset, after=n), at))
    entries = _all(lambda n: asset_value.entries(tx, asset_value.EntryAsk.model_construct(asset=asset, after=n)))
    return items_dossier.Dossier(
        asset=asset,
        at=when,
        made_at=from_micros(moment.now),
        complete_to=from_micros(moment.complete_to),
        declared=_declared(tx, asset, at),
        place=_place(tx, register, asset, at),
        custody=replace(
            chain,
            holder=_holder(chain.entries, when),
            entries=[each for each in chain.entries if each.at <= when],
            gaps=[each for each in chain.gaps if each.at <= when],
        ),
        meters=fleet.meters(tx, register, asset, (begun, at), by_day=False),
        value=_value(tx, register, asset, moment),
        entries=[each for each in entries if each.period <= f"{when:%Y-%m}"],
        due=maintenance.due_of(tx, register, [asset], at),
        services=[each for each in services if each.at <= when],
        work_orders=[each for each in work if each.made_at <= when],
        downtimes=use.stops(tx, asset, (begun, at)),
        notes=[each for each in _all(lambda n: use.notes(tx, asset, n, A_PAGE)) if each.at <= when],
        proofs=_proofs(tx, asset),
    )


def _all(page: Callable[[int], Sequence[T]]) -> list[T]:
    """Every entry of a list that is asked for page by page, after a number."""
    found: list[T] = []
    while more := page(found[-1].n if found else 0):
        found += more
    return found


def _declared(tx: Connection, asset: str, at: int) -> list[items.Registered]:
    """Everything that was said of it, by the day from which it holds; of one day the last counts."""
    entry = register_entry.c
    rows = select(register_entry).where(entry.kind == "assets", entry.id == asset, entry.valid_from <= at)
    return [
        items.Registered(
            row.kind, row.id, from_micros(row.valid_from), from_micros(row.recorded_at), row.actor, Raw(row.body)
        )
        for row in tx.execute(rows.order_by(entry.valid_from, entry.n))
    ]


def _place(tx: Connection, register: Register, asset: str, at: int) -> items_custody.AssetPlace | None:
    try:
        return custody.place(tx, register, asset, at)
    except NotFound:
        return None


def _holder(entries: Sequence[items_custody.Custody], at: datetime) -> items_custody.Holding | None:
    """Who had it then."""
    last = next((each for each in reversed(entries) if each.at <= at), None)
    if last is None or last.holder is None:
        return None
    return items_custody.Holding(last.asset, last.holder, last.at, last.due_at, last.id)


def _value(tx: Connection, register: Register, asset: str, moment: Moment) -> items_asset_value.AssetValue | None:
    ask = asset_value.ValueAsk(at=from_micros(moment.at).date())
    try:
        return asset_value.value(tx, register, asset, ask, (moment.now, moment.complete_to))
    except NotFound:
        return None


def _proofs(tx: Connection, asset: str) -> items_dossier.Proofs:
    """The records of the asset, and where the chain of all ends now."""
    last = tx.execute(select(asset_proof.c.n, asset_proof.c.hash).order_by(asset_proof.c.n.desc()).limit(1)).first()
    head, link = (0, GENESIS) if last is None else (last.n, bytes(last.hash))
    records = [
        items_dossier.Proved(proof.n, proof.kind, proof.source_n, proof.digest.hex(), held.hex())
        for proof, held in proofs.links(tx, asset_proof.c.asset == asset)
    ]
    return items_dossier.Proofs(records, head, link.hex())
