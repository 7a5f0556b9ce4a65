"""The assets' side of the books: time and distance counted once, and what people recorded of plans that there are."""

from itertools import pairwise
from typing import Any

from sqlalchemy import select

from backend.book.register import load
from backend.book.schema import run, service_done, travel
from backend.verify.folds import Seen
from models.declared import Plan
from models.motion.meter import RUNTIME, WORK

MS = 1000
TIMED = {RUNTIME, *WORK}
APART = ({"visit"}, {"trip", "stop", "transported"}, {"distance", "transported"})
"""Sorts of travel that never overlap: one is said of each moment."""


def use_counted_once(seen: Seen) -> tuple[str, list[str]]:
    """Stretches of one meter of an asset never overlap, whichever tracker told them, and their bounds can be.

    Bounds that differ say why.
    """
    rows = seen.tx.execute(select(run).order_by(run.c.asset, run.c.meter, run.c.begin_at, run.c.end_at)).all()
    wrong = [
        f"{a.asset} {a.meter}: {a.id} and {b.id} overlap"
        for a, b in pairwise(rows)
        if (a.asset, a.meter) == (b.asset, b.meter) and b.begin_at < a.end_at
    ]
    for row in rows:
        longest = (row.end_at - row.begin_at) // MS if row.meter in TIMED else row.most
        is_plain = row.least == row.most or row.why is not None
        if not (0 <= row.least <= row.most <= longest and is_plain) or row.end_at < row.begin_at:
            wrong.append(f"{row.asset} {row.meter}: {row.id} counts {row.least} to {row.most}, {row.why or 'plainly'}")
    return f"{len(rows)} stretches of use", wrong


def distance_counted_once(seen: Seen) -> tuple[str, list[str]]:
    """Stretches of distance of an asset never overlap, nor do its stays in one zone.

    Nor do its trips, stops and transports, of whichever sort; and what was transported is no distance.
    """
    rows = seen.tx.execute(select(travel).order_by(travel.c.asset, travel.c.begin_at, travel.c.end_at)).all()
    wrong: list[str] = []
    for sorts in APART:
        last: dict[tuple[str, str | None], Any] = {}
        for row in (each for each in rows if each.what in sorts):
            before = last.get((row.asset, row.zone))
            if before is not None and row.begin_at < before.end_at:
                wrong.append(f"{row.asset} {row.what} {row.zone or ''}: {before.id} and {row.id} overlap")
            last[row.asset, row.zone] = row
    wrong += [
        f"{row.asset} {row.what}: {row.id} ends before it begins, or a stop is nowhere"
        for row in rows
        if row.end_at < row.begin_at or (row.what == "stop" and (row.lat is None or row.lon is None))
    ]
    return f"{len(rows)} stretches of travel", wrong


def services_of_plans(seen: Seen) -> tuple[str, list[str]]:
    """Every service is of a plan that the register has or had, and of that plan's asset."""
    register = load(seen.tx)
    owners: dict[str, set[str]] = {}
    for (kind, ident), dated in register.entries.items():
        if kind == "plans":
            owners[ident] = {entry.body.asset for entry in dated if isinstance(entry.body, Plan)}
    rows = seen.tx.execute(select(service_done)).all()
    wrong = [
        f"service {row.id}: plan {row.plan!r} of {row.asset!r}"
        for row in rows
        if row.plan is not None and row.asset not in owners.get(row.plan, ())
    ]
    return f"{len(rows)} services and repairs", wrong
