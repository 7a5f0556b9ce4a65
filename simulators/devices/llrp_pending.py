"""Reads on their way into a report: merged per tag and antenna, as a reader does between two reports.

A client that asks for a report of every single tag gets every read by itself; no other way has each read its own phase.
"""

from dataclasses import dataclass
from itertools import count, islice

from simulators.devices import llrp_impinj as impinj
from simulators.devices.llrp_codec import SeenTag
from simulators.devices.llrp_rospec import ReportSpec

ANTENNA_BIT = 12


@dataclass(frozen=True, slots=True)
class RawRead:
    """One read of one tag: time in microseconds UTC, EPC in hex, antenna from 1, channel from 1."""

    at_us: int
    epc: str
    antenna: int
    rssi_dbm: float
    channel: int
    phase_rad: float | None = None
    doppler_hz: float | None = None


class Pending:
    """What was read and not yet told. `since` is when the oldest of it was added, by the caller's steady clock."""

    def __init__(self) -> None:
        self.since = 0.0
        self._tags: dict[tuple[str, int, int], tuple[SeenTag, RawRead]] = {}
        self._numbers = count(1)
        self._rospec = 0
        self.report = ReportSpec()
        """By which what is pending is to be told."""

    def __len__(self) -> int:
        return len(self._tags)

    def add(self, read: RawRead, rospec: int, spec_index: int, report: ReportSpec) -> None:
        """Merges: the strongest RSSI, first and last time, number of reads; channel, phase, Doppler of the first."""
        if not self._tags:
            self._rospec, self.report = rospec, report
        antenna = read.antenna if report.selector.has(ANTENNA_BIT) else 0
        key = (read.epc, antenna, next(self._numbers) if report.every == 1 else 0)
        if key not in self._tags:
            epc = bytes.fromhex(read.epc)
            seen = SeenTag(epc, read.antenna, read.rssi_dbm, read.channel, read.at_us, read.at_us)
            seen.spec_index = spec_index
            self._tags[key] = seen, read
            return
        seen, _ = self._tags[key]
        seen.count += 1
        seen.rssi_dbm = max(seen.rssi_dbm, read.rssi_dbm)
        seen.first_us = min(seen.first_us, read.at_us)
        seen.last_us = max(seen.last_us, read.at_us)

    def take(self, limit: int, clock_offset_us: int, now: float) -> bytes:
        """The body of a report of the `limit` oldest tags, which are then no longer pending."""
        taken = [(key, *self._tags[key]) for key in islice(self._tags, limit)]
        for key, seen, first in taken:
            del self._tags[key]
            seen.first_us += clock_offset_us
            seen.last_us += clock_offset_us
            seen.vendor = _vendor(seen, first) if self.report.selector.impinj else None
        self.since = now
        return b"".join(seen.encode(self._rospec, self.report.selector) for _, seen, _ in taken)

    def clear(self) -> None:
        """Forgets everything: nobody listens."""
        self._tags.clear()


def _vendor(seen: SeenTag, first: RawRead) -> dict[int, bytes]:
    parts = {impinj.PEAK_RSSI: impinj.peak_rssi(seen.rssi_dbm)}
    if first.phase_rad is not None:
        parts = {impinj.PHASE: impinj.phase(first.phase_rad)} | parts
    if first.doppler_hz is not None:
        parts[impinj.DOPPLER] = impinj.doppler(first.doppler_hz)
    return parts
