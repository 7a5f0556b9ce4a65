"""A TCP proxy that does to a link what networks do: delay, cut, half-open, slicing, PUBLISH packets that come twice.

Asyncio in a thread of its own; every method may be called from any thread. What the link does now holds for the
connections there are and for those to come.
"""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from threading import Thread
from typing import Any

from simulators.torture import packets

CHUNK, MOST_SLICE, SLICE_S = 65536, 700, 0.001
ENDING_S = 0.1
RESET = b"\1\0\0\0\0\0\0\0"
"""SO_LINGER on, 0 s: closing resets."""
Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Weather:
    """What a link does to what it carries."""

    delay_s: float = 0.0
    sliced: bool = False
    doubled_share: float = 0.0
    """Of PUBLISH packets, on a link that speaks MQTT."""
    hole: bool = False
    """Nothing passes; what was sent meanwhile passes afterwards."""


FAIR = Weather()


@dataclass(eq=False)
class _Way:
    """One connection of a client, and its other half to the target."""

    client: asyncio.StreamWriter
    target: asyncio.StreamWriter
    half_open: bool = False
    """Neither side hears of the other any more, and neither is told so before it sends again in fair weather itself."""
    tasks: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])


class FaultProxy:
    """One link: listens at `listen`, connects to `target` for each client."""

    def __init__(self, listen: Address, target: Address, seed: int, *, mqtt: bool = False) -> None:
        self.listen, self._target, self._mqtt = listen, target, mqtt
        self._chance = Random(seed)
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name=f"proxy:{listen[1]}", daemon=True)
        self._weather, self._passes = FAIR, asyncio.Event()
        self._ways: set[_Way] = set()
        self._server: asyncio.Server | None = None
        self._on_puback: Callable[[], None] | None = None
        self.bytes_carried = self.connections = self.doubled = 0

    def start(self) -> None:
        """Listen. Raises OSError if the address is taken."""
        self._thread.start()
        self._do(self._open())

    def stop(self) -> None:
        """End every connection and stop listening."""
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def set(self, weather: Weather) -> None:
        """From now on the link is like this."""
        self._do(self._set(weather))

    def cut(self) -> None:
        """Reset every connection; new ones are taken."""
        self._do(self._cut())

    def half_open(self) -> None:
        """Every connection there is loses its other half, unknown to both; what they send is lost."""
        self._do(self._half_open())

    def after_puback(self, act: Callable[[], None]) -> None:
        """Call `act` once, from the proxy's thread, when the target acknowledges the next PUBLISH."""
        self._on_puback = act

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _open(self) -> None:
        self._passes.set()
        self._server = await asyncio.start_server(self._connected, *self.listen)
        self.listen = self._server.sockets[0].getsockname()[:2]

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        self._passes.set()
        await self._cut()
        while tasks := [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]:
            await asyncio.wait(tasks, timeout=ENDING_S)
            await self._cut()

    async def _set(self, weather: Weather) -> None:
        self._weather = weather
        if weather.hole:
            self._passes.clear()
        else:
            self._passes.set()

    async def _cut(self) -> None:
        for way in list(self._ways):
            self._end(way)

    async def _half_open(self) -> None:
        for way in self._ways:
            way.half_open = True

    def _end(self, way: _Way) -> None:
        """Reset both halves: as after a crash, not as at a goodbye."""
        self._ways.discard(way)
        _reset(way.client)
        _reset(way.target)

    async def _connected(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        await self._passes.wait()
        try:
            answers, target = await asyncio.open_connection(*self._target)
        except OSError:
            _reset(client)
            return
        self.connections += 1
        way = _Way(client, target)
        self._ways.add(way)
        way.tasks = [
            asyncio.create_task(self._carry(way, reader, target, packets.Packets() if self._mqtt else None)),
            asyncio.create_task(self._carry(way, answers, client, packets.Packets() if self._mqtt else None)),
        ]
        try:
            await asyncio.wait(way.tasks, return_when=asyncio.FIRST_COMPLETED)
            if way.half_open:
                await asyncio.wait(way.tasks)
        finally:
            for task in way.tasks:
                task.cancel()
            self._end(way)

    async def _carry(
        self, way: _Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, framing: packets.Packets | None
    ) -> None:
        """One direction, until either end closes it or the network would say that it is gone."""
        with suppress(OSError, packets.NotMqtt):
            while data := await reader.read(CHUNK):
                await self._passes.wait()
                if way.half_open:
                    if self._weather == FAIR:
                        _reset(way.client if writer is way.target else way.target)
                        return
                    continue
                if self._weather.delay_s:
                    await asyncio.sleep(self._weather.delay_s * self._chance.uniform(0.5, 1.5))
                self.bytes_carried += len(data)
                whole = [data] if framing is None else self._doubled(framing.feed(data))
                for piece in self._sliced(whole):
                    writer.write(piece)
                    await writer.drain()
                    if self._weather.sliced:
                        await asyncio.sleep(SLICE_S)
                if framing is not None and writer is way.client:
                    self._notice(whole)

    def _doubled(self, whole: list[bytes]) -> list[bytes]:
        share = self._weather.doubled_share
        copies = [copy for packet in whole for copy in packets.doubled(packet, self._chance, share)]
        self.doubled += len(copies) - len(whole)
        return copies

    def _sliced(self, whole: list[bytes]) -> list[bytes]:
        if not self._weather.sliced:
            return whole
        return [piece for each in whole for piece in packets.slices(each, self._chance, MOST_SLICE)]

    def _notice(self, whole: list[bytes]) -> None:
        if self._on_puback is not None and any(packets.kind(packet) == packets.PUBACK for packet in whole):
            act, self._on_puback = self._on_puback, None
            act()


def _reset(writer: asyncio.StreamWriter) -> None:
    connection: socket.socket | None = writer.get_extra_info("socket")
    if connection is not None:
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()
