"""A file that keeps what a reader said, frame by frame as it came, for `stockyard-sim device llrp --replay`.

It begins with the line `stockyard-llrp-capture 1`; each record is the host's microseconds UTC and the frame's length,
`!QI`, then the whole LLRP frame, reports and events alike.
"""

import fcntl
import logging
import os
import stat
from contextlib import suppress
from io import FileIO
from pathlib import Path
from struct import Struct

from edge.drivers.llrp_frame import HEADER_BYTES, MAX_FRAME_BYTES

FIRST_LINE = b"stockyard-llrp-capture 1\n"
RECORD = Struct("!QI")
_OTHER = "it is there and is not a capture of this version"
log = logging.getLogger(__name__)


class Capture:
    """One reader's capture file of at most `max_bytes` bytes. Make it once for a device, not once for a connection.

    Nothing is opened before the first frame; a capture that is there already is continued after its last whole record.
    No method raises: when the file is full, is no capture, is another device's, or the disk fails, that is said in one
    line of the log and the capture has ended for as long as the object lives. To be used by one thread.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._file: FileIO | None = None
        self._at = 0
        self.ended = False
        """Nothing more is kept."""

    def frame(self, host_us: int, frame: bytes) -> None:
        """Keep a whole frame that the reader sent and that arrived at host_us, microseconds UTC."""
        if self.ended:
            return
        try:
            if self._file is None:
                self._open()
            self._write(RECORD.pack(host_us, len(frame)) + frame)
        except OSError as error:
            self._end(logging.ERROR, f"nothing more is kept: {error}")

    def close(self) -> None:
        """Give the file back. The next frame opens it again."""
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):
                file.close()

    def _open(self) -> None:
        self._file = file = FileIO(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640), "r+")
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        state = os.fstat(file.fileno())
        if not stat.S_ISREG(state.st_mode):
            raise OSError(_OTHER)
        if state.st_size != self._at or not self._at:  # else it is as it was closed
            self._at = whole_bytes(file, state.st_size)
        file.truncate(self._at)
        file.seek(self._at)
        if not self._at:
            self._write(FIRST_LINE)

    def _write(self, data: bytes) -> None:
        """All of it or nothing. Raises OSError."""
        file = self._file
        if file is None:
            return
        if self._at + len(data) > self._max_bytes:
            self._end(logging.WARNING, f"full: {self._at} of {self._max_bytes} bytes, nothing more is kept")
            return
        written = file.write(data)
        if written != len(data):
            file.truncate(self._at)
            msg = f"{written} of {len(data)} bytes written"
            raise OSError(msg)
        self._at += len(data)

    def _end(self, level: int, why: str) -> None:
        self.ended = True
        self.close()
        log.log(level, "capture %s: %s", self._path, why)


def whole_bytes(file: FileIO, size: int) -> int:
    """Where the last whole record of a capture of `size` bytes ends; 0 if it has not even its first line.

    Raises OSError if it is something else: a file that only happens to have this name is not written over.
    """
    begin = file.read(len(FIRST_LINE)) or b""
    if not FIRST_LINE.startswith(begin):
        raise OSError(_OTHER)
    if begin != FIRST_LINE:
        return 0
    at = len(begin)
    while True:
        file.seek(at)
        head = file.read(RECORD.size) or b""
        if len(head) < RECORD.size:
            return at
        _, length = RECORD.unpack(head)
        end = at + RECORD.size + length
        if not HEADER_BYTES <= length <= MAX_FRAME_BYTES or end > size:
            return at
        at = end
