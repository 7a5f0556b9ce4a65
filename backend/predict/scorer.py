"""The scorer: once an hour, what the model says of every asset with a tracker; again when more is known of that hour.

A risk is as of the beginning of the hour: the same whenever it is made, and made again it takes the place of the first.
"""

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING

from msgspec.structs import replace
from sqlalchemy import Engine

from backend.book import alerts, derived, events, risks
from backend.book.db import read, write
from backend.book.risks import Repair, Risk
from backend.identities import devices_of
from backend.predict.registry import Registry
from backend.projector import lag
from backend.registers import Registers
from backend.telemetry.rows import Span
from backend.telemetry.source import missing_since
from backend.telemetry.store import Reader, StoreAway
from backend.usage import trackers
from models.alert import Alert
from models.predict.card import MODEL
from models.register import Register

if TYPE_CHECKING:
    from models.predict.registry import Model

log = logging.getLogger(__name__)
EVERY_S = 10.0
HOUR_US = 3_600_000_000
FAR_BEHIND = 2000
"""Readings; then what the store has is not worth looking at."""
ASSETS_A_STEP = 100
SIGNAL = "engine_load"
ACTOR = "scorer"
REFUSED, SUBJECT = "model_refused", f"model:{MODEL}"


@dataclass(frozen=True, slots=True)
class _Known:
    """What there is to judge by in one step."""

    at: int
    """The beginning of the hour."""
    register: Register
    newest: dict[str, Risk]
    repairs: dict[str, list[Repair]]
    complete_to: int


class Scorer:
    """One worker; what it holds in memory is the newest signal of each asset when it was scored last."""

    def __init__(self, book: Engine, telemetry: Reader, clock: Callable[[], int], registry: Registry) -> None:
        self._book, self._telemetry, self._clock, self._registry = book, telemetry, clock, registry
        self._registers = Registers()
        self._signals: dict[str, int] = {}
        self._refused: str | None = ""

    def run(self, stop: Event) -> None:
        """Work until stop."""
        is_away = False
        while not stop.is_set():
            try:
                self.step()
                is_away = False
            except StoreAway as error:
                if not is_away:
                    log.warning("risks wait for the telemetry store: %s", error)
                is_away = True
            stop.wait(EVERY_S)

    def step(self) -> int:
        """Score some of the assets whose hour it is or of which more is known; how many."""
        serving = self._registry.serving()
        now = self._clock()
        self._tell(serving.refused, now)
        if serving.model is None:
            return 0
        behind = lag(self._book, self._telemetry)
        if behind > FAR_BEHIND:
            return 0
        known = self._known(now)
        due = self._due(known, serving.model)[:ASSETS_A_STEP]
        if not due:
            return 0
        rows = self._scored(known, serving.model, [asset for asset, _ in due])
        with write(self._book) as tx:
            risks.save(tx, rows)
            events.changed_all(tx, [f"asset:{row.asset}" for row in rows], now)
            bodies = [{"asset": row.asset, "state": row.state, "risk": row.risk} for row in rows]
            events.emit_all(tx, [("risk", body) for body in bodies], now)
        self._signals.update(due)
        return len(rows)

    def _known(self, now: int) -> _Known:
        at = now // HOUR_US * HOUR_US
        followed = self._telemetry.positions().streams
        with read(self._book) as tx:
            register = self._registers.current(tx)
            assets = sorted({tracker.asset for _, tracker in trackers(register, now)})
            whole = derived.complete_to(tx, now)
            missing = missing_since(tx, followed)
            complete_to = min(whole, at if missing is None else min(at, missing))
            return _Known(at, register, risks.newest(tx, assets), risks.repairs(tx, assets, at), complete_to)

    def _due(self, known: _Known, model: "Model") -> list[tuple[str, int]]:
        """Assets to be scored, with their newest signal: the hour is new, or the model, or more is known of it."""
        from backend.predict.scoring import model_id  # noqa: PLC0415 - needs the extra `ml`

        spans = [Span(device, 0, known.at) for devices in devices_of(known.register).values() for device in devices]
        heard = {each.span.device: each.at for each in self._telemetry.last(spans, [SIGNAL])}
        found: list[tuple[str, int]] = []
        for asset, repairs in known.repairs.items():
            devices = devices_of(known.register).get(asset, ())
            signal = max((heard.get(device, 0) for device in devices), default=0)
            last = known.newest.get(asset)
            is_heard = signal >= self._signals.get(asset, signal) + HOUR_US
            if last is None or is_heard or _is_due(known, last, (model_id(model), repairs)):
                found.append((asset, signal))
        return found

    def _scored(self, known: _Known, model: "Model", assets: Sequence[str]) -> list[Risk]:
        from backend.predict.scoring import one_thread, risk  # noqa: PLC0415 - likewise

        rows: list[Risk] = []
        with one_thread():
            for asset in assets:
                row = risk(self._telemetry, known.register, model, (asset, known.at), known.repairs[asset])
                rows.append(replace(row, complete_to=known.complete_to))
        return rows

    def _tell(self, refused: str | None, now: int) -> None:
        """An alert while the current model is refused."""
        if refused == self._refused:
            return
        self._refused = refused
        with write(self._book) as tx:
            if refused is None:
                alerts.close(tx, REFUSED, SUBJECT, now, ACTOR)
            else:
                log.warning("%s", refused)
                detail = json.dumps({"model": MODEL, "why": refused})
                alerts.raise_alert(tx, Alert(REFUSED, SUBJECT, "warning", refused, detail), now, ACTOR)


def _is_due(known: _Known, last: Risk, now: tuple[str, Sequence[Repair]]) -> bool:
    """Whether the hour or the model is new, a repair was told or taken back, or an hour that was missing has come."""
    model, repairs = now
    overhauled_at = max((each.at for each in repairs), default=None)
    is_later = last.complete_to < last.at and known.complete_to >= min(last.at, last.complete_to + HOUR_US)
    return (last.at, last.model, last.overhauled_at) != (known.at, model, overhauled_at) or is_later
