"""Antenna health: a port that hears nothing while the others are busy is told: its cable may be broken.

Readers tell of an open connector at best. Silence alone says nothing, so what counts is how many different tags the
other antennas heard in it: many, and several times as many as in any silence of this antenna before, of which no more
counts than it took to call it quiet. So a badly placed antenna is learned after an alarm or two, and a cable that was
mended does not make it deaf to the next. A tag that stays before one antenna counts once, however often it is read.
"""

from collections.abc import Iterable, Mapping

MIN_TAGS, TIMES_USUAL = 20, 3
MAX_TAGS, MAX_PORTS = 3_000, 64


class _Port:
    """One antenna: when it was last heard, and what the others heard since."""

    def __init__(self, now: float) -> None:
        self.heard = now
        self.quiet = False
        self.usual = 0
        self.others: set[str] = set()


class Antennas:
    """The antennas of one reader. Times are monotonic seconds; `quiet_s` 0 is never.

    >>> antennas = Antennas(60.0, (1, 2))
    >>> antennas.due(0.0)
    []
    >>> for second in range(90):
    ...     antennas.heard(1, f"{second:024x}", second)
    >>> antennas.due(90.0)
    [('antenna_quiet', 'antenna 2: nothing for 90 s, in which the others heard 90 tags')]
    """

    def __init__(self, quiet_s: float, ports: Iterable[int] = ()) -> None:
        self._quiet_s = quiet_s
        self._expected = tuple(ports) if quiet_s else ()
        self._ports: dict[int, _Port] = {}
        self._events: list[tuple[str, str]] = []

    def alive(self, last: Mapping[int, float]) -> None:
        """When each antenna last read a tag of any kind, also one that is not told of."""
        if self._quiet_s:
            for antenna, at in last.items():
                self._hears(antenna, at)

    def heard(self, antenna: int, epc: str, now: float) -> None:
        """A tag was heard at an antenna; one that is not among the ports is watched from now on."""
        if not self._quiet_s:
            return
        self._hears(antenna, now)
        for number, other in self._ports.items():
            if number != antenna and not other.quiet and len(other.others) < MAX_TAGS:
                other.others.add(epc)

    def due(self, now: float) -> list[tuple[str, str]]:
        """The events since the last call, as (name, detail): antenna_quiet once, antenna_heard when it is back."""
        if not self._quiet_s:
            return []
        self._begin(now)
        for number, port in self._ports.items():
            if port.quiet or now - port.heard < self._quiet_s:
                continue
            tags = len(port.others)
            if tags >= min(MAX_TAGS, max(MIN_TAGS, TIMES_USUAL * port.usual)):
                port.quiet = True
                detail = (
                    f"antenna {number}: nothing for {now - port.heard:.0f} s, in which the others heard {tags} tags"
                )
                self._events.append(("antenna_quiet", detail))
        events, self._events = self._events, []
        return events

    def _hears(self, antenna: int, at: float) -> None:
        self._begin(at)
        if antenna not in self._ports and len(self._ports) >= MAX_PORTS:
            return
        port = self._ports.setdefault(antenna, _Port(at))
        if at <= port.heard:
            return
        if port.quiet:
            self._events.append(("antenna_heard", f"antenna {antenna}: again, after {at - port.heard:.0f} s"))
        port.usual = max(port.usual, len(port.others))
        port.heard, port.quiet = at, False
        port.others.clear()

    def _begin(self, now: float) -> None:
        """The time of the first call is when the ports that are in use begin to be watched."""
        if self._expected:
            self._ports = {port: _Port(now) for port in self._expected}
            self._expected = ()
