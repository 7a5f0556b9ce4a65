"""The machines of a live run, in step with a real clock: a compressed shift whose every record goes to a tracker.

They go on from where their history ended, with its counters and its wear. A run of the engine is written to the truth
when it is over, before its tracker tells so; a record when its server has it, or at the end if it never did.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import Protocol

from simulators.gps import Receiver
from simulators.machine_truth import tell_days, tell_place, tell_record, tell_run
from simulators.machines import Days, Meters, Segment, Sheet
from simulators.past import Past, Span
from simulators.record import IGNITION, Record
from simulators.shifts import few_metres_on
from simulators.signals import sensors
from simulators.trackers import Moment, Writer, change, resting
from simulators.weather import Weather
from simulators.world import Chance, World
from simulators.yard import PLACES, route, way, zone

EVERY_MS = 2000
SETTLED_MS = 5000
"""So long they stand still at the end, so that where they are is beyond doubt."""
FOR_EVER_MS = 10**15
IDLE_LOAD = 18
JUMP_SHARE = 0.001
OUTAGE_EVERY_S, OUTAGE_S = (150, 300), (8, 14)


class Tracker(Protocol):
    """What a tracker device offers."""

    @property
    def connected(self) -> bool: ...

    def offer(self, record: Record) -> None: ...

    def outage(self, seconds: float) -> None: ...

    def offline(self, lost: bool) -> None: ...  # noqa: FBT001 - the device's own

    def stop(self, timeout_s: float) -> int: ...


class LiveMachine:
    """One machine from a moment on."""

    def __init__(self, past: Past, begin_ms: int) -> None:
        chance = past.machine.chance(past.seed, "live")
        meters = Meters(past.machine, Weather(past.seed))
        for segment in past.segments:
            meters.past(segment)
        self.machine = replace(past.machine, engine_ms=meters.engine_ms, driven_mm=meters.driven_mm)
        self.days = Days()
        self._meters = meters
        self._signs = past.signs(past.end_ms)
        self._box = sensors(past.machine, past.seed)
        self._writer = Writer(past.machine, Receiver(past.machine.chance(past.seed, "live gps"), JUMP_SHARE))
        self._voltage = past.machine.chance(past.seed, "live voltage")
        self._coming = SHIFTS[past.machine.kind](Sheet(begin_ms, past.point), chance)
        self._segment = next(self._coming)
        self._next_ms = begin_ms
        self._last_ms = 0
        self._run_begin_ms: int | None = None

    def due(self, now_ms: int) -> Iterator[Record | Span]:
        """What happened up to now, in order: records, and runs of the engine when they are over."""
        while min(self._segment.end_ms, self._next_ms) <= now_ms:
            if self._segment.end_ms <= self._next_ms:
                yield from self._go_to(next(self._coming), self._segment)
            else:
                yield self._record(Moment(self._next_ms, 0))

    def halt(self, now_ms: int) -> Iterator[Record | Span]:
        """Stand still from now on; the engine stays as it is."""
        yield from self.due(now_ms)
        at_ms = max(now_ms, self._last_ms + 1)
        here, engine = self._segment.place(at_ms)[0], self._segment.engine
        stands = Segment(at_ms, FOR_EVER_MS, here, engine, IDLE_LOAD if engine else 0)
        yield from self._go_to(stands, self._segment.until(at_ms))

    def finish(self, now_ms: int) -> Iterator[Record | Span]:
        """A last record, and the run that is cut there."""
        yield from self.due(now_ms)
        if self._run_begin_ms is not None:
            yield self._run_begin_ms, now_ms
        self.days.add(self._segment.until(now_ms))
        if now_ms > self._last_ms:
            yield self._record(Moment(now_ms, 0), clean=True)

    def point_at(self, at_ms: int) -> tuple[float, float]:
        """Where it is."""
        return self._segment.place(at_ms)[0]

    def _go_to(self, segment: Segment, before: Segment) -> Iterator[Record | Span]:
        """Its segment is over, another begins."""
        if before.end_ms > before.begin_ms:
            self.days.add(before)
            self._meters.past(before)
        self._segment = segment
        event_id = change(segment, before)
        if event_id == IGNITION and segment.engine:
            self._run_begin_ms = segment.begin_ms
        elif event_id == IGNITION and self._run_begin_ms is not None:
            yield self._run_begin_ms, segment.begin_ms
            self._run_begin_ms = None
        if event_id and segment.begin_ms > self._last_ms:
            yield self._record(Moment(segment.begin_ms, event_id))

    def _record(self, moment: Moment, *, clean: bool = False) -> Record:
        state = self._meters.at(self._segment, moment.at_ms)
        engine = self._segment.engine
        signals = self._box.sample(state, self._signs, moment.at_ms) if engine else resting(self._voltage)
        self._last_ms = moment.at_ms
        if moment.at_ms >= self._next_ms:
            self._next_ms += EVERY_MS
        return self._writer.record(state, moment, signals, clean=clean)


class LiveMachines:
    """All machines of a live run and their trackers."""

    def __init__(self, world: World, pasts: Sequence[Past]) -> None:
        self.trackers: dict[str, Tracker] = {}
        self._world = world
        self._pasts = pasts
        self._machines: list[LiveMachine] = []
        self._outages: dict[str, int] = {}
        self._chance = world.chance("outages")
        self._acked: SimpleQueue[tuple[str, int]] = SimpleQueue()
        self._pending: dict[tuple[str, int], None] = {}
        self._halted_ms: int | None = None

    def note(self, imei: str) -> Callable[[Record], None]:
        """What a tracker calls, in whichever thread, for each record that its server acknowledged."""
        return lambda record: self._acked.put((imei, record.at_us))

    def begin(self, now_us: int) -> None:
        """From now on they are live."""
        self._machines = [LiveMachine(past, now_us // 1000) for past in self._pasts]
        for machine in self._machines:
            self._outages[machine.machine.imei] = self._next_outage(now_us // 1000)

    def tick(self, now_us: int) -> None:
        """Tell what is due."""
        for machine in self._machines:
            self._tell(machine, machine.due(now_us // 1000))
            self._lose_network(machine.machine.imei, now_us // 1000)
        self._note_acked()

    def halt(self, now_us: int) -> None:
        """Every machine stops where it is, and every tracker has its network."""
        self._halted_ms = now_us // 1000
        for machine in self._machines:
            self._tell(machine, machine.halt(now_us // 1000))
            self.trackers[machine.machine.imei].offline(False)  # noqa: FBT003 - the device's own

    def settled(self, now_us: int) -> bool:
        """Whether they have stood long enough."""
        return not self._machines or (self._halted_ms is not None and now_us // 1000 > self._halted_ms + SETTLED_MS)

    def finish(self, now_us: int) -> None:
        """The end of the clock: last records, and what really was."""
        for machine in self._machines:
            self._tell(machine, machine.finish(now_us // 1000))
            tell_days(self._world, machine.machine, machine.days)
            at_us = now_us // 1000 * 1000
            tell_place(self._world, machine.machine, at_us, machine.point_at(now_us // 1000))

    def close(self) -> None:
        """After the trackers stopped: the records that their servers never acknowledged."""
        self._note_acked()
        for imei, at_us in self._pending:
            tell_record(self._world, imei, at_us, acked=False)
        self._pending.clear()

    def _tell(self, machine: LiveMachine, what: Iterator[Record | Span]) -> None:
        for one in what:
            if isinstance(one, Record):
                self._pending[machine.machine.imei, one.at_us] = None
                self.trackers[machine.machine.imei].offer(one)
            else:
                tell_run(self._world, machine.machine, one)

    def _lose_network(self, imei: str, now_ms: int) -> None:
        if self._halted_ms is None and now_ms >= self._outages[imei]:
            self.trackers[imei].outage(self._chance.uniform(*OUTAGE_S))
            self._outages[imei] = self._next_outage(now_ms)

    def _next_outage(self, now_ms: int) -> int:
        return now_ms + int(self._chance.uniform(*OUTAGE_EVERY_S) * 1000)

    def _note_acked(self) -> None:
        while True:
            try:
                imei, at_us = self._acked.get_nowait()
            except Empty:
                return
            if (imei, at_us) in self._pending:
                del self._pending[imei, at_us]
                tell_record(self._world, imei, at_us, acked=True)


def _truck(sheet: Sheet, chance: Chance) -> Iterator[Segment]:
    """Round the yard; every minute or so it stops at a place, and the engine is off for some seconds."""
    sheet.rest(sheet.now_ms + 1000)
    here = "park"
    while True:
        off_ms = sheet.now_ms + chance.randint(45_000, 65_000)
        sheet.stand(1500, IDLE_LOAD)
        while sheet.now_ms < off_ms:
            here = chance.choice([place for place in PLACES if place != here])
            sheet.drive(way(sheet.point, here), chance.uniform(4.5, 5.5), chance.randint(38, 60))
            sheet.stand(chance.randint(1000, 3000), IDLE_LOAD)
            yield from sheet.take()
        sheet.rest(sheet.now_ms + chance.randint(8000, 12_000))


def _crane(sheet: Sheet, chance: Chance) -> Iterator[Segment]:
    """On its pad, hoisting every 20 seconds or so; every minute or so the engine is off for some seconds."""
    sheet.rest(sheet.now_ms + 1000)
    sheet.stand(2000, IDLE_LOAD)
    if zone(sheet.point) != "crane-pad":
        sheet.drive(way(sheet.point, "crane-pad"), 2.5, chance.randint(30, 45))
    while True:
        off_ms = sheet.now_ms + chance.randint(55_000, 80_000)
        while sheet.now_ms < off_ms:
            sheet.stand(chance.randint(8000, 12_000), chance.randint(58, 80), hoist=True)
            sheet.stand(chance.randint(7000, 11_000), chance.randint(18, 28))
            if chance.happens(0.3):
                sheet.drive(route((sheet.point, few_metres_on(chance, sheet.point))), 0.8, chance.randint(25, 40))
            yield from sheet.take()
        sheet.rest(sheet.now_ms + chance.randint(8000, 12_000))
        sheet.stand(2000, IDLE_LOAD)


SHIFTS: Mapping[str, Callable[[Sheet, Chance], Iterator[Segment]]] = {"truck": _truck, "crane": _crane}
