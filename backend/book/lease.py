"""Leases in a PostgreSQL book: which process works on which gateway or part, by the clock of the database.

A lease is over when its time is, or at once when the session of its worker is gone: a worker holds an advisory lock
for as long as it lives, and the database lets go of it when the connection ends. Nothing that is counted rests on
leases: marks, devices and numbers are locked by the transactions themselves.
"""

import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert

from backend.book.locks import LEASES
from backend.book.schema import gateway, lease

LEASE_US = 10_000_000
RENEW_US = 3_000_000
GATEWAY, PART, WORKER = "gateway/", "part/", "worker/"
_ALIVE = LEASES
_TURN = text(f"SELECT pg_advisory_xact_lock({LEASES})")
_NOW = text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)")
_LIVE = text(f"SELECT pg_advisory_lock({_ALIVE}, :key)")
_LIVING = text(
    "SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND "
    "classid::bigint = :alive AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
_HELD = select(lease.c.name, lease.c.generation).where(
    lease.c.worker == bindparam("me"), lease.c.name.in_(bindparam("names", expanding=True))
)


class LeaseLost(Exception):
    """Another process works on these gateways now: nothing of theirs may be committed here."""

    def __init__(self, gateways: Collection[str]) -> None:
        super().__init__(f"{', '.join(sorted(gateways))}: another process has taken over")
        self.gateways = gateways


Lost = Callable[[Connection, Collection[str]], Collection[str]]
"""Which of these gateways are not this process's any more, as the transaction sees it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a worker would hold: these parts, and its share of all gateways if it ingests."""

    parts: Sequence[str]
    ingests: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One lease as it stands."""

    worker: str
    generation: int
    until: int


def live(session: Connection, me: str) -> None:
    """Let others know that this worker lives, for as long as the session of this connection."""
    session.execute(_LIVE, {"key": _key(me)})


def turn(tx: Connection, me: str, wanted: Wanted) -> dict[str, int]:
    """Renew what this worker holds, give up what is more than its share, take what is free; generations by name."""
    tx.execute(_TURN)
    now: int = tx.execute(_NOW).scalar_one()
    living = {*tx.scalars(_LIVING, {"alive": _ALIVE}), _key(me)}
    rows = {row.name: Row(row.worker, row.generation, row.until) for row in tx.execute(select(lease))}
    standing = {name: row for name, row in rows.items() if row.until > now and _key(row.worker) in living}
    _forget_workers(tx, [name for name in rows if name.startswith(WORKER) and name not in standing])
    mine = {name for name, row in standing.items() if row.worker == me}
    free = [f"{PART}{part}" for part in wanted.parts if f"{PART}{part}" not in standing]
    if wanted.ingests:
        everyone = [f"{GATEWAY}{name}" for name in tx.scalars(select(gateway.c.name).order_by(gateway.c.name))]
        quota = share(me, standing, len(everyone))
        own = sorted(name for name in mine if name.startswith(GATEWAY))
        given = own[quota:]
        _release(tx, me, given)
        mine -= {*given}
        free += [name for name in everyone if name not in standing][: max(0, quota - len(own))]
        free += [f"{WORKER}{me}"]
    kept = {name: rows[name].generation for name in mine}
    taken = {name: rows[name].generation + 1 if name in rows else 1 for name in free if name not in mine}
    old = {name: n for name, n in kept.items() if rows[name].until < now + LEASE_US - RENEW_US}
    saved = (old | taken).items()
    _save(tx, [{"name": name, "worker": me, "generation": n, "until": now + LEASE_US} for name, n in saved])
    return kept | taken


def share(me: str, standing: Mapping[str, Row], gateways: int) -> int:
    """How many gateways are this worker's: alike for all who ingest, the odd ones where they are already."""
    counts = {name.removeprefix(WORKER): 0 for name in standing if name.startswith(WORKER)} | {me: 0}
    for name, row in standing.items():
        if name.startswith(GATEWAY) and row.worker in counts:
            counts[row.worker] += 1
    least, odd = divmod(gateways, len(counts))
    ranked = sorted(counts, key=lambda worker: (-counts[worker], worker))
    return least + (ranked.index(me) < odd)


def still_held(tx: Connection, me: str, held: Mapping[str, int]) -> set[str]:
    """Which of these leases this worker has still, in the generation in which it took them."""
    rows = tx.execute(_HELD, {"me": me, "names": sorted(held)})
    return {name for name, generation in rows if held[name] == generation}


def release(tx: Connection, me: str) -> None:
    """Give up everything: others take it at once."""
    tx.execute(_TURN)
    _forget_workers(tx, [f"{WORKER}{me}"])
    tx.execute(update(lease).where(lease.c.worker == me).values(until=0))


def _key(worker: str) -> int:
    return zlib.crc32(worker.encode()) & 0x7FFF_FFFF


def _release(tx: Connection, me: str, names: Collection[str]) -> None:
    if names:
        tx.execute(update(lease).where(lease.c.worker == me, lease.c.name.in_(names)).values(until=0))


def _forget_workers(tx: Connection, names: Collection[str]) -> None:
    if names:
        tx.execute(delete(lease).where(lease.c.name.in_(names)))


def _save(tx: Connection, rows: Sequence[dict[str, object]]) -> None:
    if rows:
        statement = insert(lease)
        changed = {name: statement.excluded[name] for name in ("worker", "generation", "until")}
        tx.execute(statement.on_conflict_do_update(index_elements=["name"], set_=changed), rows)
