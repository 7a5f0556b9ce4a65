"""A fixed reader that speaks LLRP 1.0.1 over TCP to one client, as hardware does: it listens, the client connects.

What the world lets it read is offered to it; it tells of a read only while a client has an active ROSpec. What happens
to readers in the field can be done to it: cables, inputs, a clock that steps, a hang, a loss of power, wild bytes.
"""

import time
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from simulators.devices.llrp_codec import Message, Param, SeenTag, Selector, frame, tlv
from simulators.devices.llrp_config import ANTENNA_EVENTS, BUFFER_EVENTS, EXCEPTION_EVENTS, GPI_EVENTS
from simulators.devices.llrp_machine import Machine
from simulators.devices.llrp_pending import RawRead
from simulators.devices.llrp_reports import Telling
from simulators.devices.llrp_server import LlrpServer

__all__ = ["LlrpReader", "RawRead", "Telling"]

GARBAGE_BYTES: Final = 300
NOBODYS_EPC: Final = bytes.fromhex("deadbeef0000000000000000")
ON: Final = 0x80


class LlrpReader(LlrpServer):
    """One reader. `address` is where it listens; port 0 becomes the port that was found at `start`.

    `is_impinj`: it says that it is one, and has that vendor's phase, fine RSSI and Doppler.
    """

    def __init__(
        self,
        listen: tuple[str, int],
        *,
        is_impinj: bool = False,
        clock_offset_us: int = 0,
        telling: Telling = Telling(),  # noqa: B008 - frozen
    ) -> None:
        super().__init__(listen, Machine(is_impinj=is_impinj), telling)
        self.clock_offset_us = clock_offset_us
        self._wild = Random(str(listen))

    @property
    def reading(self) -> bool:
        """A client is connected and a ROSpec is active: what is offered now is told."""
        with self._lock:
            return self._reads()

    def _reads(self) -> bool:
        hangs = self._link is None or self._goes_on_at is not None
        return not hangs and self._machine.rospecs.active() is not None

    def offer(self, reads: Sequence[RawRead], note: Callable[[Sequence[RawRead]], None] | None = None) -> int:
        """How many of `reads` are taken: none while not reading, none of an antenna or tag that the client left out.

        Fewer when the client does not keep up. `note` is called with what is taken before any of it can be sent.
        """
        now = time.monotonic()
        with self._lock:
            if self._link is None or self._link.congested:
                return 0
            taken = [read for read in reads if self._take(read, now)]
            if note is not None and taken:
                note(taken)
            self._lock.notify_all()
        return len(taken)

    def _take(self, read: RawRead, now: float) -> bool:
        active = self._machine.rospecs.active()
        if self._link is None or active is None or not self._reads():
            return False
        if not self._machine.config.connected[read.antenna] or not active.aispec.hears(read.antenna, read.epc):
            return False
        full = self._reports.full
        if not full:
            report, spec_index = self._machine.report(), active.running + 1
            if not self._reports.pending:
                self._reports.pending.since = now
            self._reports.pending.add(read, active.number, spec_index, report)
            self._reports.due(self._link, report, now, self.clock_offset_us)
            self._machine.rospecs.saw(active, now)
            if self._machine.rospecs.events:
                self._tell_rospecs(self._link)
        for kind, detail in self._reports.trouble(lost=full):
            if kind is Param.BUFFER_OVERFLOW or self._machine.config.tells(BUFFER_EVENTS):
                self._notify(self._link, detail)
        return not full

    def replay(self, kind: int, body: bytes) -> bool:
        """Sends a message that another reader once sent. False: nobody reads, and it was not sent."""
        with self._lock:
            if self._link is None or not self._reads():
                return False
            self._link.send(kind, body)
        return True

    def gpi(self, port: int, *, on: bool) -> None:
        """An input's level. Raises ValueError for a port there is not."""
        with self._lock:
            changed = self._machine.config.terminals.change(port, on=on)
            if changed and self._goes_on_at is None:
                self._tell(GPI_EVENTS, tlv(Param.GPI_EVENT, port.to_bytes(2, "big"), bytes([ON * on])))
                self._machine.rospecs.gpi(port, time.monotonic(), on=on)
                if self._link:
                    self._tell_rospecs(self._link)
            self._lock.notify_all()

    def antenna(self, port: int, *, on: bool) -> None:
        """A cable pulled or plugged. Raises ValueError for a port there is not."""
        with self._lock:
            connected = self._machine.config.connected
            if port not in connected:
                msg = f"antenna: 1-{len(connected)} expected, got {port}"
                raise ValueError(msg)
            if connected[port] != on:
                connected[port] = on
                self._tell(ANTENNA_EVENTS, tlv(Param.ANTENNA_EVENT, bytes([on]), port.to_bytes(2, "big")))

    def exception(self, text: str) -> None:
        """The reader says that something is wrong with it."""
        with self._lock:
            message = text.encode()
            self._tell(EXCEPTION_EVENTS, tlv(Param.READER_EXCEPTION, len(message).to_bytes(2, "big"), message))

    def _tell(self, event_type: int, detail: bytes) -> None:
        if self._link and self._machine.config.tells(event_type):
            self._notify(self._link, detail)

    def clock_step(self, seconds: float) -> None:
        """The reader's clock jumps, as by a time server that it had not reached."""
        with self._lock:
            self.clock_offset_us += round(seconds * 1e6)

    def drop(self) -> None:
        """The connection ends."""
        with self._lock:
            if self._link:
                self._link.drop()
                self._release(self._link)

    def stall(self, seconds: float) -> None:
        """Hangs: sends nothing, not even keepalives, greets nobody, and keeps the connection; then goes on."""
        with self._lock:
            self._goes_on_at = time.monotonic() + seconds
            if self._link:
                self._link.stalled = True
            self._lock.notify_all()

    def half_frame(self) -> None:
        """The connection ends in the middle of a report, of a tag that nobody read."""
        with self._lock:
            if self._link:
                tag = SeenTag(NOBODYS_EPC, 1, -50, 1, self._now_us(), self._now_us())
                report = frame(Message.RO_ACCESS_REPORT, 0, tag.encode(1, Selector()))
                self._link.send_bytes(report[: len(report) // 2])
                self._link.finish()
                self._release(self._link)

    def garbage(self) -> None:
        """Bytes that are no LLRP between two messages."""
        with self._lock:
            if self._link:
                self._link.send_bytes(self._wild.randbytes(GARBAGE_BYTES))

    def reboot(self, seconds: float, *, half_open: bool = False) -> None:
        """Loses its connection, ROSpecs and configuration, and does not listen for so long.

        Half open, the client is not told: the connection looks alive to it and is dead.
        """
        with self._lock:
            self._close()
            if self._link and half_open:
                self._link.abandon()
                self._orphans.append(self._link)
            elif self._link:
                self._link.drop()
            if self._link:
                self._release(self._link)
            self._machine = self._machine.rebooted()
            self._goes_on_at = None
            self._up_at = time.monotonic() + seconds
