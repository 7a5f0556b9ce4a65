"""Between drivers and the outbox: a reading that the disk refuses is put again, and a slow disk slows the devices.

A driver that waits here stops reading its socket, so the reader's own buffer fills instead of this process's memory.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from threading import Condition, Thread

from edge.driver import Put
from models.reading import DeviceEvent, Reading

MAX_WAITING = 20_000
MAX_OF_ONE = 2_000
RETRY_S = 1.0
log = logging.getLogger(__name__)


class Intake:
    """`put` for all drivers of a gateway. At most MAX_WAITING readings wait for the disk, about MAX_OF_ONE of one."""

    def __init__(self, put: Put) -> None:
        self._put = put
        self._changed = Condition()
        self._waiting = 0
        self._refused: deque[tuple[Sequence[Reading], Future[None]]] = deque()
        self._failing_since: float | None = None
        self._why = ""
        self._healed: str | None = None
        """What is to be told of a time in which the disk refused."""
        self._closed = False
        self._thread = Thread(target=self._retry, name="intake", daemon=True)
        self._thread.start()

    def put(self, readings: Sequence[Reading]) -> "Future[None]":
        """Resolves when they are durable. Blocks while too many wait; cancelled if the gateway stops before."""
        durable: Future[None] = Future()
        with self._changed:
            self._changed.wait_for(lambda: self._waiting < MAX_WAITING or self._closed)
            if self._closed:
                durable.cancel()
                return durable
            self._waiting += len(readings)
        self._try(readings, durable)
        return durable

    def share(self) -> Put:
        """`put` of one device, which blocks while too many of its own wait: it is not in front of all the others."""
        waiting = 0

        def put(readings: Sequence[Reading]) -> "Future[None]":
            nonlocal waiting
            with self._changed:
                self._changed.wait_for(lambda: waiting < MAX_OF_ONE or self._closed)
                waiting += len(readings)
            durable = self.put(readings)
            durable.add_done_callback(settled(len(readings)))
            return durable

        def settled(many: int) -> Callable[[object], None]:
            def less(_durable: object) -> None:
                nonlocal waiting
                with self._changed:
                    waiting -= many
                    self._changed.notify_all()

            return less

        return put

    def close(self, timeout_s: float) -> int:
        """Wait at most timeout_s for what waits, then give up. The number of readings that were not made durable."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting, timeout_s)
            self._closed = True
            self._changed.notify_all()
        self._thread.join()
        return self._waiting

    def _try(self, readings: Sequence[Reading], durable: "Future[None]") -> None:
        def settled(attempt: "Future[None]") -> None:
            error = attempt.exception()
            with self._changed:
                if error is None:
                    self._waiting -= len(readings)
                else:
                    self._refused.append((readings, durable))
                self._note(error)
                self._changed.notify_all()
            if error is None:
                durable.set_result(None)

        self._put(readings).add_done_callback(settled)

    def _note(self, error: BaseException | None) -> None:
        """One line when the disk begins to refuse, one when it takes again."""
        if error is not None and self._failing_since is None:
            log.error("the outbox does not take readings; they are kept and put again: %s", error)
            self._failing_since, self._why = time.monotonic(), str(error)
        if error is None and self._failing_since is not None and not self._refused:
            log.warning("the outbox takes readings again")
            lasted_s = time.monotonic() - self._failing_since
            self._healed, self._failing_since = f"none taken for {lasted_s:.0f} s: {self._why}"[:1024], None

    def _retry(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._refused or self._healed or self._closed)
                told, self._healed = self._healed, None
                if told is None:
                    self._changed.wait_for(lambda: self._closed, RETRY_S)
                if self._closed:
                    return
                again = list(self._refused)
                self._refused.clear()
                if told is not None:
                    event = DeviceEvent("", datetime.now(UTC), "outbox_refused", told)
                    again.append(([event], Future()))
                    self._waiting += 1
            for readings, durable in again:
                self._try(readings, durable)
