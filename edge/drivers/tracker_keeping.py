"""What trackers said is made durable beside the event loop that serves them.

Nothing in that loop may block: `put` and the health, which wait while too many readings wait for the disk, are called
in one thread beside it, in the order in which they were said.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar, TypeVarTuple

from edge.driver import Health, Put
from models.pace import Pace
from models.reading import Reading

MAX_IN_HAND = 64
"""Messages decoded and not yet durable, of all trackers: one may hold 255 records, and 2000 trackers may send one."""
BURST_S = 10.0
"""A tracker that was offline may bring so many seconds' readings at once."""
MOST_PACES = 20_000
_T = TypeVar("_T")
_A = TypeVarTuple("_A")


class NotKept(Exception):
    """What was said could not be made durable: not to be acknowledged."""


class Keeping:
    """One run of a driver that trackers connect to."""

    def __init__(self, put: Put, health: Health, rate_per_s: float = 1e9) -> None:
        self._put, self._health = put, health
        self._rate = rate_per_s
        self._in_debt: dict[str, Pace] = {}
        """Trackers that sent more than their rate lately."""
        self._blocking = ThreadPoolExecutor(1, "trackers")

    def listening(self) -> None:
        """Trackers may come. Not waited for."""
        self._beside(self._health.reading)

    def wait_s(self, device: str) -> float:
        """For how long this tracker has to wait, because it sent more than it may."""
        pace = self._in_debt.get(device)
        return 0.0 if pace is None else pace.wait_s(time.monotonic())

    async def turn_of(self, device: str) -> None:
        """Return when its turn has come. What it sends meanwhile waits in the network."""
        if wait_s := self.wait_s(device):
            await asyncio.sleep(wait_s)

    def _count(self, device: str, readings: int) -> None:
        now = time.monotonic()
        if len(self._in_debt) >= MOST_PACES:
            self._in_debt = {name: pace for name, pace in self._in_debt.items() if pace.left(now) < pace.burst}
        pace = self._in_debt.get(device)
        if pace is None:
            pace = self._in_debt[device] = Pace(self._rate, self._rate * BURST_S)
        pace.take(readings, now)

    async def keep(self, device: str, said: Sequence[Reading], wrong: Sequence[str] = ()) -> None:
        """Count what was wrong, and return when what was said is durable. Raises NotKept if that cannot be."""
        for why in wrong:
            await self._beside(self._health.bad_frame, f"{device}: {why}")
        self._count(device, len(said))
        if said and not await is_durable(await self._beside(self._put, said)):
            msg = "what it said could not be made durable"
            raise NotKept(msg)

    def close(self) -> None:
        """After the loop's end. What is in the thread ends when the intake does; it is waited for by nobody."""
        self._blocking.shutdown(wait=False, cancel_futures=True)

    def _beside(self, call: Callable[[*_A], _T], *arguments: *_A) -> "asyncio.Future[_T]":
        """Call it in the thread where things may block."""
        return asyncio.get_running_loop().run_in_executor(self._blocking, call, *arguments)


async def is_durable(put: "Future[None]") -> bool:
    """Wait for it. Watched and not wrapped: a wrapped one would be cancelled with us, under the hands of the intake."""
    loop, settled = asyncio.get_running_loop(), asyncio.Event()

    def tell(_put: "Future[None]") -> None:
        with suppress(RuntimeError):  # the loop has ended, and nobody waits
            loop.call_soon_threadsafe(settled.set)

    put.add_done_callback(tell)
    await settled.wait()
    return not put.cancelled() and put.exception() is None
