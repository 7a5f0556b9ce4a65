"""One connection of a GT06 tracker: its login, its packets as readings, and the packets that answer them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from edge.driver import BadFrame
from edge.drivers.conversation import Heard, bad_reading
from edge.drivers.gt06_frame import MAX_SKIPPED, Framer, Packet
from edge.drivers.gt06_message import LOGIN, UnknownType, answer, decode
from edge.drivers.gt06_readings import readings
from models.reading import Reading
from models.wire import NEWEST

_HEAD_BYTES = 400
_IMEI_BYTES, _TYPE_BYTES, _ZONE_BYTES = 8, 2, 2
_WEST = 1 << 3
_AGAIN = timedelta(seconds=30)
"""A packet that comes again so soon is the same one: the tracker has not heard the answer."""


class Habits(Struct, frozen=True):
    """What a port's trackers do that their packets do not say."""

    ahead: timedelta | None = timedelta()
    """How far their clocks are ahead of UTC; None: as their logins say."""
    unchecked: bool = False
    """Whether packets without serial number and CRC are taken."""
    heartbeat_volts: bool = False
    """Whether their heartbeats have the external voltage, in whole volts, in the place of the alert."""


class Gt06Conversation:
    """See `edge.drivers.conversation.Conversation`.

    The same packet again says the same again, to the byte, so that an alarm without a time of its own is told once.
    """

    refused = b""

    def __init__(self, habits: Habits) -> None:
        self._habits = habits
        self._ahead = habits.ahead or timedelta()
        self._framer = Framer(unchecked=habits.unchecked)
        self._device = ""
        self._unknown: set[tuple[int, bool]] = set()
        self._last: tuple[Packet | None, datetime] = None, NEWEST

    @property
    def begun(self) -> bool:
        """Whether a packet has begun."""
        return self._framer.begun

    def feed(self, data: bytes) -> None:
        """Add what the socket gave."""
        self._framer.feed(data)

    def next(self, received_at: datetime) -> Heard | None:
        """The next packet, or what was skipped before it. Raises BadFrame when there is no end of that."""
        try:
            packet = self._framer.packet()
        except BadFrame as error:
            if self._framer.skipped > MAX_SKIPPED:
                raise
            return Heard(wrong=(str(error),))
        if packet is None:
            return None
        if packet.kind == LOGIN and not packet.long:
            return self._login(packet, received_at)
        said, wrong = self._heard(packet, self._first_at(packet, received_at))
        return Heard(said=said, wrong=wrong, answer=answer(packet, received_at))

    def _first_at(self, packet: Packet, received_at: datetime) -> datetime:
        """When it came, or came first. Serial numbers alone tell nothing: some trackers never count."""
        packet_before, first_at = self._last
        if packet == packet_before and timedelta() <= received_at - first_at <= _AGAIN:
            return first_at
        self._last = packet, received_at
        return received_at

    def _login(self, packet: Packet, received_at: datetime) -> Heard:
        self._device = identity(packet.content)
        if self._habits.ahead is None:
            self._ahead = zone(packet.content)
        return Heard(self._device, answer=answer(packet, received_at))

    def _heard(self, packet: Packet, received_at: datetime) -> tuple[Sequence[Reading], Sequence[str]]:
        """A packet's readings. What cannot be read is one too; of each type not known, the connection's first."""
        try:
            said = decode(packet, heartbeat_volts=self._habits.heartbeat_volts)
            return readings(self._device, said, received_at, self._ahead), ()
        except BadFrame as error:
            if isinstance(error, UnknownType):
                if (packet.kind, packet.long) in self._unknown:
                    return (), (str(error),)
                self._unknown.add((packet.kind, packet.long))
            kept = f"{error}: {packet.kind:02x} {packet.content[:_HEAD_BYTES].hex()}"
            return (bad_reading(self._device, received_at, kept),), (str(error),)


def identity(content: bytes) -> str:
    """The device that a login names: 15 digits behind a 0 are an IMEI; "" if all are 0. Raises BadFrame.

    >>> identity(bytes.fromhex("0353413532150362 1234"))
    'imei:353413532150362'
    """
    digits = content[:_IMEI_BYTES].hex()
    if len(content) < _IMEI_BYTES or not digits.isdecimal():
        msg = f"login: {2 * _IMEI_BYTES} digits in {_IMEI_BYTES} bytes expected, got {digits}"
        raise BadFrame(msg)
    if not int(digits):
        return ""
    return f"imei:{digits[1:]}" if digits[0] == "0" else f"id:{digits}"


def zone(content: bytes) -> timedelta:
    """How far ahead of UTC a login says that the tracker's clock is; not at all if it says nothing.

    Bits 4 to 15 are hours and minutes as digits, bit 3 is west (JM-VL03 protocol, "Login Packet").

    >>> zone(bytes.fromhex("0353413532150362 1234 4dd8")) / timedelta(minutes=1)
    -765.0
    """
    raw = content[_IMEI_BYTES + _TYPE_BYTES :][:_ZONE_BYTES]
    bits = int.from_bytes(raw) if len(raw) == _ZONE_BYTES else 0
    hours, minutes = divmod(bits >> 4, 100)
    ahead = timedelta(hours=hours, minutes=minutes)
    return -ahead if bits & _WEST else ahead
