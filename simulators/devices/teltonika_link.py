"""A Teltonika tracker's connection: the login, packets out, counts in."""

from collections.abc import Callable, Iterator, Sequence

from simulators.devices.teltonika_codec import login, packet
from simulators.devices.tracker_link import LinkLost, TrackerLink
from simulators.record import Record

ACCEPTED, REFUSED = b"\1", b"\0"
COUNT_BYTES = 4


class LoginRefused(Exception):
    """The server does not want this IMEI."""


class Link(TrackerLink):
    """See TrackerLink."""

    def login(self, imei: str) -> None:
        """Says who this is. Raises LoginRefused when the server says no."""
        self.write(login(imei), ())
        answer = self.exactly(1)
        if answer == REFUSED:
            raise LoginRefused(imei)
        if answer != ACCEPTED:
            raise LinkLost(f"login answered with {answer.hex()}")

    def send(self, packets: Sequence[Sequence[Record]], cuts: Callable[[int], list[int]]) -> None:
        """Sends them in one write, or in pieces with pauses where `cuts` says of so many bytes."""
        data = b"".join(packet(each) for each in packets)
        self.write(data, cuts(len(data)))

    def counts(self, number: int) -> Iterator[int]:
        """The next `number` counts that the server says."""
        for _ in range(number):
            yield int.from_bytes(self.exactly(COUNT_BYTES), "big")
