"""How long components of machines lived: from one repair to the next failure, by what the machines ran or by days.

A repair makes a component as new. The first life counts only where it is known when it began: for an asset that says
when it was put in service. A life that goes on is one that has not ended.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, time
from itertools import pairwise
from typing import Literal

from msgspec import Struct
from sqlalchemy import Connection, select

from backend import usage
from backend.book import meter_notes
from backend.book.schema import service_done
from backend.hours_step import all_mounts
from models.declared import Asset
from models.motion.meter import EACH, ENGINE_HOURS
from models.reading import micros
from models.register import Register

Unit = Literal["hours", "days"]
DAY_US = 86_400_000_000


class Life(Struct, frozen=True):
    """One life of a component, in hours or days; `ended` by a failure, or it goes on."""

    asset: str
    length: float
    ended: bool


class Lives(Struct, frozen=True):
    """Lives of a component, and the assets of which one cannot be told."""

    lives: tuple[Life, ...]
    left_out: tuple[str, ...]


def lives(tx: Connection, register: Register, of: tuple[Sequence[str], str], unit: Unit, now: int) -> Lives:
    """The lives of (assets, component) up to now. Hours are the middle of what was sure and what was possible."""
    assets, component = of
    found: list[Life] = []
    left_out: set[str] = set()
    repairs = _repairs(tx, assets, component, now)
    for asset in assets:
        for begin, end, ended in _spans(register, asset, repairs.get(asset, ()), now):
            length = _length(tx, register, asset, (begin, end), unit)
            if length:
                found.append(Life(asset, length, ended))
            else:
                left_out.add(asset)
    return Lives(tuple(found), tuple(sorted(left_out)))


def components(tx: Connection, assets: Iterable[str]) -> list[str]:
    """The components of these assets that were ever repaired."""
    table = service_done.c
    named = select(table.component).where(table.asset.in_(sorted({*assets})), table.kind == "repair")
    return sorted({*tx.scalars(named.where(table.withdrawn_at.is_(None)))})


def like(register: Register, asset: str, by: Literal["asset", "model", "category"], now: int) -> list[str]:
    """The asset, or every one of its model or category; the asset alone if it says none."""
    body = register.get("assets", asset, now)
    named = None if by == "asset" else getattr(body, by, None)
    if named is None:
        return [asset]
    return [ident for ident, each in register.all("assets", now).items() if getattr(each, by, None) == named]


def _repairs(tx: Connection, assets: Iterable[str], component: str, now: int) -> dict[str, list[tuple[int, int]]]:
    """(when it failed, when it was repaired) by asset, in order."""
    table = service_done.c
    mine = (table.asset.in_(sorted({*assets})), table.kind == "repair", table.component == component)
    rows = select(table.asset, table.failed_at, table.at).where(*mine, table.withdrawn_at.is_(None), table.at <= now)
    found: dict[str, list[tuple[int, int]]] = {}
    for row in tx.execute(rows.order_by(table.at, table.id)):
        found.setdefault(row.asset, []).append((row.at if row.failed_at is None else row.failed_at, row.at))
    return found


def _spans(
    register: Register, asset: str, repairs: Sequence[tuple[int, int]], now: int
) -> Iterator[tuple[int, int, bool]]:
    """When each life began and ended, and whether by a failure."""
    began = _in_service(register, asset, now)
    if repairs and began is not None and began < repairs[0][0]:
        yield began, repairs[0][0], True
    for (_, mended), (failed, _) in pairwise(repairs):
        yield mended, failed, True
    begin = repairs[-1][1] if repairs else began
    if begin is not None:
        yield begin, now, False


def _in_service(register: Register, asset: str, now: int) -> int | None:
    body = register.get("assets", asset, now)
    if not isinstance(body, Asset) or body.acquired is None:
        return None
    return micros(datetime.combine(body.acquired.in_service_on or body.acquired.at, time(), UTC))


def _length(tx: Connection, register: Register, asset: str, span: tuple[int, int], unit: Unit) -> float | None:
    if unit == "days":
        return (span[1] - span[0]) / DAY_US
    known = [begin for begin, _ in all_mounts(register, asset)]
    known += [note.at for note in meter_notes.standing(tx, asset, ENGINE_HOURS)[:1]]
    used = usage.used(tx, register, asset, "hours", span)
    if used is None or min(known, default=span[1]) > span[0]:
        return None
    return (used.least + used.most) / 2 / EACH[ENGINE_HOURS]
