"""What the simulated reader says it is: four antennas, four inputs, FCC band, fifty hopping channels, two RF modes.

Answers to GET_READER_CAPABILITIES (9.1) and the fixed part of those to GET_READER_CONFIG (12.1).
"""

from collections.abc import Mapping
from struct import pack

from simulators.devices import llrp_impinj as impinj
from simulators.devices.llrp_codec import tlv
from simulators.devices.llrp_gpi import PORTS

ANTENNAS = 4
MAX_ROSPECS = 1
MAX_ACCESSSPECS = 8
MAX_FILTERS = 2
POWERS_CDBM = range(1000, 3025, 25)
CHANNELS_KHZ = range(902_750, 927_750, 500)
MODES = ((0, 0, 640_000), (2, 2, 274_000))
NO_MANUFACTURER = 0xFFFFFFFF
FIRMWARE = b"stockyard 1"
EUI_64 = bytes.fromhex("025359fffe000001")
HAS_UTC_CLOCK = 0x4000
HOLDS_REPORTS = 0x08
WARNS_OF_BUFFER = 0x40
DR_64_3 = 0x80
FCC_PART_15, USA = 1, 840


def general(*, is_impinj: bool) -> bytes:
    """GeneralDeviceCapabilities (16.2.3.1)."""
    maker = (impinj.VENDOR, impinj.MODEL) if is_impinj else (NO_MANUFACTURER, 1)
    return tlv(
        137,
        pack("!HHII", ANTENNAS, HAS_UTC_CLOCK, *maker),
        pack("!H", len(FIRMWARE)) + FIRMWARE,
        tlv(139, pack("!Hh", 1, 0)),
        *(tlv(149, pack("!HHH", antenna, 1, 1)) for antenna in range(1, ANTENNAS + 1)),
        tlv(141, pack("!HH", PORTS, PORTS)),
        *(tlv(140, pack("!HHB", antenna, 1, 1)) for antenna in range(1, ANTENNAS + 1)),
    )


def limits() -> bytes:
    """LLRPCapabilities (16.2.3.2)."""
    return tlv(142, pack("!BBHIIIII", WARNS_OF_BUFFER | HOLDS_REPORTS, 0, 0, MAX_ROSPECS, 32, 1, MAX_ACCESSSPECS, 8))


def regulatory() -> bytes:
    """RegulatoryCapabilities (16.2.3.4): power table in 1/100 dBm, hop table in kHz, RF modes."""
    powers = [tlv(145, pack("!Hh", index, power)) for index, power in enumerate(POWERS_CDBM, 1)]
    count = len(CHANNELS_KHZ)
    hop_table = tlv(147, pack(f"!BBH{count}I", 1, 0, count, *CHANNELS_KHZ))
    modes = [
        tlv(329, pack("!IBBBBIIIII", identifier, DR_64_3, miller, 0, 2, rate, 1500, 6250, 6250, 0))
        for identifier, miller, rate in MODES
    ]
    band = tlv(144, *powers, tlv(146, b"\x80", hop_table), tlv(328, *modes))
    return tlv(143, pack("!HH", USA, FCC_PART_15), band)


def air_protocol() -> bytes:
    """C1G2LLRPCapabilities (16.3.1.1.1): no block operations, two select filters."""
    return tlv(327, pack("!BH", 0, MAX_FILTERS))


def capabilities(*, is_impinj: bool) -> Mapping[int, bytes]:
    """The parts of an answer to GET_READER_CAPABILITIES, by the item that asks for them."""
    return {1: general(is_impinj=is_impinj), 2: limits(), 3: regulatory(), 4: air_protocol()}


def identification() -> bytes:
    """Identification (16.2.6.2): a locally administered EUI-64."""
    return tlv(218, pack("!BH", 0, len(EUI_64)) + EUI_64)


def antenna_properties(antenna: int, *, connected: bool) -> bytes:
    """AntennaProperties (16.2.6.5): whether it is connected, 6 dBi."""
    return tlv(221, pack("!BHh", 0x80 * connected, antenna, 600))


def antenna_defaults() -> dict[int, bytes]:
    """The parts of AntennaConfiguration (16.2.6.6), keyed by type: sensitivity, transmitter, inventory command."""
    inventory = tlv(330, b"\0", tlv(335, pack("!HH", 0, 0)), tlv(336, pack("!BHI", 0x80, 32, 0)))
    return {223: tlv(223, pack("!H", 1)), 224: tlv(224, pack("!HHH", 1, 1, len(POWERS_CDBM))), 330: inventory}
