"""Machines in a history: their readings beside the doors', their truth complete, the warehouse's world as it was."""

import io
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from models import wire
from models.reading import Fix, Input, Meter, Reading, Signal, micros
from simulators import agenda, history, machine_history, roster
from simulators.machine_truth import stamp_ms
from simulators.truth import read
from simulators.warehouse import DAY_US
from simulators.world import World
from tests.simulators.machine_lines import demo, lines, pasts, told

DAYS = 4
WAREHOUSE = {"pass", "told", "scan", "broken"}


def play(*, machines: bool) -> tuple[list[bytes], list[dict[str, Any]]]:
    truth, scenario = io.StringIO(), demo(DAYS)
    site = agenda.build(World(scenario.seed, scenario.start, truth), scenario.doors)
    site.world.now_us -= DAYS * DAY_US
    stage = history.HistoryStage(site.world, scenario, 3000)
    lived = machine_history.told(site.world, roster.pasts(scenario) if machines else [])
    return [text for _, chunk in history.readings(site, stage, DAYS, lived) for text in chunk], lines(truth)


@pytest.fixture(scope="module")
def both() -> tuple[list[Reading], list[dict[str, Any]]]:
    texts, truth = play(machines=True)
    assert (texts, truth) == play(machines=True)
    return [wire.decode(text) for text in texts], truth


def test_the_warehouse_is_what_it_is_without_machines(both: tuple[list[Reading], list[dict[str, Any]]]) -> None:
    texts, truth = play(machines=False)
    readings, lines_of_both = both
    assert [wire.decode(text) for text in texts] == [one for one in readings if not one.device.startswith("imei:")]
    assert truth == [line for line in lines_of_both if line["what"] in WAREHOUSE]


def test_readings_are_in_order_of_their_time(both: tuple[list[Reading], list[dict[str, Any]]]) -> None:
    assert all(one.at <= other.at for one, other in pairwise(both[0]))


def test_every_record_is_told_once_and_some_again(both: tuple[list[Reading], list[dict[str, Any]]]) -> None:
    readings, truth = both
    fixes = Counter((one.device, stamp_ms(micros(one.at) // 1000)) for one in readings if isinstance(one, Fix))
    wanted = [(f"imei:{line['imei']}", line["at"]) for line in truth if line["what"] == "record"]
    assert len(wanted) == len(set(wanted)) > 800
    assert set(wanted) == fixes.keys()
    again = sum(number - 1 for number in fixes.values())
    assert 0 < again < 0.03 * len(wanted)
    assert all(line["acked"] for line in truth if line["what"] == "record")


def test_the_truth_is_what_machines_did(both: tuple[list[Reading], list[dict[str, Any]]]) -> None:
    truth = both[1]
    for past in pasts(DAYS):
        mine = [line for line in truth if line.get("asset") == past.machine.asset]
        runs = [(line["begin"], line["end"]) for line in mine if line["what"] == "run"]
        assert runs == [(stamp_ms(begin), stamp_ms(end)) for begin, end in past.runs]
        days = [line for line in mine if line["what"] == "machine_day"]
        assert sum(day["run_ms"] for day in days) == sum(end - begin for begin, end in past.runs)
        driven_mm = sum(each.driven_mm(each.end_ms) for each in past.segments)
        assert sum(day["driven_m"] for day in days) == (past.machine.driven_mm + driven_mm) // 1000 - (
            past.machine.driven_mm // 1000
        )
        assert [day["day"] for day in days] == sorted({stamp_ms(each.begin_ms)[:10] for each in past.segments})
        assert len([line for line in mine if line["what"] == "blind"]) >= 1
        (place,) = (line for line in mine if line["what"] == "place")
        last = max(line["at"] for line in truth if line.get("imei") == past.machine.imei and line["what"] == "record")
        assert place["at"] == last
        assert place["zone"] in {"yard", "dock", "crane-pad", "workshop", "fuel", "park"}


def test_a_truth_file_is_read_back(tmp_path: Path) -> None:
    truth, file = io.StringIO(), tmp_path / "truth.jsonl"
    world = World(7, demo().start, truth)
    for past in pasts(DAYS):
        one = machine_history.MachineHistory(world, past)
        one.until(past.end_ms * 1000, lambda _at_us, _text: None)
        one.finish(lambda _at_us, _text: None)
    file.write_text(truth.getvalue())
    found, written = read([file]), lines(truth)
    count: Callable[[str], int] = lambda what: sum(line["what"] == what for line in written)  # noqa: E731
    assert len(found.runs) == count("run") > 50
    assert len(found.records) == count("record")
    assert (len(found.blinds), len(found.machine_days)) == (count("blind"), count("machine_day"))
    assert sorted(found.places) == ["CRANE-1", "TRUCK-1"]
    assert found.last_us() == max(micros(one.at) for one in found.records)


def test_a_month_of_two_machines_is_within_its_budget() -> None:
    number = sum(1 for records in told() for record in records for _ in record.io)
    assert 60_000 < number < 140_000


def test_signals_are_those_of_the_units(both: tuple[list[Reading], list[dict[str, Any]]]) -> None:
    signals = {(one.name, one.unit) for one in both[0] if isinstance(one, Signal)}
    assert signals >= {("gearbox_temperature", "Cel"), ("gearbox_vibration", "mm/s"), ("oil_pressure", "bar")}
    assert {one.name for one in both[0] if isinstance(one, Input)} == {"ignition", "moving", "hoist"}
    assert {one.name for one in both[0] if isinstance(one, Meter)} == {
        "engine_hours",
        "odometer",
        "tracker_odometer",
    }
