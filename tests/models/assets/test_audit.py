"""Audits, ghosts, exits and reuse: each verdict as a table."""

from decimal import Decimal
from typing import Any

import pytest

from models.assets.audit import Audit, Audited, accuracy, check_says_something, judge
from models.assets.ghost import DAY_US, Unseen, missing
from models.assets.leaving import LATE_US, NEWS_US, Exit, Going, unauthorised
from models.assets.reuse import Offer, why_free
from models.errors import Refused

HERE, THERE = "location:hall", "location:yard"
NOW = 1_000 * DAY_US


@pytest.mark.parametrize(
    ("begin", "end", "heard", "verdict"),
    [
        (HERE, HERE, True, "found"),
        (HERE, HERE, False, "missing"),
        (HERE, THERE, False, "left"),
        (THERE, HERE, False, "arrived"),
        (THERE, HERE, True, "found"),
        (HERE, THERE, True, "misplaced"),
        (THERE, THERE, True, "misplaced"),
        (None, None, True, "unexpected"),
        (THERE, THERE, False, None),
    ],
)
def test_what_an_audit_says(begin: str | None, end: str | None, heard: bool, verdict: str | None) -> None:  # noqa: FBT001 - a table
    assert judge(Audited(begin, end, heard), {HERE}, 2, 2) == verdict


def test_unseen_is_not_missing_and_gone_is_not_expected() -> None:
    assert judge(Audited(HERE, HERE, heard=False), {HERE}, 1, 2) == "unseen"
    assert judge(Audited(HERE, HERE, heard=False, is_gone=True), {HERE}, 2, 2) is None
    assert judge(Audited(HERE, HERE, heard=True, is_gone=True), {HERE}, 2, 2) == "unexpected"
    assert judge(None, {HERE}, 2, 2) == "unknown"
    audit = Audit(id="a", place=HERE, read_rates={"tool": Decimal("0.5"), "*": Decimal("0.99")}, at=0)
    assert [audit.needed(name) for name in ("tool", "it", None)] == [7, 1, 1]


def test_accuracy_leaves_out_what_is_not_decided() -> None:
    assert accuracy(["found", "found", "missing", "unexpected", "unseen", "left", "arrived"]) == Decimal("0.5000")
    assert accuracy(["unseen"]) is None
    with pytest.raises(Refused, match="it heard nothing"):
        check_says_something("a", 0)


@pytest.mark.parametrize(
    ("fields", "title"),
    [
        ({"seen_at": NOW - 61 * DAY_US}, "Drill: not seen for more than 60 days"),
        (
            {"seen_at": NOW - 61 * DAY_US, "book_value": Decimal("1250.5")},
            "Drill: not seen for more than 60 days, book value 1,250.50 at risk",
        ),
        ({"seen_at": NOW - 60 * DAY_US}, None),
        ({}, "Drill: never seen for more than 60 days"),
        ({"since": NOW - DAY_US}, None),
        ({"seen_at": NOW - DAY_US, "missed_by": "audit:7"}, "Drill: missed by audit:7"),
        ({"seen_at": NOW - 61 * DAY_US, "holder": "ann"}, None),
        ({"seen_at": NOW - 61 * DAY_US, "holder": "ann", "due_at": NOW + 1}, None),
        ({"seen_at": NOW - 61 * DAY_US, "holder": "ann", "due_at": NOW - 1}, "Drill: not seen for more than 60 days"),
        ({"is_active": False}, None),
    ],
)
def test_ghosts(fields: dict[str, Any], title: str | None) -> None:
    known: dict[str, Any] = {"asset": "D", "name": "Drill", "is_active": True, "since": 0, "days": 60}
    facts = Unseen(**known | fields)
    alert = missing(facts, NOW)
    assert (None if alert is None else alert.title) == title


def gone(**fields: Any) -> Exit:
    known: dict[str, Any] = {"asset": "D", "name": "Drill", "at": NOW, "begin_at": NOW - 5, "received_at": NOW}
    known |= {"door": "g/d", "called": "g/d", "id": "crossing:1", "evidence": ["e"] * 99, "reasons": []}
    return Exit(**known | fields)


@pytest.mark.parametrize(
    ("facts", "rings"),
    [
        (Going(gone()), True),
        (Going(None), False),
        (Going(gone(), "ann has it"), False),
        (Going(gone(), is_back=True), False),
        (Going(gone(), is_answered=True), False),
        (Going(gone(received_at=NOW + LATE_US + 1)), False),
        (Going(gone(received_at=NOW + LATE_US + 1), is_standing=True), True),
        (Going(gone(at=NOW - NEWS_US - 1, received_at=NOW - NEWS_US - 1)), False),
    ],
)
def test_exits(facts: Going, rings: bool) -> None:  # noqa: FBT001 - a table
    alert = unauthorised(facts, NOW)
    assert (alert is not None and alert.severity == "critical") is rings
    assert alert is None or alert.detail.count('"e"') == 64


@pytest.mark.parametrize(
    ("offer", "why"),
    [
        (Offer("idle", None, None, None, None), "it is declared idle"),
        (Offer("stored", None, None, None, None), "it is in store"),
        (Offer("in_service", None, None, None, 15 * 3_600_000), "it ran at most 15.0 h in the last 30 days"),
        (Offer("in_service", None, None, None, 15 * 3_600_000 + 1), None),
        (Offer("in_service", None, None, None, None), None),
        (Offer("idle", "ann", None, None, None), None),
        (Offer("idle", None, "bob", None, None), None),
        (Offer("idle", None, None, "inspection is overdue", None), None),
    ],
)
def test_what_is_offered_before_another_is_bought(offer: Offer, why: str | None) -> None:
    assert why_free(offer) == why
