"""Everything about machines with trackers, in the order in which it is shown; nothing where the truth has none."""

from datetime import UTC, datetime

from models.reading import from_micros, micros
from simulators.answers import System
from simulators.checks import hours, records, risks, services, whereabouts
from simulators.checks.found import Found
from simulators.checks.machine import Machine, machines
from simulators.checks.streams import Heard
from simulators.truth import Truth


def check(system: System, truth: Truth, heard: Heard) -> list[Found]:
    """All checks of machines. Raises Unreachable."""
    if not truth.records:
        return []
    fleet, now = system.fleet(), _now()
    known = machines(truth, fleet, heard)
    return [
        records.check(system, known, truth, heard),
        hours.check(system, known),
        whereabouts.odometer(system, known, truth),
        whereabouts.places(fleet, known, truth),
        services.check(system, truth, known, now),
        risks.check(system.risk(), known, truth),
    ]


def behind(system: System, truth: Truth) -> list[str]:
    """What the system has not come to yet, in words. Raises Unreachable."""
    if not truth.records:
        return []
    fleet = system.fleet()
    known = machines(truth, fleet)
    last = {one.id: 0 if one.last_heard is None else micros(one.last_heard) for one in fleet}
    late = [
        f"{one.asset}: heard until {_text(last.get(one.asset, 0))}, told until {_text(one.heard[-1])}"
        for one in known
        if one.heard and last.get(one.asset, 0) < one.heard[-1]
    ]
    if not late:
        late = [
            f"{one.asset}: its track does not reach {_text(one.heard[-1])}"
            for one in known
            if not _tracked(system, one)
        ]
    return late or services.untold(system, truth, known, _now()) or risks.untold(system.risk(), known)


def _tracked(system: System, one: Machine) -> bool:
    return not one.heard or bool(system.track(one.asset, (one.heard[-1], one.heard[-1]), 1))


def _now() -> int:
    return micros(datetime.now(UTC))


def _text(at: int) -> str:
    return f"{from_micros(at):%Y-%m-%d %H:%M:%S}"
