"""What is on hand, asked of a book with ten million movements, over the API: now, and as of a time long ago.

STOCKYARD_LEDGER_ROWS (default ten million) makes the book smaller.
"""

import os
import statistics
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from backend.api import create_app
from backend.api.services import Services
from backend.book.db import write
from models.months import begin_of, parse_month
from tests.backend.books import Clock, make_template, open_quick

ROWS = int(os.environ.get("STOCKYARD_LEDGER_ROWS", "10000000"))
ITEMS, ASKED, MOST_MS = 10_000, 200, 50.0
BEGIN, END = begin_of(parse_month("2025-01")), begin_of(parse_month("2026-01"))
INDEXES = ("ix_movement_movement_id", "ix_movement_sku", "ix_movement_at")
FILL = """
INSERT INTO movement (n, id, movement_id, at, recorded_at, sku, lot, quantity, source, target, reason, evidence,
    reverses, actor, hash)
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :rows)
SELECT n, printf('%036d', n), printf('%036d', n), :begin + n * :step, :begin + n * :step,
    printf('SKU-%05d', n * 7919 % :items), NULL, CAST(1 + n % 40 AS TEXT),
    CASE WHEN n % 3 THEN 'warehouse' ELSE 'supplier' END, CASE WHEN n % 3 THEN 'customer' ELSE 'warehouse' END,
    'dock crossing', '["crossing:00000000-0000-0000-0000-000000000000"]', NULL, 'deriver', zeroblob(32)
FROM numbers
"""
BALANCES = """
INSERT INTO balance (sku, location, lot, on_hand)
SELECT sku, location, '', CAST(sum(quantity) AS TEXT) FROM (
    SELECT sku, target AS location, CAST(quantity AS INTEGER) AS quantity FROM movement
    UNION ALL SELECT sku, source, -CAST(quantity AS INTEGER) FROM movement)
GROUP BY sku, location
"""


def no_scans(_book: Engine, _ident: str, _text: bytes, _now: int) -> bool:
    raise AssertionError("nobody scans here")


def fill(book: Engine) -> None:
    with write(book) as tx:
        indexes = [
            tx.execute(text("SELECT sql FROM sqlite_master WHERE name = :n"), {"n": n}).scalar_one() for n in INDEXES
        ]
        for name in INDEXES:
            tx.execute(text(f"DROP INDEX {name}"))
        tx.execute(text(FILL), {"rows": ROWS, "begin": BEGIN, "step": (END - BEGIN) // ROWS, "items": ITEMS})
        for each in indexes:
            tx.execute(text(each))
        tx.execute(text(BALANCES))


@pytest.mark.timeout(1800)
def test_on_hand_of_ten_million_movements(tmp_path: Path, measure: Any) -> None:
    book = open_quick(make_template(tmp_path / "book.db"))
    fill(book)
    services = Services(book, Clock(END), no_scans)
    with TestClient(create_app(services), "http://127.0.0.1:8000/api/v1/") as client:
        for check, ask in (("now", {}), ("as of half a year before", {"as_of": "2025-07-01T00:00:00Z"})):
            took: list[float] = []
            for k in range(ASKED):
                begin = perf_counter()
                answer = client.get("stock", params={"sku": f"SKU-{k * 37 % ITEMS:05}"} | ask)
                took.append(1000 * (perf_counter() - begin))
                assert [each["location"] for each in answer.json()["items"]] == ["warehouse"]
            figures = statistics.quantiles(took, n=20)
            name = f"on hand of an item, {check}; {ROWS:,} movements, {ITEMS:,} items"
            row = {"group": "stock", "check": f"{name}: 95 % of answers within", "unit": "ms", "value": figures[-1]}
            measure(row | {"bound": f"<= {MOST_MS:g} ms"}, ok=figures[-1] <= MOST_MS)
    book.dispose()
