"""Preventive maintenance: one alert per plan and occurrence, from soon until the service is done.

A look at everything looks only at those of which time alone may have made something else: what is used is told.
"""

import gc
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from weakref import WeakKeyDictionary

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Engine, select

from backend import dues, plan_meters
from backend.book import schema, work_orders
from backend.plan.rule import SECOND_US, Rule, View
from models.alert import Alert
from models.declared import Plan
from models.maintenance import notice
from models.maintenance.due import Due, State, judge
from models.maintenance.next_look import next_look
from models.register import Register

EVERY_US = 60 * SECOND_US
"""Calendars and unobserved hours go on though nothing is heard."""
ORDERED = frozenset({"due_soon", "due", "overdue"})
"""States in which a work order is made, where the plan says so: not for mere want of observation."""
NEAR: frozenset[State] = frozenset({"due_soon", "may_be_due"})
KEPT: frozenset[State] = frozenset({*notice.SEVERITY, "resting"})
TOGETHER = 500
"""So many assets are read and judged at once."""
Plans = Mapping[str, Sequence[tuple[str, Plan]]]


class Looks:
    """When each asset is to be looked at next though nothing changed. A new process looks at all of them."""

    def __init__(self) -> None:
        self._at: dict[str, int] = {}
        self._plans: Plans = {}

    def ready(self, plans: Plans, now: int) -> set[str]:
        """Those whose time has come, that were never looked at, or that other plans hold for than before."""
        if plans is not self._plans:
            for asset in plans:
                if plans[asset] != self._plans.get(asset):
                    self._at.pop(asset, None)
            self._plans = plans
        return {asset for asset in plans if self._at.get(asset, now) <= now}

    def looked(self, register: Register, assets: Sequence[str], judged: Sequence[Due], now: int) -> None:
        """Note when each is worth it again: when the register says otherwise of it, at the latest."""
        self._at |= {asset: _changes(register, asset, now) for asset in assets}
        for each in judged:
            asset = each.facts.asset
            self._at[asset] = min(self._at[asset], next_look(each, now))


_looks: "WeakKeyDictionary[Engine, Looks]" = WeakKeyDictionary()


def load_plans(view: View, assets: Sequence[str]) -> list[tuple[str, Due | None]]:
    """How the plans of these assets stand; nothing of alerts that are open about anything else of them.

    That is an occurrence which was done, or is counted otherwise since a service was withdrawn or told late; and a plan
    or an asset that is gone, or in a state in which no plan is judged. What rests stays as it was told.
    """
    wanted = {*assets}
    told = {subject: asset for subject, asset in _told(view) if asset in wanted}
    looks = _looks.setdefault(view.tx.engine, Looks())
    known: dict[str, Due | None] = {}
    with _uncollected(len(assets) > TOGETHER):
        for k in range(0, len(assets), TOGETHER):
            page = assets[k : k + TOGETHER]
            judged = _judged(view, page, told)
            looks.looked(view.register, page, judged, view.now)
            known |= {notice.subject(due.facts): due if due.state in KEPT else None for due in judged}
    over = [(subject, None) for subject in told if subject not in known]
    return [*over, *((subject, due) for subject, due in known.items() if due is None or due.state != "resting")]


def every_asset(view: View) -> list[str]:
    """Assets with plans that time may have changed, and those without that an alert is open about."""
    plans = dues.plans_of(view.register, view.now)
    ready = _looks.setdefault(view.tx.engine, Looks()).ready(plans, view.now)
    return sorted({*ready, *(asset for _, asset in _told(view) if asset not in plans)})


def service_due(known: Due | None, _now: int) -> Alert | None:
    """What the plan calls for now, or None."""
    return None if known is None else notice.alert(known)


def order_service(view: View, known: Due | None) -> None:
    """Where its plan says so, a service that is surely near has a work order, which lists all that it stands for."""
    if known is None or not known.facts.plan.auto_order or known.state not in ORDERED:
        return
    facts = known.facts
    of = (facts.asset, facts.plan_id, facts.occurrence, known.numbers)
    work_orders.open_for_plan(view.tx, view.register, *of, view.now)


@contextmanager
def _uncollected(wanted: bool) -> Generator[None]:  # noqa: FBT001 - whether it is worth it
    """Without the collector of cycles: none are made here, and it would go through a large register again and again."""
    was = gc.isenabled()
    if wanted:
        gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _judged(view: View, assets: Sequence[str], told: Mapping[str, str]) -> list[Due]:
    """Forecasts are read only of plans that are near or told by them; and which service it is, of what is told."""
    facts = dues.facts(view.tx, view.register, assets, view.now, "state")
    judged = {(each.asset, each.plan_id): judge(each, view.now) for each in facts}
    near = [due.facts for due in judged.values() if _is_near(due)]
    for each in plan_meters.read(view.tx, view.register, near, view.now, "forecast"):
        known = replace(each, called=notice.subject(each) in told)
        judged[each.asset, each.plan_id] = judge(known, view.now)
    return _with_orders(view, judged)


def _is_near(due: Due) -> bool:
    plan = due.facts.plan
    return due.state in NEAR or plan.call_days is not None or (due.state in notice.SEVERITY and bool(plan.packages))


def _with_orders(view: View, judged: dict[tuple[str, str], Due]) -> list[Due]:
    telling = sorted({asset for (asset, _), due in judged.items() if due.state in notice.SEVERITY})
    orders = work_orders.open_by_plan(view.tx, telling) if telling else {}
    for key in orders.keys() & judged.keys():
        due = judged[key]
        judged[key] = replace(due, facts=replace(due.facts, work_order=orders[key]))
    return [*judged.values()]


def _changes(register: Register, asset: str, now: int) -> int:
    later = (at for at in register.changes("assets", asset) if at > now)
    return min(later, default=2**62)


def _told(view: View) -> list[tuple[str, str]]:
    """(subject, asset) of the alerts that are not closed."""
    table = schema.alert.c
    rows = select(table.subject, table.detail).where(table.rule == notice.RULE, table.state != "closed")
    return [(row.subject, _asset(row.detail)) for row in view.tx.execute(rows.order_by(table.n))]


class _Detail(Struct):
    asset: str = ""


def _asset(detail: str) -> str:
    """Which asset an alert is about; "", of which nothing is known, so that it closes, if its detail does not say."""
    try:
        return msgspec.json.decode(detail, type=_Detail).asset
    except msgspec.MsgspecError:
        return ""


SERVICE_DUE: Rule[Due | None] = Rule(
    notice.RULE, "asset", load_plans, service_due, every_asset, EVERY_US, steady=notice.steady, settle=order_service
)
