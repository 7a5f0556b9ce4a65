"""Alerts about lots on hand, and the decision on a write-off."""

import json
from datetime import date
from decimal import Decimal

import pytest

from models.errors import Clash, Refused
from models.stock.expiry import LotOnHand, WithoutLot, blocked, expiring, lot_missing
from models.stock.lot import Known, Status
from models.stock.write_off import WriteOff, decide, movement

D = Decimal
TODAY = date(2026, 4, 1)


def lot(expires: str | None, on_hand: str = "40", status: Status = "available") -> LotOnHand:
    known = Known(None if expires is None else date.fromisoformat(expires), None, status)
    return LotOnHand("SEAL", "B1", known, [("hall", D(on_hand)), ("yard", D(-2))], alert_days=30)


@pytest.mark.parametrize(
    ("facts", "severity", "says"),
    [
        (lot("2026-05-02"), None, ""),
        (lot("2026-05-01"), "warning", "SEAL lot B1: expires on 2026-05-01, in 30 days; 40 on hand"),
        (lot("2026-04-02"), "warning", "in 1 day;"),
        (lot("2026-04-01"), "warning", "in 0 days;"),
        (lot("2026-03-31"), "critical", "expired on 2026-03-31; 40 on hand"),
        (lot("2026-03-31", "0"), None, ""),
        (lot("2026-03-31", status="recalled"), None, ""),
        (lot(None), None, ""),
    ],
)
def test_expiry(facts: LotOnHand, severity: str | None, says: str) -> None:
    alert = expiring(facts, TODAY)
    assert (None if alert is None else alert.severity) == severity
    assert alert is None or (says in alert.title and alert.subject == "lot:SEAL/B1")


@pytest.mark.parametrize(
    ("facts", "severity"),
    [
        (lot("2026-01-01"), None),
        (lot(None, status="quarantined"), "warning"),
        (lot("2026-01-01", status="recalled"), "critical"),
        (lot(None, "0", status="recalled"), None),
    ],
)
def test_blocked(facts: LotOnHand, severity: str | None) -> None:
    alert = blocked(facts, TODAY)
    assert (None if alert is None else alert.severity) == severity
    assert alert is None or json.loads(alert.detail)["places"] == [
        {"location": "hall", "on_hand": "40"},
        {"location": "yard", "on_hand": "-2"},
    ]


def test_lot_missing() -> None:
    assert lot_missing(WithoutLot("SEAL", []), 0) is None
    alert = lot_missing(WithoutLot("SEAL", [("hall", D(-3))], ["B1"]), 0)
    assert alert is not None
    assert alert.title == "SEAL: -3 without a lot at hall, lot B1 without an expiry date"


ASKED = WriteOff(id="w1", sku="SEAL", lot="B1", location="hall", quantity=D("4.0"), reason="expired", by="ann")


def test_somebody_else_approves_once() -> None:
    with pytest.raises(Refused, match="by: another person than 'ann'"):
        decide(ASKED, "approved", "ann")
    done = decide(ASKED, "approved", "bob")
    assert (done.state, done.decided_by) == ("approved", "bob")
    assert decide(done, "approved", "carl") == done
    with pytest.raises(Clash, match="requested expected, it is approved"):
        decide(done, "rejected", "bob")
    assert decide(ASKED, "rejected", "ann").state == "rejected", "one may take back one's own"
    posted = movement(done, "scrap", 7)
    assert (posted.source, posted.target, posted.quantity, posted.evidence) == ("hall", "scrap", D(4), ["write_off:w1"])
