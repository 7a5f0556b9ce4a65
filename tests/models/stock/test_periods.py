"""Periods: months, what may be closed, what a late fact adds, the chain of postings."""

from decimal import Decimal

import msgspec
import pytest

from models.chain import GENESIS
from models.errors import Clash
from models.months import BadPeriod, begin_of, check_closing, check_open, month_of, month_text, parse_month
from models.stock.periods import Posting, Sum, delta, first_broken, posted_lines, posting_hash, together

D = Decimal
SEPTEMBER = 2026 * 12 + 8


def one(value: str, quantity: str = "1") -> Sum:
    return Sum(D(quantity), D(value), 1)


def test_months() -> None:
    assert parse_month("2026-09") == SEPTEMBER
    assert month_text(SEPTEMBER) == "2026-09"
    begin, end = begin_of(SEPTEMBER), begin_of(SEPTEMBER + 1)
    assert end - begin == 30 * 86_400_000_000
    assert [month_of(at) for at in (begin - 1, begin, end - 1, end)] == [
        SEPTEMBER - 1,
        SEPTEMBER,
        SEPTEMBER,
        SEPTEMBER + 1,
    ]


@pytest.mark.parametrize(
    "text", ["2026-13", "2026-00", "26-09", "2026-9", "1969-12", "2200-01", "2026-09-01", "", "\uff12026-09"]
)
def test_what_is_no_month(text: str) -> None:
    with pytest.raises(BadPeriod, match="period: a month like 2026-09"):
        parse_month(text)


def test_what_may_be_closed() -> None:
    over = begin_of(SEPTEMBER + 1)
    assert check_closing(SEPTEMBER, None, over)
    assert check_closing(SEPTEMBER, SEPTEMBER - 3, over)
    assert not check_closing(SEPTEMBER, SEPTEMBER, over)
    with pytest.raises(BadPeriod, match="2026-09 is not"):
        check_closing(SEPTEMBER, None, over - 1)
    check_open(SEPTEMBER + 1, SEPTEMBER)
    with pytest.raises(Clash, match="2026-09 is closed and stays so; what changes is posted in 2026-10"):
        check_open(SEPTEMBER, SEPTEMBER)


def test_a_delta_is_what_closed_months_come_out_otherwise() -> None:
    before = {SEPTEMBER - 1: {"sale": one("3")}, SEPTEMBER: {"sale": one("5"), "receipt": one("9")}}
    assert delta(before, before, SEPTEMBER) is None
    after = {SEPTEMBER: {"sale": one("7", "2")}, SEPTEMBER + 1: {"sale": one("100")}}
    origin, sums = delta(before, after, SEPTEMBER) or (0, {})
    assert month_text(origin) == "2026-08"
    assert {flow: (each.quantity, each.value) for flow, each in sums.items()} == {
        "receipt": (D(-1), D(-9)),
        "sale": (D(0), D(-1)),
    }
    moved = {SEPTEMBER - 1: before[SEPTEMBER], SEPTEMBER: before[SEPTEMBER - 1]}
    assert delta(before, moved, SEPTEMBER) is None, "what only went from one closed month to another posts nothing"
    assert together([{"sale": one("1")}, {"sale": one("2")}]) == {"sale": Sum(D(2), D(3), 2)}


def test_postings_carry_on_and_are_chained() -> None:
    first = posted_lines({"sale": one("0.005"), "receipt": one("0.004")}, {})
    assert [(each.flow, each.amount, each.carry) for each in first] == [
        ("receipt", 0, D("0.004")),
        ("sale", D("0.01"), D("-0.005")),
    ]
    second = posted_lines({"receipt": one("0.004")}, {each.flow: each.carry for each in first})
    assert [(each.flow, each.amount, each.carry) for each in second] == [
        ("receipt", D("0.01"), D("-0.002")),
        ("sale", 0, D("-0.005")),
    ]
    last, chain = GENESIS, list[tuple[Posting, bytes]]()
    for n, lines in enumerate((first, second), 1):
        posting = Posting(
            n=n, recorded_at=n, actor="a", what="close", sku="B", period=SEPTEMBER, origin=SEPTEMBER, lines=lines
        )
        last = posting_hash(last, posting)
        chain.append((posting, last))
    assert first_broken(chain) == (None, 2, last)
    changed = msgspec.structs.replace(chain[0][0], actor="b")
    assert first_broken([(changed, chain[0][1]), chain[1]])[0] == 1
    assert first_broken(chain[1:])[0] == 1
