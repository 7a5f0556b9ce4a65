"""`stockyard train`: machines from a telemetry file or from the own store, to a model and its card."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from sqlalchemy import Engine, func, select

from backend.book import risks
from backend.book.db import read
from backend.book.register import load
from backend.book.schema import service_done
from backend.identities import devices_of
from backend.predict.fleet_file import FleetFile, Recorded, digest
from backend.predict.kept import Kept
from backend.predict.store import history
from backend.telemetry.assets import spans
from backend.telemetry.store import Reader
from models.predict.card import Card
from models.predict.features import raw
from models.predict.folds import JUDGED_EVERY_US, Tell
from models.predict.history import History
from models.predict.history import digest as digest_of
from models.predict.labels import Machine, grid
from models.predict.training import LEAST_FAILURES, NotEnoughData, Settings, train


def train_on_file(path: Path, settings: Settings, tell: Tell) -> tuple[bytes, Card]:
    """A model of a telemetry file. Raises NotEnoughData, BadFile, OSError; if stopped, what was made is kept."""
    return train([*machines_of(path, tell)], settings, tell)


def machines_of(path: Path, tell: Tell) -> Iterator[Machine]:
    """The machines of a telemetry file, those of an earlier run from where they were kept."""
    kept = Kept(path, digest(path), JUDGED_EVERY_US)
    with FleetFile.open(path) as file:
        for found in file.machines(kept.names()):
            if isinstance(found, str):
                yield kept.load(found)
            elif (made := machine(found)) is not None:
                kept.save(made)
                yield made
            tell(f"read {path.name}", file.done, file.size)


def train_on_store(book: Engine, telemetry: Reader, settings: Settings, tell: Tell) -> tuple[bytes, Card]:
    """A model of what the own machines told. Raises NotEnoughData."""
    with read(book) as tx:
        is_failure = (service_done.c.component == risks.COMPONENT, service_done.c.failed_at.is_not(None))
        failures = tx.scalar(
            select(func.count()).where(
                service_done.c.kind == "repair", service_done.c.withdrawn_at.is_(None), *is_failure
            )
        )
    if (failures or 0) < LEAST_FAILURES:
        raise NotEnoughData(f"not enough data: {failures or 0} failures of {LEAST_FAILURES} needed")
    return train([*_own(book, telemetry, tell)], settings, tell)


def _own(book: Engine, telemetry: Reader, tell: Tell) -> Iterator[Machine]:
    until = 2**62
    with read(book) as tx:
        register = load(tx)
    assets = sorted(devices_of(register))
    for done, asset in enumerate(assets):
        tell("read the telemetry store", done, len(assets))
        with read(book) as tx:
            repaired = risks.repairs(tx, [asset], until)[asset]
        found = history(telemetry, spans(register, asset, until), repaired)
        failures = sorted(each.failed_at for each in repaired if each.failed_at is not None)
        if (made := machine(Recorded(asset, found, failures))) is not None:
            yield made


def machine(of: Recorded) -> Machine | None:
    """A machine as training sees it; None if it never ran."""
    history: History = of.history
    if not len(history.bins):
        return None
    failures = np.asarray(of.failures, np.int64)
    span = (int(history.bins[0]), int(history.bins[-1]))
    times = grid(span, JUDGED_EVERY_US).tolist()
    return Machine(of.name, raw(history, times), failures, history.repairs, span, digest_of(of.name, history, failures))
