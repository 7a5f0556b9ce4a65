"""Two machines of two days and more, their trackers and services, and a system that agrees with all of it.

The days end now, because plans by days are judged by the clock. Whatever a tracker has no power for nobody observed.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from models import wire
from models.reading import from_micros, micros
from simulators import outbox
from simulators.record import ENGINE_S, HDOP, IGNITION, MOVING, ODOMETER_M, Record, readings
from simulators.yard import PLACES, lat_lon
from tests.simulators.agreeing_system import Answers, Case, Json

MINUTE, HOUR, DAY = 60_000_000, 3_600_000_000, 86_400_000_000
TRUCK, CRANE = "TRUCK-1", "CRANE-1"
IMEIS = {TRUCK: "356307042441013", CRANE: "356307042441021"}
ON_LIMIT, OFF_LIMIT = 10 * MINUTE, 2 * HOUR
NEW_H, NEW_M, MPS = 4810, 1_000_000, 3
RUNS = {
    TRUCK: [(6 * HOUR + 123_000, 9 * HOUR + 456_000), (22.5 * HOUR, 25.25 * HOUR), (30 * HOUR, 32 * HOUR)],
    CRANE: [(7 * HOUR, 12 * HOUR), (31 * HOUR + 7_000, 35 * HOUR)],
}
BLIND = {TRUCK: (30.5 * HOUR + MINUTE, 31 * HOUR), CRANE: (38 * HOUR + MINUTE, 42.25 * HOUR)}
RESENT, UNSURE, LOST = (TRUCK, 8 * HOUR), (TRUCK, 7 * HOUR + 5 * MINUTE), (CRANE, 9 * HOUR + 5 * MINUTE)
"""A record that is in the journal twice, one that is there but was never acknowledged, one that never came."""
PLANS = {
    "TRUCK-1/oil": (4, 60, [5 * HOUR, 12 * HOUR]),
    "TRUCK-1/inspection": (None, 20, [5 * HOUR]),
    "CRANE-1/oil": (60, 60, [6 * HOUR]),
    "CRANE-1/rope": (None, 1, [6 * HOUR]),
}
"""Hours, days, and when it was done: the truck's oil and the crane's rope are due."""
DUE = ["TRUCK-1/oil", "CRANE-1/rope"]


@dataclass
class Machine:
    """One machine as the system has it."""

    tracker: str
    rows: list[list[int]]
    """Begin, end, least and most of each stretch of running."""
    at: list[int]
    counters: list[tuple[int, int]]
    """Engine seconds and metres at each of these times."""
    place: Json | None
    track: list[Json]
    engine_off_s: int = 0
    odometer_off_m: int = 0


@dataclass
class Yard(Answers):
    """The answers about machines too."""

    machines: dict[str, Machine] = field(default_factory=dict)
    due: list[Json] = field(default_factory=list)
    kept: list[Json] = field(default_factory=list)
    services: list[Json] = field(default_factory=list)
    alerts: list[Json] = field(default_factory=list)
    risk: list[Json] = field(default_factory=list)

    def page(self, path: str, query: dict[str, str]) -> Json:
        if path == "fleet":
            return {"items": [self._now(asset, one) for asset, one in self.machines.items()], "next": None}
        if path == "due":
            return {"items": self.due, "next": None}
        if path == "due/history":
            return {"items": [one for one in self.kept if one["plan"] == query["plan"]][::-1], "next": None}
        if not path.startswith("assets/"):
            return super().page(path, query)
        _, asset, what = path.split("/")
        one = self.machines[asset]
        since, until = (micros(datetime.fromisoformat(query[name])) for name in ("since", "until"))
        if what == "track":
            points = [point for point in one.track if since <= micros(point["at"]) <= until]
            return {"items": points[-int(query["limit"]) :], "next": None}
        spans = days(since, until) if "by" in query else [(since, until)]
        return {"items": [use for span in spans for use in uses(one, span)], "next": None}

    def _now(self, asset: str, one: Machine) -> Json:
        return {"id": asset, "tracker": one.tracker, "place": one.place, "last_heard": from_micros(one.at[-1])}


def days(since: int, until: int) -> Iterator[tuple[int, int]]:
    while since < until:
        yield since, min(until, since - since % DAY + DAY)
        since += DAY - since % DAY


def uses(one: Machine, span: tuple[int, int]) -> Iterator[Json]:
    """What the meters counted in a span, to a millionth."""

    def use(meter: str, unit: str, least: Decimal, most: Decimal) -> Json:
        texts = [str(round(each, 6)) for each in (least, most)]
        ends = [from_micros(at) for at in span]
        return {"meter": meter, "unit": unit, "begin": ends[0], "end": ends[1], "least": texts[0], "most": texts[1]}

    least = most = 0
    for begin, end, row_least, row_most in one.rows:
        inside = max(0, min(end, span[1]) - max(begin, span[0]))
        whole = end - begin == inside
        least += row_least if whole else inside * (row_least > 0)
        most += row_most if whole else inside
    yield use("runtime", "h", Decimal(least) / HOUR, Decimal(most) / HOUR)
    (engine_0, metres_0), (engine_1, metres_1) = (one.counters[bisect_right(one.at, at) - 1] for at in span)
    engine = Decimal(engine_1 - engine_0 + one.engine_off_s) / 3600
    yield use("engine_hours", "h", engine, engine)
    km = Decimal(metres_1 - metres_0 + one.odometer_off_m) / 1000
    yield use("odometer", "km", km, km)


def make_yard(folder: Path) -> Case:
    """The machines' part of a world's truth, an outbox with all that their trackers told, and a system that agrees."""
    now = micros(datetime.now(UTC)) // 1000 * 1000 - MINUTE
    first = now - now % DAY - 2 * DAY
    truth: list[Json] = []
    texts: list[bytes] = []
    answers = Yard("")
    for asset in IMEIS:
        records = list(make_records(asset, first, now))
        answers.machines[asset] = believed(
            asset, [record for record in records if (asset, record.at_us - first) != LOST]
        )
        texts += told(asset, records, first)
        truth += told_truth(asset, records, first)
    keep_plans(truth, answers, first)
    (folder / "truth.jsonl").write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in truth))
    rows = outbox.SentRows(folder / "history.db")
    rows.append(texts)
    rows.close()
    answers.epoch = rows.epoch
    for seq, text in enumerate(texts, 1):
        reading = wire.decode(text)
        kind = str(reading.__struct_config__.tag)
        entry = {"seq": seq, "kind": kind, "device": reading.device, "at": reading.at}
        answers.journal.append({**entry, "reading": msgspec.Raw(text)})
    return Case(folder / "truth.jsonl", folder / "history.db", answers)


def make_records(asset: str, first: int, now: int) -> Iterator[Record]:
    """One at each change of the engine, every 5 minutes while it runs, else hourly; none while there is no power."""
    runs = [(first + round(begin), first + round(end)) for begin, end in RUNS[asset]]
    blind = [first + round(at) for at in BLIND[asset]]
    times = {at for run in runs for at in run} | set(range(first, now, HOUR)) | {now, blind[1]}
    times |= {at for begin, end in runs for at in range(begin - begin % (5 * MINUTE), end, 5 * MINUTE) if at > begin}
    for at in sorted(times):
        if blind[0] <= at < blind[1]:
            continue
        on = any(begin <= at < end for begin, end in runs)
        ran = ran_us(runs, at)
        io = ((ODOMETER_M, NEW_M + ran * MPS // 1_000_000), (HDOP, 9), (IGNITION, on), (MOVING, 0))
        lat, lon = lat_lon((PLACES["park"][0] + at // MINUTE % 5, PLACES["park"][1]))
        yield Record(at, lat, lon, 8, 0, 9, 0, (*io, (ENGINE_S, NEW_H * 3600 + ran // 1_000_000)))


def ran_us(runs: list[tuple[int, int]], at: int) -> int:
    return sum(max(0, min(end, at) - begin) for begin, end in runs)


def believed(asset: str, records: list[Record]) -> Machine:
    """What a good system makes of the records."""
    rows: list[list[int]] = []
    for before, after in pairwise(records):
        on, passed = dict(before.io)[IGNITION], after.at_us - before.at_us
        if passed > (ON_LIMIT if on else OFF_LIMIT):
            rows.append([before.at_us, after.at_us, 0, passed])
        elif on:
            rows.append([before.at_us, after.at_us, passed, passed])
    points = [{"at": from_micros(one.at_us), "lat": one.lat, "lon": one.lon} for one in records]
    counters = [(dict(one.io)[ENGINE_S], dict(one.io)[ODOMETER_M]) for one in records]
    place = {**points[-1], "zones": ["park", "yard"]}
    return Machine(f"imei:{IMEIS[asset]}", rows, [one.at_us for one in records], counters, place, points)


def told(asset: str, records: list[Record], first: int) -> Iterator[bytes]:
    for record in records:
        which = (asset, record.at_us - first)
        texts = [wire.encode(reading) for reading in readings(IMEIS[asset], record)]
        yield from {LOST: [], RESENT: texts * 2}.get(which, texts)


def told_truth(asset: str, records: list[Record], first: int) -> Iterator[Json]:
    of = {"asset": asset, "imei": IMEIS[asset]}

    def span(ends: tuple[float, float]) -> Json:
        return dict(zip(("begin", "end"), (from_micros(first + round(at)) for at in ends), strict=True))

    yield from ({"what": "run", **of, **span(run)} for run in RUNS[asset])
    yield {"what": "blind", **of, **span(BLIND[asset])}
    for record in records:
        acked = (asset, record.at_us - first) not in {UNSURE, LOST}
        yield {"what": "record", "imei": of["imei"], "at": from_micros(record.at_us), "acked": acked}
    last = dict(records[-1].io)
    day = {"day": "2026-01-01", "run_ms": 0, "hoist_ms": 0, "driven_m": last[ODOMETER_M] - NEW_M}
    yield {"what": "machine_day", "asset": asset, **day}
    lat, lon = lat_lon(PLACES["park"])
    yield {
        "what": "place",
        "asset": asset,
        "at": from_micros(records[-1].at_us),
        "lat": lat,
        "lon": lon,
        "zone": "park",
    }


def keep_plans(truth: list[Json], answers: Yard, first: int) -> None:
    """Plans, what was done of them, and what is due."""
    for ident, (hours, every_days, done) in PLANS.items():
        asset = ident.partition("/")[0]
        truth.append({"what": "plan", "id": ident, "asset": asset, "every_hours": hours, "every_days": every_days})
        for number, at in enumerate(done, 1):
            one = {"id": f"sim-{ident.replace('/', '-')}-{number}", "asset": asset, "at": from_micros(first + at)}
            truth.append({"what": "service", **one, "plan": ident, "hours": float(NEW_H)})
            answers.services.append({**one, "kind": "service", "plan": ident, "component": None})
            in_time = None if number == 1 else True
            answers.kept.append({**one, "plan": ident, "occurrence": number, "on_time": in_time})
        state = "due" if ident in DUE else "ok"
        answers.due.append({"plan": ident, "asset": asset, "occurrence": len(done) + 1, "state": state})
        if ident in DUE:
            answers.alerts.append(alert(ident, len(done) + 1, len(answers.alerts) + 1))
    for asset, imei in IMEIS.items():
        of = {"asset": asset, "component": "gearbox"}
        mended = {"what": "repair", "id": f"sim-{asset}-repair-1", **of, "at": from_micros(first + HOUR)}
        truth += [{"what": "failure", **of, "at": from_micros(first - HOUR)}, mended]
        repair = {**mended, "kind": "repair", "plan": None}
        del repair["what"]
        answers.services.append(repair)
        answers.risk.append({"asset": asset, "state": "not_enough_data", "risk": None, "reasons": [], "imei": imei})


def alert(plan: str, occurrence: int, n: int, **more: Any) -> Json:
    detail = {"plan": plan, "asset": plan.partition("/")[0], "occurrence": occurrence, "state": "due"}
    life = {"state": "open", "raised_at": datetime.now(UTC)}
    return {
        "id": f"a{n}",
        "n": n,
        "rule": "service_due",
        "subject": f"{plan}/{occurrence}",
        **life,
        "detail": detail,
    } | more
