"""What an Impinj reader adds to LLRP: the message that switches it on, a report selector, three fields of a tag report.

Numbers are those of the vendor's public LLRP extension definitions: vendor 25882, message 21 answered by 22, parameter
50 with 52, 53 and 67 inside, reported as 56, 57 and 68.
"""

from math import tau
from struct import pack

from simulators.devices.llrp_codec import fields, walk
from simulators.devices.llrp_numbers import Param

VENDOR = 25882
MODEL = 2_001_002
ENABLE_EXTENSIONS, ENABLED = 21, 22
CONTENT_SELECTOR = 50
PHASE, PEAK_RSSI, DOPPLER = 56, 57, 68
EVERY_FIELD = frozenset({PHASE, PEAK_RSSI, DOPPLER})
ASKED = {52: PHASE, 53: PEAK_RSSI, 67: DOPPLER}
"""The subtype that asks for a field: the one that reports it."""
PHASE_STEPS = 4096
DOPPLER_STEPS = 16
CDBM = 100
LOWEST, HIGHEST = -0x8000, 0x7FFF


def custom(subtype: int, value: bytes) -> bytes:
    """One custom parameter of this vendor.

    >>> custom(PHASE, bytes(2)).hex()
    '03ff000e0000651a000000380000'
    """
    return pack("!HHII", Param.CUSTOM, 12 + len(value), VENDOR, subtype) + value


def phase(radians: float) -> bytes:
    """ImpinjRFPhaseAngle: 4096ths of a turn."""
    return custom(PHASE, pack("!H", round(radians * PHASE_STEPS / tau) % PHASE_STEPS))


def peak_rssi(dbm: float) -> bytes:
    """ImpinjPeakRSSI: hundredths of a dBm."""
    return custom(PEAK_RSSI, pack("!h", _short(dbm * CDBM)))


def doppler(hertz: float) -> bytes:
    """ImpinjRFDopplerFrequency: sixteenths of a hertz."""
    return custom(DOPPLER, pack("!h", _short(hertz * DOPPLER_STEPS)))


def _short(value: float) -> int:
    return max(LOWEST, min(HIGHEST, round(value)))


def of_vendor(value: bytes) -> int | None:
    """The subtype of a custom message or parameter of this vendor, None of another one's; raises Fault."""
    vendor, subtype = fields("II", value, "custom")
    return subtype if vendor == VENDOR else None


def selected(value: bytes) -> frozenset[int]:
    """The fields that an ImpinjTagReportContentSelector asks for, by the subtypes that report them; raises Fault."""
    found: set[int] = set()
    for kind, inner in walk(value[8:]):
        subtype = of_vendor(inner) if kind == Param.CUSTOM else None
        if subtype in ASKED:
            (on,) = fields("H", inner[8:], f"custom {subtype}")
            found |= {ASKED[subtype]} if on else set()
    return frozenset(found)
