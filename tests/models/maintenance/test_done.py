"""What may be recorded as done: the asset and the plan are there and belong together, and its time has come."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from models.declared import Asset, Plan
from models.errors import Refused
from models.maintenance.done import AHEAD_US, Done, check
from models.register import Entry, Register

NOW = 1_795_564_800_000_000
DAY = 86_400_000_000
SERVICE = Done(id="s", asset="TRUCK-1", kind="service", plan="TRUCK-1/oil", at=NOW - DAY)
REPAIR = Done(id="r", asset="TRUCK-1", kind="repair", component="gearbox", at=NOW, failed_at=NOW - DAY)


def entry(kind: str, ident: str, body: Any, at: int = NOW - 10 * DAY) -> Entry:
    return Entry(kind, ident, at, at, body)


REGISTER = Register.of(
    [
        entry("assets", "TRUCK-1", Asset("Truck", "1")),
        entry("assets", "CRANE-1", Asset("Crane", "2")),
        entry("plans", "TRUCK-1/oil", Plan("TRUCK-1", "Oil", every_days=60)),
        entry("plans", "rope", Plan("TRUCK-1", "Rope", every_days=14)),
        entry("plans", "rope", Plan("CRANE-1", "Rope", every_days=14), NOW - 5 * DAY),
        entry("plans", "new", Plan("TRUCK-1", "New", every_days=14), NOW),
        entry("plans", "planned", Plan("TRUCK-1", "Planned", every_days=14), NOW + DAY),
    ]
)


@pytest.mark.parametrize(
    "done",
    [
        SERVICE,
        REPAIR,
        replace(SERVICE, at=NOW + AHEAD_US, hours=Decimal(0)),
        replace(SERVICE, plan="new"),
        replace(SERVICE, at=NOW - 20 * DAY),
        replace(SERVICE, plan="rope", at=NOW - 6 * DAY),
        replace(SERVICE, asset="CRANE-1", plan="rope"),
        replace(REPAIR, failed_at=None),
        replace(REPAIR, failed_at=NOW),
    ],
)
def test_what_may_be_recorded(done: Done) -> None:
    check(done, REGISTER, NOW)


@pytest.mark.parametrize(
    ("done", "says"),
    [
        (replace(SERVICE, asset="TRUCK-9"), "asset: one of the assets"),
        (replace(SERVICE, plan="oil"), "plan: one of the plans"),
        (replace(SERVICE, plan=None), "plan: one of the plans"),
        (replace(SERVICE, plan="planned"), "plan: one of the plans"),
        (replace(SERVICE, plan="rope"), "plan: a plan of 'TRUCK-1' expected, 'rope' is one of 'CRANE-1'"),
        (replace(SERVICE, asset="CRANE-1", plan="rope", at=NOW - 6 * DAY), "plan: a plan of 'CRANE-1'"),
        (replace(SERVICE, at=NOW + AHEAD_US + 1), "at: a time that has come"),
        (replace(SERVICE, hours=Decimal("-0.1")), "hours: 0 or more"),
        (replace(SERVICE, component="gearbox"), "component: null expected"),
        (replace(SERVICE, failed_at=NOW - 2 * DAY), "failed_at: null expected"),
        (replace(REPAIR, component=None), "component: what was repaired"),
        (replace(REPAIR, plan="TRUCK-1/oil"), "plan: null expected"),
        (replace(REPAIR, failed_at=NOW + 1), "failed_at: a time before at"),
    ],
)
def test_what_may_not(done: Done, says: str) -> None:
    with pytest.raises(Refused, match=says):
        check(done, REGISTER, NOW)
