"""How far a device's clock is from the host's, from nothing but when its messages arrive.

A message arrives after what it tells of, never before: the smallest (host - device) of the last minute is the offset
plus the quickest way through the network, and does not jitter with the slow ones.
"""

from collections import deque

STEP_US = 1_000_000
NEAR_ZERO_US = 50_000
_BUCKET_US = 5_000_000
_BUCKETS = 12
_CONFIRM_COUNT, _CONFIRM_US = 3, 2_000_000


class ClockOffset:
    """Microseconds to add to the device's time to get the host's; None before the first sample.

    A sample more than a second off is one bad timestamp or a report that lay in a buffer, until three of them over two
    seconds agree: then a clock was set, and the estimate steps.
    """

    def __init__(self) -> None:
        self.estimate: int | None = None
        self._smallest: deque[tuple[int, int]] = deque()
        self._odd = (0, 0, 0)

    @property
    def correction_us(self) -> int:
        """What to add: 0 while the offset is unknown, or within 50 ms and so no more than the network's share."""
        if self.estimate is None or abs(self.estimate) <= NEAR_ZERO_US:
            return 0
        return self.estimate

    def add(self, host_us: int, device_us: int) -> None:
        """One message received at host_us that tells of device_us."""
        sample = host_us - device_us
        if self.estimate is not None and abs(sample - self.estimate) > STEP_US:
            count, since, smallest = self._odd
            if not count or abs(sample - smallest) > STEP_US or host_us < since:
                count, since, smallest = 0, host_us, sample
            self._odd = (count + 1, since, min(smallest, sample))
            if count + 1 < _CONFIRM_COUNT or host_us - since < _CONFIRM_US:
                return
            sample = self._odd[2]
            self._smallest.clear()
        self._odd = (0, 0, 0)
        self._keep(host_us // _BUCKET_US, sample)
        self.estimate = min(smallest for _, smallest in self._smallest)

    def _keep(self, bucket: int, sample: int) -> None:
        """Smallest per five seconds, twelve of them; a host clock set back empties them."""
        while self._smallest and not bucket - _BUCKETS < self._smallest[0][0] <= bucket:
            self._smallest.popleft()
        if self._smallest and self._smallest[-1][0] == bucket:
            sample = min(sample, self._smallest.pop()[1])
        self._smallest.append((bucket, sample))
