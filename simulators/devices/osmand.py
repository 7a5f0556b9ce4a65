"""A phone that sends its records by HTTP as OsmAnd and Traccar Client do, and keeps each until it is answered with 200.

It is a tracker like those of other protocols, with the same habits and the same buffer: only its link is another one.
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from simulators.devices.driving import RecordTruth, Sending
from simulators.devices.osmand_codec import Form, request
from simulators.devices.teltonika import TeltonikaTracker
from simulators.devices.teltonika_link import Link, LoginRefused
from simulators.devices.tracker_link import LinkLost
from simulators.record import Record

OK, FORBIDDEN = 200, 403
MOST_HEAD_BYTES = 16 * 1024


class OsmandLink(Link):
    """A connection that is kept for one request after the other; several may be sent before the first answer."""

    def __init__(self, address: tuple[str, int], timeout_s: float, form: Form) -> None:
        super().__init__(address, timeout_s)
        self._form: Form = form
        self._number = ""
        self._sizes: list[int] = []

    def login(self, imei: str) -> None:
        """Nothing is sent: each request says who this is."""
        self._number = imei

    def send(self, packets: Sequence[Sequence[Record]], cuts: Callable[[int], list[int]]) -> None:
        """One request for each packet."""
        data = b"".join(request(self._number, each, self._form) for each in packets)
        self._sizes = [len(each) for each in packets]
        self.write(data, cuts(len(data)))

    def counts(self, number: int) -> Iterator[int]:
        """How many records of each packet were taken: all, or with an answer that is not 200 none."""
        for size in self._sizes[:number]:
            status = self._answer()
            if status == FORBIDDEN:
                raise LoginRefused(self._number)
            yield size if status == OK else 0

    def _answer(self) -> int:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.exactly(1)
            if len(head) > MOST_HEAD_BYTES:
                raise LinkLost("an answer without end")
        status, *fields = head.decode("latin-1").split("\r\n")
        named = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        self.exactly(int(named.get("content-length", 0)))
        return int(status.split()[1])


class OsmandPhone(TeltonikaTracker):
    """One phone. Its identifier is in every request; queries and forms have one record each."""

    def __init__(
        self,
        address: tuple[str, int],
        number: str,
        note: Callable[[Record], None],
        form: Form,
        sending: Sending,
    ) -> None:
        most = sending.records_per_frame if form == "json" else 1
        super().__init__(address, number, note, records_per_frame=most, habits=sending.habits)
        self._form: Form = form

    def _open(self) -> Link:
        return OsmandLink(self._address, self._habits.reply_timeout_s, self._form)


@contextmanager
def phones(
    address: tuple[str, int], numbers: Sequence[str], truth: RecordTruth, flush_s: float, sent: tuple[Form, Sending]
) -> Generator[dict[str, TeltonikaTracker]]:
    """Phones that run, by their identifiers; in the end all of them together have `flush_s` to send what they hold."""
    form, sending = sent
    made: dict[str, TeltonikaTracker] = {
        number: OsmandPhone(address, number, partial(truth.acknowledge, number), form, sending) for number in numbers
    }
    for phone in made.values():
        phone.start()
    try:
        yield made
    finally:
        until = time.monotonic() + flush_s
        for phone in made.values():
            phone.stop(max(0.0, until - time.monotonic()))
        truth.close()
