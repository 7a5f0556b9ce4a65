"""One tracker's TCP connection: whole messages out of the stream, answers into it, and a limit on every wait."""

import asyncio
from datetime import UTC, datetime

from edge.driver import BadFrame
from edge.drivers.conversation import Conversation, Heard

LOGIN_S, FRAME_S, ANSWER_S = 30.0, 120.0, 30.0
"""The most that a login, a message from its first byte, and the sending of an answer may take: GPRS can be slow."""
_READ_BYTES = 4096


class Gone(Exception):
    """The tracker hung up, or kept us waiting for too long."""


class Session:
    """Reads only when asked: while a message waits for the disk, the tracker's next ones wait in the network."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, talk: Conversation) -> None:
        self._reader, self._writer, self._talk = reader, writer, talk
        self._fed = False
        self._ends_by: float | None = None
        self._received_at = datetime.now(UTC)
        self.name = str((writer.get_extra_info("peername") or ("somebody",))[0])
        """Who this is, for people: an address, and once it has logged in a device."""

    async def login(self) -> tuple[str, Heard]:
        """The tracker that the first message names, "" if none, and all of it. Raises BadFrame, Gone."""
        try:
            async with asyncio.timeout(LOGIN_S):
                while (heard := self.next()) is None:
                    await self._more()
        except TimeoutError as error:
            msg = f"no login within {LOGIN_S:g} s"
            raise Gone(msg) from error
        if heard.tracker is None:
            msg = "a login expected as the first message"
            raise BadFrame(msg)
        return heard.tracker, heard

    async def fed(self, idle_s: float) -> None:
        """Return when `next` is worth asking. Raises Gone after idle_s without a byte, or if a message does not end."""
        loop = asyncio.get_running_loop()
        while not self._fed:
            if not self._talk.begun:
                self._ends_by = None
            elif self._ends_by is None:
                self._ends_by = loop.time() + FRAME_S
            try:
                async with asyncio.timeout_at(self._ends_by or loop.time() + idle_s):
                    await self._more()
            except TimeoutError as error:
                msg = "silent, or a message that does not end"
                raise Gone(msg) from error

    def next(self) -> Heard | None:
        """The next whole message. Raises BadFrame."""
        heard = self._talk.next(self._received_at)
        if heard is None:
            self._fed = False
        else:
            self._ends_by = None
        return heard

    async def answer(self, data: bytes) -> None:
        """Send it. Raises Gone."""
        if not data:
            return
        try:
            self._writer.write(data)
            async with asyncio.timeout(ANSWER_S):
                await self._writer.drain()
        except OSError as error:
            msg = f"answering: {error}"
            raise Gone(msg) from error

    async def refuse(self) -> None:
        """Say that it may not log in. Raises Gone."""
        await self.answer(self._talk.refused)

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
        self._received_at = datetime.now(UTC)
        self._fed = True
        self._talk.feed(data)
