"""Signals through ingest and projector to a plan that is due: since the last service, and until the next."""

from pathlib import Path

from backend.book import register, services
from backend.book.db import read, write
from backend.condition_watch import ConditionWatch
from backend.dues import facts
from backend.projector import Projector
from backend.telemetry import sql
from models.declared import Asset, Device, Tracker
from models.declared_plans import Condition, Plan
from models.maintenance.done import Done
from models.maintenance.due import judge
from models.reading import Signal, from_micros
from tests.backend.books import DAY, SECOND, Yard

HOUR = 3600 * SECOND
NOW = 20_500 * DAY + 6 * HOUR
PUMP = "imei:000000000000001"


def test_a_plan_by_a_signal(yard: Yard, tmp_path: Path) -> None:
    stamp = {"valid_from": NOW - 9 * DAY, "actor": "test", "now": NOW - 9 * DAY}
    hot = [Condition("temperature", above=80.0, hours=2), Condition("pressure", below=2.0)]
    with write(yard.book) as tx:
        register.put(tx, "assets", "PUMP-1", Asset("Pump", "p"), **stamp)
        register.put(tx, "devices", PUMP, Device(PUMP, tracker=Tracker("PUMP-1")), **stamp)
        register.put(tx, "plans", "PUMP-1/seal", Plan("PUMP-1", "Seal", conditions=hot), **stamp)
    yard.clock.now = NOW
    telemetry = sql.on_file(tmp_path / "telemetry.db")
    projector, watch = Projector(yard.book, telemetry, yard.clock), ConditionWatch(yard.book, telemetry, yard.clock)

    def say(*values: float, name: str = "temperature", unit: str = "Cel") -> int:
        """A value in each of the last hours; how many conditions are otherwise."""
        hours = [NOW - (len(values) - k) * HOUR + 600 * SECOND for k in range(len(values))]
        yard.send([Signal(PUMP, from_micros(at), name, value, unit) for at, value in zip(hours, values, strict=True)])
        yard.clock.now = NOW + 60 * SECOND
        projector.catch_up()
        return watch.step()

    def stands() -> tuple[str, list[str]]:
        with read(yard.book) as tx:
            (known,) = facts(tx, register.load(tx), ["PUMP-1"], yard.clock.now)
        due = judge(known, yard.clock.now)
        return due.state, [each.what or "" for each in due.measures]

    projector.catch_up()
    assert (watch.step(), stands()) == (0, ("unknown", [""]))
    assert say(3.0, name="pressure", unit="bar") == 1
    assert say(70, 85, 79, 81) == 1
    assert stands()[0] == "ok"
    assert say(81.5, 82.5, 83.5) == 1
    assert stands()[0] == "due"
    assert "above 80 Cel for 2 h" in stands()[1][0]
    assert (watch.step(), stands()[0]) == (0, "due"), "it stays so until the service"
    with write(yard.book) as tx:
        done = Done(id="s", asset="PUMP-1", kind="service", plan="PUMP-1/seal", at=yard.clock.now)
        services.record(tx, register.load(tx), done, ("ann", yard.clock.now))
    assert stands()[0] == "unknown"
