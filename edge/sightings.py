"""Reads of one tag at one antenna within one window become one Tag reading.

A fixed reader hears a tag up to hundreds of times a second; a door's decision needs its strength and its times, not
each read. A window begins with a tag's first read at any antenna and ends for all of them at once, by the reader's
clock or the host's, whichever is first: so the sightings of one tag leave in the order of their time.
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
    """What one antenna heard of one tag."""

    first_at: int
    last: Heard
    strongest: Heard
    count: int = 0
    rssi_sum_cdbm: int = 0
    rssi_count: int = 0


@dataclass(slots=True)
class _Seen:
    """One tag while its window is open; `opened` is the host's time."""

    opened: float
    first_at: int
    antennas: dict[int, _Window]


class Sightings:
    """The open windows of one device. At most MAX_OPEN tags: beyond that the oldest closes early."""

    def __init__(self, device: str, window_s: float) -> None:
        self._device = device
        self._window_s = window_s
        self._open: dict[str, _Seen] = {}
        self._closed: list[Tag] = []

    def add(self, heard: Heard, now: float) -> None:
        """Put a report into its window. `now` is the host's monotonic time in seconds."""
        seen = self._open.get(heard.epc)
        if seen is not None and heard.at - seen.first_at >= self._window_s * 1_000_000:
            self._close(heard.epc)
            seen = None
        if seen is None:
            if len(self._open) >= MAX_OPEN:
                self._close(next(iter(self._open)))
            seen = self._open[heard.epc] = _Seen(now, heard.first_at, {})
        seen.first_at = min(seen.first_at, heard.first_at)
        window = seen.antennas.get(heard.antenna)
        if window is None:
            window = seen.antennas[heard.antenna] = _Window(heard.first_at, heard, heard)
        _hear(window, heard)

    def due(self, now: float) -> list[Tag]:
        """The readings of the windows that have ended."""
        while self._open:
            epc, seen = next(iter(self._open.items()))
            if now - seen.opened < self._window_s:
                break
            self._close(epc)
        return self._take()

    def wait_s(self, now: float) -> float | None:
        """Seconds until the next window ends, None if none is open."""
        if not self._open:
            return None
        return max(0.0, next(iter(self._open.values())).opened + self._window_s - now)

    def flush(self) -> list[Tag]:
        """The readings of all windows, ended or not."""
        for epc in list(self._open):
            self._close(epc)
        return self._take()

    def _take(self) -> list[Tag]:
        closed, self._closed = self._closed, []
        return closed

    def _close(self, epc: str) -> None:
        windows = sorted(self._open.pop(epc).antennas.values(), key=lambda window: window.last.at)
        self._closed += [_sighting(self._device, window) for window in windows]


def _hear(window: _Window, heard: Heard) -> None:
    window.count += heard.count
    window.first_at = min(window.first_at, heard.first_at)
    if heard.at > window.last.at:
        window.last = heard
    if heard.rssi_dbm is not None:
        window.rssi_sum_cdbm += round(heard.rssi_dbm * 100) * heard.count
        window.rssi_count += heard.count
        if window.strongest.rssi_dbm is None or heard.rssi_dbm > window.strongest.rssi_dbm:
            window.strongest = heard


def _sighting(device: str, window: _Window) -> Tag:
    strongest, last = window.strongest, window.last
    mean = window.rssi_sum_cdbm / window.rssi_count / 100 if window.rssi_count else None
    return Tag(
        device=device,
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
