"""Sixteen posters at once on one item and place: no movement is lost or doubled, and the balance is its replay."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

from sqlalchemy import select

from backend.book import ledger
from backend.book.db import read, repeated, write
from backend.book.schema import balance
from backend.verify import books
from backend.verify.folds import Seen
from models.stock.ledger import Movement, balances, first_broken
from tests.backend.books import SECOND, Yard

ON_BOTH = True
POSTERS, EACH = 16, 20


def movement(poster: int, k: int, at: int) -> Movement:
    """Receipts of 1, 2, 3 ...; every third an issue of what came two before."""
    source, target = ("warehouse", "customer") if k % 3 == 2 else ("supplier", "warehouse")
    ident = f"{poster:02}-{k:03}"
    return Movement(
        id=ident, at=at, sku="BOLT-M8", quantity=Decimal(k + 1), source=source, target=target, reason="x", evidence=[]
    )


def test_sixteen_posters_at_once(yard: Yard) -> None:
    def post(poster: int) -> int:
        written = 0
        for k in range(EACH):
            wanted = movement(poster, k, yard.clock.now + k * SECOND)
            withdrawn = [f"{poster:02}-{k - 1:03}"] if k % 5 == 4 else []

            def work(wanted: Movement = wanted, withdrawn: list[str] = withdrawn) -> int:
                with write(yard.book) as tx:
                    return len(ledger.post(tx, [wanted], withdrawn, f"poster-{poster}", yard.clock.now))

            written += repeated(work)
            assert repeated(work) == 0, "the same again is harmless"
        return written

    with ThreadPoolExecutor(POSTERS) as pool:
        written = sum(pool.map(post, range(POSTERS)))
    with read(yard.book) as tx:
        entries = [*ledger.entries_of(tx)]
        held = {(row.location, row.sku, row.lot or None): Decimal(row.on_hand) for row in tx.execute(select(balance))}
        assert books.balances_replayed(Seen(tx))[1] == []
    assert len(entries) == written == POSTERS * (EACH + EACH // 5)
    assert first_broken(entries) is None
    assert {key: value for key, value in held.items() if value} == balances(entry.movement for entry in entries)
    kept = [k for k in range(EACH) if k % 5 != 3]
    whole = sum((-1 if k % 3 == 2 else 1) * (k + 1) for k in kept)
    assert held["warehouse", "BOLT-M8", None] == POSTERS * whole
