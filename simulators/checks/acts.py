"""What scans say without moving stock: counts, packs and bindings of the truth are in the system, each once."""

from collections.abc import Mapping

from simulators.answers import Act, System
from simulators.checks.found import Found
from simulators.checks.scans import match
from simulators.checks.streams import HeardScan
from simulators.truth import Scan, Truth

SAID = {"count", "pack", "assign"}
Facts = tuple[str | None, ...]


def check(system: System, truth: Truth, heard: list[HeardScan]) -> Found:
    """Compare acts, packs and bindings; what a workflow that was not heard whole did is left out of it."""
    found = Found("counts, packs and bindings are as scanned")
    pairs, _ = match(truth.scans, heard)
    vague = {scan.workflow for scan in truth.scans if scan.id not in pairs} | set(truth.broken)
    acts: dict[str, Act] = {act.evidence[0]: act for act in system.acts()}
    known = {scan.id: scan for scan in truth.scans}
    guesses: set[str | None] = set()
    standing: dict[str, Scan] = {}
    said = 0
    for scan in sorted(truth.scans, key=lambda scan: scan.at):
        act = acts.get(pairs[scan.id].hash) if scan.id in pairs else None
        if scan.workflow in vague:
            guesses |= {scan.child, scan.epc} | ({act.child, act.epc} if act is not None else set[str | None]())
        elif scan.action in SAID:
            said += 1
            found.differences += _judge(scan, act)
            standing[scan.id] = scan
        elif scan.action == "undo":
            said += known[scan.of or ""].action in SAID
            found.differences += [] if act is not None and act.action == "undo" else [f"{scan.id}: never taken back"]
            standing.pop(scan.of or "", None)
    packed = {scan.child: scan.parent for scan in standing.values() if scan.action == "pack"}
    shown: dict[str | None, str] = {one.child: one.parent for one in system.packs()}
    found.differences += _differ("pallet of", packed, shown, guesses)
    bound: dict[str | None, Facts] = {scan.epc: _facts(scan) for scan in standing.values() if scan.action == "assign"}
    tags: dict[str | None, Facts] = {one.id: (one.body.asset, one.body.sku, one.body.quantity) for one in system.tags()}
    found.differences += _differ("tag", bound, {tag: tags.get(tag) for tag in bound}, guesses)
    found.figures = {"scans that say so": said, "packed": len(packed), "tags": len(bound)}
    return found


def _judge(scan: Scan, act: Act | None) -> list[str]:
    name = f"{scan.id} {scan.data!r} ({scan.action})"
    if act is None:
        return [f"{name}: no act rests on it"]
    wanted = (scan.action, scan.sku, scan.lot, _text(scan.quantity), scan.child, scan.parent, scan.epc, scan.asset)
    there = (act.action, act.sku, act.lot, act.quantity, act.child, act.parent, act.epc, act.asset)
    return [] if wanted == there else [f"{name}: {wanted} expected, found {there}"]


def _facts(scan: Scan) -> Facts:
    return (scan.asset, scan.sku, _text(scan.quantity))


def _text(quantity: int | None) -> str | None:
    return None if quantity is None else str(quantity)


def _differ(
    what: str, wanted: Mapping[str | None, object], shown: Mapping[str | None, object], guesses: set[str | None]
) -> list[str]:
    return [
        f"{what} {key}: {wanted.get(key)} expected, found {shown.get(key)}"
        for key in sorted({*wanted, *shown} - guesses, key=str)
        if wanted.get(key) != shown.get(key)
    ]
