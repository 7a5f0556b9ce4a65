"""A GT06 tracker over TCP, as hardware does it: it connects by itself, and keeps what its server has not answered.

Every packet has a serial number, from 1 at each start; an answer repeats type and number. What is not answered is sent
again on the next connection with a new number. It can lose its network, and it can be reset: then it forgets its
number, not its reports. Reports that were made without a network say so.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from threading import Condition, Thread
from time import monotonic

from simulators.devices.gt06_codec import HEARTBEAT, LOGIN, Report, content, heartbeat, kind, login, packet
from simulators.devices.gt06_link import Gt06Link
from simulators.devices.tracker_link import LinkLost

__all__ = ["Gt06Habits", "Gt06Tracker"]

MOST_IN_A_BURST, MOST_PIECES, MOST_SERIAL, MOST_DOUBLINGS = 4, 4, 0xFFFF, 16


@dataclass(frozen=True, slots=True)
class Gt06Habits:
    """How a tracker waits and what it does to its server. Shares are of packets; `seed` decides which ones."""

    reply_timeout_s: float = 5.0
    first_backoff_s: float = 0.5
    most_backoff_s: float = 15.0
    heartbeat_s: float = 180.0
    buffer_limit: int = 100_000
    seed: int = 0
    resend_share: float = 0.0
    """Sent once more although answered."""
    drop_answer_share: float = 0.0
    """The answer is not heard: hung up, and sent again."""
    split_share: float = 0.0
    """Sent in several TCP segments with pauses."""
    burst_share: float = 0.0
    """Up to four packets in one write, before the first is answered."""
    disorder_share: float = 0.0
    """Not the oldest report is sent, but any."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A report that its server has not answered. `repeat`: it has, and it is sent once more."""

    report: Report
    stored: bool
    repeat: bool = False


class Gt06Tracker:
    """One tracker. `note` is called once per report, when its server has answered it, in the tracker's thread."""

    def __init__(
        self, address: tuple[str, int], imei: str, note: Callable[[Report], None], habits: Gt06Habits = Gt06Habits()
    ) -> None:
        self._address, self._imei, self._note, self._habits = address, imei, note, habits
        self._chance = Random(f"{imei}/{habits.seed}")
        self._changed = Condition()
        self._kept: deque[Kept] = deque()
        self._last: Report | None = None
        self._on = False
        self._link: Gt06Link | None = None
        self._logged_in = self._closing = False
        self._offline_until = self._beat_at = 0.0
        self._serial = self._failures = 0
        self.dropped = 0
        """Reports that a full buffer lost."""
        self.heartbeats = 0
        """Heartbeats that were answered."""
        self._thread = Thread()

    def start(self) -> None:
        """Switches it on; it connects as soon as it can."""
        self._closing = False
        self._thread = Thread(target=self._run, name=f"gt06-{self._imei}", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float) -> int:
        """Sends what is kept, for at most that long, then hangs up. Returns how many reports were never noted."""
        with self._changed:
            if self._thread.is_alive():
                self._changed.wait_for(lambda: not self._kept, timeout_s)
            self._closing = True
            self._interrupt()
        if self._thread.ident is not None:
            self._thread.join()
        return sum(not each.repeat for each in self._kept) + self.dropped

    def offer(self, report: Report, *, on: bool) -> None:
        """A new report, and whether the ignition is on; a full buffer loses its oldest."""
        with self._changed:
            if len(self._kept) >= self._habits.buffer_limit:
                self._kept.popleft()
                self.dropped += 1
            self._kept.append(Kept(report, stored=not self._logged_in))
            self._last, self._on = report, on
            self._changed.notify_all()

    def outage(self, seconds: float) -> None:
        """Loses the network for a while."""
        with self._changed:
            self._offline_until = max(self._offline_until, monotonic() + seconds)
            self._interrupt()

    def reset(self, seconds: float) -> None:
        """Off and on again: no network meanwhile, and its serial number begins anew."""
        with self._changed:
            self._serial = 0
        self.outage(seconds)

    @property
    def connected(self) -> bool:
        """It has a network, and its server answered the login."""
        with self._changed:
            return self._logged_in and not self._offline_s()

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
                while some := self._next(link):
                    self._exchange(link, some)
            except LinkLost:
                self._hang_up()
                self._pause(self._backoff_s())
            finally:
                self._hang_up()

    def _wait_for_network(self) -> bool:
        """False when it is switched off."""
        with self._changed:
            while not self._closing and (left := self._offline_s()):
                self._changed.wait(left)
            return not self._closing

    def _connect(self) -> Gt06Link:
        link = Gt06Link(self._address, self._habits.reply_timeout_s)
        with self._changed:
            self._link = link
            if self._closing or self._offline_s():
                link.deafen()
        self._ask(link, LOGIN, login(self._imei))
        with self._changed:
            self._logged_in = True
            self._beat_at = monotonic()
        return link

    def _ask(self, link: Gt06Link, what: int, data: bytes) -> None:
        """Sends a packet that is no report, and waits for its answer."""
        serial = self._number()
        link.write(packet(what, data, serial), ())
        if not link.answers({(what, serial)}, self._habits.reply_timeout_s):
            raise LinkLost(f"type {what:#04x} was not answered")

    def _next(self, link: Gt06Link) -> list[Kept]:
        """Waits for reports to send, with heartbeats meanwhile; none when it is switched off or out of reach."""
        while True:
            with self._changed:
                beat_s = self._beat_at + self._habits.heartbeat_s - monotonic()
                if beat_s > 0:
                    self._changed.wait_for(lambda: self._kept or self._closing or self._offline_s(), beat_s)
                if self._closing or self._offline_s():
                    return []
                last, on = self._last, self._on
                some = self._choose() if self._beat_at + self._habits.heartbeat_s > monotonic() else []
            if some:
                return some
            self._ask(link, HEARTBEAT, heartbeat(last, on=on))
            self.heartbeats += 1
            self._beat_at = monotonic()

    def _choose(self) -> list[Kept]:
        if not self._kept:
            return []
        if self._now_and_then(self._habits.burst_share):
            return list(self._kept)[: self._chance.randint(2, MOST_IN_A_BURST)]
        return [self._chance.choice(self._kept) if self._now_and_then(self._habits.disorder_share) else self._kept[0]]

    def _exchange(self, link: Gt06Link, some: list[Kept]) -> None:
        """Sends and hears the answers. What is not answered stays, and the connection is made anew."""
        numbered = {(kind(each.report), self._number()): each for each in some}
        data = b"".join(
            packet(what, content(each.report, stored=each.stored), serial) for (what, serial), each in numbered.items()
        )
        link.write(data, self._cuts(len(data)))
        heard = link.answers(set(numbered), self._habits.reply_timeout_s)
        for key in heard:
            if not numbered[key].repeat and self._now_and_then(self._habits.drop_answer_share):
                raise LinkLost("the answer was not heard")
            self._answered(numbered[key])
        if len(heard) < len(numbered):
            raise LinkLost("not everything was answered")

    def _answered(self, kept: Kept) -> None:
        self._failures = 0
        if not kept.repeat:
            self._note(kept.report)
        with self._changed:
            if kept in self._kept:
                self._kept.remove(kept)
            if not kept.repeat and self._now_and_then(self._habits.resend_share):
                self._kept.append(Kept(kept.report, kept.stored, repeat=True))
            self._changed.notify_all()

    def _number(self) -> int:
        with self._changed:
            self._serial = self._serial % MOST_SERIAL + 1
            return self._serial

    def _hang_up(self) -> None:
        with self._changed:
            link, self._link, self._logged_in = self._link, None, False
        if link is not None:
            link.close()

    def _backoff_s(self) -> float:
        """Full jitter: anything up to a limit that doubles until a packet is answered."""
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
