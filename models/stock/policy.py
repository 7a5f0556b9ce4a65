"""From measured demand and lead time, and the item's policy, to a reorder point and a quantity, each with its reasons.

The corrected formula differs from the textbook's in three things that were measured to matter: the stock is already
below the point when an order goes out (undershoot; half a review period's demand more where orders are decided once in
a period), demand has a gamma law, not a normal one, and what was measured is itself uncertain.
"""

from decimal import ROUND_CEILING, Decimal
from math import sqrt
from typing import NamedTuple

from msgspec import Struct

from models.declared_reorder import Method, ReorderPolicy
from models.errors import Refused
from models.stock import safety
from models.stock.demand import Demand
from models.stock.lead_time import LeadTime
from models.stock.reorder import Rule
from models.stock.safety import Spread
from models.units import plain, quantity_text

YEAR_DAYS = 365
FINEST = Decimal("0.001")
NOISE = 1e-9


class Facts(Struct, frozen=True, kw_only=True):
    """What is known of an item: measured, and what the register says of its packs, its price and its fixed levels."""

    sku: str
    demand: Demand | None
    lead_time: LeadTime | None
    whole: bool = False
    pack: Decimal = Decimal(1)
    minimum_order: Decimal = Decimal(0)
    unit_cost: Decimal | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None


class Level(Struct, frozen=True, kw_only=True, tag=True):
    """When to order and how much, and why. Services are those expected if demand stays as it was measured."""

    rule: Rule
    method: Method
    lot: Decimal
    """The quantity of one order, before packs."""
    review_days: int = 0
    safety_stock: Decimal | None = None
    demand: Demand | None = None
    lead_time: LeadTime | None = None
    spread: Spread | None = None
    undershoot: float | None = None
    cycle_service: float | None = None
    fill_rate: float | None = None
    reasons: list[str]

    @property
    def reorder_point(self) -> Decimal:
        """At or below this position an order is proposed."""
        return self.rule.minimum

    @property
    def covered_days(self) -> float | None:
        """So far ahead an order of today is there; None if nothing was measured."""
        return None if self.lead_time is None else self.lead_time.mean + self.review_days


class Unknown(Struct, frozen=True, tag=True):
    """There is no level, and what is missing for one."""

    reason: str


class Moments(NamedTuple):
    """A mean and a variance."""

    mean: float
    variance: float


def eoq(order_cost: float, demand_a_year: float, holding_a_year: float) -> float:
    """sqrt(2 K D / h): the quantity at which ordering and holding cost the same (Harris, 1913).

    >>> round(eoq(8, 1300, 0.225), 4)
    304.0468
    """
    return sqrt(2 * order_cost * demand_a_year / holding_a_year)


def level(policy: ReorderPolicy, facts: Facts) -> Level | Unknown:
    """The level by the policy; the item's fixed minimum and maximum where its demand cannot be measured yet.

    Unknown too where what was measured comes to more than a quantity can be: somebody entered a number of another kind.
    """
    try:
        return _level(policy, facts)
    except Refused as error:
        return Unknown(f"demand and costs that come to a level expected, they come to {error}")


def _level(policy: ReorderPolicy, facts: Facts) -> Level | Unknown:
    if policy.method == "min_max":
        return _fixed(facts, []) or Unknown("reorder_min, reorder_max: expected with method min_max")
    demand, lead_time = facts.demand, facts.lead_time
    if demand is None or lead_time is None:
        missing = (
            "less than a week of demand or two pieces" if demand is None else "no receipt and no declared lead time"
        )
        return _fixed(facts, [f"{missing}: the fixed levels hold"]) or Unknown(f"{missing}, and no fixed levels")
    lot, about_lot = _lot(policy, facts, demand)
    spread, below = _spread(policy, facts, demand, lead_time)
    quantity = float(_packed(lot, facts))
    point = safety.point(spread, float(policy.service), policy.target, quantity)
    if policy.safety_stock is not None:
        point = spread.mean + float(policy.safety_stock)
    fixed = policy.reorder_point
    reorder_point = _up(point, whole=facts.whole) if fixed is None else plain(fixed)
    reasons = [
        (
            f"{demand.mean:.4g} a day (sd {demand.sd:.4g}) in {demand.pieces} pieces of {demand.size:.4g} "
            f"over {demand.days:.0f} days"
        ),
        (
            f"lead time {lead_time.mean:.3g} days (sd {lead_time.sd:.3g}), {lead_time.source}, "
            f"{lead_time.samples} receipts"
        ),
        (
            f"asked for until the goods come: {spread.mean:.4g} (sd {spread.sd:.4g}, {spread.law}), of which "
            f"{below:.3g} below the point when the order goes out"
        ),
        _why_point(policy, reorder_point),
        about_lot,
    ]
    return Level(
        rule=_rule(policy, facts, (reorder_point, lot), demand.mean),
        method=policy.method,
        lot=lot,
        review_days=policy.review_days or 0,
        safety_stock=plain(reorder_point - _up(demand.mean * lead_time.mean, whole=False)),
        demand=demand,
        lead_time=lead_time,
        spread=spread,
        undershoot=below,
        cycle_service=safety.cycle_service(spread, float(reorder_point)),
        fill_rate=safety.fill_rate(spread, float(reorder_point), quantity),
        reasons=reasons,
    )


def _fixed(facts: Facts, reasons: list[str]) -> Level | None:
    least, most = facts.minimum, facts.maximum
    if least is None or most is None or most <= least:
        return None
    rule = Rule(facts.sku, least, most, facts.pack, facts.minimum_order)
    words = f"fixed: at or below {quantity_text(least)} up to {quantity_text(most)}"
    return Level(rule=rule, method="min_max", lot=plain(most - least), reasons=[*reasons, words])


def _rule(policy: ReorderPolicy, facts: Facts, levels: tuple[Decimal, Decimal], mean: float) -> Rule:
    point, lot = levels
    most = None if policy.most_days is None else point + _up(mean * policy.most_days, whole=facts.whole)
    how = {"reorder_point": "one", "R_Q": "multiples"}.get(policy.method)
    fixed_lot = None if how is None else lot
    rule = Rule(facts.sku, point, plain(point + lot), facts.pack, facts.minimum_order)
    return Rule(
        rule.sku, rule.minimum, rule.maximum, rule.pack, rule.minimum_order, fixed_lot, how == "multiples", most
    )


def _lot(policy: ReorderPolicy, facts: Facts, demand: Demand) -> tuple[Decimal, str]:
    """What one order is, and why."""
    if policy.quantity is not None:
        return plain(policy.quantity), f"orders of {quantity_text(policy.quantity)}, fixed"
    if policy.order_cost is None or not facts.unit_cost:
        lot = _up(max(demand.mean * policy.cover_days, NOISE), whole=facts.whole)
        missing = "order cost" if policy.order_cost is None else "price"
        return lot, f"orders of {quantity_text(lot)}: {policy.cover_days} days of demand, as no {missing} is known"
    holding = float(policy.holding_rate * facts.unit_cost)
    best = eoq(float(policy.order_cost), demand.mean * YEAR_DAYS, holding)
    lot = _up(best, whole=facts.whole)
    return (
        lot,
        f"orders of {quantity_text(lot)}: an order costs {policy.order_cost}, a unit {holding:.4g} a year to hold",
    )


def _spread(policy: ReorderPolicy, facts: Facts, demand: Demand, lead_time: LeadTime) -> tuple[Spread, float]:
    """What is asked for from the decision until the goods come, and the mean undershoot within it."""
    review = policy.review_days or 0
    if policy.formula == "textbook":
        days = lead_time.mean + review
        sd = safety.sd_of_lead_time_demand(demand.mean, demand.sd, days, lead_time.sd)
        return Spread(demand.mean * days, sd, "normal"), 0.0
    under = undershoot(demand, review, whole=facts.whole)
    sd = safety.sd_of_lead_time_demand(demand.mean, demand.sd, lead_time.mean, lead_time.sd)
    unsure = lead_time.mean**2 * demand.sd**2 / demand.days
    if lead_time.source == "measured":
        unsure += demand.mean**2 * lead_time.sd**2 / lead_time.samples
    total = sqrt(sd * sd + under.variance + unsure)
    return Spread(demand.mean * lead_time.mean + under.mean, total, "gamma"), under.mean


def undershoot(demand: Demand, review_days: int, *, whole: bool) -> Moments:
    """How far below the point the position is when an order goes out: the excess of a renewal process.

    E[X^2] / 2E[X], and E[X^3] / 3E[X] for its square, of what is asked for between two decisions: a piece, or the
    demand of a review period, whose third moment is taken as that of a gamma law. In whole units it is a half less.
    """
    if review_days:
        mean = demand.mean * review_days
        square = review_days * (demand.sd / mean) ** 2
        first = mean * (1 + square) / 2
        second = mean**2 * (1 + square) * (1 + 2 * square) / 3
    else:
        first, second = demand.size2 / (2 * demand.size), demand.size3 / (3 * demand.size)
    variance = second - first**2
    return Moments(first - 0.5, max(0.0, variance - 1 / 12)) if whole else Moments(first, max(0.0, variance))


def _packed(lot: Decimal, facts: Facts) -> Decimal:
    packs = (max(lot, facts.minimum_order) / facts.pack).to_integral_value(ROUND_CEILING)
    return packs * facts.pack


def _why_point(policy: ReorderPolicy, point: Decimal) -> str:
    if policy.reorder_point is not None:
        return f"reorder point {quantity_text(point)}, fixed"
    if policy.safety_stock is not None:
        return (
            f"reorder point {quantity_text(point)}: with a fixed safety stock of {quantity_text(policy.safety_stock)}"
        )
    what = "cycles without a stock-out" if policy.target == "cycle" else "units served at once"
    return f"reorder point {quantity_text(point)}: {policy.service:%} of {what} ({policy.formula})"


def _up(amount: float, *, whole: bool) -> Decimal:
    """A quantity that is not less: whole, or in thousandths."""
    step = Decimal(1) if whole else FINEST
    return plain(Decimal(amount - NOISE).quantize(step, ROUND_CEILING))
