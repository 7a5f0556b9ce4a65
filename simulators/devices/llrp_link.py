"""One client's TCP connection: whole frames in, queued bytes out.

All that is sent goes through one queue and one writer thread, so that an answer always precedes the reports that
follow from it, and a client that does not read can hold up nobody: its connection is dropped.
"""

import contextlib
import select
import socket
from collections import deque
from collections.abc import Iterator
from itertools import count
from struct import pack
from threading import Condition, Thread

from simulators.devices.llrp_codec import HEADER, MAX_FRAME, Code, Fault, frame

SEND_TIMEOUT_S = 10
MAX_QUEUED = 4 << 20


class Link:
    """A connection that was accepted; `lock` is the reader's, and is notified when the queue shrinks."""

    def __init__(self, connection: socket.socket, lock: Condition) -> None:
        self._socket = connection
        self._lock = lock
        self._queue: deque[bytes] = deque()
        self._queued = 0
        self._numbers = count(1)
        self._closing = False
        self.stalled = False
        """What is queued stays there: the reader hangs, and TCP does not know."""
        self._writer = Thread(target=self._write, name="llrp-writer", daemon=True)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._writer.start()

    @property
    def congested(self) -> bool:
        """So much waits for this client that nothing should be added."""
        return self._queued > MAX_QUEUED // 4

    @property
    def left(self) -> bool:
        """The client has closed, though what it said before may not be read yet."""
        poll = select.poll()
        poll.register(self._socket, select.POLLRDHUP)
        return bool(poll.poll(0))

    def send(self, kind: int, body: bytes, number: int | None = None) -> None:
        """Queues one message (lock held); `number` is the request's, else the next of our own."""
        self.send_bytes(frame(kind, next(self._numbers) if number is None else number, body))

    def send_bytes(self, data: bytes) -> None:
        """Queues what need not be a message (lock held)."""
        self._queue.append(data)
        self._queued += len(data)
        if self._queued > MAX_QUEUED:
            self.drop()
        self._lock.notify_all()

    def frames(self) -> Iterator[tuple[int, int, int, bytes]]:
        """Each message as (version, type, id, body) until the peer closes; raises Fault when framing is lost."""
        while header := self._exactly(HEADER.size):
            word, size, number = HEADER.unpack(header)
            if not HEADER.size <= size <= MAX_FRAME:
                raise Fault(Code.M_FIELD_ERROR, f"message length {size}: expected {HEADER.size} to {MAX_FRAME}", 0)
            body = self._exactly(size - HEADER.size)
            if body is None:
                return
            yield word >> 10 & 7, word & 0x3FF, number, body

    def _exactly(self, size: int) -> bytes | None:
        """`size` bytes, or None when the connection ended before."""
        data = bytearray()
        while len(data) < size:
            try:
                chunk = self._socket.recv(min(size - len(data), 1 << 16))
            except OSError:
                return None
            if not chunk:
                return None
            data += chunk
        return bytes(data)

    def finish(self) -> None:
        """Closes after what is queued was sent (lock held)."""
        self._closing = True
        self._lock.notify_all()

    def drop(self) -> None:
        """Closes at once (lock held): `frames` ends, what is queued is lost."""
        self._queue.clear()
        self._closing = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._lock.notify_all()

    def abandon(self) -> None:
        """Never sends again and does not close (lock held): the other end cannot tell it from a quiet reader."""
        self._queue.clear()
        self.stalled = True

    def join(self) -> None:
        """Waits for the writer to end, then closes the socket (lock not held)."""
        self._writer.join()
        self._socket.close()

    def _write(self) -> None:
        with contextlib.suppress(OSError):
            self._send_all()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _send_all(self) -> None:
        # A limit on sends only: settimeout would also end a receive.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, pack("@ll", SEND_TIMEOUT_S, 0))
        while True:
            with self._lock:
                self._lock.wait_for(lambda: self._closing or (self._queue and not self.stalled))
                if not self._queue:
                    return
                data = b"".join(self._queue)
                self._queue.clear()
            self._socket.sendall(data)
            with self._lock:
                self._queued -= len(data)
                self._lock.notify_all()
