"""Work orders in both kinds of book: several at once complete an order once and make one order of a plan."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from backend.book.db import read
from backend.verify.folds import Seen
from backend.verify.work import lives_legal, one_open_order, parts_posted
from models.errors import Clash
from tests.backend.books import Template
from tests.backend.workshop import NOW, OIL, Workshop

ON_BOTH = True


@pytest.fixture
def shop(tmp_path: Path, template: Template) -> Iterator[Workshop]:
    shop = Workshop.opened(template, tmp_path, NOW)
    shop.stock()
    yield shop
    shop.book.dispose()


def test_two_completions_at_once_issue_once(shop: Workshop) -> None:
    shop.make()
    shop.part("W1", "p1", "3")
    shop.take("W1", "start")
    at_once(lambda _: shop.complete("W1"))
    assert (shop.held(), shop.issued(), shop.services()) == ({"": "2"}, {"p1": "3"}, [("gearbox", True)])
    outcomes: list[str] = []

    def make(number: int) -> None:
        try:
            outcomes.append(shop.make(f"P{number}", plan=OIL))
        except Clash:
            outcomes.append("clash")

    at_once(make)
    assert sorted(outcomes) == ["clash"] * 3 + ["created"]


def at_once(work: Callable[[int], None]) -> None:
    with ThreadPoolExecutor(4) as pool:
        for _ in pool.map(work, range(4)):
            pass


def test_the_whole_way_holds_in_both(shop: Workshop) -> None:
    shop.make(plan=OIL, kind="preventive")
    shop.part("W1", "p1", "2")
    shop.plan("W1")
    shop.take("W1", "start")
    shop.complete("W1", component=None)
    shop.reopen("W1")
    shop.complete("W1", component=None)
    shop.take("W1", "close")
    assert (shop.held(), shop.promised(), shop.services()) == ({"": "3"}, 0, [(OIL, False), (OIL, True)])
    with read(shop.book) as tx:
        assert [check(Seen(tx)) for check in (parts_posted, one_open_order, lives_legal)] == [
            ("3 moves of parts", []),
            ("1 work orders", []),
            ("8 steps of 1 work orders", []),
        ]
