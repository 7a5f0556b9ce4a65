"""Reads of one tag at one antenna within one window become one Tag reading.

A fixed reader hears a tag up to hundreds of times a second; a door's decision needs its strength and its times, not
each read. A window begins with a tag's first read at any antenna and ends for all of them at once, by the reader's
clock or the host's, whichever is first: so the sightings of one tag leave in the order of their time. For setting up a
door there is the window of no length: each entry of a report is one reading, as it came.
"""

import math
from operator import attrgetter

import msgspec

from models.reading import Tag, from_micros

MAX_OPEN = 20_000
"""Windows, of all tags and antennas."""
TOGETHER = 10
"""Windows that end within this part of their length leave together: each leaving wakes the disk's thread."""
TURN, PER_HZ = 4096, 16
_at = attrgetter("at")


class Heard(msgspec.Struct, frozen=True, gc=False):
    """One report of one tag at one antenna, in whole numbers; what was not told is None.

    Times are microseconds UTC, already corrected. Strength is in hundredths of a dBm, phase in 4096ths of a turn,
    Doppler shift in sixteenths of a hertz.
    """

    epc: bytes
    antenna: int
    at: int
    first_at: int
    device_at: int | None = None
    rssi_cdbm: int | None = None
    count: int = 1
    channel: int | None = None
    phase: int | None = None
    doppler: int | None = None


class _Window(msgspec.Struct, gc=False):
    """What one antenna heard of one tag."""

    first_at: int
    last: Heard
    strongest: Heard
    count: int = 0
    rssi_sum_cdbm: int = 0
    rssi_count: int = 0


class _Seen(msgspec.Struct):
    """One tag while its window is open; `opened` is the host's time."""

    opened: float
    first_at: int
    antennas: dict[int, _Window]


class Sightings:
    """The open windows of one device. At most MAX_OPEN: beyond that the oldest tag's close early."""

    def __init__(self, device: str, window_s: float) -> None:
        self._device = device
        self._window_s = window_s
        self._window_us = round(window_s * 1_000_000)
        self._looked = -math.inf
        self._open: dict[bytes, _Seen] = {}
        self._windows = 0
        self._closed: list[Tag] = []

    def add(self, heard: Heard, now: float) -> None:
        """Put a report into its window. `now` is the host's monotonic time in seconds."""
        if not self._window_us:
            self._closed.append(_reading(self._device, heard))
            return
        seen = self._open.get(heard.epc)
        if seen is not None and abs(heard.at - seen.first_at) >= self._window_us:
            self._close(heard.epc)
            seen = None
        if seen is None:
            seen = self._open[heard.epc] = _Seen(now, heard.first_at, {})
        elif heard.first_at < seen.first_at:
            seen.first_at = heard.first_at
        window = seen.antennas.get(heard.antenna)
        if window is None:
            window = seen.antennas[heard.antenna] = _Window(heard.first_at, heard, heard)
            self._windows += 1
        _hear(window, heard)
        if self._windows > MAX_OPEN:
            self._close(next(iter(self._open)))

    def due(self, now: float) -> list[Tag]:
        """The readings of the windows that have ended."""
        if now < self._looked + self._window_s / TOGETHER:
            return []
        while self._open:
            epc, seen = next(iter(self._open.items()))
            if now - seen.opened < self._window_s:
                break
            self._close(epc)
        if self._closed:
            self._looked = now
        return self.take()

    def wait_s(self, now: float) -> float | None:
        """Seconds until `due` has something, None if no window is open."""
        if self._closed:
            return max(0.0, self._looked + self._window_s / TOGETHER - now)
        if not self._open:
            return None
        ends = next(iter(self._open.values())).opened + self._window_s
        return max(0.0, ends - now, self._looked + self._window_s / TOGETHER - now)

    def flush(self) -> list[Tag]:
        """The readings of all windows, ended or not."""
        for epc in list(self._open):
            self._close(epc)
        return self.take()

    @property
    def ended(self) -> int:
        """How many readings wait to be taken."""
        return len(self._closed)

    def take(self) -> list[Tag]:
        """The readings of the windows that were closed so far, without waiting for others to leave with them."""
        closed, self._closed = self._closed, []
        if not self._window_us:
            closed.sort(key=_at)
        return closed

    def _close(self, epc: bytes) -> None:
        windows = [*self._open.pop(epc).antennas.values()]
        self._windows -= len(windows)
        if len(windows) > 1:
            windows.sort(key=lambda window: window.last.at)
        for window in windows:
            self._closed.append(_sighting(self._device, window))


def _hear(window: _Window, heard: Heard) -> None:
    window.count += heard.count
    window.first_at = min(window.first_at, heard.first_at)
    if heard.at > window.last.at:
        window.last = heard
    rssi = heard.rssi_cdbm
    if rssi is not None:
        window.rssi_sum_cdbm += rssi * heard.count
        window.rssi_count += heard.count
        strongest = window.strongest.rssi_cdbm
        if strongest is None or rssi > strongest:
            window.strongest = heard


def _sighting(device: str, window: _Window) -> Tag:
    strongest, last = window.strongest, window.last
    mean = window.rssi_sum_cdbm / window.rssi_count / 100 if window.rssi_count else None
    return Tag(
        device,
        from_micros(last.at),
        last.epc.hex(),
        last.antenna,
        first_at=from_micros(min(window.first_at, last.at)),
        device_at=None if last.device_at is None else from_micros(last.device_at),
        rssi_dbm=None if strongest.rssi_cdbm is None else strongest.rssi_cdbm / 100,
        rssi_mean_dbm=None if mean is None else round(mean, 2),
        count=window.count,
        phase_rad=None if strongest.phase is None else strongest.phase % TURN * math.tau / TURN,
        doppler_hz=None if strongest.doppler is None else strongest.doppler / PER_HZ,
        channel=strongest.channel,
    )


def _reading(device: str, heard: Heard) -> Tag:
    """One report as it is."""
    window = _Window(heard.first_at, heard, heard)
    _hear(window, heard)
    return _sighting(device, window)
