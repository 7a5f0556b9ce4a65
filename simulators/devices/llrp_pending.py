"""Reads on their way into a report: merged per tag and antenna, as a reader does between two reports."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from simulators.devices.llrp_codec import SeenTag, Selector

ANTENNA_BIT = 12


@dataclass(frozen=True, slots=True)
class RawRead:
    """One read of one tag: time in microseconds UTC, EPC in hex, antenna from 1, channel from 1."""

    at_us: int
    epc: str
    antenna: int
    rssi_dbm: float
    channel: int


class Pending:
    """What was read and not yet told. `since` is when the oldest of it was added, by the caller's steady clock."""

    def __init__(self) -> None:
        self.since = 0.0
        self._tags: dict[tuple[str, int], SeenTag] = {}
        self._rospec, self._selector = 0, Selector()

    def __len__(self) -> int:
        return len(self._tags)

    def add(self, reads: Sequence[RawRead], rospec: int, selector: Selector, now: float) -> None:
        """Merges: the strongest RSSI, the first and last time, the number of reads, the first read's channel."""
        if not self._tags:
            self.since, self._rospec, self._selector = now, rospec, selector
        per_antenna = selector.has(ANTENNA_BIT)
        for read in reads:
            key = (read.epc, read.antenna if per_antenna else 0)
            seen = self._tags.get(key)
            if seen is None:
                epc = bytes.fromhex(read.epc)
                self._tags[key] = SeenTag(epc, read.antenna, read.rssi_dbm, read.channel, read.at_us, read.at_us)
                continue
            seen.count += 1
            seen.rssi_dbm = max(seen.rssi_dbm, read.rssi_dbm)
            seen.first_us = min(seen.first_us, read.at_us)
            seen.last_us = max(seen.last_us, read.at_us)

    def take(self, limit: int, clock_offset_us: int, now: float) -> bytes:
        """The body of a report of the `limit` oldest tags, which are then no longer pending."""
        taken = [(key, self._tags[key]) for key in islice(self._tags, limit)]
        for key, seen in taken:
            del self._tags[key]
            seen.first_us += clock_offset_us
            seen.last_us += clock_offset_us
        self.since = now
        return b"".join(seen.encode(self._rospec, self._selector) for _, seen in taken)

    def clear(self) -> None:
        """Forgets everything: nobody listens."""
        self._tags.clear()
