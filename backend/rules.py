"""Every rule of the planner. A new one is a module with facts and a pure verdict, its test, and a line here."""

from typing import Any

from backend.plan.carried import TRANSPORTED
from backend.plan.gateways import GATEWAY_OFFLINE, LOST_OUTBOX
from backend.plan.items import NEGATIVE_STOCK, REORDER
from backend.plan.odometers import ODOMETER_DRIFT
from backend.plan.risk import FAILURE_RISK
from backend.plan.rule import Rule
from backend.plan.services import SERVICE_DUE
from backend.plan.tags import UNKNOWN_TAG
from backend.plan.zones import ZONE_ALERT

RULES: tuple[Rule[Any], ...] = (
    REORDER,
    NEGATIVE_STOCK,
    UNKNOWN_TAG,
    GATEWAY_OFFLINE,
    LOST_OUTBOX,
    SERVICE_DUE,
    FAILURE_RISK,
    ZONE_ALERT,
    TRANSPORTED,
    ODOMETER_DRIFT,
)
