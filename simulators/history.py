"""The past of the same world, as the readings that an edge would have made of it, in the order of their time.

Doors are read around passes only. Reads of one tag at one antenna within half a second are one sighting: reduced here
by the contract's words, because the simulators share no code with the edge.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models.reading import Scan as ScanReading
from models.reading import Tag, from_micros
from models.wire import encode
from simulators import radio
from simulators.agenda import Site, history_days
from simulators.desk import Workflow, tell_scan
from simulators.live import last_reads, rows, tell_told
from simulators.machine_history import MachineHistory
from simulators.scenario import Scenario
from simulators.warehouse import DAY_US, Passing, tell_passing
from simulators.world import SECOND, World

WINDOW_US = SECOND // 2


@dataclass(slots=True)
class _Window:
    """One tag at one antenna for half a second."""

    first_us: int
    last_us: int
    rssi_dbm: float
    channel: int
    total_dbm: float
    count: int = 1


class HistoryStage:
    """Makes readings of what the site shows. Beyond `limit` sightings the doors hear nothing, and the truth says so."""

    def __init__(self, world: World, scenario: Scenario, limit: int) -> None:
        self.made = 0
        self._world = world
        self._offsets = {door.name: door.clock_offset_us for door in scenario.door}
        self._scanner = scenario.scanner[0].name
        self._limit = limit
        self._coming: list[tuple[int, int, bytes]] = []
        self._order = 0

    def passing(self, passing: Passing) -> None:
        """A pass: its truth, then its sightings."""
        key = f"{self._world.seed}/{passing.tags[0].id}"
        found = radio.reads(key, passing.begin_us, passing.motion, len(passing.tags), passing.others)
        seen = last_reads(found, len(passing.tags))
        tell_passing(self._world, passing, seen)
        sightings = reduce(passing, found, self._offsets[passing.door])
        heard = self.made + len(sightings) <= self._limit
        for at_us, sighting in sightings if heard else ():
            self._read(at_us, encode(sighting))
        numbers = found.tag.tolist()
        for number, tag in enumerate(passing.tags):
            made = numbers.count(number)
            tell_told(self._world, tag, (made if heard else 0, made), seen[number] if heard else None)

    def scanning(self, workflow: Workflow) -> None:
        """A workflow: the truth and the reading of each scan."""
        at_us = workflow.begin_us
        for number, scan in enumerate(workflow.scans):
            at_us += int(scan.pause_s * SECOND) if number else 0
            tell_scan(self._world, self._scanner, workflow, scan, at_us)
            self._read(at_us, encode(ScanReading(self._scanner, from_micros(at_us), scan.data, scan.symbology)))

    def take(self, until_us: int | None = None) -> list[bytes]:
        """The readings before a moment, or all, in order."""
        taken: list[bytes] = []
        while self._coming and (until_us is None or self._coming[0][0] < until_us):
            taken.append(heapq.heappop(self._coming)[2])
        return taken

    def put(self, at_us: int, text: bytes) -> None:
        """A reading of another device of this site; it does not count towards the limit."""
        self._order += 1
        heapq.heappush(self._coming, (at_us, self._order, text))

    def _read(self, at_us: int, text: bytes) -> None:
        self.made += 1
        self.put(at_us, text)


def reduce(passing: Passing, found: radio.Reads, offset_us: int) -> list[tuple[int, Tag]]:
    """Sightings of a pass with the time of each. A window begins with a tag's first read at an antenna."""
    windows: list[tuple[int, int, _Window]] = []
    open_: dict[tuple[int, int], _Window] = {}
    for at_us, tag, antenna, rssi, channel, *_ in rows(found):
        window = open_.get((tag, antenna))
        if window is None or at_us - window.first_us >= WINDOW_US:
            window = open_[tag, antenna] = _Window(at_us, at_us, rssi, channel, rssi)
            windows.append((tag, antenna, window))
            continue
        window.last_us, window.count, window.total_dbm = at_us, window.count + 1, window.total_dbm + rssi
        if rssi > window.rssi_dbm:
            window.rssi_dbm, window.channel = rssi, channel
    return [
        (window.last_us, _sighting(passing, (passing.tags[tag].epc, antenna), window, offset_us))
        for tag, antenna, window in windows
    ]


def _sighting(passing: Passing, where: tuple[str, int], window: _Window, offset_us: int) -> Tag:
    return Tag(
        device=passing.door,
        at=from_micros(window.last_us),
        first_at=from_micros(window.first_us),
        device_at=from_micros(window.last_us + offset_us) if offset_us else None,
        epc=where[0],
        antenna=where[1],
        rssi_dbm=window.rssi_dbm,
        rssi_mean_dbm=round(window.total_dbm / window.count, 2),
        count=window.count,
        channel=window.channel,
    )


def readings(
    site: Site, stage: HistoryStage, days: int, machines: Sequence[MachineHistory] = ()
) -> Iterator[tuple[float, list[bytes]]]:
    """Every reading of `days` from the world's clock on, encoded, in chunks: (share made so far, readings).

    The site then stands at the end of the history.
    """
    site.warehouse.stage = stage
    start_us = site.world.now_us
    for _ in history_days(site, days):
        for machine in machines:
            machine.until(site.world.now_us, stage.put)
        yield (site.world.now_us - start_us) / (days * DAY_US), stage.take(site.world.now_us)
    for machine in machines:
        machine.finish(stage.put)
    yield 1.0, stage.take()
