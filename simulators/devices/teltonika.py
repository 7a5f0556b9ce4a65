"""A GPS tracker that speaks Teltonika Codec 8 Extended to its server, as hardware does: it connects by itself.

What it is offered it keeps until the server has said how many records it took, and sends again whatever that was not
said of. It can lose its network: then its connection is left hanging, as a modem leaves it, and the server is told
nothing. By UDP, a link is what it sent from one port.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from threading import Condition, Thread
from time import monotonic

from simulators.devices.teltonika_datagrams import DatagramLink
from simulators.devices.teltonika_link import Link, LoginRefused
from simulators.devices.teltonika_pending import Packet, Pending
from simulators.devices.tracker_link import LinkLost
from simulators.record import Record

__all__ = ["Habits", "TeltonikaTracker"]

MOST_PACKETS_IN_A_BURST = 3
MOST_PIECES = 4
MOST_DOUBLINGS = 16


@dataclass(frozen=True, slots=True)
class Habits:
    """How a tracker waits and what it does to its server. Shares are of packets; `seed` decides which ones."""

    reply_timeout_s: float = 5.0
    first_backoff_s: float = 0.5
    most_backoff_s: float = 15.0
    refused_wait_s: float = 30.0
    live_first: bool = True
    """After an outage the newest record goes first, then the backlog from its oldest."""
    buffer_limit: int = 100_000
    seed: int = 0
    resend_share: float = 0.0
    """Sent once more although acknowledged."""
    drop_ack_share: float = 0.0
    """The acknowledgement is not heard: hung up, and sent again."""
    split_share: float = 0.0
    """Sent in several TCP segments with pauses."""
    burst_share: float = 0.0
    """Up to three packets in one write, before the first is answered."""
    disorder_share: float = 0.0
    """Not the oldest records are sent, but any of those that wait."""
    udp: bool = False
    """By datagrams instead of a connection."""


class TeltonikaTracker:
    """One tracker. `note` is called once per record, when its server has acknowledged it, in the tracker's thread."""

    def __init__(
        self,
        address: tuple[str, int],
        imei: str,
        note: Callable[[Record], None],
        *,
        records_per_frame: int = 10,
        habits: Habits = Habits(),
    ) -> None:
        self._address, self._imei, self._note, self._habits = address, imei, note, habits
        self._chance = Random(f"{imei}/{habits.seed}")
        self._changed = Condition()
        self._pending = Pending(records_per_frame, habits.buffer_limit)
        self._link: Link | DatagramLink | None = None
        self._hanging: Link | DatagramLink | None = None
        self._logged_in = self._was_out = self._closing = False
        self._offline_until = 0.0
        self._failures = 0
        self.refusals = 0
        """How often the server refused the login."""
        self._thread = Thread()

    def start(self) -> None:
        """Switches it on; it connects as soon as it can."""
        self._closing = False
        self._thread = Thread(target=self._run, name=f"tracker-{self._imei}", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float) -> int:
        """Sends what is buffered, for at most that long, then hangs up. Returns how many records were never noted."""
        with self._changed:
            if self._thread.is_alive():
                self._changed.wait_for(lambda: not len(self._pending), timeout_s)
            self._closing = True
            self._interrupt()
        if self._thread.ident is not None:
            self._thread.join()
        if self._hanging is not None:
            self._hanging.close()
            self._hanging = None
        return len(self._pending) + self._pending.dropped

    def offer(self, record: Record) -> None:
        """A new record; a full buffer loses its oldest."""
        with self._changed:
            self._pending.add(record)
            self._changed.notify_all()

    def outage(self, seconds: float) -> None:
        """Loses the network for a while."""
        self._lose(monotonic() + seconds)

    def reboot(self, seconds: float) -> None:
        """Is switched off for a while. Its records are in its flash; they go on in their order."""
        self._lose(monotonic() + seconds, was_out=False)

    def offline(self, lost: bool) -> None:  # noqa: FBT001 - the state of a network is true or false
        """Loses the network, or has it back."""
        if lost:
            self._lose(float("inf"))
            return
        with self._changed:
            self._offline_until = 0.0
            self._changed.notify_all()

    @property
    def connected(self) -> bool:
        """It has a network, and its server accepted the login; a server that went since is noticed when sending."""
        with self._changed:
            return self._logged_in and not self._offline_s()

    @property
    def buffered(self) -> int:
        """Records that are not acknowledged yet."""
        with self._changed:
            return len(self._pending)

    @property
    def dropped(self) -> int:
        """Records that a full buffer lost."""
        return self._pending.dropped

    def _lose(self, until: float, *, was_out: bool = True) -> None:
        with self._changed:
            self._offline_until = max(self._offline_until, until)
            self._was_out |= was_out
            self._interrupt()

    def _interrupt(self) -> None:
        """Wakes the thread from whatever it waits for (lock held)."""
        if self._link is not None:
            self._link.deafen()
        self._changed.notify_all()

    def _offline_s(self) -> float:
        return max(0.0, self._offline_until - monotonic())

    def _run(self) -> None:
        while self._wait_for_network():
            try:
                link = self._connect()
                while packets := self._next_packets():
                    self._exchange(link, packets)
            except LoginRefused:
                self.refusals += 1
                self._was_out = True
                self._hang_up()
                self._pause(self._habits.refused_wait_s)
            except LinkLost:
                self._was_out |= not self._logged_in
                self._hang_up()
                self._pause(self._backoff_s())
            finally:
                self._hang_up()

    def _wait_for_network(self) -> bool:
        """False when it is switched off."""
        with self._changed:
            while not self._closing and (left := self._offline_s()):
                self._changed.wait(None if left == float("inf") else left)
            return not self._closing

    def _open(self) -> Link | DatagramLink:
        return (DatagramLink if self._habits.udp else Link)(self._address, self._habits.reply_timeout_s)

    def _connect(self) -> Link | DatagramLink:
        link = self._open()
        with self._changed:
            self._link = link
            if self._closing or self._offline_s():
                link.deafen()
        link.login(self._imei)
        with self._changed:
            self._logged_in = True
            if self._was_out and self._habits.live_first:
                self._pending.put_newest_first()
            self._was_out &= self._offline_s() > 0
        return link

    def _next_packets(self) -> list[Packet]:
        """Waits for something to send; nothing when it is switched off or out of reach."""
        most = MOST_PACKETS_IN_A_BURST if self._now_and_then(self._habits.burst_share) else 1
        disorder = self._now_and_then(self._habits.disorder_share)
        with self._changed:
            self._changed.wait_for(lambda: self._pending or self._closing or self._offline_s())
            if self._closing or self._offline_s():
                return []
            return self._pending.packets(most, self._chance if disorder else None)

    def _exchange(self, link: Link | DatagramLink, packets: list[Packet]) -> None:
        """Sends and hears the counts. A wrong one: nothing was taken, and the packet is sent again in a while."""
        link.send([each.records for each in packets], self._cuts)
        wrong = 0
        for each, count in zip(packets, link.counts(len(packets)), strict=True):
            if count != len(each.records):
                wrong += 1
            elif not each.repeat and self._now_and_then(self._habits.drop_ack_share):
                raise LinkLost("the acknowledgement was not heard")
            else:
                self._acknowledged(each)
        if wrong:
            self._pause(self._backoff_s())

    def _acknowledged(self, sent: Packet) -> None:
        self._failures = 0
        if not sent.repeat:
            for record in sent.records:
                self._note(record)
        with self._changed:
            self._pending.acknowledge(sent)
            if not sent.repeat and self._now_and_then(self._habits.resend_share):
                self._pending.repeat(sent)
            self._changed.notify_all()

    def _hang_up(self) -> None:
        """Closes the connection, but leaves it hanging, until the next one that hangs, if the network is gone."""
        with self._changed:
            link, self._link, self._logged_in = self._link, None, False
            if link is not None and self._offline_s():
                link, self._hanging = self._hanging, link
        if link is not None:
            link.close()

    def _backoff_s(self) -> float:
        """Full jitter: anything up to a limit that doubles until a packet is acknowledged."""
        limit = self._habits.first_backoff_s * 2 ** min(self._failures, MOST_DOUBLINGS)
        self._failures += 1
        return self._chance.uniform(0, min(limit, self._habits.most_backoff_s))

    def _pause(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closing, seconds)

    def _cuts(self, size: int) -> list[int]:
        if not self._now_and_then(self._habits.split_share):
            return []
        return sorted(self._chance.sample(range(1, size), self._chance.randint(1, MOST_PIECES - 1)))

    def _now_and_then(self, share: float) -> bool:
        return self._chance.random() < share
