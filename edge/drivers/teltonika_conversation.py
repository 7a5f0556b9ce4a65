"""One connection of a Teltonika tracker: its login, its frames as readings, and the number that acknowledges them."""

from collections.abc import Sequence
from datetime import datetime

from edge.driver import BadFrame
from edge.drivers.conversation import Heard, bad_reading
from edge.drivers.teltonika_frame import ACCEPTED, MESSAGES, REFUSED, Framer, answer, claimed, decode
from edge.drivers.teltonika_io import Table, readings
from models.reading import Reading

_HEAD_BYTES = 400


class TeltonikaConversation:
    """See `edge.drivers.conversation.Conversation`."""

    refused = REFUSED

    def __init__(self, elements: Table) -> None:
        self._elements = elements
        self._framer = Framer()
        self._device: str | None = None

    @property
    def begun(self) -> bool:
        """Whether a frame has begun."""
        return self._framer.begun

    def feed(self, data: bytes) -> None:
        """Add what the socket gave."""
        self._framer.feed(data)

    def next(self, received_at: datetime) -> Heard | None:
        """The login, then frame after frame. Raises BadFrame."""
        if self._device is None:
            if (imei := self._framer.login()) is None:
                return None
            self._device = f"imei:{imei}" if imei else ""
            return Heard(self._device, answer=ACCEPTED)
        if (data := self._framer.frame()) is None:
            return None
        if data[0] in MESSAGES:
            return Heard(wrong=(f"codec {data[0]:#04x}, not records",))
        said, wrong = heard(self._device, data, self._elements, received_at)
        return Heard(said=said, wrong=wrong, answer=answer(claimed(data)))


def heard(device: str, data: bytes, elements: Table, received_at: datetime) -> tuple[Sequence[Reading], Sequence[str]]:
    """A frame's readings, and what was wrong with it. What cannot be read is a reading too: `bad_reading`."""
    try:
        records = decode(data)
    except BadFrame as error:
        return [bad_reading(device, received_at, f"{error}: {data[:_HEAD_BYTES].hex()}")], [str(error)]
    said: list[Reading] = []
    wrong: list[str] = []
    for record in records:
        try:
            said += readings(device, record, elements, received_at)
        except BadFrame as error:
            said.append(bad_reading(device, received_at, f"{error}: {record}"))
            wrong.append(str(error))
    return said, wrong
