"""The sending half of contract.md section 1 "Delivery", as a pure machine: no I/O, no clock.

`now` is monotonic seconds. `models.commit` is the receiving half. Whoever owns the rows (edge/publisher.py,
simulators/history.py) runs it so:

    sender = Sender(lines)                        # the epoch lines found at start, oldest first
    sender.connected(now)                         # on every connection; sender.disconnected() when it is lost
    sender.committed(epoch, next_seq, now)        # whenever rows became durable; an unknown epoch is a new one
    for effect in sender.receipt(epoch, seq, now):
        ...                                       # SaveMark: keep it in the epoch's line; RaiseAlert: tell people;
                                                  # NewEpoch: number what is committed from now on in a new epoch
    while step := sender.poll(now):               # after every event, and every 0.2 s or so
        if isinstance(step, SendEmpty):
            publish(encode_batch(step.epoch, step.seq, utc, []))
            continue
        rows = rows_from(step.epoch, step.seq)    # (seq, text) by rising seq, from the first row at or above seq
        texts, last = fill(step, rows, sender.line(step.epoch), utc)
        publish(encode_batch(step.epoch, step.seq, utc, texts))
        sender.sent(step, last, now)              # not called if rows could not be read: poll asks again

Each machine sends from one outbox; several lines of it are several epochs, drained side by side.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from models.draining import IN_FLIGHT, PATIENCE_S, Draining, EpochLine
from models.reading import Gap
from models.wire import MAX_BATCH_BYTES, encode

ANSWER_S = 2.0
OUTAGE_S = 60.0
FALL_S, MINUTE_S, HOUR_S = 1.0, 60.0, 3600.0
ENVELOPE_BYTES = 256


@dataclass(frozen=True, slots=True)
class Send:
    """Send at most `limit` rows from `seq` on, or a gap if `seq` has no row: see `fill`."""

    epoch: str
    seq: int
    limit: int


@dataclass(frozen=True, slots=True)
class SendEmpty:
    """Send a batch without readings: it asks for the mark."""

    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class NewEpoch:
    """Number in a new epoch from the next commit on."""

    why: str


@dataclass(frozen=True, slots=True)
class RaiseAlert:
    """Another process numbers in this epoch."""

    epoch: str
    text: str


@dataclass(frozen=True, slots=True)
class SaveMark:
    """The mark of an epoch changed: keep it in its line."""

    epoch: str
    mark: int
    receipted: int


Effect = SaveMark | NewEpoch | RaiseAlert


class Sender:
    """All epochs of one outbox: what to send next, and what a receipt means."""

    def __init__(self, lines: Sequence[EpochLine]) -> None:
        self._epochs = {
            line.epoch: Draining(
                line.epoch, line.next_seq, line.mark, line.receipted, highest=line.next_seq - 1, position=line.mark + 1
            )
            for line in lines
        }
        self._newest: Draining | None = next(reversed(self._epochs.values()), None)
        self._numbering: Draining | None = None
        self._closed = ""
        self._online = False
        self._to_ask: deque[str] = deque()
        self._unanswered: set[str] = set()
        self._answers_until: float | None = None
        self._asked_at = self._minute_at = self._hour_at = 0.0
        self._last_rise: float | None = None

    def committed(self, epoch: str, next_seq: int, now: float) -> None:
        """Rows of this epoch below `next_seq` are durable. An unknown epoch is the one now being numbered."""
        if epoch not in self._epochs:
            self._newest = self._epochs[epoch] = Draining(epoch, 1, 0, 0, highest=0, position=1)
        known = self._epochs[epoch]
        known.next_seq = max(known.next_seq, next_seq)
        if known is self._newest and epoch != self._closed:
            self._numbering = known
        if known.waiting_since is None and known.waits:
            known.waiting_since = now

    def connected(self, now: float) -> None:
        """Ask every epoch's mark, newest first; batches wait for the answers, but not for ever."""
        self._online = True
        self._ask_all(now)
        self._unanswered = set(self._to_ask)
        self._answers_until = now + ANSWER_S

    def disconnected(self) -> None:
        """Nothing is sent until `connected`."""
        self._online = False
        self._to_ask.clear()

    def receipt(self, epoch: str, seq: int, now: float) -> list[Effect]:
        """Take the last receipt, also when it is lower; one for an unknown epoch is ignored."""
        known = self._epochs.get(epoch)
        if known is None:
            return []
        self._unanswered.discard(epoch)
        mark = min(seq, known.highest)
        effects = self._cut(known, seq) if mark < seq else []
        if mark == known.mark:
            return effects
        if mark < known.mark:
            known.fall(mark, now)
            self._hour_at = min(self._hour_at, self._asked_at + FALL_S)
        else:
            if known is self._numbering and known.waiting_since is not None and now - known.waiting_since >= OUTAGE_S:
                effects.append(self._close("outage"))
            known.rise(mark, now)
            self._last_rise = now
        effects.append(SaveMark(epoch, known.mark, known.receipted))
        return effects

    def _cut(self, known: Draining, seq: int) -> list[Effect]:
        effects: list[Effect] = []
        if not known.shared:
            known.shared = True
            text = f"receipt for seq {seq} of epoch {known.epoch}, of which this outbox sent only {known.highest}"
            effects.append(RaiseAlert(known.epoch, f"{text}: another process numbers in it, or the outbox is a copy"))
        if known is self._numbering:
            effects.append(self._close("shared"))
        return effects

    def _close(self, why: str) -> NewEpoch:
        self._numbering, self._closed = None, self._numbering.epoch if self._numbering else ""
        return NewEpoch(why)

    def poll(self, now: float) -> Send | SendEmpty | None:
        """The next thing to send, or None if nothing is to be sent now."""
        if not self._online:
            return None
        self._ask_in_time(now)
        if self._to_ask:
            epoch = self._to_ask.popleft()
            return SendEmpty(epoch, self._epochs[epoch].next_seq)
        if self._answers_until is not None:
            if self._unanswered and now < self._answers_until:
                return None
            self._answers_until = None
            for known in self._epochs.values():
                known.go_back(now)
                known.patience_s = PATIENCE_S
        self._go_back_where_silent(now)
        chosen = self._choose()
        return Send(chosen.epoch, chosen.position, chosen.limit) if chosen else None

    def sent(self, send: Send, last: int, now: float) -> None:
        """The batch of `send` went out and ended with seq `last`."""
        known = self._epochs[send.epoch]
        if known.position == known.mark + 1:
            known.silent_since = now
        if known.unheard_since is None:
            known.unheard_since = now
        known.position = last + 1
        known.ends.append(last)
        known.highest = max(known.highest, last)

    def line(self, epoch: str) -> EpochLine:
        """The line of one epoch as the machine knows it."""
        known = self._epochs[epoch]
        return EpochLine(epoch, known.next_seq, known.mark, known.receipted)

    def listed(self) -> list[EpochLine]:
        """What the status lists: every epoch with unreceipted rows, and the newest, oldest first."""
        return [self.line(known.epoch) for known in self._epochs.values() if known.waits or known is self._newest]

    def _ask_all(self, now: float) -> None:
        self._to_ask = deque(reversed(self._epochs))
        self._asked_at, self._minute_at, self._hour_at = now, now + MINUTE_S, now + HOUR_S

    def _ask_in_time(self, now: float) -> None:
        """Only by asking is a restored backend noticed.

        All epochs hourly and when a mark fell (at most once a second: two backends that contradict each other must not
        make a storm of it), every minute those that were receipted last.
        """
        if now >= self._hour_at:
            self._ask_all(now)
        elif now >= self._minute_at:
            self._minute_at = now + MINUTE_S
            if self._last_rise is not None:
                since = self._last_rise - MINUTE_S
                recent = [e.epoch for e in self._epochs.values() if e.rose_at is not None and e.rose_at >= since]
                self._to_ask.extend(epoch for epoch in recent if epoch not in self._to_ask)

    def _go_back_where_silent(self, now: float) -> None:
        for known in self._epochs.values():
            if known.position > known.mark + 1 and now - known.silent_since >= known.patience_s:
                known.lose_patience(now)

    def _choose(self) -> Draining | None:
        """The newest epoch, else the oldest that may send. Either side leaves the other one of the 8."""
        newest, older_in_flight, oldest, older_wait = self._newest, 0, None, False
        for known in self._epochs.values():
            if known is not newest:
                older_in_flight += len(known.ends)
                older_wait = older_wait or known.waits
                if oldest is None and known.ready:
                    oldest = known
        newest_in_flight = len(newest.ends) if newest else 0
        if older_in_flight + newest_in_flight >= IN_FLIGHT:
            return None
        if newest and newest.ready and newest_in_flight < IN_FLIGHT - older_wait:
            return newest
        return oldest if older_in_flight < IN_FLIGHT - 1 else None


def fill(send: Send, rows: Iterable[tuple[int, bytes]], line: EpochLine, at: datetime) -> tuple[list[bytes], int]:
    """What a batch holds, and the seq it ends with: the rows that follow on from `send.seq`, or a gap in their place.

    `rows` are the epoch's rows from the first at or above `send.seq` on, by rising seq; no more are taken than needed.
    """
    texts: list[bytes] = []
    room, due, resume = MAX_BATCH_BYTES - ENVELOPE_BYTES, send.seq, line.next_seq
    for seq, text in rows:
        room -= len(text) + 1
        if seq != due or seq >= line.next_seq or (texts and room < 0):
            resume = min(seq, line.next_seq)
            break
        texts.append(text)
        due += 1
        if len(texts) == send.limit:
            break
    if texts:
        return texts, due - 1
    reason = "outbox quota" if resume - 1 > line.receipted else "receipted rows evicted"
    return [encode(Gap("", at, send.seq, resume - 1, reason))], resume - 1
