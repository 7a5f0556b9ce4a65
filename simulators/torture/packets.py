"""MQTT 3.1.1 packets in a stream of bytes, as far as a fault proxy needs them: where one ends, and what kind it is."""

from collections.abc import Iterator
from random import Random

PUBLISH, PUBACK = 3, 4
MOST_LENGTH_BYTES = 4
QOS_BITS, DUP_BIT = 0b0110, 0b1000


class NotMqtt(Exception):
    """The bytes are no MQTT packet."""


class Packets:
    """Cuts a stream into packets."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        r"""The packets that `data` completes. Raises NotMqtt (section 2.2.3: a length of more than four bytes).

        >>> packets = Packets()
        >>> packets.feed(bytes.fromhex("c000 d0")), packets.feed(bytes.fromhex("00 3003 0001"))
        ([b'\xc0\x00'], [b'\xd0\x00'])
        """
        self._rest += data
        found: list[bytes] = []
        while (size := packet_size(self._rest)) is not None and size <= len(self._rest):
            found.append(self._rest[:size])
            self._rest = self._rest[size:]
        return found


def packet_size(data: bytes) -> int | None:
    """Bytes of the packet that `data` begins with, None if that is not known yet. Raises NotMqtt."""
    length = 0
    for n, byte in enumerate(data[1 : 1 + MOST_LENGTH_BYTES]):
        length |= (byte & 127) << 7 * n
        if byte < 128:  # noqa: PLR2004 - the bit that says that another byte follows
            return 2 + n + length
    if len(data) > MOST_LENGTH_BYTES:
        msg = f"no MQTT packet: {data[:5].hex()}"
        raise NotMqtt(msg)
    return None


def kind(packet: bytes) -> int:
    """Its control packet type (section 2.2.1)."""
    return packet[0] >> 4


def doubled(packet: bytes, chance: Random, share: float) -> list[bytes]:
    """A PUBLISH of QoS 1 perhaps twice, as it was or marked as sent again; every other packet once."""
    if kind(packet) != PUBLISH or not packet[0] & QOS_BITS or chance.random() >= share:
        return [packet]
    again = bytes([packet[0] | DUP_BIT]) + packet[1:]
    return [packet, chance.choice((packet, again))]


def slices(data: bytes, chance: Random, most: int) -> Iterator[bytes]:
    """The same bytes in pieces of 1 to `most`."""
    while data:
        size = chance.randint(1, most)
        yield data[:size]
        data = data[size:]
