"""What cannot be believed of an asset's contacts and counters: a hoist that sticks on, a counter that jumps.

Of a counter nothing is counted over a jump but what is sure, until somebody says what happened (a meter note).
"""

import json
from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import select

from backend import usage
from backend.book import alerts
from backend.book.schema import run
from backend.plan.news import name_of
from backend.plan.rule import DAY_US, SECOND_US, Rule, View
from models.alert import Alert
from models.assets.duty import Contact, stuck
from models.motion.gain import REPLACED, RESET
from models.motion.meter import EACH
from models.motion.noted import BY
from models.reading import from_micros

STUCK, JUMP = "hoist_stuck", "meter_jump"
LOOK_US = 600 * SECOND_US
STEADY_US = 3600 * SECOND_US
"""The next value of a counter may say that a jump was none."""
KEPT_US = 31 * DAY_US
"""A jump that nobody explained is told for so long."""


class Hoist(Struct, frozen=True):
    """The hoist of an asset; None: it has none any more."""

    asset: str
    name: str
    contact: Contact | None


class Jump(Struct, frozen=True):
    """A counter of an asset: an odd value that waits to be confirmed, and its last jump that nobody explained."""

    asset: str
    name: str
    meter: str
    waits: tuple[int, int] | None = None
    jumped: tuple[int, str] | None = None


def load_hoists(view: View, assets: Sequence[str]) -> list[tuple[str, Hoist]]:
    """How the hoists of these assets stand; also of those that an alert is open about."""
    standing = {*alerts.open_subjects(view.tx, STUCK)}
    found: list[tuple[str, Hoist]] = []
    for asset in assets:
        states = usage.states(view.tx, view.register, asset)
        contacts = [each for _, state in states if (each := usage.hoist_contact(state)) is not None]
        subject = f"asset:{asset}/hoist"
        if contacts or subject in standing:
            newest = max(contacts, key=lambda each: each.last_at, default=None)
            found.append((subject, Hoist(asset, name_of(view, asset), newest)))
    return found


def hoist_stuck(facts: Hoist, _now: int) -> Alert | None:
    """On for more than a day, or while the ignition is off."""
    why = None if facts.contact is None else stuck(facts.contact)
    if facts.contact is None or why is None:
        return None
    detail = {"asset": facts.asset, "on_since": from_micros(facts.contact.since).isoformat(), "why": why}
    title = f"{facts.name}: its hoist is {why}"
    return Alert(STUCK, f"asset:{facts.asset}/hoist", "warning", title, json.dumps(detail))


def load_jumps(view: View, assets: Sequence[str]) -> list[tuple[str, Jump]]:
    """Every counter of these assets that waits or jumped, and those that an alert is open about."""
    found: dict[str, Jump] = {}
    wanted = {*assets}
    for subject in alerts.open_subjects(view.tx, JUMP):
        asset, _, name = subject.removeprefix("asset:").rpartition("/")
        if asset in wanted:
            found[subject] = Jump(asset, asset, name)
    for asset in assets:
        called = name_of(view, asset)
        jumps = _jumps(view, asset)
        waits = {
            name: (each.odd_at, each.odd)
            for _, state in usage.states(view.tx, view.register, asset)
            for name, each in state.counters.items()
            if each.odd_at is not None
        }
        for name in sorted({*jumps, *waits}):
            found[f"asset:{asset}/{name}"] = Jump(asset, called, name, waits.get(name), jumps.get(name))
    return [*found.items()]


def _jumps(view: View, asset: str) -> dict[str, tuple[int, str]]:
    """(when, what) of the last one that no note explains, by meter."""
    recent = (run.c.asset == asset, run.c.meter.in_(sorted(EACH)), run.c.end_at > view.now - KEPT_US)
    rows = select(run.c.meter, run.c.end_at, run.c.why).where(*recent, run.c.why.in_((RESET, REPLACED)))
    unexplained = rows.where(~run.c.evidence.contains(f'"{BY}', autoescape=True)).order_by(run.c.end_at)
    return {row.meter: (row.end_at, row.why) for row in view.tx.execute(unexplained)}


def meter_jump(facts: Jump, now: int) -> Alert | None:
    """What a counter says that it cannot, or does not go on from."""
    detail: dict[str, object] = {"asset": facts.asset, "meter": facts.meter}
    if facts.jumped is not None and now - facts.jumped[0] <= KEPT_US:
        at, what = facts.jumped
        detail |= {"at": from_micros(at).isoformat(), "what": what}
        title = f"{facts.name}: {facts.meter} was {what}, says its next value; nobody has said so"
    elif facts.waits is not None:
        at, value = facts.waits
        detail |= {"at": from_micros(at).isoformat(), "value": value / EACH[facts.meter]}
        title = f"{facts.name}: {facts.meter} says {value / EACH[facts.meter]:g}, which cannot be"
    else:
        return None
    return Alert(JUMP, f"asset:{facts.asset}/{facts.meter}", "info", title, json.dumps(detail))


def every_hoist(view: View) -> list[str]:
    """Assets whose tracker says something of a hoist."""
    told = (each.removeprefix("asset:").removesuffix("/hoist") for each in alerts.open_subjects(view.tx, STUCK))
    states = usage.states(view.tx, view.register)
    return sorted({*told, *(state.asset for _, state in states if usage.hoist_contact(state) is not None)})


def every_counter(view: View) -> list[str]:
    """Assets whose tracker tells a counter."""
    return sorted({state.asset for _, state in usage.states(view.tx, view.register) if state.counters})


HOIST_STUCK = Rule(STUCK, "asset", load_hoists, hoist_stuck, every_hoist, LOOK_US)
METER_JUMP = Rule(
    JUMP, "asset", load_jumps, meter_jump, every_counter, STEADY_US, steady=lambda _alert: STEADY_US, rest_us=STEADY_US
)
