"""The machines' part of a history: their truth, and their records as the readings that a gateway makes of them."""

from collections.abc import Callable, Sequence
from itertools import chain

from models.wire import encode
from simulators.machine_truth import tell_blind, tell_days, tell_place, tell_record, tell_run
from simulators.machines import Days
from simulators.past import Past
from simulators.record import Record, readings
from simulators.trackers import blind_spans, records
from simulators.weather import Weather
from simulators.world import World

RESENT_SHARE = 0.01
Put = Callable[[int, bytes], None]
"""Takes a reading and its time."""


class MachineHistory:
    """One machine's past, told piece by piece in order of time."""

    def __init__(self, world: World, past: Past) -> None:
        self._world = world
        self._past = past
        self._blind = blind_spans(past)
        self._records = records(past, self._blind, Weather(past.seed))
        self._next: Record | None = next(self._records, None)
        self._runs, self._spans = list(past.runs), list(self._blind)
        self._resends = past.machine.chance(past.seed, "resends")
        self._last_us = 0

    def until(self, at_us: int, put: Put) -> None:
        """Everything before a moment: first its truth, then its readings."""
        machine = self._past.machine
        while self._runs and self._runs[0][0] * 1000 < at_us:
            tell_run(self._world, machine, self._runs.pop(0))
        while self._spans and self._spans[0][0] * 1000 < at_us:
            tell_blind(self._world, machine, self._spans.pop(0))
        while self._next is not None and self._next.at_us < at_us:
            self._put(self._next, put)
            self._next = next(self._records, None)

    def finish(self, put: Put) -> None:
        """The rest, each day, and where it stands."""
        self.until(self._past.end_ms * 1000 + 1, put)
        days = Days()
        for segment in self._past.segments:
            days.add(segment)
        tell_days(self._world, self._past.machine, days)
        if self._last_us:
            tell_place(self._world, self._past.machine, self._last_us, self._past.point)

    def _put(self, record: Record, put: Put) -> None:
        imei = self._past.machine.imei
        tell_record(self._world, imei, record.at_us, acked=True)
        self._last_us = record.at_us
        texts = [encode(reading) for reading in readings(imei, record)]
        for text in chain(texts, texts if self._resends.happens(RESENT_SHARE) else ()):
            put(record.at_us, text)


def told(world: World, pasts: Sequence[Past]) -> list[MachineHistory]:
    """All machines, none told yet."""
    return [MachineHistory(world, past) for past in pasts]
