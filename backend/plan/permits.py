"""Why an asset may leave at a time: somebody has it, it is to be transferred, it is sold or has not come yet."""

from sqlalchemy import Connection, select

from backend.book import bookings, custody
from backend.book.schema_custody import asset_transfer
from models.assets.asset import GONE
from models.assets.booking import EARLY_US
from models.assets.category import category
from models.declared import Asset, AssetClass
from models.register import Register

NOT_YET = "ordered"


def permit(tx: Connection, register: Register, asset: str, span: tuple[int, int]) -> str | None:
    """Why it may leave at the begin of a span, by what is known at its end; None if it may not.

    Custody that was given since counts: then it is known who has it. A component may leave with its parent.
    """
    at, now = span
    seen: set[str] = set()
    ident: str | None = asset
    while ident is not None and ident not in seen:
        seen.add(ident)
        body = register.get("assets", ident, now)
        why = _of(tx, body if isinstance(body, Asset) else None, ident, span)
        if why is not None:
            return why
        then = register.get("assets", ident, at)
        ident = then.parent if isinstance(then, Asset) else None
    return None


def _of(tx: Connection, body: Asset | None, asset: str, span: tuple[int, int]) -> str | None:
    at, now = span
    if body is not None and (body.state in GONE or body.state == NOT_YET):
        return f"it is {body.state}"
    for time in (at, now):
        held = custody.holder(tx, asset, time)
        if held is not None:
            return f"{held.holder} has it"
    for each in bookings.open_transfers(tx, asset):
        if each.covers(at):
            return f"transfer {each.id}"
    table = asset_transfer.c
    over = select(table.id).where(table.asset == asset, table.state == "done", table.begin_at <= at + EARLY_US)
    done = tx.scalar(over.where(table.closed_at >= at).limit(1))
    return None if done is None else f"transfer {done}"


def must_be_held(register: Register, asset: str, at: int) -> bool:
    """Whether somebody must have checked an asset out before it may leave by a door."""
    body = register.get("assets", asset, at)
    name = body.category if isinstance(body, Asset) else None
    declared = None if name is None else register.get("classes", name, at)
    return category(name, declared if isinstance(declared, AssetClass) else None).custody
