"""Every rule of the planner. A new one is a module with facts and a pure verdict, its test, and a line here."""

from collections.abc import Collection
from typing import Any

from backend.plan.carried import TRANSPORTED
from backend.plan.contacts import HOIST_STUCK, METER_JUMP
from backend.plan.costs import UNCOSTED
from backend.plan.custody import OVERDUE, TRANSFER_LATE
from backend.plan.exits import EXIT
from backend.plan.expected import EXPECTED
from backend.plan.gateways import GATEWAY_OFFLINE, LOST_OUTBOX
from backend.plan.ghosts import MISSING
from backend.plan.items import NEGATIVE_STOCK, REORDER
from backend.plan.lots import BLOCKED_LOT, EXPIRY, LOT_LABEL, LOT_MISSING
from backend.plan.odometers import ODOMETER_DRIFT
from backend.plan.risk import FAILURE_RISK
from backend.plan.rule import Rule
from backend.plan.services import SERVICE_DUE
from backend.plan.sightings import RELOCATED, SEEN_AFTER_DISPOSAL, UNREGISTERED
from backend.plan.stage_reads import STAGE_READS
from backend.plan.tags import UNKNOWN_TAG
from backend.plan.warehouse import PUT_AWAY, REPLENISH
from backend.plan.zones import ZONE_ALERT
from models.declared_alerts import Sort

OF_STOCK: tuple[Rule[Any], ...] = (
    REORDER,
    NEGATIVE_STOCK,
    EXPIRY,
    BLOCKED_LOT,
    LOT_LABEL,
    LOT_MISSING,
    STAGE_READS,
    PUT_AWAY,
    REPLENISH,
    UNCOSTED,
    EXPECTED,
)
OF_ASSETS: tuple[Rule[Any], ...] = (
    EXIT,
    RELOCATED,
    MISSING,
    SEEN_AFTER_DISPOSAL,
    UNREGISTERED,
    OVERDUE,
    TRANSFER_LATE,
    SERVICE_DUE,
    FAILURE_RISK,
    ZONE_ALERT,
    TRANSPORTED,
    ODOMETER_DRIFT,
    HOIST_STUCK,
    METER_JUMP,
)
SHARED: tuple[Rule[Any], ...] = (
    UNKNOWN_TAG,
    GATEWAY_OFFLINE,
    LOST_OUTBOX,
)
RULES = (*OF_STOCK, *OF_ASSETS, *SHARED)
NAMES = frozenset(rule.name for rule in RULES)
STOCK_NAMES = (*(rule.name for rule in OF_STOCK), "unknown_tag")
ASSET_NAMES = tuple(rule.name for rule in OF_ASSETS)


def sort_of(rule: str) -> Sort:
    """What an alert of this rule is about: stock, assets, or devices, which is all that is neither."""
    return "stock" if rule in STOCK_NAMES else "assets" if rule in ASSET_NAMES else "devices"


def rules_of(modules: Collection[str]) -> tuple[Rule[Any], ...]:
    """The rules of the modules that are on, and those that belong to neither."""
    return tuple(
        rule
        for module, rules in (("stock", OF_STOCK), ("assets", OF_ASSETS), (None, SHARED))
        if module is None or module in modules
        for rule in rules
    )
