"""Which records a tracker makes of a machine's past: one at each change, every 2 minutes while running, hourly else.

Now and then it has no power: nothing of such a blind span is ever known but what the counters say afterwards.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from simulators.gps import Receiver
from simulators.machines import Machine, Meters, Segment, State
from simulators.past import Past, Span
from simulators.record import ENGINE_S, EXTERNAL_MV, HDOP, HOIST, IGNITION, MOVING, ODOMETER_M, TRACKER_M, Record
from simulators.shifts import MINUTE_MS
from simulators.signals import sensors
from simulators.weather import DAY_MS, HOUR_MS, Weather
from simulators.world import Chance

ON_EVERY_MS, OFF_EVERY_MS = 2 * MINUTE_MS, HOUR_MS
SIGNALS_EVERY_MS = 20 * MINUTE_MS
BLIND_EVERY_DAYS = 10
"""One blind span that begins while the engine runs, and one that begins while it is off, in so many days."""
LONGEST_BLIND_MS = 10 * HOUR_MS
CLEAN_MS = HOUR_MS
"""So long before the end every record has a good fix."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When a record is due, and the element whose change is the cause, or 0."""

    at_ms: int
    event_id: int


def blind_spans(past: Past) -> list[Span]:
    """When the tracker had no power, in order; none on the first and the last day."""
    first_ms, last_ms = past.begin_ms + DAY_MS, past.end_ms - DAY_MS - LONGEST_BLIND_MS
    chance = past.machine.chance(past.seed, "blind")
    runs = [run for run in past.runs if first_ms < run[0] and run[1] < last_ms]
    if last_ms - first_ms < DAY_MS // 2:
        return []
    number = max(1, (last_ms - first_ms) // (BLIND_EVERY_DAYS * DAY_MS))
    spans: list[Span] = []
    for _ in range(number):
        long = [(begin, end) for begin, end in runs if end - begin > 15 * MINUTE_MS]
        if not long:
            break
        begin_ms, end_ms = chance.choice(long)
        at_ms = chance.randint(begin_ms + 3 * MINUTE_MS, end_ms - 3 * MINUTE_MS)
        spans.append((at_ms, at_ms + chance.randint(20 * MINUTE_MS, 60 * MINUTE_MS)))
        at_ms = chance.choice(runs)[1] + chance.randint(MINUTE_MS, 3 * MINUTE_MS)
        spans.append((at_ms, at_ms + chance.randint(3 * HOUR_MS, 9 * HOUR_MS)))
    apart: list[Span] = []
    for span in sorted(spans):
        if not apart or span[0] > apart[-1][1] + HOUR_MS:
            apart.append(span)
    return apart


def records(past: Past, blind: Sequence[Span], weather: Weather) -> Iterator[Record]:
    """Every record of a past, in order of time."""
    meters = Meters(past.machine, weather)
    box = sensors(past.machine, past.seed)
    writer = Writer(past.machine, Receiver(past.machine.chance(past.seed, "gps")))
    voltage = past.machine.chance(past.seed, "voltage")
    before: Segment | None = None
    for segment in past.segments:
        for moment in moments(segment, before, blind):
            state, at_ms = meters.at(segment, moment.at_ms), moment.at_ms
            if segment.engine and at_ms % SIGNALS_EVERY_MS == 0:
                signals = box.sample(state, past.signs(at_ms), at_ms)
            else:
                signals = resting(voltage) if not segment.engine and at_ms % OFF_EVERY_MS == 0 else ()
            yield writer.record(state, moment, signals, clean=at_ms >= past.end_ms - CLEAN_MS)
        meters.past(segment)
        before = segment


def resting(chance: Chance) -> tuple[tuple[int, int], ...]:
    """The battery's voltage while the engine is off."""
    return ((EXTERNAL_MV, chance.randint(24_900, 25_600)),)


class Writer:
    """Puts a machine's records together."""

    def __init__(self, machine: Machine, receiver: Receiver) -> None:
        self._crane = machine.kind == "crane"
        self._receiver = receiver

    def record(
        self, state: State, moment: Moment, signals: tuple[tuple[int, int], ...], *, clean: bool = False
    ) -> Record:
        """The record of a moment; what the counters say is cut to whole metres and seconds."""
        segment = state.segment
        at = self._receiver.position(segment, moment.at_ms * 1000, clean=clean)
        elements = [
            (IGNITION, int(segment.engine)),
            (MOVING, int(segment.route is not None)),
            (HDOP, at.hdop_tenths),
            (TRACKER_M, state.driven_mm // 1000),
            (ODOMETER_M, state.driven_mm // 1000),
            (ENGINE_S, state.engine_ms // 1000),
            *signals,
        ]
        if self._crane:
            elements.append((HOIST, int(segment.hoist)))
        return Record(
            moment.at_ms * 1000,
            at.lat,
            at.lon,
            at.altitude_m,
            at.course_deg,
            at.satellites,
            at.speed_kmh,
            tuple(sorted(elements)),
            moment.event_id,
            int(moment.event_id > 0),
        )


def moments(segment: Segment, before: Segment | None, blind: Sequence[Span]) -> Iterator[Moment]:
    """When records are due in a segment, given the one before it."""
    every_ms = ON_EVERY_MS if segment.engine else OFF_EVERY_MS
    due = dict.fromkeys(range(-(-segment.begin_ms // every_ms) * every_ms, segment.end_ms, every_ms), 0)
    if event_id := change(segment, before):
        due[segment.begin_ms] = event_id
    if before is None:
        due.setdefault(segment.begin_ms, 0)
    near = [span for span in blind if span[0] < segment.end_ms and span[1] >= segment.begin_ms]
    for begin_ms, end_ms in near:
        due = {at_ms: event for at_ms, event in due.items() if not begin_ms <= at_ms < end_ms}
        if segment.begin_ms <= end_ms < segment.end_ms:
            due.setdefault(end_ms, 0)
    return (Moment(at_ms, due[at_ms]) for at_ms in sorted(due))


def change(segment: Segment, before: Segment | None) -> int:
    """The element that changes where a segment begins, or 0."""
    if before is None:
        return 0
    if segment.engine != before.engine:
        return IGNITION
    return HOIST if segment.hoist != before.hoist else 0
