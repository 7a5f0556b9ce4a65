"""How services kept to their plans, from the book: what was done in a span, and what is overdue at its end."""

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection

from backend import dues
from models.maintenance.compliance import Outcome
from models.maintenance.due import judge, on_time
from models.reading import from_micros
from models.register import Register


def outcomes(
    tx: Connection, register: Register, assets: Iterable[str], span: tuple[int, int], now: int
) -> Iterator[Outcome]:
    """Services done from the first moment to before the second; and what is overdue, if that is to come."""
    since, until = span
    wanted = [*assets]
    for each in dues.history(tx, register, wanted, None, min(until - 1, now), since):
        yield Outcome(each.due.facts.asset, each.due.facts.plan_id, _month(each.at), on_time(each.due))
    if until > now:
        for facts in dues.facts(tx, register, wanted, now, "state"):
            if judge(facts, now).state == "overdue":
                yield Outcome(facts.asset, facts.plan_id, _month(now), None, done=False)


def _month(at: int) -> str:
    return f"{from_micros(at):%Y-%m}"
