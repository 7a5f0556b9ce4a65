"""Proofs in the book: a follower that links every new record about an asset into one hash chain.

It goes by the numbers of append-only rows, so that who writes them does nothing for it; columns that say later that a
record was withdrawn or ended are not part of its digest. A dossier brings it up to date first.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Connection, RowMapping, Table, func, insert, select

from backend.book import locks, schema
from backend.book.bulk import write_rows
from backend.book.schema_custody import custody_event
from backend.book.schema_proofs import asset_proof
from backend.book.schema_use import downtime, meter_note, meter_note_end
from backend.book.schema_value import asset_cost, asset_cost_class, asset_disposal, asset_posting
from backend.book.schema_work import work_move, work_order, work_step
from models.assets.proof import Proof, digest, link
from models.chain import GENESIS

AT_ONCE = 5_000


class Source(NamedTuple):
    """Where records of a kind are: the table, whose they are, what joins them to it, and what may change later."""

    table: Table
    asset: Column[Any]
    joined: ColumnElement[bool] | None = None
    changing: tuple[str, ...] = ()

    def rows(self, tx: Connection, above: int, limit: int) -> Sequence[RowMapping]:
        """The records after a number, in order, with their assets as `of_asset`."""
        return tx.execute(self._query(self.table.c.n > above).order_by(self.table.c.n).limit(limit)).mappings().all()

    def _query(self, which: ColumnElement[bool]) -> Any:  # noqa: ANN401 - a select of any shape
        columns = [each for each in self.table.c if each.name not in self.changing]
        where = [which] if self.joined is None else [which, self.joined]
        return select(*columns, self.asset.label("of_asset")).where(*where)


_ENTRY = schema.register_entry
SOURCES: dict[str, Source] = {
    "declared": Source(_ENTRY, _ENTRY.c.id, _ENTRY.c.kind == "assets"),
    "custody": Source(custody_event, custody_event.c.asset),
    "meter": Source(meter_note, meter_note.c.asset),
    "meter_end": Source(meter_note_end, meter_note.c.asset, meter_note_end.c.note == meter_note.c.id),
    "downtime": Source(
        downtime, downtime.c.asset, None, ("end_at", "ended_by", "withdrawn_at", "withdrawn_by", "withdrawn_why")
    ),
    "service": Source(
        schema.service_done, schema.service_done.c.asset, None, ("withdrawn_at", "withdrawn_by", "withdrawn_why")
    ),
    "work": Source(work_step, work_order.c.asset, work_step.c.order_id == work_order.c.id),
    "part": Source(work_move, work_order.c.asset, work_move.c.order_id == work_order.c.id),
    "cost": Source(asset_cost, asset_cost.c.asset),
    "cost_class": Source(asset_cost_class, asset_cost.c.asset, asset_cost_class.c.cost_id == asset_cost.c.id),
    "disposal": Source(asset_disposal, asset_disposal.c.asset),
    "value": Source(asset_posting, asset_posting.c.asset),
}
"""What is proved of assets, by kind."""


def is_behind(tx: Connection) -> bool:
    """Whether there is anything to be linked."""
    return any(source.rows(tx, _followed(tx, kind), 1) for kind, source in SOURCES.items())


def bring_up(tx: Connection) -> int:
    """Link what is new, at most AT_ONCE records of each kind; how many were."""
    locks.number(tx)
    last = tx.execute(select(asset_proof.c.n, asset_proof.c.hash).order_by(asset_proof.c.n.desc()).limit(1)).first()
    n, before = (0, GENESIS) if last is None else (last.n, bytes(last.hash))
    rows: list[dict[str, Any]] = []
    for kind, source in SOURCES.items():
        for row in source.rows(tx, _followed(tx, kind), AT_ONCE):
            n += 1
            proof = Proof(n, row["of_asset"], kind, row["n"], digest_of(row))
            before = link(before, proof)
            rows.append(
                {
                    "n": n,
                    "asset": proof.asset,
                    "kind": kind,
                    "source_n": proof.source_n,
                    "digest": proof.digest,
                    "hash": before,
                }
            )
    write_rows(tx, insert(asset_proof), rows)
    return len(rows)


def links(tx: Connection, *which: ColumnElement[bool]) -> Iterator[tuple[Proof, bytes]]:
    """Links with their hashes, by n."""
    for row in tx.execute(select(asset_proof).where(*which).order_by(asset_proof.c.n)):
        yield Proof(row.n, row.asset, row.kind, row.source_n, bytes(row.digest)), bytes(row.hash)


def records(tx: Connection, kind: str) -> Iterator[RowMapping]:
    """Every record of a kind, in order, page by page."""
    above = 0
    while rows := SOURCES[kind].rows(tx, above, AT_ONCE):
        yield from rows
        above = rows[-1]["n"]


def digest_of(row: RowMapping) -> bytes:
    """Of a record as `Source.rows` gives it."""
    return digest({name: value for name, value in row.items() if name != "of_asset"})


def _followed(tx: Connection, kind: str) -> int:
    return tx.scalar(select(func.max(asset_proof.c.source_n)).where(asset_proof.c.kind == kind)) or 0
