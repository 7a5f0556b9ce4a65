"""How a simulated year went: every service that was truly due against the alerts and the ranges of the book."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from sqlalchemy import Engine, select

from backend.book import schema
from backend.book.db import read
from models.reading import from_micros
from tests.backend.maintenance.machines import DAY, IRREGULAR, ORDINARY, STEADY
from tests.backend.maintenance.simulated_year import AHEAD, Service, Year


@dataclass(frozen=True)
class Score:
    """How the year went."""

    services: int
    told_once: int
    wrongly: list[str]
    stated: int
    inside: int
    widths: list[float]
    """Of the ranges of plans by use, as shares of the horizon; those without an end are infinite."""
    inside_by_use: int
    all_widths: list[float]

    @property
    def coverage(self) -> float:
        return self.inside / self.stated if self.stated else 1.0


def score(year: Year, grace: int = 10 * DAY) -> Score:
    """Every service that was truly due ten days before the end, of which eight are of rest, against the book."""
    end = year.clock.now
    rows = alerts_of(year.book, "warning", "critical")
    wrongly: list[str] = []
    told_once = counted = 0
    stated: list[Service] = []
    for each in year.services:
        subject = f"{each.machine.name}/{each.plan}/{each.number}"
        if each.due_at is None or each.due_at > end - grace:
            if each.told_at is not None and (each.due_at is None or each.due_at > end):
                wrongly.append(f"{subject}: told, and never due")
            continue
        counted += 1
        told = rows.get(subject, [])
        if len(told) == 1 and each.told_at is not None:
            told_once += 1
        else:
            wrongly.append(f"{subject}: due {from_micros(each.due_at)}, alerts {told}, told {each.told_at}")
        if each.stated is not None:
            stated.append(each)
    by_use = [each for each in stated if each.is_by_use]
    return Score(
        services=counted,
        told_once=told_once,
        wrongly=wrongly,
        stated=len(stated),
        inside=sum(map(is_inside, stated)),
        widths=sorted(map(width, by_use)),
        inside_by_use=sum(map(is_inside, by_use)),
        all_widths=sorted(map(width, stated)),
    )


def is_inside(each: Service) -> bool:
    assert each.stated is not None
    assert each.due_at is not None
    soonest, latest = each.stated
    return (soonest is None or soonest <= each.due_at) and (latest is None or each.due_at <= latest)


def width(each: Service) -> float:
    assert each.stated is not None
    soonest, latest = each.stated
    if soonest is None or latest is None:
        return float("inf")
    return (latest - soonest) / AHEAD


def alerts_of(book: Engine, *severities: str) -> dict[str, list[str]]:
    """The states of the alerts of each subject, in order; of those alone that came to be so grave."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    table = schema.alert.c
    query = select(table.subject, table.state).order_by(table.n)
    with read(book) as tx:
        for row in tx.execute(query.where(table.severity.in_(severities)) if severities else query):
            found[row.subject].append(row.state)
    return dict(found)


def uses_of(book: Engine) -> list[str]:
    """The stretches of use, whichever number they have."""
    with read(book) as tx:
        rows = tx.execute(select(schema.run.c.id, schema.run.c.least, schema.run.c.most)).all()
    return sorted(f"{row.id} {row.least} {row.most}" for row in rows)


def open_of(book: Engine) -> list[tuple[str, str]]:
    """(subject, severity) of the alerts that stand."""
    with read(book) as tx:
        table = schema.alert.c
        rows = tx.execute(select(table.subject, table.severity).where(table.state != "closed")).all()
    return sorted((row.subject, row.severity) for row in rows)


def delays(year: Year) -> list[float]:
    """How many days after a service was truly due it was told, in order: a look is once a day, and some use is lost."""
    told = [each for each in year.services if each.told_at is not None and each.due_at is not None]
    return sorted((each.told_at - each.due_at) / DAY for each in told if each.told_at and each.due_at)


def by_habit(year: Year) -> Iterator[str]:
    """Of plans by use: how often the range held and how wide it was, by how evenly machines are used."""
    end = year.clock.now - 10 * DAY
    for habit in (STEADY, ORDINARY, IRREGULAR):
        stated = [
            each
            for each in year.services
            if each.is_by_use and each.stated and each.due_at and each.due_at <= end and each.machine.habit is habit
        ]
        if stated:
            share, wide = sum(map(is_inside, stated)) / len(stated), median(map(width, stated))
            yield f"{habit.name}: {len(stated)} stated, {share:.3f} inside, median width {wide:.3f} of the horizon"
