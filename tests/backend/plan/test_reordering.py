"""Reordering by what was measured: levels from the ledger, one open proposal, what is promised and what is blocked."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from backend.api.approval import Edit, decide
from backend.book import purchases, reservations
from backend.book.db import open_engine, read, write
from backend.book.migrations import migrate
from backend.plan.items import REJECTION_HOLDS_US
from backend.plan.levels import REMEASURED_AFTER_US
from models.declared_reorder import ReorderPolicy
from models.declared_stock import Supply
from models.errors import Clash
from models.stock.policy import Level, Unknown
from models.stock.reservation import Reservation
from tests.backend.books import open_quick
from tests.backend.plan.buying import DAY, Shop, at

D = Decimal
ON_BOTH = True


@pytest.fixture
def shop(store: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Shop]:
    """After a hundred days of two a day and six orders that took four days each: 40 on hand."""
    if store == "sqlite":
        engine = open_quick(tmp_path / "book.db")
        migrate(engine)
    else:
        engine = open_engine(request.getfixturevalue("postgres_book_url"), Path())
    found = Shop(engine)
    found.item(supplier="acme", reorder=ReorderPolicy(quantity=D(50)), supplies=[Supply("acme", pack_size=D(12))])
    found.move("opening", 0, 40, "in")
    for n in range(100):
        found.move(f"out-{n}", n + 0.5, 2, "out")
    for n in range(6):
        found.order(f"PO-{n}", 15 * n, 30 if n else 50)
        found.move(f"in-{n}", 15 * n + 4, 30 if n else 50, "acme")
    found.day = 100
    yield found
    engine.dispose()


def test_a_level_is_measured_from_the_ledger(shop: Shop) -> None:
    shop.plan()
    level = shop.level()
    assert isinstance(level, Level)
    assert level.demand is not None
    assert level.lead_time is not None
    assert (level.demand.mean, level.demand.sd, level.demand.pieces) == (2, 0, 100)
    assert (level.lead_time.mean, level.lead_time.sd, level.lead_time.samples) == (4, 0, 6)
    assert level.reorder_point == 10, "8 in four days, and half a unit below the point when it goes out"
    assert shop.proposals() == []


def test_one_proposal_until_it_is_decided_and_one_order_of_it(shop: Shop) -> None:
    shop.plan()
    shop.move("much", 100, 29, "out")
    shop.plan()
    assert shop.proposals() == []
    shop.move("a", 100, 1, "out")
    shop.plan()
    shop.move("b", 100, 1, "out")
    shop.plan()
    assert shop.proposals() == [("open", "60")], "50 in packs of 12"
    ident = shop.decide("approved", quantity=D(72), supplier="zeta", price=D("1.20"))
    assert shop.proposals() == [("approved", "60")]
    with read(shop.book) as tx:
        assert purchases.on_order(tx, ["X"]) == {"X": D(72)}
    with write(shop.book) as tx:
        assert decide(tx, ident, "approved", ("ann", None, shop.now)).purchase_order is not None
        with pytest.raises(Clash, match="quantity: 72 expected"):
            decide(tx, ident, "approved", ("ann", None, shop.now), Edit(quantity=D(60)))
        with pytest.raises(Clash, match="open expected, it is approved"):
            decide(tx, ident, "rejected", ("ann", None, shop.now))
    shop.day += 4
    shop.move("came", 104, 72, "in")
    shop.plan()
    assert ("PO-0", 1, "received") in shop.told()
    with read(shop.book) as tx:
        assert purchases.on_order(tx, ["X"]) == {}
    assert shop.proposals() == [("approved", "60")]


def test_a_rejection_holds_for_a_day(shop: Shop) -> None:
    shop.move("much", 100, 38, "out")
    shop.plan()
    shop.decide("rejected")
    shop.move("a", 100, 1, "out")
    shop.plan()
    assert shop.proposals() == [("rejected", "60")]
    shop.day += REJECTION_HOLDS_US / DAY + 0.01
    shop.plan()
    assert [state for state, _ in shop.proposals()] == ["rejected", "open"]


@pytest.mark.parametrize(("days", "expected"), [(3, [("open", "60")]), (5, [])])
def test_what_is_promised_counts_if_it_is_needed_before_an_order_comes(
    shop: Shop, days: int, expected: list[tuple[str, str]]
) -> None:
    need = {"purpose": "plan", "reference": "service-7", "need_at": at(100 + days)}
    with write(shop.book) as tx:
        reservations.reserve(tx, Reservation(id="r", sku="X", quantity=D(35), **need), "ann", shop.now)  # type: ignore[arg-type]
    shop.plan()
    assert shop.proposals() == expected


def test_a_blocked_lot_is_not_there(shop: Shop) -> None:
    shop.move("out-of-it", 100, 25, "out")
    shop.move("lot", 100, 25, "in", "L7")
    shop.plan()
    assert shop.proposals() == []
    shop.blocked("L7")
    shop.plan()
    assert shop.proposals() == [], "a lot's change is looked at with everything"
    shop.day += 1
    shop.plan()
    assert shop.proposals() == []
    shop.move("more", 101, 6, "out")
    shop.plan()
    assert shop.proposals() == [("open", "60")]


def test_what_was_not_asked_for_is_no_demand(shop: Shop) -> None:
    shop.move("waste", 50, 20, "scrap")
    shop.move("moved", 50, 5, "away")
    shop.move("sold", 50.1, 30, "out")
    shop.move("returned", 50.2, 30, "returned")
    shop.move("mistake", 50.3, 30, "out")
    shop.take_back("mistake")
    shop.plan()
    level = shop.level()
    assert isinstance(level, Level)
    assert level.demand is not None
    assert (level.demand.mean, level.demand.pieces) == (2, 100)


def test_a_level_holds_for_a_week_or_until_the_terms_change(shop: Shop) -> None:
    shop.plan()
    before = shop.level()
    shop.move("much", 100, 5, "out")
    shop.plan()
    assert shop.level() == before
    shop.day += REMEASURED_AFTER_US / DAY
    shop.plan()
    after = shop.level()
    assert after != before
    shop.item(supplier="acme", reorder=ReorderPolicy(quantity=D(50), reorder_point=D(33)))
    shop.plan()
    level = shop.level()
    assert isinstance(level, Level)
    assert level.reorder_point == 33


def test_by_review_a_decision_is_made_once_in_a_period(shop: Shop) -> None:
    shop.item(supplier="acme", reorder=ReorderPolicy(method="review", review_days=7, quantity=D(50)))
    shop.day = 105.0  # 20,105 days since 1970: the first of a week of 7 is 20,104
    shop.plan()
    shop.move("much", 105, 38, "out")
    shop.plan()
    assert shop.proposals() == [], "this week is decided"
    shop.day = 110.9
    shop.plan()
    assert shop.proposals() == []
    shop.day = 111.1
    shop.plan()
    assert [state for state, _ in shop.proposals()] == ["open"]


def test_an_item_without_any_history_says_what_is_missing(shop: Shop) -> None:
    shop.item(supplier="nobody", reorder=ReorderPolicy())
    shop.plan()
    assert shop.level() == Unknown("no receipt and no declared lead time, and no fixed levels")
    assert shop.proposals() == []
