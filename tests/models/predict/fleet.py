"""A small fleet for tests: machines whose vibration and temperature drift before a failure, with decoys that do not."""

import gzip
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import msgspec
import numpy as np

from models.predict import features
from models.predict.card import Card, encode
from models.predict.folds import JUDGED_EVERY_US
from models.predict.history import DAY_US, History, collect, digest
from models.predict.labels import Machine, grid
from models.predict.learners import LOGISTIC
from models.predict.registry import Model, libraries, open_model
from models.predict.training import Settings, train
from models.reading import from_micros

START = 1_735_689_600_000_000
"""2025-01-01, in microseconds."""
DRIFT_DAYS = 6.0


@dataclass
class Made:
    """One machine of the fleet."""

    name: str
    readings: dict[str, tuple[np.ndarray, np.ndarray]]
    failures: list[int]
    repairs: list[int] = field(default_factory=list)

    @property
    def history(self) -> History:
        return collect(self.readings, self.repairs)


def machine(seed: int, days: int = 120, mean_life_days: float = 45.0, *, sudden: float = 0.0) -> Made:
    """Runs eight hours on five days of seven, a reading every twenty minutes; repaired a day after each failure."""
    chance = np.random.default_rng(seed)
    minutes = np.arange(0, days * 1440, 20, dtype=np.int64)
    day, hour = minutes // 1440, minutes % 1440 / 60
    times = START + minutes * 60_000_000
    failures, repairs, at = [], [], START
    while (at := at + int(chance.uniform(0.6, 1.4) * mean_life_days * DAY_US)) < times[-1]:
        failures.append(at)
        at += DAY_US
        repairs.append(at)
    runs = (hour >= 7) & (hour < 15) & (day % 7 < 5)
    drift = np.zeros(len(times))
    for failure, repair in zip(failures, repairs, strict=True):
        runs &= ~((times >= failure) & (times < repair))
        if chance.random() >= sudden:
            left = (failure - times) / DAY_US
            drift += np.where(left >= 0, np.clip(1 - left / DRIFT_DAYS, 0, 1) ** 1.5, 0)
    decoy = np.zeros(len(times))
    for begin in chance.uniform(0, days, days // 40):
        since = (minutes / 1440) - begin
        decoy += np.where((since >= 0) & (since < 4), 1.0, 0.0)
    load = np.clip(chance.normal(50, 15, len(times)), 10, 95)
    own = chance.normal(0, 1, 3)
    temperature = 55 + 4 * own[0] + 0.3 * load + 14 * drift + 8 * decoy + chance.normal(0, 1.5, len(times))
    vibration = 1.8 + 0.3 * own[1] + 0.006 * load + 1.6 * drift + chance.normal(0, 0.12, len(times))
    pressure = 3.8 + 0.2 * own[2] - 0.3 * drift + chance.normal(0, 0.08, len(times))
    columns = {
        "gearbox_temperature": np.round(temperature, 1),
        "gearbox_vibration": np.round(vibration, 3),
        "oil_pressure": np.round(pressure, 3),
        "engine_load": np.round(load),
        "engine_hours": 1000 + np.cumsum(runs) / 3,
    }
    readings = {name: (times[runs], column[runs]) for name, column in columns.items()}
    return Made(f"T-{seed:03d}", readings, failures, repairs)


def as_machine(made: Made) -> Machine:
    """As training sees it."""
    history, failures = made.history, np.array(made.failures, np.int64)
    span = (int(history.bins[0]), int(history.bins[-1]))
    raw = features.raw(history, grid(span, JUDGED_EVERY_US).tolist())
    return Machine(made.name, raw, failures, history.repairs, span, digest(made.name, history, failures))


@cache
def machines(count: int = 10) -> tuple[Machine, ...]:
    """A fleet small enough for a test, with enough failures to learn from."""
    return tuple(as_machine(machine(seed, 80, 22.0)) for seed in range(count))


@cache
def trained(learner: str = LOGISTIC) -> tuple[bytes, Card]:
    """A model of this fleet."""
    return train(machines(), Settings(learners=(learner,)), lambda _what, _done, _total: None)


def model(learner: str = LOGISTIC) -> Model:
    """The same, opened as from a file."""
    file, card = trained(learner)
    return open_model(encode(card), file, libraries())


def write(path: Path, fleet: Iterable[Made]) -> Path:
    """A telemetry file as `stockyard-sim run ... --telemetry` writes it."""
    lines: list[dict[str, object]] = []
    for made in fleet:
        columns = [made.readings[name][1].tolist() for name in made.readings]
        rows = zip(made.readings["engine_load"][0].tolist(), *columns, strict=True)
        events = [(at, {"what": "signals", **dict(zip(made.readings, row, strict=True))}) for at, *row in rows]
        for what, times in (("failure", made.failures), ("repair", made.repairs)):
            events += [(at, {"what": what, "component": "gearbox"}) for at in times]
        lines.append({"asset": made.name, "kind": "truck", "imei": "356307042500001", "what": "machine"})
        for at, rest in sorted(events, key=lambda event: event[0]):
            lines.append({"asset": made.name, "at": from_micros(at), **rest})
    text = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path
