"""Hours, next service and risk of the assets in the yard's list.

They change slowly and cost much more than positions do, so they are kept for a while; a service that is recorded, a
new score or a change of the register shows at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, func, select

from backend.api import items_assets, items_fleet
from backend.api.queries import fleet, maintenance
from backend.book import risks
from backend.book.risks import Risk
from backend.book.schema import register_entry, risk, service_done
from models.register import Register

KEPT_US = 20_000_000


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one asset. None is what nobody can say."""

    hours: items_fleet.Range | None = None
    next_due: items_assets.Due | None = None
    risk: Risk | None = None


Stamp = tuple[int, int, int]
_kept: WeakKeyDictionary[Engine, dict[str, tuple[Stamp, int, Figures]]] = WeakKeyDictionary()


def figures(tx: Connection, register: Register, assets: Sequence[str], now: int) -> dict[str, Figures]:
    """Of each of these assets."""
    held = _kept.setdefault(tx.engine, {})
    stamp = _stamp(tx)
    old = [ident for ident in assets if not _is_fresh(held.get(ident), stamp, now)]
    if old:
        held.update({ident: (stamp, now, made) for ident, made in _made(tx, register, old, now).items()})
    return {ident: held[ident][2] for ident in assets}


def _is_fresh(found: tuple[Stamp, int, Figures] | None, stamp: Stamp, now: int) -> bool:
    return found is not None and found[0] == stamp and 0 <= now - found[1] < KEPT_US


def _stamp(tx: Connection) -> Stamp:
    newest = (func.max(register_entry.c.n), func.max(service_done.c.n), func.max(risk.c.at))
    first, second, third = (tx.scalar(select(each)) or 0 for each in newest)
    return first, second, third


def _made(tx: Connection, register: Register, assets: Sequence[str], now: int) -> dict[str, Figures]:
    first: dict[str, items_assets.Due] = {}
    for each in maintenance.due_of(tx, register, assets, now):
        first.setdefault(each.asset, each)
    likely = risks.newest(tx, assets)
    known = fleet.fleet(tx, register, now, assets)
    return {each.id: Figures(each.hours, first.get(each.id), likely.get(each.id)) for each in known}
