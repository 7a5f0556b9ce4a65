"""The value of stock on SQLite and on PostgreSQL: a month closed, what comes late, costs, everything verified."""

from pathlib import Path

from backend.verify import verify
from tests.backend.books import Template
from tests.backend.value_book import Shop, moved, said

ON_BOTH = True


def test_a_month_is_closed_and_what_comes_late_is_posted(template: Template, tmp_path: Path) -> None:
    shop = Shop.opened(template, tmp_path, "12-05")
    shop.declare(price="10")
    shop.post(moved("a1", "10-03", 100), moved("a2", "10-20", 120, "sold"), moved("a3", "11-02", 50))
    assert shop.sums("2026-11") == {"receipt": "500", "sale true-up": "0"}
    shop.price("a3", "15")
    assert shop.close("2026-10")
    shop.post(moved("late", "10-04", 30), withdrawn=["a2"])
    shop.price("late", "8")
    shop.valuer.settle_all()
    assert shop.sums("2026-10") == {"receipt": "1240"}
    assert said(shop.posted()) == {"receipt": "1240"}
    assert [each.what for each in shop.posted()] == ["close", "delta"]
    assert not [finding for finding in verify(shop.book) if not finding.ok]
    shop.book.dispose()
