"""GT06's types: which of them say something, and how each is read. This list is all of them.

After Concox's protocol documents and traccar/traccar, protocol/Gt06ProtocolDecoder.java. A number means different
things with a short and a long mark, and on some trackers with another length.
"""

from collections.abc import Callable
from datetime import datetime

from edge.driver import BadFrame
from edge.drivers import gt06_alarm, gt06_information, gt06_location, gt06_status
from edge.drivers.gt06_body import Body, Said
from edge.drivers.gt06_frame import SHORT, STOP, Packet, pack
from edge.drivers.gt06_location import with_place
from edge.drivers.gt06_modular import modular

LOGIN, ADDRESS_REQUEST, ADDRESS, CLOCK_REQUEST, HEARTBEAT = 0x01, 0x2A, 0x97, 0x8A, 0x13
COMMANDS = frozenset({0x80, 0x81, 0x82})
"""What a server says, and a tracker may repeat: never answered."""
NOTHING_SAID = frozenset({0x14, 0x19, 0x1F, 0x35, 0x41, 0x65, 0x66, 0xA7}) | {ADDRESS_REQUEST, CLOCK_REQUEST} | COMMANDS
"""Satellites, cells, photos, fault codes, requests: known, answered where they want it, and not kept."""

Read = Callable[[Body, Said], None]

WITH_SHORT_MARK: dict[int, Read] = {
    0x10: with_place(gt06_location.nothing),
    0x11: with_place(gt06_location.nothing),
    0x12: with_place(gt06_location.old),
    0x13: gt06_status.heartbeat,
    0x15: gt06_information.text,
    0x16: gt06_alarm.alert,
    0x17: gt06_information.access_points,
    0x18: gt06_information.network,
    0x1A: with_place(gt06_location.nothing),
    0x1E: with_place(gt06_location.nothing),
    0x22: gt06_location.location_22,
    0x23: gt06_status.battery_heartbeat,
    0x24: gt06_information.network,
    0x26: gt06_alarm.alert,
    0x27: gt06_alarm.fence_alert,
    0x28: gt06_information.network,
    0x2C: gt06_information.network,
    0x2D: with_place(gt06_location.standard),
    0x2E: gt06_information.network,
    0x31: with_place(gt06_location.high),
    0x32: with_place(gt06_location.nothing),
    0x33: gt06_information.network,
    0x34: gt06_location.x1,
    0x36: gt06_status.modular_heartbeat,
    0x37: with_place(gt06_location.modules),
    0x38: with_place(gt06_location.nothing),
    0x69: gt06_information.access_points,
    0x94: gt06_information.power,
    0x95: gt06_alarm.camera_alert,
    0xA0: with_place(gt06_location.standard_4g),
    0xA1: gt06_information.network,
    0xA2: gt06_information.network,
    0xA3: with_place(gt06_location.nothing),
    0xA4: gt06_alarm.fence_alert,
    0xA5: gt06_alarm.cell_alert,
    0xA9: gt06_alarm.wifi_alert,
    0xF3: gt06_information.network,
}
WITH_LONG_MARK: dict[int, Read] = {
    0x21: gt06_information.long_text,
    0x32: gt06_alarm.az735,
    0x33: gt06_alarm.az735_alert,
    0x70: modular,
    0x8C: gt06_information.obd,
    0x94: gt06_information.transfer,
    0x9B: gt06_information.serial_port,
    0xF2: gt06_information.peripheral,
}
BY_LENGTH: dict[tuple[int, int], Read] = {
    (0x19, 13): gt06_alarm.cell_alert,
    (0x19, 14): gt06_alarm.cell_alert,
    (0x36, 48): gt06_location.card,
    (0xA2, 59): gt06_location.lw4g,
    (0xA3, 19): gt06_status.steps,
}
"""Type and bytes of content, where the length says that it is something else."""

_LONG_ANSWERS = frozenset({0x32, 0x33, 0x41})
_UNANSWERED = frozenset({0x94, 0x9B}) | COMMANDS
_NO_ADDRESS = b"NA&&NA&&0##"


class UnknownType(BadFrame):
    """A type that is not in the lists."""


def decode(packet: Packet, *, heartbeat_volts: bool = False) -> Said:
    """What a packet says; nothing for types that are known and not kept. Raises BadFrame, UnknownType."""
    said = Said()
    read = (WITH_LONG_MARK if packet.long else WITH_SHORT_MARK).get(packet.kind)
    if not packet.long:
        read = BY_LENGTH.get((packet.kind, len(packet.content)), read)
    if read is None and packet.kind in NOTHING_SAID:
        return said
    if read is None:
        msg = f"type {packet.kind:#04x}: not known"
        raise UnknownType(msg)
    if heartbeat_volts and packet.kind == HEARTBEAT:
        read = gt06_status.heartbeat_with_volts
    try:
        read(Body(packet.content), said)
    except BadFrame as error:
        msg = f"type {packet.kind:#04x}: {error}"
        raise BadFrame(msg) from error
    return said


def answer(packet: Packet, now: datetime) -> bytes:
    """What acknowledges a packet: its type and serial number. A request for an address gets none, one for a clock UTC.

    >>> answer(Packet(0x8A, b"", 6), datetime(2015, 12, 29, 0, 0, 21)).hex()
    '78780b8a0f0c1d0000150006f0860d0a'
    """
    if packet.serial is None:
        return _watch_answer(packet)
    if packet.kind in _UNANSWERED:
        return b""
    if packet.kind == CLOCK_REQUEST:
        clock = bytes((now.year % 100, now.month, now.day, now.hour, now.minute, now.second))
        return pack(Packet(CLOCK_REQUEST, clock, packet.serial))
    if packet.kind == ADDRESS_REQUEST:
        content = bytes([len(_NO_ADDRESS)]) + bytes(4) + _NO_ADDRESS
        return pack(Packet(ADDRESS, content, packet.serial, long=True))
    return pack(Packet(packet.kind, b"", packet.serial, packet.long and packet.kind in _LONG_ANSWERS))


def _watch_answer(packet: Packet) -> bytes:
    """A login's type, else type and time, as traccar/traccar does it in protocol/TopinProtocolDecoder.java."""
    if packet.kind == LOGIN:
        return SHORT + bytes([1, LOGIN]) + STOP
    return SHORT + bytes([0, packet.kind]) + packet.content[:6] + STOP
