"""Compares a running system, over its HTTP API and its edges' outboxes, with what really happened.

It shares no rule with what it checks: it knows only the truth, the contract, and what follows from either.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from models.reading import micros
from simulators.answers import Crossing, System
from simulators.checks import acts, assets, doors, scans, stock, streams
from simulators.checks.found import Found
from simulators.checks.ledger import Ledger, Levels, net
from simulators.outbox import Kept
from simulators.truth import Pass, Truth

WAIT_S = 90.0
POLL_S = 1.0
NEAR_NOW = timedelta(seconds=10)
TAIL_US = 120_000_000
Show = Callable[[int, int, str], None]
"""Committed, of how many, and what is waited for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What to compare. `killed`: the edge was killed meanwhile, so what it had not committed is listed only."""

    truth: Truth
    outboxes: list[Kept]
    killed: bool = False


def wait(system: System, asked: Asked, show: Show, seconds: float = WAIT_S) -> list[str]:
    """Wait until all that is listed is committed, folded, decided and told. What is missing at the end, in words."""
    deadline = time.monotonic() + seconds
    while True:
        done, total, missing = _committed(system, asked.outboxes)
        if not missing:
            missing = _undecided(system, asked.truth) or assets.behind(system, asked.truth)
        show(done, total, "; ".join(missing[:1]))
        if not missing or time.monotonic() > deadline:
            return missing
        time.sleep(POLL_S)


def _committed(system: System, outboxes: list[Kept]) -> tuple[int, int, list[str]]:
    marks = {stream.epoch: stream.committed for gateway in system.gateways() for stream in gateway.streams}
    wanted = {epoch: next_seq - 1 for outbox in outboxes for epoch, next_seq in outbox.next_seq.items()}
    done = sum(min(marks.get(epoch, 0), last) for epoch, last in wanted.items())
    missing = [
        f"{epoch}: committed up to {marks.get(epoch, 0)} of {last}"
        for epoch, last in wanted.items()
        if marks.get(epoch, 0) < last
    ]
    return done, sum(wanted.values()), missing


def _undecided(system: System, truth: Truth) -> list[str]:
    complete_to = system.complete_to()
    now = datetime.now(UTC)
    if complete_to is not None and complete_to < now - NEAR_NOW:
        return [f"figures rest on what was read until {complete_to:%Y-%m-%d %H:%M:%S} only"]
    open_passes = _tail(truth)
    if not open_passes:
        return []
    seen, _ = doors.match(open_passes, system.crossings(), {})
    undecided = sum(not one.crossings for one in seen)
    return [f"{undecided} passes at the end of the truth have no verdict yet"] if undecided else []


def _tail(truth: Truth) -> list[Pass]:
    """The last passes that were told, if they are so fresh that their silence may not be over yet."""
    last_us = truth.last_us()
    if micros(datetime.now(UTC)) - last_us > TAIL_US:
        return []
    return [one for one in truth.passes if micros(one.begin) > last_us - TAIL_US and truth.heard_of(one)]


def compare(system: System, asked: Asked) -> list[Found]:
    """All checks, in the order in which they are shown. Raises Unreachable."""
    sets, heard = streams.check(system, asked.outboxes)
    ledger = Ledger(net(system.movements()))
    crossings: list[Crossing] = system.crossings()
    levels: Levels = {}
    scanned = scans.check(asked.truth, heard.scans, ledger, levels, killed=asked.killed)
    verdicts, seen = doors.check(asked.truth, crossings, heard.sightings, killed=asked.killed)
    moved = doors.movements(seen, ledger, levels)
    held = stock.check(asked.truth, levels, system.stock(), ledger)
    told = acts.check(system, asked.truth, heard.scans)
    stocked = [sets, scanned, told, verdicts, moved, held, doors.accuracy(asked.truth, seen)]
    return [*stocked, *assets.check(system, asked.truth, heard)]
