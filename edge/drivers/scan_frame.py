"""Serial scanner bytes to scans: [STX] [AIM identifier] data, ended by CR, LF, CRLF, ETX or a pause.

A prefix and a suffix that the scanner is set to send are taken off exactly as configured; a frame without them has lost
bytes and is bad. Data may hold any byte below 0x20 except the terminators: FNC1 arrives as GS, 0x1D, and nothing else
is stripped.
"""

import re

from msgspec import Struct

from edge.driver import BadFrame

MAX_BYTES = 4096
TERMINATORS = b"\r\n\x03"
_STX = b"\x02"
_END = re.compile(b"[" + TERMINATORS + b"]")
_AIM = re.compile(r"\][A-Za-z][0-9A-Za-z]")
_SHOWN = 40


class ScanFrame(Struct, frozen=True):
    """One barcode: `symbology` is the AIM identifier that led it, if one did."""

    data: str
    symbology: str | None = None


class Framer:
    """Bytes of one port to scans. Without a prefix, one leading STX is taken off if it is there."""

    def __init__(self, prefix: bytes = b"", suffix: bytes = b"") -> None:
        self._prefix, self._suffix = prefix, suffix
        self._buffer = bytearray()
        self._overrun = False

    @property
    def pending(self) -> bool:
        """Whether a frame has begun and not ended."""
        return bool(self._buffer) or self._overrun

    def feed(self, data: bytes) -> list[ScanFrame | BadFrame]:
        """The frames that these bytes end, in order; one that is too long, or empty of data, is a BadFrame."""
        found: list[ScanFrame | BadFrame] = []
        start = 0
        for end in _END.finditer(data):
            self._add(data[start : end.start()])
            found += self.pause()
            start = end.end()
        self._add(data[start:])
        return found

    def pause(self) -> list[ScanFrame | BadFrame]:
        """The frame that silence, or a terminator, ends: at most one."""
        raw, overrun = bytes(self._buffer), self._overrun
        self._buffer.clear()
        self._overrun = False
        if overrun:
            return [BadFrame(f"overrun: a scan of at most {MAX_BYTES} bytes expected")]
        return [] if not raw else [self._parse(raw)]

    def _add(self, data: bytes) -> None:
        if len(self._buffer) + len(data) > MAX_BYTES:
            self._overrun = True
            self._buffer.clear()
        if not self._overrun:
            self._buffer += data

    def _parse(self, raw: bytes) -> ScanFrame | BadFrame:
        if not raw.startswith(self._prefix):
            return BadFrame(f"prefix {self._prefix!r} expected, got {raw[:_SHOWN]!r}")
        raw = raw.removeprefix(self._prefix or _STX)
        if not raw.endswith(self._suffix):
            return BadFrame(f"suffix {self._suffix!r} expected, got {raw[-_SHOWN:]!r}")
        raw = raw.removesuffix(self._suffix)
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            text = raw.decode("latin-1")
        aim = _AIM.match(text)
        if aim:
            text = text[aim.end() :]
        if not text:
            return BadFrame("a scan with data expected, got only its frame")
        return ScanFrame(text, aim.group() if aim else None)
