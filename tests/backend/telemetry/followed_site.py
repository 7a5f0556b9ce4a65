"""A book that is written directly, and a telemetry store that follows it."""

import random
import shutil
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from backend.book import journal, ledger, schema
from backend.book.db import write
from backend.projector import Projector
from backend.telemetry.store import Store
from models import wire
from models.ids import derived_id
from models.reading import Fix, Input, Meter, Reading, Signal, Tag, from_micros, micros
from models.stock.ledger import Movement
from tests.backend.books import open_quick

S = 1_000_000
T0 = 1_762_999_800 * S
NOW = T0 + 86_400 * S


def readings(count: int) -> list[Reading]:
    """Two hours of a door, a tracker and a machine; some said twice, with another `at` for the same `device_at`."""
    chance = random.Random(7)
    found: list[Reading] = []
    for k in range(count):
        at = from_micros(T0 + chance.randrange(7200 * S))
        tag = Tag("door-1", at, f"{k:024x}", 1, device_at=at, rssi_dbm=-50.0)
        kinds: list[Reading] = [
            Signal("crane-2", at, "gearbox_temperature", chance.random() * 90, "Cel"),
            Fix("imei:356307042441013", at, lat=50.85, lon=4.3 + k / 1e5),
            Input("crane-2", at, "hoist", on=k % 2 == 0),
            Meter("crane-2", at, "engine_hours", k / 7, "h"),
            tag,
        ]
        found.append(kinds[k % 5] if k % 5 < 4 else tag)
        if k % 5 == 4 and k % 3 == 0:
            for shift in (-900, 0, 900):
                heard = at + timedelta(seconds=shift)
                found.append(Tag("door-1", heard, tag.epc, 1, device_at=at, rssi_dbm=-50.0))
                found.append(Signal("crane-2", heard, "oil_pressure", k / 9, "bar", device_at=at))
    return found


class Site:
    """A book, a store, and the projector between them, with a clock that the test moves."""

    def __init__(self, file: Path, store: Store) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self.file = file
        self.book = open_quick(file)
        schema.metadata.create_all(self.book)
        self.store = store
        self.now = NOW
        self.projector = Projector(self.book, store, lambda: self.now)

    def journal(self, epoch: str, new: Sequence[Reading]) -> None:
        """Commit readings to a stream, after what it has."""
        known: dict[tuple[int, str], int] = {}
        with write(self.book) as tx:
            held = journal.lock_stream(tx, "dock-a", epoch)
            rows = [
                journal.Arrival(
                    held.id,
                    held.mark + k,
                    journal.device_id(tx, held.gateway_id, each.device, known),
                    "dock-a",
                    each,
                    wire.content_hash(each),
                    micros(each.at),
                    NOW,
                    wire.encode(each),
                )
                for k, each in enumerate(new, 1)
            ]
            journal.add(tx, rows)
            journal.raise_mark(tx, held, held.mark + len(rows))

    def move(self, *names: str, withdrawn: Sequence[str] = ()) -> None:
        """Post movements of 1.5 units to the ledger, or take some back."""
        new = [
            Movement(
                id=derived_id("t", name),
                at=T0,
                sku="A",
                lot=None,
                quantity=Decimal("1.5"),
                source="supplier",
                target=name,
                reason="t",
                evidence=[],
                reverses=None,
            )
            for name in names
        ]
        with write(self.book) as tx:
            ledger.post(tx, new, [derived_id("t", name) for name in withdrawn], "t", NOW)

    def digest(self) -> str:
        """What the store says when it has caught up."""
        self.projector.catch_up()
        assert self.projector.lag() == 0
        return self.store.digest()

    def backup(self) -> Path:
        """A copy of the book as it is."""
        self.book.dispose()
        return Path(shutil.copy(self.file, self.file.with_suffix(".backup")))

    def restore(self, backup: Path) -> None:
        """Put a copy in the book's place."""
        self.book.dispose()
        for suffix in ("-wal", "-shm"):
            Path(f"{self.file}{suffix}").unlink(missing_ok=True)
        shutil.copy(backup, self.file)

    def close(self) -> None:
        """End the connections."""
        self.book.dispose()
        self.store.close()
