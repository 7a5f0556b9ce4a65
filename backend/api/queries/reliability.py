"""How long components live, as it is answered: the fit with its confidence, and whether to replace in time."""

from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import Connection

from backend import lives
from backend.api import items_use as items
from backend.api.answers import Ask
from backend.api.items_fleet import Range
from models.errors import Refused
from models.maintenance.replacement import replacement
from models.maintenance.weibull import Fit, NotEnough, Weibull, fit
from models.register import Register

Cost = Annotated[float | None, Field(gt=0, le=1e12, allow_inf_nan=False)]


class ReliabilityAsk(Ask, frozen=True):
    """Of which component, by whose repairs, in what; and what a replacement costs, in time and after a failure."""

    component: str | None = Field(None, max_length=64, description="needed where more than one was ever repaired")
    by: Literal["asset", "model", "category"] = "asset"
    unit: Literal["hours", "days"] = "hours"
    planned_cost: Cost = None
    failure_cost: Cost = None
    material: float = Field(0.02, ge=0, lt=1, description="what must be saved to be worth planning")


def component_life(
    tx: Connection, register: Register, asset: str, ask: ReliabilityAsk, now: int
) -> items.ComponentLife:
    """The lives of a component, their distribution, and what follows. Raises Refused naming the parameter."""
    assets = lives.like(register, asset, ask.by, now)
    component = _component(lives.components(tx, assets), ask.component)
    known = lives.lives(tx, register, (assets, component), ask.unit, now)
    ended = [each.length for each in known.lives if each.ended]
    lasting = [each.length for each in known.lives if not each.ended]
    found, missing = None, None
    try:
        found = fit(ended, lasting)
    except NotEnough as error:
        missing = str(error)
    present = next((each.length for each in known.lives if each.asset == asset and not each.ended), None)
    return items.ComponentLife(
        asset=asset,
        by=ask.by,
        component=component,
        unit=ask.unit,
        failures=len(ended),
        going_on=len(lasting),
        assets=assets,
        left_out=[*known.left_out],
        lives=[f"{each.asset} {_text(each.length)} {'failed' if each.ended else 'goes on'}" for each in known.lives],
        fit=None if found is None else _fit(found),
        missing=missing,
        survives=None if found is None or present is None else _survives(found.weibull, present),
        replacement=None if found is None else _advice(found.weibull, ask),
    )


def _component(known: list[str], asked: str | None) -> str:
    if asked is not None:
        return asked
    if len(known) != 1:
        msg = f"component: one of {', '.join(known) or 'those that were repaired'} expected, got null"
        raise Refused(msg)
    return known[0]


def _fit(found: Fit) -> items.Fitted:
    life = found.weibull
    return items.Fitted(
        eta=_text(life.eta),
        beta=_text(life.beta),
        eta_range=Range(*map(_text, found.eta)),
        beta_range=Range(*map(_text, found.beta)),
        mean=_text(life.mean),
        b10=_text(life.quantile(0.1)),
    )


def _survives(life: Weibull, present: float) -> Range:
    return Range(_text(life.survival(2 * present)), _text(life.survival(present)))


def _advice(life: Weibull, ask: ReliabilityAsk) -> items.Advice | None:
    if ask.planned_cost is None or ask.failure_cost is None:
        return None
    found = replacement(life, ask.planned_cost, ask.failure_cost, ask.material)
    age, rate, saves = (None if each is None else _text(each) for each in (found.age, found.rate, found.saves))
    return items.Advice(found.advice, found.why, age, rate, _text(found.to_failure), saves)


def _text(value: float) -> str:
    """Seven digits that count: an estimate has no more."""
    return format(float(f"{value:.7g}"), "f").rstrip("0").rstrip(".") if abs(value) < 1e15 else f"{value:.7g}"  # noqa: PLR2004
