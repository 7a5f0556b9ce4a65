"""Edge, broker and backend are killed in turn while readings flow; afterwards nothing is missing and nothing is twice.

`STOCKYARD_KILLS=30 STOCKYARD_SEED=7 .venv/bin/python -m pytest -s tests/system/test_kill9.py` is the long form. The
seed decides the moments; what a process does at that moment is chance, so that every run is another trial.
"""

import json
import os
import time
from dataclasses import dataclass, field
from itertools import cycle
from random import Random

import pytest

from simulators.torture import books, machines
from simulators.torture.books import Account
from tests.system.plant import Plant, say

KILLS = int(os.environ.get("STOCKYARD_KILLS", "3"))
TURNS = ("edge", "broker", "backend")
UP_S, DRAINED_S = 120.0, 60.0
"""On a busy machine: the longer the backend takes to start, the longer the edge's patience has become meanwhile."""
BEFORE_US, AFTER_US = 2_000_000, 1_000_000
"""A read is lost with the edge if it was told so long before the kill or after it (a window of sightings is 0.5 s)."""
LEAST_RATE = 200.0


@dataclass
class Record:
    """What happened, for the figures."""

    killed: dict[str, int] = field(default_factory=dict[str, int])
    back_s: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    """How long until readings were journalled again, and after the kill of what."""
    deaf_us: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    """When what a reader told may not have reached the edge's outbox."""

    def count(self, what: str) -> None:
        self.killed[what] = self.killed.get(what, 0) + 1

    def deaf(self) -> None:
        now = time.time_ns() // 1000
        self.deaf_us.append((now - BEFORE_US, now + AFTER_US))

    def explains(self, at: int) -> bool:
        return any(begin <= at <= end for begin, end in self.deaf_us)


@pytest.mark.timeout(180 + 30 * KILLS)
def test_nothing_is_lost_and_nothing_doubled_by_kills_of_every_part(plant: Plant, seed: int) -> None:
    chance, record = Random(seed), Record()
    say(f"seed {seed}, {KILLS} kills, {plant.folder}")
    fleet = machines.Fleet(plant.trackers, seed)
    fleet.start()
    parts = cycle(TURNS)
    for number in range(KILLS):
        time.sleep(chance.uniform(0.3, 1.5))
        if number % 3 == 2:
            kill_between_commit_and_receipt(plant, record)
            part = "backend"
        else:
            part = next(parts)
            if part == "edge":
                record.deaf()
            plant.parts[part].kill()
            record.count(part)
        time.sleep(chance.uniform(0, 1))
        plant.parts[part].start()
        record.back_s.append((plant.await_up(UP_S), part))
    never_acked = fleet.end()
    record.deaf()
    plant.end_readers()
    record.deaf()
    try:
        say(f"drained after {plant.await_drained(DRAINED_S):.1f} s")
    finally:
        account = books.account([plant.outbox], plant.book, plant.truths)
        print_figures(plant, account, record)
    check_numbers(account)
    check_content(account, record)
    check_machines(plant, fleet, never_acked)
    assert books.edge_rate(account) >= LEAST_RATE
    assert plant.broken_invariants() == []
    for part in ("edge", "backend"):
        plant.parts[part].end()
    plant.check_logs()


def kill_between_commit_and_receipt(plant: Plant, record: Record) -> None:
    """The book has what the edge was never told of."""
    (plant.fuses / "backend.after-commit").touch()
    plant.parts["backend"].await_killed(10)
    burnt = plant.fuses / "backend.after-commit.burnt"
    unsent: dict[str, int] = dict(json.loads(burnt.read_bytes()))
    burnt.unlink()
    committed, receipted = books.marks(plant.book), books.receipted(plant.outbox)
    assert unsent, "it died after a commit that nobody waited for"
    assert unsent == {epoch: committed[epoch] for epoch in unsent}
    assert any(receipted[epoch] < seq for epoch, seq in unsent.items())
    record.count("backend between commit and receipt")


def check_numbers(account: Account) -> None:
    """The sets of (epoch, seq) are one set, and what is behind each number is the same to the byte."""
    assert account.extra == {"gap": 0, "quarantine": 0}
    assert (account.lost, account.doubled, account.strange) == ([], [], [])
    assert len(account.journal) == len(account.outbox)


def check_content(account: Account, record: Record) -> None:
    """Each carton that the edge committed is journalled once; each that a reader told was committed, outages apart."""
    assert (account.lost_content, account.doubled_content, account.invented) == (set(), [], set())
    assert [at for at in account.unread() if not record.explains(at)] == []


def check_machines(plant: Plant, fleet: machines.Fleet, never_acked: int) -> None:
    """Every record that a tracker told is journalled, however often, and in every figure once."""
    account = machines.account(fleet, never_acked, plant.book)
    say(f"trackers: {account.records} records, never acknowledged {account.never_acked}")
    say(f"their readings lost {len(account.lost)}, invented {len(account.invented)}, sent again {account.resent}")
    for imei, asset in machines.MACHINES.items():
        told = machines.uses(fleet.told[imei].acked)
        say(f"{asset} ran {told.run_ms / 1000:.3f} s, its counter {told.engine_s} s, and drove {told.driven_m} m")
    assert (account.never_acked, account.lost, account.invented) == (0, [], [])
    assert machines.differences(plant.api, fleet) == []


def print_figures(plant: Plant, account: Account, record: Record) -> None:
    slowest = ", ".join(
        f"{part} {max((s for s, each in record.back_s if each == part), default=0):.1f} s" for part in TURNS
    )
    say(f"killed: {record.killed}; journalling again after at most: {slowest}")
    epochs = len({epoch for epoch, _ in account.outbox})
    say(f"{epochs} epochs; outbox {len(account.outbox)}, journal {len(account.journal)}, {account.extra}")
    say(f"lost {len(account.lost)}, doubled {len(account.doubled)}, other bytes {len(account.strange)}")
    say(f"cartons lost {len(account.lost_content)}, doubled {len(account.doubled_content)}")
    unread = account.unread()
    unexplained = sum(not record.explains(at) for at in unread)
    say(f"told {len(account.truth)}, not committed {len(unread)}, of them outside of kills of the edge {unexplained}")
    say(f"committed by the edge while it ran: {books.edge_rate(account):.0f} readings/s")
    say(f"journalled, every outage counted in: {books.journal_rate(plant.book):.0f} readings/s")
