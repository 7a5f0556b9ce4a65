"""The verdicts of the rules on facts, without a book."""

import json
from decimal import Decimal

import pytest

from backend.book.levels import Measured
from backend.plan import gateways, items, tags
from backend.rules import RULES
from models.alert import MOMENTS
from models.epc import encode
from models.stock.policy import Level, Unknown
from models.stock.reorder import Holding, Rule

S = 1_000_000
NOW = 1000 * S
RULE = Rule("A", Decimal(20), Decimal(60))


def position(on_hand: str, on_order: str, rule: Rule | None = RULE) -> items.Position:
    level = Unknown("none") if rule is None else Level(rule=rule, method="min_max", lot=Decimal(40), reasons=[])
    measured = Measured("A", b"", NOW, level)
    return items.Position("A", "Pump", Holding(Decimal(on_hand), Decimal(on_order)), measured, None, None)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (position("20.0", "0"), "Pump: 20 left, the minimum is 20"),
        (position("-3", "5"), "Pump: 2 left, the minimum is 20"),
        (position("20.1", "0"), None),
        (position("0", "21"), None),
        (position("0", "0", None), None),
    ],
)
def test_low_on_stock(facts: items.Position, said: str | None) -> None:
    alert = items.low(facts, NOW)
    assert (alert and alert.title) == said
    if alert is not None:
        assert alert.subject == "item:A"
        assert json.loads(alert.detail)["reorder_max"] == "60"


def test_a_balance_that_cannot_be() -> None:
    assert items.negative(items.Shelf("A", []), NOW) is None
    alert = items.negative(items.Shelf("A", [("w", "", Decimal("-1.50"))]), NOW)
    assert alert is not None
    assert alert.title == "A: -1.5 at w"


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (gateways.Contact("g", online=True, last_seen=NOW - 89 * S), None),
        (gateways.Contact("g", online=True, last_seen=NOW - 90 * S), "Gateway g: no status for 90 s"),
        (gateways.Contact("g", online=False, last_seen=NOW), "Gateway g: it went offline"),
    ],
)
def test_a_silent_gateway(facts: gateways.Contact, said: str | None) -> None:
    alert = gateways.offline(facts, NOW)
    assert (alert and alert.title) == said


@pytest.mark.parametrize(
    ("mark", "unlisted_s", "is_lost"), [(9, 120, False), (8, 120, True), (8, 119, False), (0, 500, True)]
)
def test_an_outbox_that_is_gone(mark: int, unlisted_s: int, *, is_lost: bool) -> None:
    alert = gateways.lost(gateways.Backlog("g", "E", mark, 10, NOW - unlisted_s * S, NOW), NOW)
    assert (alert is not None) == is_lost
    if alert is not None:
        assert json.loads(alert.detail)["readings"] == 9 - mark


@pytest.mark.parametrize(
    ("epc", "age_s", "subject"),
    [
        (encode("urn:epc:id:sgtin:0614141.812345.6789"), 300, "company:0614141"),
        (encode("urn:epc:id:sgtin:0614141.812345.6789"), 301, None),
        ("ff" * 12, 0, "door:g/door-1"),
        ("abcd", 0, "door:g/door-1"),
        (encode("urn:epc:id:sscc:0614141.1234567890"), 0, None),
    ],
)
def test_a_stranger_at_the_door(epc: str, age_s: int, subject: str | None) -> None:
    alert = tags.unknown(tags.Stranger(epc, "g/door-1", "in", NOW - age_s * S, NOW, "why"), NOW)
    assert (alert and alert.subject) == subject


def test_rules_are_named_once_and_are_about_a_moment_or_a_state() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert {rule.name for rule in RULES if not rule.is_state} == MOMENTS & {rule.name for rule in RULES}
