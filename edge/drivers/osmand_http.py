"""One HTTP connection of a phone: whole requests out of it, answers into it, a limit on every size and every wait.

h11 keeps the rules of HTTP/1.1 and does no I/O. It is fed only while a request is not whole, so that of requests sent
ahead no more waits in memory than one read; the others wait in the network.
"""

import asyncio
from dataclasses import dataclass

import h11

REQUEST_S, ANSWER_S = 30.0, 30.0
"""The most that a request from its first byte, and the sending of an answer may take: GPRS can be slow."""
MAX_HEAD_BYTES, MAX_BODY_BYTES = 16 * 1024, 256 * 1024
_READ_BYTES = 4096
_MAX_WHY = 200
_TEXT = "text/plain; charset=utf-8"


class Gone(Exception):
    """The phone hung up, or kept us waiting for too long."""


class Refused(Exception):
    """What came is not HTTP as we take it: answered with the status, and the connection ends."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True, slots=True)
class Request:
    """One whole request."""

    method: str
    query: bytes
    body: bytes

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing at all, as somebody asks who wants to know whether anything is there."""
        return not (self.query or self.body)


class HttpSession:
    """Reads only when asked."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._http = h11.Connection(h11.SERVER, MAX_HEAD_BYTES)
        self._begun = False
        self._method = ""
        self.name = str((writer.get_extra_info("peername") or ("somebody",))[0])
        """Who this is, for people."""

    async def request(self, idle_s: float) -> Request:
        """The next one. Raises Refused, or Gone after idle_s without a byte, or when the connection is to end."""
        if self._http.our_state is not h11.IDLE:
            if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
                msg = "nothing more is to come"
                raise Gone(msg)
            self._http.start_next_cycle()
        self._begun = False
        try:
            async with asyncio.timeout(idle_s) as limit:
                return await self._whole(limit)
        except TimeoutError as error:
            msg = "silent, or a request that does not end"
            raise Gone(msg) from error
        except h11.RemoteProtocolError as error:
            raise Refused(error.error_status_hint, str(error)[:_MAX_WHY]) from error

    async def answer(self, status: int, text: str, *, last: bool = False) -> None:
        """Send it; `last`: and take no request after it. Raises Gone."""
        body = b"" if self._method == "HEAD" else f"{text}\n".encode(errors="replace")
        headers = [("content-type", _TEXT), ("content-length", str(len(body)))]
        headers += [("connection", "close")] if last else []
        headers += [("allow", "GET, POST")] if status == 405 else []  # noqa: PLR2004 - Method Not Allowed
        try:
            data = self._http.send(h11.Response(status_code=status, headers=headers)) or b""
            data += self._http.send(h11.Data(data=body)) or b""
            data += self._http.send(h11.EndOfMessage()) or b""
        except h11.LocalProtocolError as error:
            raise Gone(str(error)) from error
        await self._send(data)

    def hang_up(self) -> None:
        """At once: a peer that does not read must not keep the connection. Nothing more is sent after it."""
        self._writer.transport.abort()

    async def end(self) -> None:
        """After an answer that is the last: what was sent goes out first."""
        self._writer.close()
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._writer.wait_closed()
        except OSError:
            self.hang_up()

    async def _whole(self, limit: asyncio.Timeout) -> Request:
        head: h11.Request | None = None
        body = bytearray()
        self._begin(limit, self._http.trailing_data[0])
        while True:
            match event := self._http.next_event():
                case h11.NEED_DATA:
                    await self._more(limit)
                case h11.Request():
                    head, self._method = event, event.method.decode()
                case h11.Data():
                    body += event.data
                    if len(body) > MAX_BODY_BYTES:
                        raise Refused(413, f"body: at most {MAX_BODY_BYTES} bytes expected")
                case h11.EndOfMessage() if head is not None:
                    return Request(self._method, head.target.partition(b"?")[2], bytes(body))
                case _:
                    raise Gone("hung up")

    async def _more(self, limit: asyncio.Timeout) -> None:
        if self._http.they_are_waiting_for_100_continue:
            go_on = h11.InformationalResponse(status_code=100, headers=[])
            await self._send(self._http.send(go_on) or b"")
        try:
            data = await self._reader.read(_READ_BYTES)
        except TimeoutError:
            raise
        except OSError as error:
            raise Gone(str(error)) from error
        self._begin(limit, data)
        self._http.receive_data(data)

    def _begin(self, limit: asyncio.Timeout, data: bytes) -> None:
        """From its first byte on, a request has its own time."""
        if data and not self._begun:
            self._begun = True
            limit.reschedule(asyncio.get_running_loop().time() + REQUEST_S)

    async def _send(self, data: bytes) -> None:
        try:
            self._writer.write(data)
            async with asyncio.timeout(ANSWER_S):
                await self._writer.drain()
        except OSError as error:
            msg = f"answering: {error}"
            raise Gone(msg) from error
