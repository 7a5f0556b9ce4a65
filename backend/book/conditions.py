"""Conditions of plans in the book: what the watch saw of signals, and what inspections found."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from msgspec.structs import replace
from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects.postgresql import insert as insert_or_ignore

from backend.book.schema import service_done
from backend.book.schema_plans import plan_condition, service_result
from models.maintenance.condition import of_inspection
from models.maintenance.facts import Facts, Found

Key = tuple[str, str, int]
"""(asset, plan, number)."""
_SEEN = select(plan_condition).where(plan_condition.c.asset.in_(bindparam("assets", expanding=True)))
_RESULTS = (
    select(service_done.c.asset, service_done.c.plan, service_done.c.at, service_result.c.result)
    .join_from(service_done, service_result, service_result.c.service == service_done.c.id)
    .where(
        service_done.c.asset.in_(bindparam("assets", expanding=True)),
        service_done.c.withdrawn_at.is_(None),
        service_result.c.result.is_not(None),
        service_done.c.at <= bindparam("until"),
    )
    .order_by(service_done.c.at, service_done.c.id)
)


def read(tx: Connection, known: Sequence[Facts], now: int) -> list[Facts]:
    """The facts with what is known of the conditions that their plans have, since the last service of each."""
    assets = sorted({each.asset for each in known if each.plan.conditions})
    if not assets:
        return [*known]
    seen = _seen(tx, assets)
    results = _results(tx, assets, now)
    return [_with(each, seen, results) for each in known]


def save(tx: Connection, key: Key, since: int, found: Found) -> bool:
    """What was seen of a signal since then; whether that is news."""
    asset, plan, number = key
    values = {"since": since, "holds": found.holds, "at": found.at, "what": found.what}
    of = (plan_condition.c.asset == asset, plan_condition.c.plan == plan, plan_condition.c.number == number)
    before = tx.execute(select(plan_condition.c.since, plan_condition.c.holds).where(*of)).one_or_none()
    if before is not None:
        tx.execute(plan_condition.update().where(*of).values(values))
        return (before.since, before.holds) != (since, found.holds)
    row = {"asset": asset, "plan": plan, "number": number, **values}
    tx.execute(insert_or_ignore(plan_condition).values(row).on_conflict_do_nothing())
    return True


def _with(
    facts: Facts, seen: dict[Key, tuple[int, Found]], results: dict[tuple[str, str], list[tuple[int, str]]]
) -> Facts:
    if not facts.plan.conditions:
        return facts
    found: list[Found | None] = []
    for number, each in enumerate(facts.plan.conditions):
        if each.inspection is not None:
            since = [of for of in results.get((facts.asset, each.inspection), ()) if of[0] > facts.began_at]
            found.append(of_inspection(each, since))
            continue
        held = seen.get((facts.asset, facts.plan_id, number))
        found.append(held[1] if held is not None and held[0] == facts.began_at else None)
    return replace(facts, found=tuple(found))


def _seen(tx: Connection, assets: Iterable[str]) -> dict[Key, tuple[int, Found]]:
    return {
        (row.asset, row.plan, row.number): (row.since, Found(row.holds, row.at, row.what))
        for row in tx.execute(_SEEN, {"assets": assets})
    }


def _results(tx: Connection, assets: Iterable[str], now: int) -> dict[tuple[str, str], list[tuple[int, str]]]:
    found: defaultdict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    for row in tx.execute(_RESULTS, {"assets": assets, "until": now}):
        found[row.asset, row.plan].append((row.at, row.result))
    return dict(found)
