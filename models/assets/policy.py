"""Whether a way to depreciate says all that it needs: checked when an asset is declared: posting never stops."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal

from models.declared_assets import Acquired, DepreciationPolicy, MeterName, Opening

CENT = Decimal("0.01")
HALF_YEARS_LEAST = 12


def policy_problems(policy: DepreciationPolicy, acquired: Acquired, meters: Sequence[MeterName]) -> Iterator[str]:
    """What is wrong, each naming the field of the policy and what was expected."""
    yield from _units(policy, meters) if policy.method == "units" else _time(policy)
    if policy.rate is not None and (policy.method != "declining" or policy.rate >= 1):
        yield f"rate: a share below 1 expected, and only with the method declining, got {policy.rate}"
    if policy.switch and policy.method != "double_declining":
        yield f"switch: only expected with the method double_declining, got {policy.method}"
    if policy.salvage > acquired.cost:
        yield f"salvage: at most the cost {acquired.cost} expected, got {policy.salvage}"
    for name, amount in (("salvage", policy.salvage), ("cost", acquired.cost)):
        if amount != amount.quantize(CENT):
            yield f"{name}: whole cents expected, got {amount}"
    if policy.opening is not None:
        yield from _opening(policy, policy.opening, acquired)


def _time(policy: DepreciationPolicy) -> Iterator[str]:
    least = HALF_YEARS_LEAST if policy.convention == "half_year" else 1
    if policy.life_months is None or policy.life_months < least:
        expected = "" if least == 1 else f"{least} or more "
        yield f"life_months: {expected}expected with the method {policy.method}, {policy.convention}"
    if policy.method == "declining" and policy.rate is None and not policy.salvage:
        yield "salvage: more than 0 expected with the method declining without a rate, or all goes in the first year"


def _units(policy: DepreciationPolicy, meters: Sequence[MeterName]) -> Iterator[str]:
    if policy.meter is None or policy.total_units is None:
        yield "meter, total_units: both expected with the method units"
    elif policy.meter not in meters:
        yield f"meter: one of the category's meters expected ({', '.join(meters) or 'none'}), got {policy.meter}"


def _opening(policy: DepreciationPolicy, opening: Opening, acquired: Acquired) -> Iterator[str]:
    begun = acquired.in_service_on or acquired.at
    if opening.date < begun:
        yield f"opening.date: {begun} or later expected, got {opening.date}"
    if policy.convention != "daily" and (opening.date + timedelta(days=1)).day != 1:
        yield f"opening.date: the last day of a month expected with {policy.convention}, got {opening.date}"
    if opening.accumulated > acquired.cost - policy.salvage:
        yield f"opening.accumulated: at most cost less salvage expected, got {opening.accumulated}"
    if opening.accumulated != opening.accumulated.quantize(CENT):
        yield f"opening.accumulated: whole cents expected, got {opening.accumulated}"
