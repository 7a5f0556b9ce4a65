"""One run: a seed's site, a seed's faults, and whether every account is settled afterwards."""

import shutil
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from simulators.checks.found import Found
from simulators.torture import account, books
from simulators.torture.faults import Done, Hurting
from simulators.torture.parts import PartFailed
from simulators.torture.schedule import Fault, draw
from simulators.torture.site import Site, Wanted

READS_A_SECOND = 60.0
PATIENCE_S = 60.0
Show = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Plan:
    """What is asked for."""

    seed: int
    seconds: float
    kills: int
    kinds: tuple[str, ...]
    drain_s: float
    """The bound, from the end of the last fault."""


@dataclass
class Verdict:
    """What came of it."""

    seed: int
    faults: list[str]
    done: dict[str, int] = field(default_factory=dict[str, int])
    found: list[Found] = field(default_factory=list[Found])
    seconds: float = 0.0
    stopped: bool = False
    folder: str = ""
    """Everything that was written, kept if anything differs."""

    @property
    def ok(self) -> bool:
        return all(one.ok for one in self.found) and not self.stopped


def torture(plan: Plan, stop: Event, show: Show) -> Verdict:
    """Start a site, hurt it by the plan's seed, settle the accounts. `stop` ends it early, without a verdict."""
    begun = time.monotonic()
    faults = draw(plan.seed, plan.seconds, plan.kills, plan.kinds)
    verdict = Verdict(plan.seed, [str(fault) for fault in faults])
    folder = Path(tempfile.mkdtemp(prefix=f"torture-{plan.seed}-"))
    wanted = Wanted(folder, plan.seed, plan.seconds, READS_A_SECOND, small_disks="disk" in plan.kinds)
    site = Site(wanted)
    try:
        show("starting", 0, len(faults))
        site.start(stop)
        _hurt(site, plan, faults, stop, (verdict, show))
    except PartFailed as error:
        verdict.found.append(Found("every part does as it is asked", differences=[str(error)]))
    finally:
        site.drop()
        verdict.stopped, verdict.seconds = stop.is_set(), round(time.monotonic() - begun, 1)
        if verdict.ok or verdict.stopped:
            shutil.rmtree(folder)
        else:
            verdict.folder = str(folder)
    return verdict


def _hurt(site: Site, plan: Plan, faults: list[Fault], stop: Event, told: tuple[Verdict, Show]) -> None:
    verdict, show = told
    done = Hurting(site, stop).run(faults, lambda n: show("torture", n, len(faults)))
    verdict.done = dict(sorted(done.counts.items()))
    if stop.is_set():
        return
    with ThreadPoolExecutor(1) as beside:
        ending = beside.submit(site.end_devices)
        drain = account.Drain(site.outbox, site.book, done.healed_at)
        show("draining", len(faults), len(faults))
        while not (still := drain.still() and ending.done()) and not stop.is_set():
            if time.monotonic() - done.healed_at > PATIENCE_S:
                break
            time.sleep(account.POLL_S)
        never_taken = ending.result()
    if not stop.is_set():
        show("settling", len(faults), len(faults))
        verdict.found += [account.drained(drain, plan.drain_s, done=still), *_settle(site, done, never_taken)]


def _settle(site: Site, done: Done, never_taken: int) -> list[Found]:
    for name in ("edge", "backend"):
        site.parts[name].end()
    held = books.account([site.outbox], site.book, site.truths)
    return [
        account.numbers(held),
        account.cartons(held),
        account.records(site, never_taken),
        account.scans(site, held),
        account.invariants(site),
        account.logs(site, disks_were_full=any("disk" in what for what in done.counts)),
    ]
