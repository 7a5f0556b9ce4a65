"""Every scan of the truth is in the journal, and every item scanned has its effect exactly once."""

from collections import defaultdict
from decimal import Decimal

from models.reading import micros
from simulators.answers import Movement
from simulators.checks.found import Found
from simulators.checks.ledger import PLACES, Ledger, Levels, apply, text
from simulators.checks.streams import HeardScan
from simulators.truth import Scan, Truth

EARLY_US, LATE_US = 1_000_000, 5_000_000
"""The edge stamps a scan when it hears it; the truth is written a moment before."""


def check(truth: Truth, heard: list[HeardScan], ledger: Ledger, levels: Levels, *, killed: bool) -> Found:
    """Judge all scans and add what they move to `levels`.

    What a workflow did that its person gave up, or (`killed`) that the edge did not hear whole, is listed, and taken
    from the ledger as it is.
    """
    found = Found("each scan has its effect once")
    pairs, strangers = match(truth.scans, heard)
    found.differences += [f"{scan.device} {scan.at_us}: {scan.data!r} was never scanned" for scan in strangers]
    deaf = {scan.workflow for scan in truth.scans if scan.id not in pairs}
    if not killed:
        lost = [scan for scan in truth.scans if scan.id not in pairs]
        found.differences += [f"{scan.id} {scan.data!r}: told, but not in the journal" for scan in lost]
    vague = deaf | set(truth.broken)
    found.listed += [f"workflow {workflow}: not heard whole" for workflow in sorted(vague)]
    effects = 0
    items = {scan.id: scan for scan in truth.scans}
    for scan in truth.scans:
        entries = _entries(scan, pairs, ledger)
        if scan.workflow in vague:
            _take_as_it_is(entries, ledger, levels)
        elif scan.action is not None:
            effects += 1
            found.differences += judge(scan, way(scan, items), entries)
            book(scan, way(scan, items), levels)
            ledger.explained.update(entry.id for entry in entries)
    found.figures = {"scans": len(truth.scans), "items": effects, "workflows not heard whole": len(vague)}
    return found


def match(scans: list[Scan], heard: list[HeardScan]) -> tuple[dict[str, HeardScan], list[HeardScan]]:
    """Each scan of the truth with its reading in the journal, by data and time; and readings that nobody scanned."""
    waiting: dict[tuple[str, str], list[HeardScan]] = defaultdict(list)
    for one in sorted(heard, key=lambda one: one.at_us, reverse=True):
        waiting[one.device, one.data].append(one)
    pairs: dict[str, HeardScan] = {}
    strangers: list[HeardScan] = []
    for scan in sorted(scans, key=lambda scan: scan.at):
        candidates = waiting[scan.device, scan.data]
        at_us = micros(scan.at)
        while candidates and candidates[-1].at_us < at_us - EARLY_US:
            strangers.append(candidates.pop())
        if candidates and candidates[-1].at_us <= at_us + LATE_US:
            pairs[scan.id] = candidates.pop()
    return pairs, strangers + [one for left in waiting.values() for one in left]


def way(scan: Scan, items: dict[str, Scan]) -> tuple[str, str] | None:
    """From where to where a scan moves something, or None: an undo the other way than the item that it belongs to."""
    if scan.action == "undo":
        undone = way(items[scan.of or ""], items)
        return None if undone is None else (undone[1], undone[0])
    place = scan.location or ""
    ways = {
        "receive": ("supplier", place),
        "issue": (place, "customer"),
        "return": ("customer", place),
        "move": (place, scan.target or ""),
    }
    return ways.get(scan.action or "")


def judge(scan: Scan, moves: tuple[str, str] | None, entries: list[Movement]) -> list[str]:
    """What is wrong with the net entries that rest on one item's scan."""
    name = f"{scan.id} {scan.data!r} ({scan.action})"
    if moves is None:
        return [f"{name}: nothing to move, found {text(entry)}" for entry in entries]
    if len(entries) != 1:
        return [f"{name}: 1 movement expected, found {len(entries)}: {'; '.join(map(text, entries))}"]
    entry = entries[0]
    wanted = (scan.sku, scan.lot, Decimal(scan.quantity or 0), *moves)
    if wanted != (entry.sku, entry.lot, Decimal(entry.quantity), entry.source, entry.target):
        wish = f"{scan.quantity} x {scan.sku} (lot {scan.lot or '-'}) {moves[0]} -> {moves[1]}"
        return [f"{name}: {wish} expected, found {text(entry)}"]
    return []


def book(scan: Scan, moves: tuple[str, str] | None, levels: Levels) -> None:
    """What a scan moves between the real places."""
    for place, sign in zip(moves or (), (-1, 1), strict=False):
        if place in PLACES and scan.sku:
            key = (scan.sku, place)
            levels[key] = levels.get(key, Decimal(0)) + sign * (scan.quantity or 0)


def _entries(scan: Scan, pairs: dict[str, HeardScan], ledger: Ledger) -> list[Movement]:
    heard = pairs.get(scan.id)
    return ledger.of(f"scan:{heard.hash}") if heard else []


def _take_as_it_is(entries: list[Movement], ledger: Ledger, levels: Levels) -> None:
    for entry in entries:
        if entry.id not in ledger.explained:
            ledger.explained.add(entry.id)
            apply(levels, entry)
