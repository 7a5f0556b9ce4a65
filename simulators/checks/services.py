"""Each plan that is due by the truth has its one alert; none is raised for what was done or is far from due.

How far a plan is follows from the truth alone: engine hours and days since its last service. Hours that no tracker
could tell of may count or not; where that decides, either answer is right.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from models.reading import from_micros, micros
from simulators.answers import System
from simulators.answers_fleet import Alert, Kept, ServiceDone
from simulators.checks.found import Found
from simulators.checks.machine import DAY_US, Machine, Span, covered
from simulators.truth import Plan, Repair, Service, Truth

RULE = "service_due"
HOUR_US, SECOND_US = 3_600_000_000, 1_000_000
SOON = 0.9
"""A plan is announced when this share of its interval is over."""
OVERDUE = 1.1
"""A service is late when more than this share was over."""
LATE_US = 600 * SECOND_US
"""The system may look at a plan's days that much later."""
COUNTED_US = 2 * SECOND_US
"""Hour counters count whole seconds."""
LEVELS = {"ok": "far", "unknown": "far", "due_soon": "soon", "may_be_due": "maybe", "due": "due", "overdue": "due"}
"""What the contract's states of a plan say."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A plan as it truly stands: shares of its interval that are over since the last service, surely and possibly."""

    plan: Plan
    done: Sequence[Service]
    least: float
    most: float

    @property
    def occurrence(self) -> int:
        """The number of its next service."""
        return len(self.done) + 1

    @property
    def levels(self) -> set[str]:
        """What may be said of it."""
        said = {_level(self.least), _level(self.most)}
        if self.least < SOON and self.most >= 1:
            said.add("soon")
        return said | ({"maybe"} if self.least < 1 <= self.most else set())

    @property
    def is_due(self) -> bool:
        """Whether it surely is."""
        return self.least >= 1

    @property
    def is_told(self) -> bool:
        """Whether there must be an alert: what only may be due need not be told at once."""
        return not self.levels & {"far", "maybe"}

    def __str__(self) -> str:
        shares = f"{self.least:.1%}" if self.most - self.least < SOON / 1000 else f"{self.least:.1%} to {self.most:.1%}"
        return f"{self.plan.id}: {len(self.done)} done, {shares} of the next interval over"


def standings(truth: Truth, machines: Sequence[Machine], now: int) -> list[Standing]:
    """How every plan stands whose interval's beginning the truth knows."""
    known = {one.asset: one for one in machines}
    found: list[Standing] = []
    for _, plan in sorted(truth.plans.items()):
        done = sorted((one for one in truth.services if one.plan == plan.id), key=lambda one: one.at)
        begun = done[-1].at if done else plan.starts_at
        if begun is not None:
            shares = list(_shares(plan, known.get(plan.asset), (micros(begun), now)))
            found.append(Standing(plan, done, max(least for least, _ in shares), max(most for _, most in shares)))
    return found


def check(system: System, truth: Truth, machines: Sequence[Machine], now: int) -> Found:
    """Compare services, how plans stand, and every alert that was ever raised about one."""
    found = Found("services done, due and told once")
    alerts = system.alerts(RULE)
    stand = standings(truth, machines, now)
    _check_done(found, [*truth.services, *truth.repairs], system.services())
    said = {one.plan: one for one in system.due()}
    machine = {one.asset: one for one in machines}
    for one in stand:
        mine = [alert for alert in alerts if alert.detail.get("plan") == one.plan.id]
        answer = said.get(one.plan.id)
        if answer is None:
            found.differences.append(f"{one}: not among the plans that the system judges")
        elif answer.occurrence != one.occurrence or LEVELS.get(answer.state) not in one.levels:
            found.differences.append(f"{one}: shown as {answer.state}, service number {answer.occurrence}")
        kept = system.kept(one.plan.asset, one.plan.id) if one.done else []
        found.differences += _kept(one, {each.id: each for each in kept}, machine.get(one.plan.asset))
        found.differences += _present(one, mine)
        found.differences += _others(one, mine)
        found.listed.append(f"{one}; {', '.join(f'{alert.title} ({alert.state})' for alert in mine) or 'no alert'}")
    unjudged = truth.plans.keys() - {one.plan.id for one in stand}
    found.listed += [f"{ident}: never done, and the truth has no beginning of it" for ident in sorted(unjudged)]
    found.figures = {
        "plans": len(truth.plans),
        "due": sum(one.is_due for one in stand),
        "either way": sum(len(one.levels) > 1 for one in stand),
        "services done": len(truth.services),
        "repairs": len(truth.repairs),
        "alerts": len(alerts),
    }
    return found


def untold(system: System, truth: Truth, machines: Sequence[Machine], now: int) -> list[str]:
    """Plans that are due and of which nothing is told yet."""
    told = {(alert.detail.get("plan"), alert.detail.get("occurrence")) for alert in system.alerts(RULE)}
    due = [one for one in standings(truth, machines, now) if one.is_due]
    return [f"{one}, and no alert" for one in due if (one.plan.id, one.occurrence) not in told]


def _shares(plan: Plan, machine: Machine | None, span: Span) -> Iterator[tuple[float, float]]:
    """The shares of the interval that are over, surely and possibly, by hours and by days."""
    if plan.every_hours is not None:
        least, most = _ran(machine, span) if machine is not None else (0, 0)
        yield least / (plan.every_hours * HOUR_US), most / (plan.every_hours * HOUR_US)
    if plan.every_days is not None:
        passed = span[1] - span[0]
        yield (passed - LATE_US) / (plan.every_days * DAY_US), (passed + LATE_US) / (plan.every_days * DAY_US)


def _ran(machine: Machine, span: Span) -> Span:
    """How long the engine surely ran and possibly did; of what came after the last record nobody knows."""
    last = machine.heard[-1] if machine.heard else span[0]
    unseen = [*machine.unseen(span), (last, span[1])]
    hidden = sum(covered(unseen, (max(begin, span[0]), min(end, span[1]))) for begin, end in machine.runs)
    seen = machine.ran_us(span) - hidden
    return max(0, seen - COUNTED_US), seen + covered(unseen, span) + COUNTED_US


def _level(share: float) -> str:
    return "due" if share >= 1 else "soon" if share >= SOON else "far"


def _check_done(found: Found, works: Iterable[Service | Repair], shown: Sequence[ServiceDone]) -> None:
    """Everything that was done is shown as it was, and what else is shown is listed."""
    there = {one.id: one for one in shown if one.withdrawn_at is None}
    for work in works:
        one = there.pop(work.id, None)
        what = work.plan if isinstance(work, Service) else f"repair of {work.component}"
        if one is None:
            found.differences.append(f"{work.id}: {what} on {work.at:%m-%d %H:%M}, not among the services done")
        elif (one.asset, one.plan or f"repair of {one.component}", one.at) != (work.asset, what, work.at):
            shown_as = f"{one.asset} {one.plan or one.component} {one.at:%m-%d %H:%M:%S}"
            found.differences.append(f"{work.id}: {work.asset} {what} {work.at:%m-%d %H:%M:%S}, shown as {shown_as}")
    found.listed += [f"{one.id}: {one.asset} {one.plan or one.component}: not by this world" for one in there.values()]


def _kept(one: Standing, kept: Mapping[str, Kept], machine: Machine | None) -> Iterator[str]:
    """What is wrong with how the services that were done are shown as occurrences of their plan."""
    since: int | None = None
    for number, service in enumerate(one.done, 1):
        shown, at = kept.get(service.id), micros(service.at)
        if shown is None or (shown.occurrence, micros(shown.at)) != (number, at):
            as_what = (
                "not shown" if shown is None else f"shown as number {shown.occurrence} at {shown.at:%m-%d %H:%M:%S}"
            )
            yield f"{one}: {service.id}, number {number} at {service.at:%m-%d %H:%M:%S}, {as_what}"
        elif since is not None and shown.on_time is not None:
            shares = list(_shares(one.plan, machine, (since, at)))
            if (max(least for least, _ in shares) > OVERDUE) if shown.on_time else max(m for _, m in shares) < OVERDUE:
                yield f"{one}: {service.id} is shown as {'in time' if shown.on_time else 'late'}"
        since = at


def _present(one: Standing, alerts: Sequence[Alert]) -> Iterator[str]:
    """What is wrong with the alerts of the service that is next."""
    mine = [alert for alert in alerts if alert.detail.get("occurrence") == one.occurrence]
    levels = one.levels
    if len(mine) > 1:
        yield f"{one}: raised {len(mine)} times"
    if not mine and one.is_told:
        yield f"{one}: no alert"
    for alert in mine:
        if LEVELS.get(str(alert.detail.get("state"))) not in levels:
            yield f"{one}: told {alert.title!r}"
        elif alert.state == "closed" and one.is_told:
            yield f"{one}: the alert {alert.title!r} is closed"


def _others(one: Standing, alerts: Sequence[Alert]) -> Iterator[str]:
    """Alerts about a service that was done already, or about one after the next."""
    times = Counter(alert.detail.get("occurrence") for alert in alerts)
    done = {number: service.at for number, service in enumerate(one.done, 1)}
    for alert in alerts:
        number = alert.detail.get("occurrence")
        if number == one.occurrence:
            continue
        at = done.get(number) if isinstance(number, int) else None
        if at is None:
            yield f"{one}: an alert about service number {number}"
        elif alert.raised_at > at or times[number] > 1 or alert.state != "closed":
            told = f"raised {from_micros(micros(alert.raised_at)):%m-%d %H:%M:%S}, {alert.state}"
            yield f"{one}: an alert about service number {number}, done {at:%m-%d %H:%M}: {told}"
