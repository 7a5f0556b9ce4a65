"""The ROSpec in bytes: one inventory for ever, reported every n tags; nothing in it stops and restarts the radio.

Laid out here after LLRP 1.0.1, chapter 16, and not by sllurp's codec: sllurp 3.0.5 gives GPITriggerValue the type of
PeriodicTriggerValue, and cannot encode a filter's action.
"""

import struct

from msgspec import Struct

from edge.drivers.llrp_settings import GpiTrigger

ROSPEC_ID = 1
IMPINJ = 25882
_NULL, _BY_GPI = 0, 3
_STOP_BY_GPI = 2
_EVERY_N_OR_AT_THE_END = 1
# AntennaID, ChannelIndex, PeakRSSI, First- and LastSeenTimestamp, TagSeenCount
_CONTENT = 0b0001_1111_1000_0000
_CUSTOM = 1023
_EPC_BANK, _EPC_BIT = 1, 0x20
_SELECT_OR_UNSELECT = 0


class Inventory(Struct, frozen=True):
    """What the radio is to do, in the reader's own numbers."""

    antennas: tuple[int, ...] = (0,)
    """0 is all of them."""
    report_every_n: int = 10
    session: int = 1
    tag_population: int = 32
    powers: dict[int, int] = {}
    """Index of the reader's power table by antenna; one that is not here is left as the reader has it."""
    hop_table: int = 0
    channel: int = 0
    mode: int | None = None
    mask: str = ""
    """In hex: the radio asks only tags whose EPC begins so."""
    impinj: bool = False
    start_on: GpiTrigger | None = None
    stop_on: GpiTrigger | None = None


def tlv(kind: int, *parts: bytes) -> bytes:
    """One TLV parameter (16.2.1).

    >>> tlv(224, bytes.fromhex("000100000051")).hex()
    '00e0000a000100000051'
    """
    value = b"".join(parts)
    return struct.pack("!HH", kind, 4 + len(value)) + value


def rospec(inventory: Inventory) -> bytes:
    """The ROSpec parameter (16.2.4.1), disabled.

    >>> rospec(Inventory()).hex()[:46]
    '00b1005c00000001000000b2001200b300050000b60009'
    """
    command = _inventory_command(inventory)
    antennas = b"".join(_antenna(inventory, antenna, command) for antenna in inventory.antennas)
    count = len(inventory.antennas)
    return tlv(
        177,
        struct.pack("!IBB", ROSPEC_ID, 0, 0),
        tlv(178, _start(inventory.start_on), _stop(inventory.stop_on)),
        tlv(
            183,
            struct.pack(f"!H{count}H", count, *inventory.antennas),
            tlv(184, bytes(5)),
            tlv(186, struct.pack("!HB", 1, 1), antennas),
        ),
        tlv(
            237,
            struct.pack("!BH", _EVERY_N_OR_AT_THE_END, inventory.report_every_n),
            tlv(238, struct.pack("!H", _CONTENT), tlv(348, b"\0")),
            impinj_content() if inventory.impinj else b"",
        ),
    )


def gpi_trigger(trigger: GpiTrigger) -> bytes:
    """GPITriggerValue (16.2.4.1.1.1.2): port, whether it goes on, milliseconds.

    >>> gpi_trigger(GpiTrigger(2, on=True, timeout_s=1.5)).hex()
    '00b5000b000280000005dc'
    """
    return tlv(181, struct.pack("!HBI", trigger.gpi, trigger.on << 7, round(trigger.timeout_s * 1000)))


def epc_filter(prefix: str) -> bytes:
    """C1G2Filter (16.3.1.2.1.1) that leaves only tags whose EPC begins with these hex digits.

    The mask begins behind CRC and PC, at bit 32 of the EPC bank; the action is "select, else unselect".

    >>> epc_filter("30342").hex()
    '014b001600014c000c4000200014303420014e000500'
    """
    bits = bytes.fromhex(prefix + "0" * (len(prefix) % 2))
    mask = tlv(332, struct.pack("!BHH", _EPC_BANK << 6, _EPC_BIT, len(prefix) * 4), bits)
    return tlv(331, b"\0", mask, tlv(334, bytes([_SELECT_OR_UNSELECT])))


def impinj_content() -> bytes:
    """ImpinjTagReportContentSelector (Octane LLRP, vendor 25882, subtype 50): phase 52, RSSI 53, Doppler 67.

    >>> impinj_content().hex()
    '03ff00360000651a0000003203ff000e0000651a00000034000103ff000e0000651a00000035000103ff000e0000651a000000430001'
    """
    wanted = (_custom(subtype, struct.pack("!H", 1)) for subtype in (52, 53, 67))
    return _custom(50, *wanted)


def _custom(subtype: int, *parts: bytes) -> bytes:
    return tlv(_CUSTOM, struct.pack("!II", IMPINJ, subtype), *parts)


def _start(trigger: GpiTrigger | None) -> bytes:
    """ROSpecStartTrigger (16.2.4.1.1.1)."""
    return tlv(179, bytes([_NULL])) if trigger is None else tlv(179, bytes([_BY_GPI]), gpi_trigger(trigger))


def _stop(trigger: GpiTrigger | None) -> bytes:
    """ROSpecStopTrigger (16.2.4.1.1.2): type, duration."""
    return tlv(182, bytes(5)) if trigger is None else tlv(182, bytes([_STOP_BY_GPI]) + bytes(4), gpi_trigger(trigger))


def _antenna(inventory: Inventory, antenna: int, command: bytes) -> bytes:
    """AntennaConfiguration (16.2.6.6): the transmitter is named only where a power is asked for.

    A fixed hop table or channel is refused by some makes.
    """
    power = inventory.powers.get(antenna)
    transmitter = b""
    if power is not None:
        transmitter = tlv(224, struct.pack("!HHH", inventory.hop_table, inventory.channel, power))
    return tlv(222, struct.pack("!H", antenna), transmitter, command)


def _inventory_command(inventory: Inventory) -> bytes:
    """C1G2InventoryCommand (16.3.1.2.1): filter, RF control, singulation."""
    return tlv(
        330,
        b"\0",
        epc_filter(inventory.mask) if inventory.mask else b"",
        tlv(335, struct.pack("!HH", inventory.mode, 0)) if inventory.mode is not None else b"",
        tlv(336, struct.pack("!BHI", inventory.session << 6, inventory.tag_population, 0)),
    )
