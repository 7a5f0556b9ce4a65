"""Books for tests: made from one empty template with the example site, and what must be equal for every order."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Engine, event, select

from backend import site
from backend.book import ledger, register
from backend.book.db import open_engine, read
from backend.book.migrations import migrate
from backend.book.schema import balance, checkpoint, crossing, device, fold_state, presence, run, scan_act, travel
from backend.book.schema_contents import content_move
from backend.deriver import Deriver
from backend.ingest import Ingest, Message, Outcome
from models import wire
from models.declared import Lot
from models.reading import Reading, from_micros
from models.stock.ledger import net_digest

SITE = Path(__file__).parents[2] / "deploy" / "site.example.toml"
SECOND = 1_000_000
DAY = 86_400 * SECOND
TURNS = 10_000


Template = Path | Callable[[], Engine]
"""What a new book is made of: a file to be copied, or what copies a database."""


class Clock:
    """A clock that the test moves."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


def open_quick(file: Path) -> Engine:
    """A book whose commits do not wait for the disk; everything else is as in operation."""
    engine = open_engine("sqlite", file)
    event.listen(engine, "connect", lambda connection, _entry: connection.execute("PRAGMA synchronous=OFF"))
    return engine


def make_template(file: Path) -> Path:
    """A migrated book with the example site and nothing else."""
    fill(open_quick(file))
    return file


def fill(engine: Engine) -> None:
    """Migrate an empty book and declare the example site."""
    migrate(engine)
    site.apply(engine, SITE, DAY, "test")
    engine.dispose()


@dataclass
class Yard:
    """One book with its ingest, deriver and clock, and the streams that send to it."""

    book: Engine
    clock: Clock
    ingest: Ingest = field(init=False)
    deriver: Deriver = field(init=False)
    next_seq: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])

    def __post_init__(self) -> None:
        self.ingest = Ingest(self.book, self.clock)
        self.deriver = Deriver(self.book, self.clock)

    @classmethod
    def copy(cls, template: Template, file: Path, now: int) -> "Yard":
        """A yard on a copy of the template."""
        if callable(template):
            return cls(template(), Clock(now))
        shutil.copy(template, file)
        return cls(open_quick(file), Clock(now))

    def send(self, readings: Sequence[Reading], epoch: str = "0" * 12, gateway: str = "dock-a") -> Outcome:
        """The next batch of a stream, taken in by itself."""
        return self.ingest.take([self.message(readings, epoch, gateway)])

    def message(self, readings: Sequence[Reading], epoch: str = "0" * 12, gateway: str = "dock-a") -> Message:
        """The next batch of a stream."""
        seq = self.next_seq.get((gateway, epoch), 1)
        self.next_seq[gateway, epoch] = seq + len(readings)
        return batch(epoch, seq, [wire.encode(each) for each in readings], gateway)

    def settle(self, later: int = 3600 * SECOND) -> None:
        """Let `later` microseconds pass, and the deriver work until it rests."""
        self.clock.now += later
        for _ in range(TURNS):
            if not self.deriver.step():
                return
        raise AssertionError("the deriver does not come to rest")

    def rows(self, table: Any) -> list[dict[str, Any]]:
        """Every row of a table, by its key."""
        with read(self.book) as tx:
            return [{**row} for row in tx.execute(select(table).order_by(*table.primary_key)).mappings()]


def batch(epoch: str, seq: int, texts: Sequence[bytes], gateway: str = "dock-a") -> Message:
    """A batch as the transport delivers it."""
    payload = wire.encode_batch(epoch, seq, from_micros(DAY), [*texts])
    return Message(wire.topic(gateway, "readings"), payload)


def facts(book: Engine) -> dict[str, Any]:
    """What must be equal for every order: net ledger, balances, derived rows, states and checkpoints."""
    with read(book) as tx:
        names: dict[int, str] = {row.id: f"{row.gateway_id and 1}/{row.name}" for row in tx.execute(select(device))}

        def rows(table: Any, *left_out: str) -> list[str]:
            found = [
                {name: row[name] for name in row if name not in left_out} | {"device_id": names[row["device_id"]]}
                for row in tx.execute(select(table)).mappings()
            ]
            return sorted(map(str, found))

        return {
            "net ledger": net_digest(entry.movement for entry in ledger.entries_of(tx)),
            "balances": sorted(
                (r.sku, r.location, r.lot, r.on_hand) for r in tx.execute(select(balance)) if r.on_hand != "0"
            ),
            "crossings": rows(crossing, "n"),
            "acts": rows(scan_act, "n"),
            "contents": sorted(map(str, tx.execute(select(content_move)))),
            "tags": tags(tx),
            "lots": lots(tx),
            "runs": rows(run, "n"),
            "travel": rows(travel, "n"),
            "presence": rows(presence, "n"),
            "states": rows(fold_state, "stream_id", "received_at"),
            "checkpoints": rows(checkpoint),
        }


def tags(tx: Connection) -> list[tuple[str, int, str]]:
    """What the register says of tags, from when."""
    dated = [each for (kind, _), each in sorted(register.load(tx).entries.items()) if kind == "tags"]
    return [(entry.id, entry.valid_from, str(entry.body)) for each in dated for entry in each]


def lots(tx: Connection) -> list[tuple[str, int, str]]:
    """What the register says of lots, from when it says something else."""
    found: list[tuple[str, int, str]] = []
    for (kind, ident), dated in sorted(register.load(tx).entries.items()):
        before: Struct = Lot()
        said = {entry.valid_from: entry.body for entry in dated} if kind == "lots" else {}
        for at, body in said.items():
            if body != before:
                found.append((ident, at, str(body)))
                before = body
    return found


def digest(book: Engine) -> dict[str, str]:
    """`facts`, each as a hash."""
    return {name: sha256(str(value).encode()).hexdigest() for name, value in facts(book).items()}
