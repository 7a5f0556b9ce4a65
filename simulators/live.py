"""The world in step with a real clock: what the agenda brings is told by readers and a scanner on real sockets.

A pass is computed whole when it begins, its truth is written, and its reads are then offered as their time comes. What
a reader took is written as a further line when the pass is over; what nobody was listening to was never told.
"""

import heapq
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Protocol

from simulators import radio
from simulators.agenda import Site, go_live
from simulators.desk import Scan, Workflow, tell_scan
from simulators.devices.llrp import RawRead
from simulators.live_machines import LiveMachines
from simulators.warehouse import Passing, TagPass, tell_passing
from simulators.world import SECOND, Truth, World, stamp

TICK_S = 0.05
LONGEST_PAUSE_US = 30 * SECOND
"""A person who cannot scan for this long gives the workflow up."""
LAST_US = 12 * SECOND
FLUSH_S = 0.5


class Reader(Protocol):
    """What a reader device offers."""

    @property
    def reading(self) -> bool: ...

    def offer(self, reads: Sequence[RawRead], note: Callable[[Sequence[RawRead]], None] | None = None) -> int: ...


class ScannerPort(Protocol):
    """What a scanner device offers."""

    @property
    def connected(self) -> bool: ...

    def scan(self, data: bytes, aim: str | None, note: Callable[[], object] | None = None) -> bool: ...


@dataclass(slots=True)
class _Open:
    """A tag's pass that is not over: how much was due, how much was told."""

    tag: TagPass
    end_us: int
    static: bool
    due: int = 0
    told: int = 0
    last_us: int | None = None


class Doors:
    """Passes in progress at all doors, and the reads that are still to come."""

    def __init__(self, world: World, readers: dict[str, Reader]) -> None:
        self._world = world
        self._readers = readers
        self._open: dict[tuple[str, str], _Open] = {}
        self._coming: dict[str, list[tuple[int, int, RawRead]]] = {door: [] for door in readers}
        self._order = 0

    def passing(self, passing: Passing) -> None:
        """Compute a pass, write its truth, and queue its reads."""
        found = radio.reads(
            f"{self._world.seed}/{passing.tags[0].id}",
            passing.begin_us,
            passing.motion,
            len(passing.tags),
            passing.others,
        )
        seen = last_reads(found, len(passing.tags))
        tell_passing(self._world, passing, seen)
        for tag in passing.tags:
            self._open[passing.door, tag.epc] = _Open(tag, passing.end_us, passing.kind == "static")
        queue = self._coming[passing.door]
        for at_us, number, antenna, rssi, channel, phase, doppler in rows(found):
            self._order += 1
            read = RawRead(at_us, passing.tags[number].epc, antenna, rssi, channel, phase, doppler)
            heapq.heappush(queue, (at_us, self._order, read))

    def tick(self, now_us: int) -> None:
        """Offer what is due, and close what is over."""
        for door, queue in self._coming.items():
            reads: list[RawRead] = []
            while queue and queue[0][0] <= now_us:
                reads.append(heapq.heappop(queue)[2])
            if reads:
                self._offer(door, reads)
        for key, one in list(self._open.items()):
            if one.end_us <= now_us:
                self._close(key, one)

    def take_strays_away(self) -> None:
        """The strays are out of range from now on; their passes end as far as they were told."""
        gone = {key: one for key, one in self._open.items() if one.static}
        for door, queue in self._coming.items():
            self._coming[door] = [item for item in queue if (door, item[2].epc) not in gone]
            heapq.heapify(self._coming[door])
        for key, one in gone.items():
            self._close(key, one)

    @property
    def idle(self) -> bool:
        return not self._open

    def _offer(self, door: str, reads: list[RawRead]) -> None:
        for read in reads:
            self._open[door, read.epc].due += 1
        self._readers[door].offer(reads, lambda taken: self._note(door, taken))

    def _note(self, door: str, taken: Sequence[RawRead]) -> None:
        for read in taken:
            one = self._open[door, read.epc]
            one.told, one.last_us = one.told + 1, read.at_us

    def _close(self, key: tuple[str, str], one: _Open) -> None:
        del self._open[key]
        tell_told(self._world, one.tag, (one.told, one.due), one.last_us)


class DeskPlayer:
    """The person with the scanner: scans when it is time and the scanner is plugged in."""

    def __init__(self, world: World, name: str, scanner: ScannerPort) -> None:
        self._world = world
        self._name = name
        self._scanner = scanner
        self._todo: deque[tuple[Workflow, Scan]] = deque()
        self._due_us = self._last_us = 0

    def scanning(self, workflow: Workflow) -> None:
        """Take up a workflow."""
        if not self._todo:
            self._due_us = self._last_us = self._world.now_us
        self._todo.extend((workflow, scan) for scan in workflow.scans)

    @property
    def busy(self) -> bool:
        return bool(self._todo)

    def tick(self, now_us: int) -> None:
        """Make the next scan if it is due."""
        if not self._todo or now_us < self._due_us:
            return
        workflow, scan = self._todo[0]
        if scan is not workflow.scans[0] and now_us - self._last_us > LONGEST_PAUSE_US:
            self.give_up()
            return
        try:
            said = self._scanner.scan(
                scan.data.encode(), scan.symbology, lambda: tell_scan(self._world, self._name, workflow, scan, now_us)
            )
        except OSError:
            self.give_up()
            return
        if said:
            self._todo.popleft()
            self._last_us = now_us
            self._due_us = now_us + int((self._todo[0][1].pause_s if self._todo else 0) * SECOND)

    def give_up(self) -> None:
        """Leave the workflow: what a waiting item did then is anybody's guess, and the truth says so."""
        if self._todo:
            workflow = self._todo[0][0]
            self._world.tell("broken", workflow=workflow.id, at=stamp(self._last_us))
            while self._todo and self._todo[0][0] is workflow:
                self._todo.popleft()


class LiveStage:
    """Shows the site's events to the devices."""

    def __init__(self, doors: Doors, desk: DeskPlayer) -> None:
        self.doors = doors
        self.desk = desk

    def passing(self, passing: Passing) -> None:
        self.doors.passing(passing)

    def scanning(self, workflow: Workflow) -> None:
        self.desk.scanning(workflow)


def play(site: Site, stage: LiveStage, truth: Truth, stop: Event, machines: LiveMachines | None = None) -> None:
    """Play the live agenda until `stop`; passes that run then are finished first, at most 12 s long."""
    begun, begun_us = time.monotonic(), time.time_ns() // 1000
    machines = machines or LiveMachines(site.world, ())
    go_live(site, stage, truth, begun_us, lambda: stage.desk.busy)
    machines.begin(begun_us)
    deadline_us: int | None = None
    while True:
        now_us = begun_us + int((time.monotonic() - begun) * 1e6)
        if stop.is_set() and deadline_us is None:
            deadline_us = now_us + LAST_US
            site.world.clear()
            stage.doors.take_strays_away()
            machines.halt(now_us)
        while (due_us := site.world.next_us()) is not None and due_us <= now_us:
            site.world.step()
        stage.doors.tick(now_us)
        stage.desk.tick(now_us)
        machines.tick(now_us)
        over = deadline_us is not None and stage.doors.idle and not stage.desk.busy and machines.settled(now_us)
        if over or (deadline_us is not None and now_us > deadline_us):
            break
        time.sleep(TICK_S)
    stage.desk.give_up()
    machines.finish(now_us)
    time.sleep(FLUSH_S)


def rows(found: radio.Reads) -> list[tuple[int, int, int, float, int, float, float]]:
    """Reads as plain tuples (at_us, tag, antenna, rssi_dbm, channel, phase_rad, doppler_hz)."""
    columns = (found.at_us, found.tag, found.antenna, found.rssi_dbm, found.channel, found.phase_rad, found.doppler_hz)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def last_reads(found: radio.Reads, tags: int) -> list[int | None]:
    """When each tag is read for the last time."""
    last: list[int | None] = [None] * tags
    for at_us, tag in zip(found.at_us.tolist(), found.tag.tolist(), strict=True):
        last[tag] = at_us
    return last


def tell_told(world: World, tag: TagPass, told_of: tuple[int, int], last_us: int | None) -> None:
    """What the device was able to tell of a pass: `reads` of the `of` that the radio made."""
    last_seen = None if last_us is None else stamp(last_us)
    world.tell("told", **{"pass": tag.id, "reads": told_of[0], "of": told_of[1], "last_seen": last_seen})
