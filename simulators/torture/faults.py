"""Does to a site what a schedule says, each fault in a thread of its own, and heals all of it."""

import signal
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event, Lock

from simulators.torture.parts import Part, PartFailed
from simulators.torture.proxy import FAIR, Weather
from simulators.torture.schedule import Fault
from simulators.torture.site import UNAVAILABLE, Site

POINT_S, TICK_S = 5.0, 0.1
DELAY_S, DOUBLED_SHARE = 0.15, 0.5
BURN_S = 5.0
WEATHER = {
    "delay": Weather(delay_s=DELAY_S),
    "hole": Weather(hole=True),
    "slice": Weather(sliced=True),
    "double": Weather(doubled_share=DOUBLED_SHARE),
    "half-open": Weather(hole=True),
}


@dataclass
class Done:
    """What was done, and when the last of it was over: monotonic seconds."""

    counts: Counter[str] = field(default_factory=Counter[str])
    healed_at: float = 0.0


class Hurting:
    """The faults of one run."""

    def __init__(self, site: Site, stop: Event) -> None:
        self._site, self._stop = site, stop
        self._over = Event()
        self._locks = {name: Lock() for name in (*site.links, *(f"disk of {name}" for name in site.disks))}
        self._kinds: dict[str, Callable[[Fault], str]] = {
            "kill": self._kill,
            "stop": self._freeze,
            "disk": self._fill,
            "cut": self._cut,
            **dict.fromkeys(WEATHER, self._weather),
        }
        self.done = Done()

    def run(self, faults: list[Fault], show: Callable[[int], None]) -> Done:
        """Do all of it, or until `stop`; whatever was begun is healed. Raises PartFailed."""
        begun = time.monotonic()
        with ThreadPoolExecutor(max(1, len(faults))) as threads:
            waiting: list[Future[None]] = [threads.submit(self._one, fault, begun) for fault in faults]
            try:
                while not all(each.done() for each in waiting) and not self._stop.is_set():
                    show(sum(each.done() for each in waiting))
                    for each in waiting:
                        if each.done():
                            each.result()
                    self._count_refused()
                    self._stop.wait(TICK_S)
            finally:
                self._over.set()
        for each in waiting:
            each.result()
        self._count_refused()
        self.done.healed_at = max(self.done.healed_at, begun)
        return self.done

    def _count_refused(self) -> None:
        for name in self._site.restart_refused():
            self.done.counts[f"{name} did not start on a full disk"] += 1

    def _one(self, fault: Fault, begun: float) -> None:
        if self._over.wait(max(0.0, begun + fault.at_s - time.monotonic())):
            return
        what = self._kinds[fault.kind](fault)
        self.done.counts[what] += 1
        self.done.healed_at = max(self.done.healed_at, time.monotonic())

    def _kill(self, fault: Fault) -> str:
        part = self._site.parts[fault.target]
        with part.lock:
            at_point = bool(fault.point) and self._kill_at(part, fault.point)
            if not at_point and part.running().poll() != UNAVAILABLE:
                part.kill()
            self._over.wait(fault.length_s)
            part.start()
        return f"kill {fault.point if at_point else fault.target}"

    def _kill_at(self, part: Part, point: str) -> bool:
        """Whether it came to that point in time and died there."""
        fuse = self._site.fuses / point
        process = part.running()
        if part.name == "broker":
            self._site.links["edge-broker"].after_puback(partial(process.send_signal, signal.SIGKILL))
        else:
            fuse.touch()
        until = time.monotonic() + POINT_S
        while process.poll() is None and time.monotonic() < until and not self._over.is_set():
            time.sleep(TICK_S / 10)
        if process.poll() is None:
            self._site.links["edge-broker"].after_puback(_nothing)
            fuse.unlink(missing_ok=True)
            burnt = Path(f"{fuse}.burnt").exists()
            if not burnt:
                return False
        if process.poll() == UNAVAILABLE:
            fuse.unlink(missing_ok=True)
            return False
        part.await_killed(BURN_S)
        Path(f"{fuse}.burnt").unlink(missing_ok=True)
        return True

    def _freeze(self, fault: Fault) -> str:
        part = self._site.parts[fault.target]
        with part.lock:
            part.freeze()
            self._over.wait(fault.length_s)
            part.thaw()
        return f"stop {fault.target}"

    def _fill(self, fault: Fault) -> str:
        disk, part = self._site.disks[fault.target], self._site.parts[fault.target]
        with self._locks[f"disk of {fault.target}"]:
            try:
                disk.fill()
            except PartFailed:  # between two of its runs: it has no files that could be limited
                return f"no process of {fault.target} to limit"
            self._over.wait(fault.length_s)
            disk.free()
        return f"disk of {part.name} full"

    def _cut(self, fault: Fault) -> str:
        with self._locks[fault.target]:
            self._site.links[fault.target].cut()
        return f"cut {_sort(fault.target)}"

    def _weather(self, fault: Fault) -> str:
        link = self._site.links[fault.target]
        with self._locks[fault.target]:
            if fault.kind == "half-open":
                link.half_open()
            link.set(WEATHER[fault.kind])
            self._over.wait(fault.length_s)
            link.set(FAIR)
        return f"{fault.kind} {_sort(fault.target)}"


def _sort(link: str) -> str:
    return link if link.endswith("broker") else "device-edge"


def _nothing() -> None:
    """Instead of what is no longer to be done."""
