"""ROSpecs: what a client asks the reader to do, and the disabled - inactive - active machine of section 10.1.

Start triggers null, immediate and periodic, stop triggers null and duration; a reader without GPI ports refuses the
others. The specs inside a ROSpec (AISpec) choose antennas; their own stop triggers do not stop this reader's radio.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum

from simulators.devices.llrp_codec import Code, Fault, Message, Param, Selector, fields, tlv, walk
from simulators.devices.llrp_facts import ANTENNAS, MAX_ROSPECS

STATE_AT = 9
FIELD_ID, FIELD_STATE = 0, 2


class State(IntEnum):
    """CurrentState of a ROSpec."""

    DISABLED = 0
    INACTIVE = 1
    ACTIVE = 2


class Start(IntEnum):
    """ROSpecStartTriggerType."""

    NULL = 0
    IMMEDIATE = 1
    PERIODIC = 2


class Stop(IntEnum):
    """ROSpecStopTriggerType."""

    NULL = 0
    DURATION = 1


@dataclass(frozen=True, slots=True)
class ReportSpec:
    """ROReportSpec: trigger 0 is "only when asked"; `every` 0 is "no number of tags"."""

    trigger: int = 1
    every: int = 0
    selector: Selector = field(default_factory=Selector)

    def encode(self) -> bytes:
        """The parameter."""
        return tlv(Param.RO_REPORT_SPEC, bytes([self.trigger]), self.every.to_bytes(2, "big"), self.selector.encode())


@dataclass(slots=True)
class RoSpec:
    """One ROSpec as added, and where it stands; times are seconds of the caller's steady clock."""

    number: int
    value: bytes
    start: Start = Start.NULL
    offset_s: float = 0.0
    period_s: float = 0.0
    duration_s: float | None = None
    antennas: frozenset[int] = frozenset()
    report: ReportSpec | None = None
    state: State = State.DISABLED
    starts_at: float | None = None
    stops_at: float | None = None

    def encode(self) -> bytes:
        """The ROSpec as it was added, with its present state."""
        value = bytearray(self.value)
        value[STATE_AT - 4] = self.state
        return tlv(Param.ROSPEC, bytes(value))


def parse_report(value: bytes) -> ReportSpec:
    """ROReportSpec (16.2.7.1); raises Fault."""
    trigger, every = fields("BH", value, "ROReportSpec")
    selector = Selector()
    for kind, inner in walk(value[3:]):
        if kind == Param.CONTENT_SELECTOR:
            (flags,) = fields("H", inner, "TagReportContentSelector")
            memory = [part[0] for sub, part in walk(inner[2:]) if sub == Param.MEMORY_SELECTOR and part]
            selector = Selector(flags, memory[0] if memory else 0)
    return ReportSpec(trigger, every, selector)


def parse_rospec(value: bytes) -> RoSpec:
    """ROSpec (16.2.4.1), as it may be added; raises Fault naming what is wrong."""
    number, _, state = fields("IBB", value, "ROSpec")
    spec = RoSpec(number, value)
    if number == 0:
        raise Fault(Code.M_PARAMETER_ERROR, "ROSpecID: 0 means all, expected 1 or more", FIELD_ID, Code.A_OUT_OF_RANGE)
    if state != State.DISABLED:
        raise Fault(Code.M_PARAMETER_ERROR, "CurrentState: expected disabled", FIELD_STATE)
    kinds = {kind: inner for kind, inner in walk(value[6:]) if kind != Param.AISPEC}
    if Param.RO_BOUNDARY not in kinds:
        raise Fault(Code.M_MISSING_PARAMETER, "ROSpec: expected a ROBoundarySpec")
    _parse_boundary(spec, kinds[Param.RO_BOUNDARY])
    spec.antennas = _antennas(inner for kind, inner in walk(value[6:]) if kind == Param.AISPEC)
    if Param.RO_REPORT_SPEC in kinds:
        spec.report = parse_report(kinds[Param.RO_REPORT_SPEC])
    return spec


def _parse_boundary(spec: RoSpec, value: bytes) -> None:
    for kind, inner in walk(value):
        if kind == Param.RO_START:
            (trigger,) = fields("B", inner, "ROSpecStartTrigger")
            if trigger not in tuple(Start):
                raise Fault(Code.M_PARAMETER_ERROR, f"ROSpecStartTriggerType: {trigger} needs a GPI port, none here")
            spec.start = Start(trigger)
            for sub, part in walk(inner[1:]):
                if sub == Param.PERIODIC:
                    offset_ms, period_ms = fields("II", part, "PeriodicTriggerValue")
                    spec.offset_s, spec.period_s = offset_ms / 1000, period_ms / 1000
        elif kind == Param.RO_STOP:
            trigger, duration_ms = fields("BI", inner, "ROSpecStopTrigger")
            if trigger not in tuple(Stop):
                raise Fault(Code.M_PARAMETER_ERROR, f"ROSpecStopTriggerType: {trigger} needs a GPI port, none here")
            spec.duration_s = duration_ms / 1000 if trigger == Stop.DURATION else None


def _antennas(specs: Iterable[bytes]) -> frozenset[int]:
    chosen: list[int] = []
    for value in specs:
        (count,) = fields("H", value, "AISpec")
        chosen += fields(f"2x{count}H", value, "AISpec antennas")
    if not chosen:
        raise Fault(Code.M_MISSING_PARAMETER, "ROSpec: expected an AISpec with antennas")
    if max(chosen) > ANTENNAS:
        raise Fault(Code.M_PARAMETER_ERROR, f"AntennaID: {max(chosen)}, expected at most {ANTENNAS}")
    return frozenset(range(1, ANTENNAS + 1)) if 0 in chosen else frozenset(chosen)


class RoSpecs:
    """The ROSpecs that a reader holds. `events` grows by (number, started) at each start and end of one."""

    def __init__(self) -> None:
        self._held: dict[int, RoSpec] = {}
        self.events: list[tuple[int, bool]] = []

    def held(self) -> list[RoSpec]:
        """All of them, in the order of their adding."""
        return list(self._held.values())

    def active(self) -> RoSpec | None:
        """The ROSpec whose reads are told now."""
        return next((spec for spec in self._held.values() if spec.state is State.ACTIVE), None)

    def add(self, spec: RoSpec) -> None:
        """Raises Fault when the number is taken or the reader is full."""
        if spec.number in self._held:
            raise Fault(Code.M_PARAMETER_ERROR, f"ROSpecID: {spec.number} exists", FIELD_ID)
        if len(self._held) >= MAX_ROSPECS:
            raise Fault(Code.M_OVERFLOW_PARAMETER, f"ROSpec: this reader holds {MAX_ROSPECS}")
        self._held[spec.number] = spec

    def command(self, kind: Message, number: int, now: float) -> None:
        """DELETE, ENABLE, DISABLE (0 = all), START or STOP; raises Fault when the ROSpec or its state is wrong."""
        one_only = kind in (Message.START_ROSPEC, Message.STOP_ROSPEC)
        chosen = [spec for spec in self._held.values() if number in (spec.number, 0)]
        if (number and not chosen) or (one_only and not number):
            raise Fault(Code.M_FIELD_ERROR, f"ROSpecID: {number} is not held", FIELD_ID)
        for spec in chosen:
            if one_only and spec.state is State.DISABLED:
                raise Fault(Code.M_FIELD_ERROR, f"ROSpecID: {number} is disabled", FIELD_ID)
            if kind is Message.ENABLE_ROSPEC:
                self._enable(spec, now)
            elif kind is Message.START_ROSPEC:
                self._move(spec, State.ACTIVE, now)
            elif kind is Message.STOP_ROSPEC:
                self._move(spec, State.INACTIVE, now)
            else:
                self._move(spec, State.DISABLED, now)
            if kind is Message.DELETE_ROSPEC:
                del self._held[spec.number]

    def tick(self, now: float) -> float | None:
        """Applies the triggers that are due; returns when the next one is."""
        for spec in self._held.values():
            if spec.stops_at is not None and spec.stops_at <= now:
                self._move(spec, State.INACTIVE, now)
            if spec.starts_at is not None and spec.starts_at <= now:
                spec.starts_at = now + spec.period_s if spec.period_s else None
                self._move(spec, State.ACTIVE, now)
        due = [at for spec in self._held.values() for at in (spec.starts_at, spec.stops_at) if at is not None]
        return min(due, default=None)

    def _enable(self, spec: RoSpec, now: float) -> None:
        if spec.state is State.DISABLED:
            self._move(spec, State.INACTIVE, now)
            if spec.start is Start.IMMEDIATE:
                self._move(spec, State.ACTIVE, now)
            elif spec.start is Start.PERIODIC:
                spec.starts_at = now + spec.offset_s

    def _move(self, spec: RoSpec, state: State, now: float) -> None:
        if (spec.state is State.ACTIVE) != (state is State.ACTIVE):
            self.events.append((spec.number, state is State.ACTIVE))
            starts = state is State.ACTIVE and spec.duration_s is not None
            spec.stops_at = now + (spec.duration_s or 0.0) if starts else None
        if state is State.DISABLED:
            spec.starts_at = None
        spec.state = state
