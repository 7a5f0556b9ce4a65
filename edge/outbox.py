"""The durable outbox: a reading that `put` has resolved survives kill -9 and power loss, until it is receipted.

Commits are grouped, because a commit that is durable costs a write-through to the disk: one every 50 ms or 200
readings, in a thread of its own. An error of the disk goes to whoever put the readings; the next put tries again.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from threading import Condition, Thread

import msgspec

from edge.outbox_file import OutboxFile
from models.draining import EpochLine
from models.errors import Refused
from models.reading import DeviceEvent, Reading, Time
from models.wire import decode, encode

GROUP_READINGS, GROUP_S = 200, 0.05
COMMIT_READINGS, COMMIT_BYTES = 1000, 256 * 1024
MAX_WAITING = 100_000
MARKS_S = 1.0
LOOKED_AT = 1000
UNREADABLE = (Refused, msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError)
log = logging.getLogger(__name__)


class OutboxBusy(Exception):
    """The disk does not keep up: so many readings wait for it that no more are taken."""


class OutboxClosed(Exception):
    """Put after close."""


class _At(msgspec.Struct):
    at: Time


_at = msgspec.json.Decoder(_At)


def text_of(reading: Reading) -> bytes:
    """The text that will travel: the reading's, or a `bad_reading` if it is too large or does not read back."""
    try:
        text = encode(reading)
        decode(text)
    except UNREADABLE as error:
        return _bad_reading(reading, f"{type(reading).__name__}: {error}")
    return text


def _bad_reading(reading: Reading, why: str) -> bytes:
    detail = why.encode(errors="replace").decode()[:1024]
    device = getattr(reading, "device", None)
    event = DeviceEvent(device if isinstance(device, str) else "", datetime.now(UTC), "bad_reading", detail)
    try:
        text = encode(event)
        decode(text)
    except UNREADABLE:
        return encode(msgspec.structs.replace(event, device=""))
    return text


class _Ticket:
    """One put: its future resolves with its last reading's commit."""

    __slots__ = ("future", "left")

    def __init__(self, readings: int) -> None:
        self.future: Future[None] = Future()
        self.future.set_running_or_notify_cancel()
        self.left = readings


class Outbox:
    """Rows of this run and earlier ones, each (epoch, seq, text)."""

    def __init__(self, path: Path, quota_mb: int = 1024) -> None:
        self._file = OutboxFile(path, quota_mb)
        self._changed = Condition()
        self._waiting: deque[tuple[bytes, _Ticket]] = deque()
        self._marks: dict[str, tuple[int, int]] = {}
        self._fresh = False
        self._failed: Exception | None = None
        self._closing = False
        self.on_commit: Callable[[str, int], None] = _nobody
        """Called with (epoch, next seq) after each commit, in the outbox's thread. Set it before reading `lines`."""
        self._thread = Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    def put(self, readings: Sequence[Reading]) -> Future[None]:
        """Resolves when all readings are durable. Its exception says why they are not: put them again then."""
        items = [text_of(reading) for reading in readings]
        ticket = _Ticket(len(items))
        with self._changed:
            if self._closing:
                ticket.future.set_exception(OutboxClosed("the outbox is closed"))
            elif len(self._waiting) + len(items) > MAX_WAITING:
                ticket.future.set_exception(OutboxBusy(f"{len(self._waiting)} readings wait for the disk"))
            elif not items:
                ticket.future.set_result(None)
            else:
                first = not self._waiting
                self._waiting.extend((text, ticket) for text in items)
                if first or len(self._waiting) >= GROUP_READINGS:
                    self._changed.notify()
        return ticket.future

    def begin_epoch(self) -> None:
        """Number in a new epoch from the next commit on."""
        with self._changed:
            self._fresh = True

    def save_mark(self, epoch: str, mark: int, receipted: int) -> None:
        """Keep an epoch's mark; within a second, or with the next commit. A lost one is asked for again."""
        with self._changed:
            self._marks[epoch] = (mark, receipted)
            self._changed.notify()

    def lines(self) -> list[EpochLine]:
        """Every epoch's line, oldest first."""
        return self._file.lines()

    def rows(self, epoch: str, seq: int, limit: int) -> list[tuple[int, bytes]]:
        """The first rows of an epoch at or above seq: at most `limit`, and about one batch's bytes."""
        return self._file.rows(epoch, seq, limit)

    def oldest_at(self, line: EpochLine) -> datetime | None:
        """The earliest time among the epoch's first LOOKED_AT unreceipted readings; None if there is none.

        Later ones are hardly ever older, and a backlog of millions is not read through for one figure.
        """
        rows = self.rows(line.epoch, line.mark + 1, LOOKED_AT)
        return min((_at.decode(text).at for _, text in rows), default=None)

    def close(self) -> None:
        """Commit what waits, and give the file back."""
        with self._changed:
            if self._closing:
                return
            self._closing = True
            self._changed.notify()
        self._thread.join()
        self._file.close()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._await_group()
                if self._closing and not self._waiting and not self._marks:
                    return
                group = self._take()
                marks, self._marks = self._marks, {}
                fresh, self._fresh = self._fresh, self._fresh and not group
            self._commit(group, marks, fresh=fresh)

    def _await_group(self) -> None:
        """Until there is a group to commit, or marks have waited long enough, or the end."""
        self._changed.wait_for(lambda: self._waiting or self._marks or self._closing)
        self._changed.wait_for(lambda: self._waiting or self._closing, MARKS_S)
        if self._waiting:
            self._changed.wait_for(lambda: len(self._waiting) >= GROUP_READINGS or self._closing, GROUP_S)

    def _take(self) -> list[tuple[bytes, _Ticket]]:
        group: list[tuple[bytes, _Ticket]] = []
        size = 0
        while self._waiting and len(group) < COMMIT_READINGS and size < COMMIT_BYTES:
            item = self._waiting.popleft()
            if not item[1].future.done():
                group.append(item)
                size += len(item[0])
        return group

    def _commit(self, group: list[tuple[bytes, _Ticket]], marks: dict[str, tuple[int, int]], *, fresh: bool) -> None:
        try:
            if self._failed is not None:
                self._file.reopen(self._failed)
            if group:
                committed = self._file.append([text for text, _ in group], marks, fresh=fresh)
            else:
                committed = None
                self._file.save_marks(marks)
        except Exception as error:  # noqa: BLE001 - the top of this thread: whoever put the readings is told
            self._fail(group, marks, error)
            with self._changed:
                self._fresh = self._fresh or fresh
            return
        if self._failed is not None:
            log.warning("outbox: commits succeed again")
        self._failed = None
        for _, ticket in group:
            ticket.left -= 1
            if not ticket.left:
                ticket.future.set_result(None)
        if committed:
            self.on_commit(*committed)

    def _fail(self, group: list[tuple[bytes, _Ticket]], marks: dict[str, tuple[int, int]], error: Exception) -> None:
        if self._failed is None:
            log.error("outbox: commit failed, readings are refused until one succeeds: %s", error, exc_info=error)
        self._failed = error
        with self._changed:
            if not self._closing:
                self._marks = marks | self._marks
        for _, ticket in group:
            if not ticket.future.done():
                ticket.future.set_exception(error)


def _nobody(_epoch: str, _next_seq: int) -> None:
    """Nobody listens for commits."""
