"""Worked examples of others: when maintenance is due, forecasts, tolerance; what counters that jump have counted.

STOCKYARD_TEST_DATA names a folder with domain/domain_vectors.json: `pm` and `meter`, each a list of examples.
"""

import json
import os
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from math import ceil, floor
from pathlib import Path
from typing import Any

import pytest

from models.declared import Plan
from models.declared_plans import Recurrence
from models.maintenance.due import DAY_US, Due, Facts, Use, judge, on_time
from models.maintenance.interval import Shift, share
from models.motion.meter import Bounds, Heard, Metering, fold, open_usage
from models.motion.noted import Note
from models.reading import from_micros, micros

FOLDER = os.environ.get("STOCKYARD_TEST_DATA")
if FOLDER is None:
    pytest.skip("STOCKYARD_TEST_DATA is not set: no foreign test data here", allow_module_level=True)
VECTORS = json.loads((Path(FOLDER) / "domain" / "domain_vectors.json").read_text())
H, KM, HOUR_US = 3_600_000, 1_000_000, 3_600_000_000


def at(text: str) -> int:
    return micros(datetime.combine(date.fromisoformat(text), time(), UTC))


def day(at_us: int | None) -> str:
    assert at_us is not None
    return from_micros(at_us).date().isoformat()


def due(now: int, done: tuple[int, ...], plan: dict[str, Any], **use: Use) -> Due:
    return judge(Facts(asset="a", plan_id="p", plan=Plan("a", "p", **plan), starts_at=0, done=done, **use), now)


def floating(vector: dict[str, Any]) -> None:
    done = [at(text) for text in vector["done"]]
    found = [
        day(due(last, tuple(done[: n + 1]), {"every_days": vector["interval_days"]}).due_by)
        for n, last in enumerate(done)
    ]
    assert found == vector["next"]


def fixed(vector: dict[str, Any]) -> None:
    anchor = at(vector["anchor"])
    plan = Plan("a", "p", every_days=vector["interval_days"], timing="fixed")
    dues = [judge(Facts(asset="a", plan_id="p", plan=plan, starts_at=anchor), anchor)]
    for each in vector["next"][:-1]:
        done = (*dues[-1].facts.done, at(each) + DAY_US)
        dues.append(judge(Facts(asset="a", plan_id="p", plan=plan, starts_at=anchor, done=done), done[-1]))
    assert [day(each.due_by) for each in dues] == vector["next"]


def shift(vector: dict[str, Any]) -> None:
    """The page plans three months ahead and calls that 90 days: the tolerance is of those, the dates of the months."""
    shift = Shift(share(vector["late_shift"]), share(1.0), share(vector["tolerance"]))
    planned, done = date.fromisoformat(vector["due"]), date.fromisoformat(vector["done"])
    moved = shift.by((done - planned).days, vector["cycle_days"])
    assert (date.fromisoformat(vector["unshifted_next"]) + timedelta(moved)).isoformat() == vector["next"]
    factors = {"shift_late": vector["late_shift"], "shift_tolerance": vector["tolerance"]}
    plan = Plan("a", "p", calendar=Recurrence(3, "month"), timing="shifted", **factors)
    begun = Facts(asset="a", plan_id="p", plan=plan, starts_at=at("1998-03-01"))
    assert day(judge(begun, begun.starts_at).due_by) == vector["due"]
    known = Facts(asset="a", plan_id="p", plan=plan, starts_at=begun.starts_at, done=(at(vector["done"]),))
    assert day(judge(known, known.done[0]).due_by) == vector["next"]


def compliance(vector: dict[str, Any]) -> None:
    days = vector["interval_days"]
    plan = {"every_days": days, "overdue_after": vector["tolerance"]}
    began = at(vector["due"]) - days * DAY_US
    assert on_time(due(at(vector["done"]), (began,), plan)) is vector["compliant"]


def whichever_first(vector: dict[str, Any]) -> None:
    began, now = at(vector["last_date"]), at(vector["today"])
    used = int(Decimal(str(vector["meter"] - vector["last_meter"])) * H)
    plan = {"every_hours": Decimal(vector["interval_hours"]), "every_days": vector["interval_days"]}
    found = due(now, (began,), plan, hours=Use(Bounds(used, used), Bounds(used, used), now - began))
    hours, days = found.measures
    assert used / H / ((now - began) / DAY_US) == vector["use_per_day"]
    assert vector["last_meter"] + hours.every == vector["due_meter"]
    assert day(days.due_by) == vector["calendar_due"]
    assert found.due_by == hours.due_by is not None
    later = ceil((hours.due_by - now) / DAY_US)
    assert (date.fromisoformat(vector["today"]) + timedelta(later)).isoformat() == vector["forecast"]


def forecast(vector: dict[str, Any]) -> None:
    now, rate = at(vector["date"]), vector["use_per_day"] * KM
    every, soon = vector["due_meter"] - vector["meter"], vector["due_meter"] - vector["due_soon_at"]
    plan = {"every_km": Decimal(every), "due_soon": soon / every}

    def stands(driven: int) -> Due:
        return due(now, (now,), plan, km=Use(Bounds(driven, driven), Bounds(rate, rate), DAY_US))

    coming = stands(0).due_by
    assert coming is not None
    assert day(now + floor((coming - now) / DAY_US) * DAY_US) == vector["due"]
    first = (every - soon) * KM
    assert [stands(driven).state for driven in (first, first + 1)] == ["ok", "due_soon"]
    assert day(now + first // rate * DAY_US) == vector["due_soon"]


def missed(vector: dict[str, Any]) -> None:
    used = (vector["readings"][-1] - vector["start"]) * H
    found = due(at("2026-11-25"), (), {"every_hours": Decimal(vector["interval"])}, hours=Use(Bounds(used, used)))
    passed = [vector["start"] + number * vector["interval"] for number in range(1, found.missed + 1)]
    assert (passed, found.facts.occurrence) == (vector["missed_thresholds"], vector["work_orders"])
    assert [mark // H for mark in found.measures[0].marks] == vector["missed_thresholds"]


CHECKS = {
    "fixed": fixed,
    "shift": shift,
    "floating": floating,
    "whichever_first": whichever_first,
    "forecast": forecast,
}


@pytest.mark.parametrize("vector", VECTORS["pm"], ids=lambda vector: vector.get("mode", "compliance"))
def test_preventive_maintenance(vector: dict[str, Any]) -> None:
    mode = vector.get("mode")
    if mode is None:
        (compliance if "compliant" in vector else missed)(vector)
    else:
        CHECKS[mode](vector)


@pytest.mark.parametrize("vector", VECTORS["meter"], ids=lambda vector: "-".join(sorted(vector)))
def test_what_a_counter_has_counted(vector: dict[str, Any]) -> None:
    """To the figure; hours apart where the example says no times, enough for what it counts."""
    facts: list[Heard] = []
    notes: list[Note] = []
    for n, value in enumerate(vector["readings"]):
        hour = vector["hours"][n] if "hours" in vector else 20 * n
        if isinstance(value, list):
            notes.append(Note(str(n), facts[-1].at, "engine_hours", "reset", value[1] * H))
        else:
            facts.append(Heard(hour * HOUR_US, "engine_hours", str(n), value=value * H))
    rolls = {"engine_hours": vector["modulus"] * H} if "modulus" in vector else {}
    params = Metering("a", "ignition", HOUR_US, HOUR_US, rolls, notes=(*notes,))
    state, rows = fold(params, None, facts)
    assert state is not None
    rows += [row for row in open_usage(params, state, facts[-1].at) if row.meter == "engine_hours"]
    assert sum(row.least for row in rows) == vector["total"] * H
    doubtful = [row for row in rows if row.most > row.least]
    assert [row.why for row in doubtful] == (["reset"] if "flag_at" in vector else [])
