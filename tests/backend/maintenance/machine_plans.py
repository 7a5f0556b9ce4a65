"""The six plans of a simulated machine, and when each of its services is truly due: counted here once more."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from models.declared_plans import Package, Plan, Recurrence
from models.reading import from_micros
from tests.backend.maintenance.machines import BEGIN, CLOSED, DAY, FIRST, HOUR, SECOND, Machine


def plans(machine: Machine) -> dict[str, Plan]:
    """The six plans of a machine."""
    begin = from_micros(BEGIN)
    back = random.Random(machine.name).randrange(80, 360 if machine.number % 2 else 85)
    every = Recurrence(1, "year") if machine.number % 2 else Recurrence(3, "month")
    packages = [Package("B", 2), Package("C", 4, replaces=True)]
    return {
        "oil": Plan(machine.name, "Oil", every_hours=Decimal(250), starts_at=begin, packages=packages),
        "filter": Plan(machine.name, "Filter", every_hours=Decimal(500), starts_at=begin),
        "tyres": Plan(machine.name, "Tyres", every_km=Decimal(_km(machine)), starts_at=begin),
        "check": Plan(
            machine.name,
            "Check",
            calendar=Recurrence(1, "month"),
            timing="fixed",
            starts_at=begin,
            when_inactive="shift",
        ),
        "grease": Plan(machine.name, "Grease", every_hours=Decimal(250), every_days=90, starts_at=begin),
        "safety": Plan(
            machine.name,
            "Safety",
            calendar=every,
            starts_at=begin - timedelta(back),
            kind="inspection",
            blocks_use=True,
        ),
    }


def _km(machine: Machine) -> int:
    return round(machine.kmh * 300 / 500) * 500 or 500


def truly_due(machine: Machine, plan: str, number: int, since: int) -> int | None:
    """When a service is due that was done last at `since`: by the machine's own hours, or by dates counted here."""
    if plan in {"oil", "grease"}:
        by_use = machine.reaches(since, 250 * HOUR)
        dates = [] if plan == "oil" else [_open(since + 90 * DAY)]
        return min([each for each in (by_use, *dates) if each is not None], default=None)
    if plan == "filter":
        return machine.reaches(since, 500 * HOUR)
    if plan == "tyres":
        return machine.reaches(since, _km(machine) / machine.kmh * HOUR)
    if plan == "check":
        months = number % 12, number // 12
        return _open(int(datetime(FIRST.year + months[1], months[0] + 1, 1, tzinfo=UTC).timestamp()) * SECOND)
    at = from_micros(since)
    month = at.month + (12 if machine.number % 2 else 3)
    year, month = at.year + (month - 1) // 12, (month - 1) % 12 + 1
    last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(1)).day
    moved = at.replace(year=year, month=month, day=min(at.day, last))
    return _open(int(moved.timestamp() * SECOND))


def _open(at: int) -> int:
    """What falls into days on which the company is closed comes right after them."""
    day = at // DAY
    while any(low <= f"{from_micros(day * DAY):%m-%d}" <= high for low, high in CLOSED):
        day += 1
    return at if day == at // DAY else day * DAY
