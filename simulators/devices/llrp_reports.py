"""When a reader tells of what it read: the report triggers, and a buffer that warns before it overflows (13.1, 13.2.3).

Every N tags; and what is left at the end of an AISpec or ROSpec. Beyond the standard, as some readers do, a report is
also sent when `tags_per_report` or `flush_s` is reached: a client that relies on its own N alone is tried with None.
"""

from dataclasses import dataclass

from simulators.devices.llrp_codec import tlv
from simulators.devices.llrp_lifecycle import Told
from simulators.devices.llrp_link import Link
from simulators.devices.llrp_numbers import Message, Param
from simulators.devices.llrp_pending import Pending
from simulators.devices.llrp_rospec import ReportSpec

FULL_PERCENT, RELAXED_PERCENT = 80, 50
NO_REPORTS, AT_END_OF_AISPEC = 0, 1


@dataclass(frozen=True, slots=True)
class Telling:
    """How a reader reports by itself: so many tags, after so long (None: strictly as asked), and how many it keeps."""

    tags_per_report: int = 10
    flush_s: float | None = 0.2
    max_pending: int = 5_000


class Reports:
    """The tags of one reader that are not told yet."""

    def __init__(self, telling: Telling) -> None:
        self.pending = Pending()
        self.holding = False
        self._telling = telling
        self._warned = self._overflowed = False

    @property
    def full(self) -> bool:
        """No further tag can be kept."""
        return len(self.pending) >= self._telling.max_pending

    def clear(self) -> None:
        """Forgets everything: nobody listens."""
        self.pending.clear()
        self._warned = self._overflowed = False

    def trouble(self, *, lost: bool) -> list[tuple[Param, bytes]]:
        """ReportBufferLevelWarning and ReportBufferOverflowErrorEvent, each once until the buffer has half emptied."""
        percent = 100 * len(self.pending) // self._telling.max_pending
        if percent < RELAXED_PERCENT:
            self._warned = self._overflowed = False
        events: list[tuple[Param, bytes]] = []
        if percent >= FULL_PERCENT and not self._warned:
            self._warned = True
            events.append((Param.BUFFER_WARNING, tlv(Param.BUFFER_WARNING, bytes([percent]))))
        if lost and not self._overflowed:
            self._overflowed = True
            events.append((Param.BUFFER_OVERFLOW, tlv(Param.BUFFER_OVERFLOW)))
        return events

    def at_end(self, told: Told) -> bool:
        """Whether an end is a reason to report, by the ROReportSpec under which the pending reads were made."""
        trigger = self.pending.report.trigger
        ends = told is Told.END or (told is Told.END_OF_AISPEC and trigger == AT_END_OF_AISPEC)
        return bool(ends and trigger != NO_REPORTS and self.pending and not self.holding)

    def due(self, link: Link, spec: ReportSpec, now: float, clock_offset_us: int) -> list[float]:
        """Sends what is due; returns when the next of it is, if nothing else happens."""
        flush_s, most = self._telling.flush_s, self._telling.tags_per_report
        if self.holding or spec.trigger == NO_REPORTS:
            return []
        every = spec.every if flush_s is None else min(spec.every or most, most)
        while every and len(self.pending) >= every:
            self._send(link, every, now, clock_offset_us)
        if flush_s is None or not self.pending:
            return []
        if now - self.pending.since >= flush_s:
            self._send(link, every, now, clock_offset_us)
        return [self.pending.since + flush_s] if self.pending else []

    def flush(self, link: Link, now: float, clock_offset_us: int) -> None:
        """Sends all that is pending; one empty report if nothing is."""
        self._send(link, self._telling.tags_per_report, now, clock_offset_us)
        while self.pending:
            self._send(link, self._telling.tags_per_report, now, clock_offset_us)

    def _send(self, link: Link, limit: int, now: float, clock_offset_us: int) -> None:
        link.send(Message.RO_ACCESS_REPORT, self.pending.take(limit, clock_offset_us, now))
