"""The demo's machines, computed once, and a reader of truth lines."""

import io
import json
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from simulators import roster
from simulators.past import Past
from simulators.record import Record
from simulators.scenario import Scenario, load
from simulators.trackers import blind_spans, records
from simulators.weather import Weather

SCENARIOS = Path(__file__).parents[2] / "simulators" / "scenarios"
DEMO, FLEET = SCENARIOS / "demo.toml", SCENARIOS / "fleet.toml"


def demo(days: int = 30, seed: int = 7) -> Scenario:
    return msgspec.structs.replace(load(DEMO), history_days=days, seed=seed)


@cache
def pasts(days: int = 30, seed: int = 7) -> tuple[Past, Past]:
    """The truck's and the crane's."""
    truck, crane = roster.pasts(demo(days, seed))
    return truck, crane


@cache
def told(days: int = 30, seed: int = 7) -> tuple[list[Record], list[Record]]:
    """The truck's records and the crane's."""
    truck, crane = (list(records(past, blind_spans(past), Weather(seed))) for past in pasts(days, seed))
    return truck, crane


def lines(file: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.getvalue().splitlines()]
