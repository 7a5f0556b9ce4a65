"""Teltonika over UDP: every datagram names its tracker and is acknowledged by itself.

After the maker's wiki, "Teltonika Data Sending Protocols", sections of sending over UDP: length (of what follows),
packet id, a byte without use; AVL packet id, length of the IMEI, IMEI, and the data of a TCP frame without its CRC.
"""

import struct
from datetime import datetime

from msgspec import Struct

from edge.driver import BadFrame
from edge.drivers.conversation import Heard
from edge.drivers.teltonika_conversation import heard
from edge.drivers.teltonika_frame import IMEI_DIGITS, MESSAGES, claimed
from edge.drivers.teltonika_io import Table

_head = struct.Struct("!HHxBH")
_answer = struct.Struct("!HHBBB")
_NOT_USED = 1
_MIN_DATA_BYTES = 3


class Datagram(Struct, frozen=True):
    """One, with its records still in bytes."""

    packet_id: int
    avl_id: int
    imei: str
    data: bytes
    """From codec to second count."""


def datagram(sent: bytes) -> Datagram:
    """Raises BadFrame.

    >>> datagram(bytes.fromhex("0018cafe0122000f333537343534303732373133393735080000")).imei
    '357454072713975'
    """
    if len(sent) < _head.size:
        msg = f"datagram: {_head.size} bytes or more expected, got {len(sent)}"
        raise BadFrame(msg)
    length, packet_id, avl_id, digits = _head.unpack_from(sent)
    if length != len(sent) - 2:
        msg = f"datagram: a length of {len(sent) - 2} expected, got {length}"
        raise BadFrame(msg)
    imei = sent[_head.size : _head.size + IMEI_DIGITS]
    if digits != IMEI_DIGITS or len(imei) != IMEI_DIGITS or not imei.isdigit():
        msg = f"datagram: an IMEI of {IMEI_DIGITS} digits expected, got {digits}: {imei!r}"
        raise BadFrame(msg)
    data = sent[_head.size + IMEI_DIGITS :]
    if len(data) < _MIN_DATA_BYTES:
        msg = f"datagram: codec and counts expected, got {data.hex() or 'nothing'}"
        raise BadFrame(msg)
    return Datagram(packet_id, avl_id, imei.decode("ascii"), data)


def acknowledgement(of: Datagram) -> bytes:
    """Seven bytes: fewer than any datagram that is acknowledged has, so that a forged sender gains nothing.

    >>> acknowledgement(Datagram(0xCAFE, 5, "356307042441013", bytes.fromhex("080101"))).hex()
    '0005cafe010501'
    """
    return _answer.pack(5, of.packet_id, _NOT_USED, of.avl_id, claimed(of.data))


def heard_in(sent: bytes, elements: Table, received_at: datetime) -> Heard:
    """A datagram's readings and its acknowledgement. Raises BadFrame if not even its tracker can be read."""
    found = datagram(sent)
    device = f"imei:{found.imei}"
    if found.data[0] in MESSAGES:
        return Heard(device, wrong=(f"codec {found.data[0]:#04x}, not records",))
    said, wrong = heard(device, found.data, elements, received_at)
    return Heard(device, said, wrong, acknowledgement(found))
