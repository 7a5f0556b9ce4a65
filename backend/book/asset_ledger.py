"""The assets' ledger in the book: append-only, chained, one posting for an asset's month or for what changed of it."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, bindparam, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from backend.book import locks
from backend.book.bulk import write_rows
from backend.book.schema import ledger_head
from backend.book.schema_value import asset_posting
from models.assets.posting import PostedLine, Posting, Wanted, posting_hash
from models.chain import GENESIS

ASSETS = "assets"
_HEAD = select(ledger_head.c.n, ledger_head.c.hash).where(ledger_head.c.ledger == ASSETS).with_for_update()
_APPEND = insert(asset_posting)
_OF = (
    select(asset_posting)
    .where(asset_posting.c.asset.in_(bindparam("assets", expanding=True)))
    .order_by(asset_posting.c.n)
)
Lines = Callable[[Wanted], list[PostedLine]]


def lock(tx: Connection) -> tuple[int, bytes]:
    """The number and hash of the last posting; nobody else posts of assets until this transaction ends."""
    locks.number(tx)
    row = tx.execute(_HEAD).one_or_none()
    if row is None:
        tx.execute(upsert(ledger_head).values(ledger=ASSETS, n=0, hash=GENESIS).on_conflict_do_nothing())
        row = tx.execute(_HEAD).one()
    return row.n, bytes(row.hash)


def append(tx: Connection, wanted: Sequence[Wanted], lines: Lines, actor: str, now: int) -> list[Posting]:
    """Post these; `lines` says what is told beside the amounts."""
    if not wanted:
        return []
    n, last = lock(tx)
    posted: list[Posting] = []
    rows: list[dict[str, Any]] = []
    for n, each in enumerate(wanted, n + 1):  # noqa: B020 - numbers go on from the last
        posting = Posting(
            n=n,
            recorded_at=now,
            actor=actor,
            what=each.what,
            asset=each.asset,
            period=each.period,
            origin=each.origin,
            lines=lines(each),
        )
        last = posting_hash(last, posting)
        posted.append(posting)
        fields = msgspec.structs.asdict(posting)
        rows.append(fields | {"lines": msgspec.json.encode(posting.lines).decode(), "hash": last})
    write_rows(tx, _APPEND, rows)
    tx.execute(update(ledger_head).where(ledger_head.c.ledger == ASSETS).values(n=n, hash=last))
    return posted


def of_assets(tx: Connection, assets: Collection[str]) -> dict[str, list[Posting]]:
    """Every posting of some assets, by n."""
    found: dict[str, list[Posting]] = {asset: [] for asset in assets}
    for row in tx.execute(_OF, {"assets": sorted(assets)}):
        found[row.asset].append(of_row(row)[0])
    return found


def postings(tx: Connection, *which: ColumnElement[bool], limit: int | None = None) -> list[tuple[Posting, bytes]]:
    """Postings with their hashes, by n."""
    query = select(asset_posting).where(*which).order_by(asset_posting.c.n).limit(limit)
    return [of_row(row) for row in tx.execute(query)]


def of_row(row: Row[Any]) -> tuple[Posting, bytes]:
    """A posting from its row, and its hash."""
    fields = {name: getattr(row, name) for name in ("n", "recorded_at", "actor", "what", "asset", "period", "origin")}
    return Posting(**fields, lines=msgspec.json.decode(row.lines, type=list[PostedLine])), bytes(row.hash)
