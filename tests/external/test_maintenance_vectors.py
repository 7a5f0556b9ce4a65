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
from models.maintenance.due import DAY_US, Due, Facts, Use, judge, on_time
from models.motion.meter import Bounds, Heard, Metering, fold, open_usage
from models.reading import from_micros, micros

FOLDER = os.environ.get("STOCKYARD_TEST_DATA")
if FOLDER is None:
    pytest.skip("STOCKYARD_TEST_DATA is not set: no foreign test data here", allow_module_level=True)
VECTORS = json.loads((Path(FOLDER) / "domain" / "domain_vectors.json").read_text())
H, KM, HOUR_US = 3_600_000, 1_000_000, 3_600_000_000
NOT_BUILT = {
    "fixed": "intervals float: there are no fixed dates",
    "shift": "intervals float: there is no cycle to shift",
}


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


CHECKS = {"floating": floating, "whichever_first": whichever_first, "forecast": forecast}


@pytest.mark.parametrize("vector", VECTORS["pm"], ids=lambda vector: vector.get("mode", "compliance"))
def test_preventive_maintenance(vector: dict[str, Any]) -> None:
    mode = vector.get("mode")
    if mode in NOT_BUILT:
        pytest.skip(NOT_BUILT[mode])
    if mode is None:
        (compliance if "compliant" in vector else missed)(vector)
    else:
        CHECKS[mode](vector)


@pytest.mark.parametrize("vector", VECTORS["meter"], ids=lambda vector: "-".join(sorted(vector)))
def test_what_a_counter_has_counted(vector: dict[str, Any]) -> None:
    readings = vector["readings"]
    if "modulus" in vector:
        pytest.skip("counters that begin again at a power of ten are not known here")
    if any(isinstance(each, list) for each in readings):
        pytest.skip("nobody declares a new counter: a drop is believed when the next value confirms it")
    hours = vector.get("hours") or [10 * n for n in range(len(readings))]
    facts = [
        Heard(hour * HOUR_US, "engine_hours", str(n), value=value * H)
        for n, (hour, value) in enumerate(zip(hours, readings, strict=True))
    ]
    params = Metering("a", "ignition", HOUR_US, HOUR_US)
    state, rows = fold(params, None, facts)
    assert state is not None
    rows += open_usage(params, state, facts[-1].at)
    assert sum(row.least for row in rows if row.meter == "engine_hours") == vector["total"] * H
