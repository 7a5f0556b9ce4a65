"""What a tracker's server has not acknowledged yet: a bounded buffer, and the packets that wait for an answer."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter
from random import Random

from simulators.record import Record


@dataclass(frozen=True, slots=True, eq=False)
class Packet:
    """Records that travel together; `repeat`: it was acknowledged before and is sent once more."""

    records: tuple[Record, ...]
    repeat: bool = False


class Pending:
    """Records in the order in which they are sent: a packet stays in front until it is acknowledged."""

    def __init__(self, records_per_packet: int, limit: int) -> None:
        self._records_per_packet = records_per_packet
        self._limit = limit
        self._buffer: deque[Record] = deque()
        self._unanswered: list[Packet] = []
        self.dropped = 0
        """How many were the oldest of a full buffer: they are never sent."""

    def __len__(self) -> int:
        return len(self._buffer) + sum(len(packet.records) for packet in self._unanswered if not packet.repeat)

    def __bool__(self) -> bool:
        return bool(self._buffer or self._unanswered)

    def add(self, record: Record) -> None:
        """Takes a record; a full buffer loses its oldest."""
        if len(self._buffer) >= self._limit:
            self._buffer.popleft()
            self.dropped += 1
        self._buffer.append(record)

    def packets(self, most: int, disorder: Random | None = None) -> list[Packet]:
        """What is sent now: the packets without an answer, else up to `most` new ones of the oldest records.

        With `disorder`, not the oldest but any that follow each other.
        """
        while not self._unanswered or (self._buffer and len(self._unanswered) < most):
            skipped = disorder.randrange(len(self._buffer)) if disorder and self._buffer else 0
            records = tuple(self._take(skipped))
            if not records:
                break
            self._unanswered.append(Packet(records))
        return list(self._unanswered)

    def acknowledge(self, packet: Packet) -> None:
        """The server has it."""
        self._unanswered.remove(packet)

    def repeat(self, packet: Packet) -> None:
        """Sends once more what the server has."""
        self._unanswered.append(Packet(packet.records, repeat=True))

    def put_newest_first(self) -> None:
        """After an outage: the newest record alone, then the backlog from its oldest."""
        waiting = [record for packet in self._unanswered if not packet.repeat for record in packet.records]
        backlog = sorted([*waiting, *self._buffer], key=attrgetter("at_us"))
        self._unanswered = [Packet((backlog.pop(),))] if backlog else []
        self._buffer = deque(backlog)

    def _take(self, skipped: int) -> Iterator[Record]:
        number = min(self._records_per_packet, len(self._buffer) - skipped)
        self._buffer.rotate(-skipped)
        for _ in range(number):
            yield self._buffer.popleft()
        self._buffer.rotate(skipped)
