"""A ROSpec: what a client asks the reader to do, as it was added and where it stands (16.2.4.1).

Start triggers null, immediate, periodic and GPI, stop triggers null, duration and GPI with time-out. Whatever this
reader cannot do is refused when the ROSpec is added, by a status that names the field.
"""

from dataclasses import dataclass, field
from enum import IntEnum

from simulators.devices.llrp_codec import Code, Fault, Param, Selector, fields, tlv, walk
from simulators.devices.llrp_gpi import GpiTrigger, parse_trigger
from simulators.devices.llrp_impinj import CONTENT_SELECTOR, of_vendor, selected
from simulators.devices.llrp_inventory import AiSpec, parse_aispec

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
    GPI = 3


class Stop(IntEnum):
    """ROSpecStopTriggerType."""

    NULL = 0
    DURATION = 1
    GPI = 2


@dataclass(frozen=True, slots=True)
class ReportSpec:
    """ROReportSpec: every N tags, or at the end of an AISpec (trigger 1) or ROSpec (2); N 0 is only at that end."""

    trigger: int = 1
    every: int = 0
    selector: Selector = field(default_factory=Selector)

    def encode(self) -> bytes:
        """The parameter."""
        return tlv(Param.RO_REPORT_SPEC, bytes([self.trigger]), self.every.to_bytes(2, "big"), self.selector.encode())


@dataclass(slots=True)
class Boundary:
    """ROBoundarySpec (16.2.4.1.1). A stop by GPI may have a duration too: its time-out."""

    start: Start = Start.NULL
    offset_s: float = 0.0
    period_s: float = 0.0
    start_gpi: GpiTrigger | None = None
    duration_s: float = 0.0
    stop_gpi: GpiTrigger | None = None


@dataclass(slots=True)
class RoSpec:
    """One ROSpec as added, and where it stands; times are seconds of the caller's steady clock."""

    number: int
    value: bytes
    boundary: Boundary
    inventories: list[AiSpec]
    report: ReportSpec | None = None
    state: State = State.DISABLED
    running: int = 0
    """Which of `inventories` runs while active."""
    seen: int = 0
    """Reads of that AISpec."""
    starts_at: float | None = None
    stops_at: float | None = None
    aispec_ends_at: float | None = None
    silent_at: float | None = None

    @property
    def aispec(self) -> AiSpec:
        """The AISpec that runs, or would run first."""
        return self.inventories[self.running]

    def encode(self) -> bytes:
        """The ROSpec as it was added, with its present state."""
        value = bytearray(self.value)
        value[STATE_AT - 4] = self.state
        return tlv(Param.ROSPEC, bytes(value))


def parse_report(value: bytes, *, extended: bool = False) -> ReportSpec:
    """ROReportSpec (16.2.7.1); raises Fault. Custom parameters are known only to a reader that is `extended`."""
    trigger, every = fields("BH", value, "ROReportSpec")
    if trigger > 2:  # noqa: PLR2004 - none, end of AISpec, end of ROSpec
        raise Fault(Code.M_PARAMETER_ERROR, f"ROReportTrigger: {trigger}, expected 0-2", 0, Code.A_OUT_OF_RANGE)
    flags, memory, impinj = Selector().flags, 0, frozenset[int]()
    for kind, inner in walk(value[3:]):
        if kind == Param.CONTENT_SELECTOR:
            (flags,) = fields("H", inner, "TagReportContentSelector")
            found = [part[0] for sub, part in walk(inner[2:]) if sub == Param.MEMORY_SELECTOR and part]
            memory = found[0] if found else 0
        elif kind == Param.CUSTOM:
            if not extended or of_vendor(inner) is None:
                raise Fault(
                    Code.M_UNKNOWN_PARAMETER, "ROReportSpec: a custom parameter that is not known or not enabled"
                )
            impinj = selected(inner) if of_vendor(inner) == CONTENT_SELECTOR else impinj
    return ReportSpec(trigger, every, Selector(flags, memory, impinj))


def parse_rospec(value: bytes, *, extended: bool = False) -> RoSpec:
    """ROSpec (16.2.4.1), as it may be added; raises Fault naming what is wrong."""
    number, _, state = fields("IBB", value, "ROSpec")
    if number == 0:
        raise Fault(Code.M_PARAMETER_ERROR, "ROSpecID: 0 means all, expected 1 or more", FIELD_ID, Code.A_OUT_OF_RANGE)
    if state != State.DISABLED:
        raise Fault(Code.M_PARAMETER_ERROR, "CurrentState: expected disabled", FIELD_STATE)
    kinds = {kind: inner for kind, inner in walk(value[6:]) if kind != Param.AISPEC}
    if Param.RO_BOUNDARY not in kinds:
        raise Fault(Code.M_MISSING_PARAMETER, "ROSpec: expected a ROBoundarySpec")
    inventories = [parse_aispec(inner, extended=extended) for kind, inner in walk(value[6:]) if kind == Param.AISPEC]
    if not inventories:
        raise Fault(Code.M_MISSING_PARAMETER, "ROSpec: expected an AISpec with antennas")
    spec = RoSpec(number, value, _parse_boundary(kinds[Param.RO_BOUNDARY]), inventories)
    if Param.RO_REPORT_SPEC in kinds:
        spec.report = parse_report(kinds[Param.RO_REPORT_SPEC], extended=extended)
    return spec


def _parse_boundary(value: bytes) -> Boundary:
    found = Boundary()
    for kind, inner in walk(value):
        if kind == Param.RO_START:
            (trigger,) = fields("B", inner, "ROSpecStartTrigger")
            found.start = Start(_one_of(tuple(Start), trigger, "ROSpecStartTriggerType"))
            if found.start is Start.GPI:
                found.start_gpi = parse_trigger(inner[1:], "ROSpecStartTrigger")
            for sub, part in walk(inner[1:]):
                if sub == Param.PERIODIC:
                    offset_ms, period_ms = fields("II", part, "PeriodicTriggerValue")
                    found.offset_s, found.period_s = offset_ms / 1000, period_ms / 1000
        elif kind == Param.RO_STOP:
            trigger, duration_ms = fields("BI", inner, "ROSpecStopTrigger")
            _one_of(tuple(Stop), trigger, "ROSpecStopTriggerType")
            found.duration_s = duration_ms / 1000 if trigger == Stop.DURATION else 0.0
            if trigger == Stop.GPI:
                found.stop_gpi = parse_trigger(inner[5:], "ROSpecStopTrigger")
                found.duration_s = found.stop_gpi.timeout_s
    return found


def _one_of(known: tuple[int, ...], value: int, name: str) -> int:
    if value not in known:
        raise Fault(Code.M_PARAMETER_ERROR, f"{name}: {value}, expected 0-{max(known)}", 0, Code.A_OUT_OF_RANGE)
    return value
