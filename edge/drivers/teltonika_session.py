"""One tracker's TCP connection: whole frames out of the stream, answers into it, and a limit on every wait."""

import asyncio

from edge.drivers.teltonika_frame import Framer

LOGIN_S, FRAME_S, ANSWER_S = 30.0, 120.0, 30.0
"""The most that a login, a frame from its first byte, and the sending of an answer may take: GPRS can be slow."""
_READ_BYTES = 4096


class Gone(Exception):
    """The tracker hung up, or kept us waiting for too long."""


class Session:
    """Reads only when asked: while a frame waits for the disk, the tracker's next ones wait in the network."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._framer = Framer()
        self.name = str((writer.get_extra_info("peername") or ("somebody",))[0])
        """Who this is, for people: an address, and once it has logged in a device."""

    async def login(self) -> str:
        """The IMEI that it says, "" if none. Raises BadFrame, Gone."""
        try:
            async with asyncio.timeout(LOGIN_S):
                while (imei := self._framer.login()) is None:
                    await self._more()
        except TimeoutError as error:
            msg = f"no login within {LOGIN_S:g} s"
            raise Gone(msg) from error
        return imei

    async def frame(self, idle_s: float) -> bytes:
        """The next frame's data. Raises BadFrame, or Gone after idle_s without a byte: pings are bytes too."""
        try:
            while not self._framer.begun:
                async with asyncio.timeout(idle_s):
                    await self._more()
            async with asyncio.timeout(FRAME_S):
                while (data := self._framer.frame()) is None:
                    await self._more()
        except TimeoutError as error:
            msg = "silent, or a frame that does not end"
            raise Gone(msg) from error
        return data

    async def answer(self, data: bytes) -> None:
        """Send it. Raises Gone."""
        try:
            self._writer.write(data)
            async with asyncio.timeout(ANSWER_S):
                await self._writer.drain()
        except OSError as error:
            msg = f"answering: {error}"
            raise Gone(msg) from error

    @property
    def is_over(self) -> bool:
        """Whether we have hung up, or the network has broken it."""
        return self._writer.is_closing()

    def hang_up(self) -> None:
        """At once: a peer that does not read must not keep the connection. Nothing more is sent after it."""
        self._writer.transport.abort()

    async def _more(self) -> None:
        try:
            data = await self._reader.read(_READ_BYTES)
        except TimeoutError:
            raise
        except OSError as error:
            raise Gone(str(error)) from error
        if not data:
            msg = "hung up"
            raise Gone(msg)
        self._framer.feed(data)
