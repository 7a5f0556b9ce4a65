"""AISpecs: which antennas inventory, how, for how long, and which tags answer at all.

What a client asks of the radio is checked against the capabilities and refused with a status that names the field:
antenna, RF mode, transmit power, number of filters. Of the filters (16.3.1.2.1.1) only a mask on the EPC matches: the
simulated tags have no other memory.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from simulators.devices import llrp_facts as facts
from simulators.devices.llrp_codec import Code, Fault, Param, fields, walk
from simulators.devices.llrp_gpi import GpiTrigger, parse_trigger

EPC_BANK, EPC_AT = 1, 0x20
"""A mask on the EPC bank counts from the CRC; the EPC begins after it and the PC."""
CHANGES = ((1, 0), (1, None), (None, 0), (0, None), (0, 1), (None, 1))
"""By C1G2TagInventoryStateUnawareFilterAction: what becomes of tags that match and of the others (1 is selected)."""
ONLY_TAKE_AWAY = (2, 3)


class AiStop(IntEnum):
    """AISpecStopTriggerType."""

    NULL = 0
    DURATION = 1
    GPI = 2
    TAGS = 3


class Observation(IntEnum):
    """TriggerType of TagObservationTrigger, as far as this reader has them."""

    TAGS = 0
    SILENCE = 1


@dataclass(frozen=True, slots=True)
class Filter:
    """C1G2Filter: `mask` is (bits, how many, where they begin in the EPC), None if no tag has such a memory."""

    mask: tuple[int, int, int] | None
    action: int

    def matches(self, epc: str) -> bool:
        """Whether an EPC, in hex, has the mask's bits."""
        if self.mask is None:
            return False
        bits, size, at = self.mask
        after = len(epc) * 4 - at - size
        return at >= 0 and after >= 0 and int(epc, 16) >> after & (1 << size) - 1 == bits


@dataclass(frozen=True, slots=True)
class AiSpec:
    """One AISpec (16.2.4.2). Ends after `timeout_s`, by `gpi`, after `tags` reads or `silence_s` without one."""

    antennas: frozenset[int]
    filters: tuple[Filter, ...] = ()
    timeout_s: float = 0.0
    gpi: GpiTrigger | None = None
    tags: int = 0
    silence_s: float = 0.0

    def hears(self, antenna: int, epc: str) -> bool:
        """Whether a tag at an antenna answers."""
        return antenna in self.antennas and (not self.filters or _selected(self.filters, epc))


def _selected(filters: Sequence[Filter], epc: str) -> bool:
    selected = filters[0].action in ONLY_TAKE_AWAY
    for each in filters:
        change = CHANGES[each.action][0 if each.matches(epc) else 1]
        selected = selected if change is None else bool(change)
    return selected


def parse_aispec(value: bytes, *, extended: bool = False) -> AiSpec:
    """AISpec; raises Fault naming what this reader cannot do. `extended`: custom parameters may be in it."""
    (count,) = fields("H", value, "AISpec")
    chosen = fields(f"2x{count}H", value, "AISpec antennas")
    if not chosen:
        raise Fault(Code.M_MISSING_PARAMETER, "AISpec: expected antennas")
    if max(chosen) > facts.ANTENNAS:
        raise _refused("AntennaID", max(chosen), f"at most {facts.ANTENNAS}")
    antennas = frozenset(range(1, facts.ANTENNAS + 1)) if 0 in chosen else frozenset(chosen)
    filters: list[Filter] = []
    spec = AiSpec(antennas)
    for kind, inner in walk(value[2 + 2 * count :]):
        if kind == Param.AISPEC_STOP:
            spec = _parse_stop(antennas, inner)
        elif kind == Param.INVENTORY_PARAMETER:
            for sub, part in walk(inner[3:]):
                if sub == Param.ANTENNA_CONFIGURATION:
                    filters += [each for each in check_antenna(part, extended=extended) if each not in filters]
    return AiSpec(antennas, tuple(filters), spec.timeout_s, spec.gpi, spec.tags, spec.silence_s)


def _parse_stop(antennas: frozenset[int], value: bytes) -> AiSpec:
    kind, duration_ms = fields("BI", value, "AISpecStopTrigger")
    if kind == AiStop.NULL:
        return AiSpec(antennas)
    if kind == AiStop.DURATION and duration_ms:
        return AiSpec(antennas, timeout_s=duration_ms / 1000)
    if kind == AiStop.GPI:
        gpi = parse_trigger(value[5:], "AISpecStopTrigger")
        return AiSpec(antennas, timeout_s=gpi.timeout_s, gpi=gpi)
    if kind == AiStop.TAGS:
        return _parse_observation(antennas, value[5:])
    raise _refused("AISpecStopTriggerType", kind, "0, 1 with a duration, 2 or 3")


def _parse_observation(antennas: frozenset[int], value: bytes) -> AiSpec:
    found = [inner for kind, inner in walk(value) if kind == Param.TAG_OBSERVATION]
    if not found:
        raise Fault(Code.M_MISSING_PARAMETER, "AISpecStopTrigger: expected a TagObservationTrigger")
    kind, _, tags, _, silence_ms, timeout_ms = fields("BBHHHI", found[0], "TagObservationTrigger")
    if kind == Observation.TAGS and tags:
        return AiSpec(antennas, timeout_s=timeout_ms / 1000, tags=tags)
    if kind == Observation.SILENCE and silence_ms:
        return AiSpec(antennas, timeout_s=timeout_ms / 1000, silence_s=silence_ms / 1000)
    raise _refused("TriggerType", kind, "0 with a number of tags or 1 with a time")


def check_antenna(value: bytes, *, extended: bool) -> Iterator[Filter]:
    """The filters of an AntennaConfiguration (16.2.6.6); raises Fault where the radio cannot do what it says."""
    (antenna,) = fields("H", value, "AntennaConfiguration")
    if antenna > facts.ANTENNAS:
        raise _refused("AntennaID", antenna, f"at most {facts.ANTENNAS}")
    for kind, inner in walk(value[2:]):
        if kind == Param.RF_TRANSMITTER:
            hop_table, _, power = fields("HHH", inner, "RFTransmitter")
            if hop_table > 1:
                raise _refused("HopTableID", hop_table, "1")
            if not 1 <= power <= len(facts.POWERS_CDBM):
                raise _refused("TransmitPower", power, f"1-{len(facts.POWERS_CDBM)}")
        elif kind == Param.INVENTORY_COMMAND:
            yield from _check_command(inner[1:], extended=extended)


def _check_command(value: bytes, *, extended: bool) -> Iterator[Filter]:
    filters = 0
    for kind, inner in walk(value):
        if kind == Param.RF_CONTROL:
            (mode, _) = fields("HH", inner, "C1G2RFControl")
            if mode not in [each[0] for each in facts.MODES]:
                raise _refused("ModeIndex", mode, f"one of {[each[0] for each in facts.MODES]}")
        elif kind == Param.SINGULATION:
            fields("BHI", inner, "C1G2SingulationControl")
        elif kind == Param.CUSTOM and not extended:
            raise Fault(Code.M_UNKNOWN_PARAMETER, "C1G2InventoryCommand: a custom parameter that is not enabled")
        elif kind == Param.FILTER:
            filters += 1
            if filters > facts.MAX_FILTERS:
                raise Fault(Code.M_OVERFLOW_PARAMETER, f"C1G2Filter: this reader has {facts.MAX_FILTERS}")
            yield _parse_filter(inner)


def _parse_filter(value: bytes) -> Filter:
    mask: tuple[int, int, int] | None = None
    action = 0
    for kind, inner in walk(value[1:]):
        if kind == Param.INVENTORY_MASK:
            bank, pointer, size = fields("BHH", inner, "C1G2TagInventoryMask")
            bits = inner[5:]
            if len(bits) * 8 < size:
                raise _refused("MaskBitCount", size, f"at most the {len(bits) * 8} bits given")
            if bank >> 6 == EPC_BANK:
                mask = int.from_bytes(bits) >> len(bits) * 8 - size, size, pointer - EPC_AT
        elif kind == Param.UNAWARE_ACTION:
            (action,) = fields("B", inner, "C1G2TagInventoryStateUnawareFilterAction")
            if action >= len(CHANGES):
                raise _refused("Action", action, f"0-{len(CHANGES) - 1}")
    return Filter(mask, action)


def _refused(field: str, value: int, expected: str) -> Fault:
    return Fault(Code.M_PARAMETER_ERROR, f"{field}: {value}, expected {expected}", 0, Code.A_OUT_OF_RANGE)
