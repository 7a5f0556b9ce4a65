"""Every rule of the planner. A new one is a module with facts and a pure verdict, its test, and a line here."""

from collections.abc import Collection
from typing import Any

from backend.plan.carried import TRANSPORTED
from backend.plan.costs import UNCOSTED
from backend.plan.expected import EXPECTED
from backend.plan.gateways import GATEWAY_OFFLINE, LOST_OUTBOX
from backend.plan.items import NEGATIVE_STOCK, REORDER
from backend.plan.lots import BLOCKED_LOT, EXPIRY, LOT_MISSING
from backend.plan.odometers import ODOMETER_DRIFT
from backend.plan.risk import FAILURE_RISK
from backend.plan.rule import Rule
from backend.plan.services import SERVICE_DUE
from backend.plan.stage_reads import STAGE_READS
from backend.plan.tags import UNKNOWN_TAG
from backend.plan.warehouse import PUT_AWAY, REPLENISH
from backend.plan.zones import ZONE_ALERT

OF_STOCK: tuple[Rule[Any], ...] = (
    REORDER,
    NEGATIVE_STOCK,
    EXPIRY,
    BLOCKED_LOT,
    LOT_MISSING,
    STAGE_READS,
    PUT_AWAY,
    REPLENISH,
    UNCOSTED,
    EXPECTED,
)
OF_ASSETS: tuple[Rule[Any], ...] = (
    SERVICE_DUE,
    FAILURE_RISK,
    ZONE_ALERT,
    TRANSPORTED,
    ODOMETER_DRIFT,
)
SHARED: tuple[Rule[Any], ...] = (
    UNKNOWN_TAG,
    GATEWAY_OFFLINE,
    LOST_OUTBOX,
)
RULES = (*OF_STOCK, *OF_ASSETS, *SHARED)


def rules_of(modules: Collection[str]) -> tuple[Rule[Any], ...]:
    """The rules of the modules that are on, and those that belong to neither."""
    return tuple(
        rule
        for module, rules in (("stock", OF_STOCK), ("assets", OF_ASSETS), (None, SHARED))
        if module is None or module in modules
        for rule in rules
    )
