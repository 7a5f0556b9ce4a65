"""What people did to a machine: a service of a plan, or a repair of a component that had failed."""

from decimal import Decimal
from typing import Literal

from msgspec import Struct

from models.declared import Plan
from models.errors import Refused
from models.reading import from_micros
from models.register import Register
from models.units import quantity_text

AHEAD_US = 300_000_000
"""How far ahead a clock of somebody else may be."""
Kind = Literal["service", "repair"]


class Done(Struct, frozen=True, kw_only=True):
    """One service or repair, under the id of whoever tells it; times in microseconds UTC."""

    id: str
    asset: str
    kind: Kind
    plan: str | None = None
    """Of a service."""
    component: str | None = None
    """Of a repair."""
    at: int
    """When it was done; a repair makes the component as new."""
    failed_at: int | None = None
    """Of a repair: when it broke, if somebody knows."""
    hours: Decimal | None = None
    """What somebody read off the machine; nothing is computed from it."""
    note: str | None = None
    result: str | None = None
    """Of an inspection or calibration: what it found, in one word of the company's own."""
    certificate: str | None = None
    """Its number, or where it is."""
    as_found: dict[str, str] = {}
    """Of a calibration: what was measured before, by what it is of; text with the unit."""
    as_left: dict[str, str] = {}


def check(done: Done, register: Register, now: int) -> None:
    """Raises Refused naming the field. A service may be older than its plan: that is how a plan begins with the last.

    What the asset and the plan were then counts; if there was no such entry then, what they are now.
    """
    if _held(register, "assets", done.asset, done.at, now) is None:
        msg = f"asset: one of the assets of the register expected, got {done.asset!r}"
        raise Refused(msg)
    if done.at > now + AHEAD_US:
        msg = f"at: a time that has come expected, got {from_micros(done.at).isoformat()}"
        raise Refused(msg)
    if done.hours is not None and done.hours < 0:
        msg = f"hours: 0 or more expected, got {quantity_text(done.hours)}"
        raise Refused(msg)
    (_check_service if done.kind == "service" else _check_repair)(done, register, now)


def _check_service(done: Done, register: Register, now: int) -> None:
    for field, value in (("component", done.component), ("failed_at", done.failed_at)):
        if value is not None:
            msg = f"{field}: null expected for a service, got {value!r}"
            raise Refused(msg)
    plan = None if done.plan is None else _held(register, "plans", done.plan, done.at, now)
    if not isinstance(plan, Plan):
        msg = f"plan: one of the plans of the register expected for a service, got {done.plan!r}"
        raise Refused(msg)
    if plan.asset != done.asset:
        msg = f"plan: a plan of {done.asset!r} expected, {done.plan!r} is one of {plan.asset!r}"
        raise Refused(msg)


def _check_repair(done: Done, _register: Register, _now: int) -> None:
    for field in ("result", "certificate", "as_found", "as_left"):
        if getattr(done, field):
            msg = f"{field}: expected of a service only, got {getattr(done, field)!r}"
            raise Refused(msg)
    if done.component is None:
        msg = "component: what was repaired expected, got null"
        raise Refused(msg)
    if done.plan is not None:
        msg = f"plan: null expected for a repair, got {done.plan!r}"
        raise Refused(msg)
    if done.failed_at is not None and done.failed_at > done.at:
        msg = f"failed_at: a time before at expected, got {from_micros(done.failed_at).isoformat()}"
        raise Refused(msg)


def _held(register: Register, kind: str, ident: str, at: int, now: int) -> Struct | None:
    return register.get(kind, ident, at) or register.get(kind, ident, now)
