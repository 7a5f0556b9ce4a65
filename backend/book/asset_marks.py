"""Which assets are still to be posted, and how far the register and the months are followed."""

import secrets
from collections.abc import Collection, Iterable

from sqlalchemy import Connection, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert as upsert

from backend.book.bulk import write_rows
from backend.book.schema import register_entry
from backend.book.schema_value import asset_value_mark, asset_value_position
from models.register import Register

ROWS_A_PAGE = 5000
REGISTER, MONTH = "register", "month"
_OVER = upsert(asset_value_mark)
_SAVE = _OVER.on_conflict_do_update(index_elements=["asset"], set_={"marks": _OVER.excluded.marks})
_MARKED = select(asset_value_mark).where(asset_value_mark.c.asset.in_(bindparam("assets", expanding=True)))
_DONE = delete(asset_value_mark).where(asset_value_mark.c.asset.in_(bindparam("assets", expanding=True)))
_ENTRIES = (
    select(register_entry.c.n, register_entry.c.kind, register_entry.c.id)
    .where(register_entry.c.n > bindparam("after"))
    .order_by(register_entry.c.n)
    .limit(ROWS_A_PAGE)
)


def mark(tx: Connection, assets: Iterable[str]) -> None:
    """What is posted of these is to be looked at again; no two marks are equal, though one was deleted between them."""
    write_rows(tx, _SAVE, [{"asset": asset, "marks": secrets.randbits(62)} for asset in sorted({*assets})])


def marked(tx: Connection, limit: int, left: Collection[str] = ()) -> dict[str, int]:
    """Some of those that wait, but for those that are left, and the last mark of each."""
    waiting = select(asset_value_mark).where(asset_value_mark.c.asset.not_in(left))
    rows = tx.execute(waiting.order_by(asset_value_mark.c.asset).limit(limit))
    return {row.asset: row.marks for row in rows}


def still(tx: Connection, seen: dict[str, int]) -> list[str]:
    """Those that were not marked again since, nor posted by others."""
    now = {row.asset: row.marks for row in tx.execute(_MARKED, {"assets": sorted(seen)})}
    return sorted(asset for asset, marks in seen.items() if now.get(asset) == marks)


def unmark(tx: Connection, assets: Collection[str]) -> None:
    """What is posted of these is what is known."""
    if assets:
        tx.execute(_DONE, {"assets": sorted(assets)})


def position(tx: Connection, what: str) -> int:
    """The number up to which something is followed."""
    n: int | None = tx.scalar(select(asset_value_position.c.n).where(asset_value_position.c.what == what))
    return n or 0


def move(tx: Connection, what: str, n: int) -> None:
    """Something is followed up to this number."""
    saved = upsert(asset_value_position).values(what=what, n=n)
    tx.execute(saved.on_conflict_do_update(index_elements=["what"], set_={"n": saved.excluded.n}))


def follow(tx: Connection, register: Register) -> bool:
    """Mark the assets that the next entries of the register are about; whether there may be more."""
    rows = tx.execute(_ENTRIES, {"after": position(tx, REGISTER)}).all()
    if not rows:
        return False
    named = {row.id for row in rows if row.kind == "assets"}
    categories = {row.id for row in rows if row.kind == "classes"}
    if categories:
        named |= {
            ident
            for (kind, ident), dated in register.entries.items()
            if kind == "assets" and any(getattr(entry.body, "category", None) in categories for entry in dated)
        }
    mark(tx, named)
    move(tx, REGISTER, rows[-1].n)
    return len(rows) == ROWS_A_PAGE
