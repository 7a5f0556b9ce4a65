"""Reads of one tag at one antenna within one window become one Tag reading.

A fixed reader hears a tag up to hundreds of times a second; a door's decision needs its strength and its times, not
each read. A window begins with a tag's first read and ends by the reader's clock or the host's, whichever is first.
"""

from dataclasses import dataclass

import msgspec

from models.reading import Tag, from_micros

MAX_OPEN = 20_000


class Heard(msgspec.Struct, frozen=True, gc=False):
    """One report of one tag at one antenna; times are microseconds UTC, already corrected."""

    epc: str
    antenna: int
    at: int
    first_at: int
    device_at: int | None = None
    rssi_dbm: float | None = None
    count: int = 1
    channel: int | None = None
    phase_rad: float | None = None
    doppler_hz: float | None = None


@dataclass(slots=True)
class _Window:
    opened: float
    first_at: int
    last: Heard
    strongest: Heard
    count: int = 0
    rssi_sum_cdbm: int = 0
    rssi_count: int = 0


class Sightings:
    """The open windows of one device. At most MAX_OPEN: beyond that the oldest closes early."""

    def __init__(self, device: str, window_s: float) -> None:
        self._device = device
        self._window_s = window_s
        self._open: dict[tuple[str, int], _Window] = {}
        self._closed: list[Tag] = []

    def add(self, heard: Heard, now: float) -> None:
        """Put a report into its window. `now` is the host's monotonic time in seconds."""
        key = (heard.epc, heard.antenna)
        window = self._open.get(key)
        if window is not None and heard.at - window.first_at >= self._window_s * 1_000_000:
            self._close(key)
            window = None
        if window is None:
            if len(self._open) >= MAX_OPEN:
                self._close(next(iter(self._open)))
            window = self._open[key] = _Window(now, heard.first_at, heard, heard)
        window.count += heard.count
        window.first_at = min(window.first_at, heard.first_at)
        if heard.at > window.last.at:
            window.last = heard
        if heard.rssi_dbm is not None:
            window.rssi_sum_cdbm += round(heard.rssi_dbm * 100) * heard.count
            window.rssi_count += heard.count
            if window.strongest.rssi_dbm is None or heard.rssi_dbm > window.strongest.rssi_dbm:
                window.strongest = heard

    def due(self, now: float) -> list[Tag]:
        """The readings of the windows that have ended."""
        while self._open:
            key, window = next(iter(self._open.items()))
            if now - window.opened < self._window_s:
                break
            self._close(key)
        return self._take()

    def wait_s(self, now: float) -> float | None:
        """Seconds until the next window ends, None if none is open."""
        if not self._open:
            return None
        return max(0.0, next(iter(self._open.values())).opened + self._window_s - now)

    def flush(self) -> list[Tag]:
        """The readings of all windows, ended or not."""
        for key in list(self._open):
            self._close(key)
        return self._take()

    def _take(self) -> list[Tag]:
        closed, self._closed = self._closed, []
        return closed

    def _close(self, key: tuple[str, int]) -> None:
        window = self._open.pop(key)
        strongest, last = window.strongest, window.last
        mean = window.rssi_sum_cdbm / window.rssi_count / 100 if window.rssi_count else None
        self._closed.append(
            Tag(
                device=self._device,
                at=from_micros(last.at),
                first_at=from_micros(min(window.first_at, last.at)),
                device_at=None if last.device_at is None else from_micros(last.device_at),
                epc=last.epc,
                antenna=last.antenna,
                rssi_dbm=None if strongest.rssi_dbm is None else float(strongest.rssi_dbm),
                rssi_mean_dbm=None if mean is None else round(mean, 2),
                count=window.count,
                phase_rad=strongest.phase_rad,
                doppler_hz=strongest.doppler_hz,
                channel=strongest.channel,
            )
        )
