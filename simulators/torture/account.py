"""Settles the accounts of a tortured site: what devices, outbox, journal and logs say must be one story."""

import json
import os
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from simulators.checks.found import Found
from simulators.torture import books, machines
from simulators.torture.site import Site

POLL_S, STILL_S = 0.05, 0.5
SHOWN = 500
TRACEBACK = "Traceback (most recent call last):"
MARK = "    | "
"""Before each line of a traceback in a log of ours."""
FULL = re.compile(r"disk is full|disk I/O error|unable to open database file|No space left on device|File too large")
"""What a full disk makes of a write; the last one where files are limited instead."""


class Drain:
    """Watches until all that the edge committed is receipted, and edge and backend say the same of every epoch."""

    def __init__(self, outbox: Path, book: Path, since: float) -> None:
        self._outbox, self._book, self._since = outbox, book, since
        self._rows, self._met_at = -1, time.monotonic()

    def still(self) -> bool:
        """Whether it has been so for half a second. Ask it again and again."""
        committed, waiting = books.depth(self._outbox)
        if committed != self._rows or waiting or books.receipted(self._outbox) != books.marks(self._book):
            self._rows, self._met_at = committed, time.monotonic()
        return time.monotonic() - self._met_at > STILL_S

    @property
    def took_s(self) -> float:
        """From the last fault to when it was so."""
        return max(0.0, self._met_at - self._since)

    def __str__(self) -> str:
        """What is still to come."""
        committed, waiting = books.depth(self._outbox)
        theirs = books.marks(self._book)
        apart = {epoch: (mark, theirs.get(epoch)) for epoch, mark in books.receipted(self._outbox).items()}
        apart = {epoch: marks for epoch, marks in apart.items() if marks[0] != marks[1]}
        return f"{waiting} of {committed} rows wait; marks (edge, backend) that differ: {apart}"


def drained(drain: Drain, bound_s: float, *, done: bool) -> Found:
    """Whether everything was committed in time."""
    load = round(os.getloadavg()[0] / (os.cpu_count() or 1), 1)
    found = Found("drained after the last fault")
    found.figures = {"seconds": round(drain.took_s, 1), "bound": bound_s, "processes that wanted each core": load}
    if not done:
        found.differences.append(f"not within {drain.took_s:.1f} s: {drain}")
    elif drain.took_s > bound_s:
        found.differences.append(f"{drain.took_s:.1f} s, at most {bound_s:g} s expected")
    return found


def numbers(account: books.Account) -> Found:
    """The sets of (epoch, seq) are one set, and what is behind each number is the same to the byte."""
    found = Found("outbox = journal, each reading once")
    found.figures = {
        "epochs": len({epoch for epoch, _ in account.outbox}),
        "outbox": len(account.outbox),
        "journal": len(account.journal),
        "lost": len(account.lost),
        "doubled": len(account.doubled),
        "other bytes": len(account.strange),
    }
    for what in ("lost", "doubled", "strange"):
        found.differences += [f"{what}: {epoch} {seq}" for epoch, seq in getattr(account, what)]
    found.differences += [f"{count} rows of {table}" for table, count in account.extra.items() if count]
    return found


def cartons(account: books.Account) -> Found:
    """Each carton that a reader told counts once, and no other does."""
    found = Found(
        "cartons, each once", {"told": len(account.truth), "committed": len(books.epcs(account.outbox.values()))}
    )
    found.differences += [f"lost after its commit: {epc}" for epc in account.lost_content]
    found.differences += [f"more than once: {epc}" for epc in account.doubled_content]
    found.differences += [f"read by nobody: {epc}" for epc in account.invented]
    return found


def records(site: Site, never_taken: int) -> Found:
    """Each record that a tracker was told is safe is journalled."""
    told = machines.account(site.fleet, never_taken, site.book)
    found = Found("trackers' records, told safe", {"records": told.records, "sent again": told.resent})
    found.differences += [f"lost: {each}" for each in told.lost]
    found.differences += [f"told by nobody: {each}" for each in told.invented]
    found.differences += [f"{told.never_acked} were never taken"] if told.never_acked else []
    return found


def scans(site: Site, account: books.Account) -> Found:
    """Each scan that beeped is journalled."""
    journalled = Counter(
        reading["data"] for reading in (json.loads(text) for _, text in account.journal) if reading["kind"] == "scan"
    )
    beeped = Counter(site.beeper.beeped)
    found = Found("scans that beeped", {"scanned": site.beeper.scanned, "beeped": beeped.total()})
    found.differences += [
        f"{data!r}: beeped {n}, journalled {journalled[data]}" for data, n in beeped.items() if n > journalled[data]
    ]
    return found


def invariants(site: Site) -> Found:
    """What the backend's own `verify` says."""
    found = Found("stockyard verify")
    found.differences += [json.dumps(each) for each in site.broken_invariants()]
    return found


def logs(site: Site, *, disks_were_full: bool) -> Found:
    """No part had a bug: those that a thread's restart hides are in its log. A full disk may be named there."""
    found = Found("no bug in any log")
    refused: Counter[str] = Counter()
    for part in site.parts.values():
        for error in errors(part.said().splitlines()):
            if disks_were_full and FULL.search(error):
                refused[f"writes of {part.name} refused by a full disk"] += 1
            else:
                found.differences.append(f"{part.name}: {error[:SHOWN]}")
    found.figures = dict(refused)
    return found


def errors(lines: Iterable[str]) -> Iterator[str]:
    """What each traceback ends in."""
    inside = False
    for line in (each.removeprefix(MARK) for each in lines):
        if line.strip() == TRACEBACK:
            inside = True
        elif inside and line and not line[0].isspace():
            inside = False
            yield line
