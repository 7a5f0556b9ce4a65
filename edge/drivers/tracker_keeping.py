"""What trackers said is made durable beside the event loop that serves them.

Nothing in that loop may block: `put` and the health, which wait while too many readings wait for the disk, are called
in one thread beside it, in the order in which they were said.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar, TypeVarTuple

from edge.driver import Health, Put
from models.reading import Reading

MAX_IN_HAND = 64
"""Messages decoded and not yet durable, of all trackers: one may hold 255 records, and 2000 trackers may send one."""
_T = TypeVar("_T")
_A = TypeVarTuple("_A")


class NotKept(Exception):
    """What was said could not be made durable: not to be acknowledged."""


class Keeping:
    """One run of a driver that trackers connect to."""

    def __init__(self, put: Put, health: Health) -> None:
        self._put, self._health = put, health
        self._blocking = ThreadPoolExecutor(1, "trackers")

    def listening(self) -> None:
        """Trackers may come. Not waited for."""
        self._beside(self._health.reading)

    async def keep(self, device: str, said: Sequence[Reading], wrong: Sequence[str] = ()) -> None:
        """Count what was wrong, and return when what was said is durable. Raises NotKept if that cannot be."""
        for why in wrong:
            await self._beside(self._health.bad_frame, f"{device}: {why}")
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
