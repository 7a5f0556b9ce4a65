"""Tag reads into the host's time and into sightings, and by their times how the reader's clock stands."""

import time
from collections.abc import Callable, Sequence

from edge.clock_offset import NEAR_ZERO_US, ClockOffset
from edge.driver import Health
from edge.drivers.llrp_report import TagRead, tag_reads
from edge.sightings import Heard, Sightings
from models.reading import micros
from models.wire import NEWEST

LAST_US = micros(NEWEST)
MAX_EPC_BYTES = 62
"""What the five bits of length in a tag's memory can say, in words of two bytes (Gen2 6.3.2.1.2.2)."""
_WEAKEST_CDBM, _STRONGEST_CDBM = -20_000, 10_000
"""A strength beyond these is no measurement."""


class Hearing:
    """Tag reports in, sightings out. Made anew for each connection."""

    def __init__(self, device: str, window_s: float, health: Health) -> None:
        self.sightings = Sightings(device, window_s)
        self.offset = ClockOffset()
        self.reported = time.monotonic()
        """When the last report came, by the monotonic clock."""
        self.antennas: dict[int, float] = {}
        """When each antenna last read any tag, by the monotonic clock."""
        self.wanted: Callable[[bytes], object] | None = None
        """Whether an EPC is to be told of; None: every one is. Set it before the first report."""
        self._uptime = ClockOffset()
        self._health = health

    def told_utc(self, utc_us: int | None) -> None:
        """The reader's clock in a message just received."""
        if utc_us and utc_us < LAST_US:
            self.offset.add(host_time_us(), utc_us)

    def report(self, frame: bytes) -> None:
        """One RO_ACCESS_REPORT frame. Raises BadFrame."""
        reads = tag_reads(frame)
        host_us, self.reported = host_time_us(), time.monotonic()
        self._set_clock(reads, host_us)
        add, wanted, now = self.sightings.add, self.wanted, self.reported
        for read in reads:
            if not 0 < len(read.epc) <= MAX_EPC_BYTES or not read.antenna:
                self._health.bad_frame(f"tag report: an EPC of 1 to {MAX_EPC_BYTES} bytes and an antenna expected")
                continue
            self.antennas[read.antenna] = now
            if wanted is None or wanted(read.epc):
                add(self._heard(read, host_us), now)

    def _set_clock(self, reads: Sequence[TagRead], host_us: int) -> None:
        """The newest time in a report that can be one is when it was sent, near enough."""
        utc = _newest([read.last_utc or read.first_utc or 0 for read in reads])
        if utc:
            self.offset.add(host_us, utc)
            return
        uptime = _newest([read.last_uptime or read.first_uptime or 0 for read in reads])
        if uptime:
            self._uptime.add(host_us, uptime)

    def _heard(self, read: TagRead, host_us: int) -> Heard:
        """A read in the host's time. Nothing is seen after it is told: such a time is not used."""
        first, correction = read.first_utc, self.offset.correction_us
        last = read.last_utc or first
        device_at = last if last and last < LAST_US else None
        if device_at is None:
            correction = self._uptime.estimate or 0
            first = read.first_uptime if correction else None
            last = (read.last_uptime if correction else None) or first
        at = last + correction if last else host_us
        if not 0 < at <= host_us + NEAR_ZERO_US:
            at = host_us
        first_at = first + correction if first else at
        rssi = read.rssi_cdbm
        return Heard(
            read.epc,
            read.antenna or 0,
            at,
            first_at if 0 < first_at <= at else at,
            None if device_at == at else device_at,
            rssi if rssi is None or _WEAKEST_CDBM <= rssi <= _STRONGEST_CDBM else None,
            read.count or 1,
            read.channel,
            read.impinj_phase,
            read.impinj_doppler,
        )


def host_time_us() -> int:
    """The host's clock, microseconds UTC."""
    return time.time_ns() // 1000


def _newest(times: list[int]) -> int:
    """The latest time that can be one, 0 if there is none."""
    newest = max(times, default=0)
    return newest if newest < LAST_US else max((at for at in times if at < LAST_US), default=0)
