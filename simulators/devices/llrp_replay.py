"""A capture of what a real reader sent, told again to whoever connects, at the pace at which it was heard.

The file: a line, then records of an 8-byte time (host's clock, microseconds UTC), a 4-byte length and one whole message
of the reader, a report or an event, all big-endian. The greeting and the farewell in it are not told again: the
simulated reader says its own.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from struct import Struct

from simulators.devices.llrp import LlrpReader
from simulators.devices.llrp_codec import HEADER, MAX_FRAME, TV_BIT, TV_SIZES, Fault, tlv, walk
from simulators.devices.llrp_numbers import Message, Param

FIRST_LINE = b"stockyard-llrp-capture 1\n"
RECORD = Struct("!QI")
TOLD = (Message.RO_ACCESS_REPORT, Message.READER_EVENT_NOTIFICATION)
OWN_EVENTS = (Param.CONNECTION_ATTEMPT, Param.CONNECTION_CLOSE)
UTC_TIMES = (2, 4)
"""TV parameters of a tag report: first and last seen, microseconds UTC."""
NESTED = (Param.TAG_REPORT_DATA, Param.EVENT_DATA)
PAUSE_S = 0.05
LATEST_US = (1 << 64) - 1


class BadCapture(Exception):
    """The file is no capture, or a damaged one."""


def recorded(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """(host microseconds, message type, body) of each record; one that is cut short, as by a loss of power, is the end.

    Raises BadCapture, OSError.
    """
    with path.open("rb") as file:
        if file.readline(len(FIRST_LINE)) != FIRST_LINE:
            raise BadCapture(f"{path}: the first line {FIRST_LINE.decode().strip()!r} expected")
        while len(head := file.read(RECORD.size)) == RECORD.size:
            where = f"{path}: record at byte {file.tell() - len(head)}"
            host_us, size = RECORD.unpack(head)
            if not HEADER.size <= size <= MAX_FRAME:
                raise BadCapture(f"{where}: a length of {HEADER.size}-{MAX_FRAME} expected, got {size}")
            message = file.read(size)
            if len(message) < size:
                return
            word, length, _ = HEADER.unpack_from(message)
            kind = word & 0x3FF
            if length != size or kind not in TOLD:
                raise BadCapture(f"{where}: a whole report or event expected, got type {kind} of {length} bytes")
            yield host_us, kind, message[HEADER.size :]


def check(path: Path) -> int:
    """How many records there are. Raises BadCapture, OSError."""
    return sum(1 for _ in recorded(path))


def shifted(body: bytes, by_us: int) -> bytes:
    """A report or event whose times UTC are later by so much; one that is malformed as it was.

    >>> shifted(bytes.fromhex("00f60010 0080000c 0000000000000001"), 15).hex()
    '00f600100080000c0000000000000010'
    """
    try:
        return b"".join(
            tlv(kind, b"".join(_shifted(*each, by_us) for each in walk(value)))
            if kind in NESTED
            else _as_was(kind, value)
            for kind, value in walk(body)
        )
    except Fault:
        return body


def _shifted(kind: int, value: bytes, by_us: int) -> bytes:
    if kind in UTC_TIMES or kind == Param.UTC_TIMESTAMP:
        value = max(0, min(LATEST_US, int.from_bytes(value) + by_us)).to_bytes(8)
    return _as_was(kind, value)


def _as_was(kind: int, value: bytes) -> bytes:
    return bytes([TV_BIT | kind]) + value if kind in TV_SIZES else tlv(kind, value)


def _is_own(kind: int, body: bytes) -> bool:
    if kind != Message.READER_EVENT_NOTIFICATION:
        return False
    try:
        return any(each in OWN_EVENTS for _, value in walk(body) for each, _ in walk(value))
    except Fault:
        return False


def play(reader: LlrpReader, path: Path, speed: float | None, over: Callable[[float], bool]) -> tuple[int, int]:
    """Tells it once, times moved to now; with no speed all at once, with the times recorded.

    Returns how many messages were due and how many were told; while nobody reads, time stands. Raises BadCapture.
    """
    due = told = 0
    first_us: int | None = None
    begun, begun_us = time.monotonic(), 0
    for host_us, kind, body in recorded(path):
        if _is_own(kind, body):
            continue
        due += 1
        if first_us is None:
            first_us, begun_us = host_us, time.time_ns() // 1000
        after_s = max(0, host_us - first_us) / 1e6 / speed if speed else 0.0
        sent = False
        while not sent:
            if over(max(0.0, begun + after_s - time.monotonic())):
                return due, told
            if not reader.reading:
                stands_from = time.monotonic()
                while not reader.reading:
                    if over(PAUSE_S):
                        return due, told
                stood_s = time.monotonic() - stands_from
                begun, begun_us = begun + stood_s, begun_us + round(stood_s * 1e6)
            by_us = begun_us + round(after_s * 1e6) - host_us
            sent = reader.replay(kind, shifted(body, by_us) if speed else body)
        told += 1
    return due, told
