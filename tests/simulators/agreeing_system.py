"""A day of the simulated world, and the answers of a system that agrees with it in everything."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from models import wire
from models.reading import Scan, Tag, from_micros, micros
from simulators import agenda, history, outbox, truth
from simulators.answers import Movement, System
from simulators.checker import Asked, compare
from simulators.checks.ledger import net
from simulators.scenario import Door, Scanner, Scenario
from simulators.world import World

START = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
SCENARIO = Scenario(3, START, "", [Door("door-1", "h:1"), Door("door-2", "h:2", -1.7)], [Scanner("scanner-1", "")], 1)
Json = dict[str, Any]
WAY = {"in": ("supplier", "warehouse"), "out": ("warehouse", "customer")}
SCANNED = {"receive": ("supplier", "desk"), "issue": ("desk", "customer"), "return": ("customer", "desk")}
REAL = {"warehouse", "desk", "shelf-a"}


@dataclass
class Answers:
    """What a system would answer."""

    epoch: str
    journal: list[Json] = field(default_factory=list)
    gaps: list[Json] = field(default_factory=list)
    quarantine: list[Json] = field(default_factory=list)
    crossings: list[Json] = field(default_factory=list)
    movements: list[Json] = field(default_factory=list)
    stock: list[Json] = field(default_factory=list)
    scans: list[Json] = field(default_factory=list)
    packs: list[Json] = field(default_factory=list)
    tags: list[Json] = field(default_factory=list)
    complete_to: datetime = field(default_factory=lambda: datetime.now(UTC))

    def move(self, evidence: str, units: tuple[str, str | None, int], way: tuple[str, str], **more: Any) -> Json:
        n = len(self.movements) + 1
        sku, lot, quantity = units
        entry = {"id": f"m{n}", "n": n, "sku": sku, "lot": lot, "quantity": str(quantity), "source": way[0]}
        entry |= {"target": way[1], "evidence": [evidence], "reverses": None, **more}
        self.movements.append(entry)
        return entry

    def count(self) -> None:
        """Stock as the net ledger has it."""
        levels: dict[tuple[str, str], Decimal] = {}
        for entry in net(msgspec.convert(self.movements, list[Movement])):
            for place, sign in ((entry.source, -1), (entry.target, 1)):
                key = (entry.sku, place)
                levels[key] = levels.get(key, Decimal(0)) + sign * Decimal(entry.quantity)
        self.stock = [
            {"sku": sku, "location": place, "on_hand": str(quantity), "lot": None}
            for (sku, place), quantity in levels.items()
            if place in REAL
        ]

    def page(self, path: str, query: dict[str, str]) -> Json:
        """A page as the API gives it; cursors count items."""
        if path == "gateways":
            mark = max((entry["seq"] for entry in self.journal), default=0)
            stream = {"epoch": self.epoch, "committed": max([mark, *(gap["to_seq"] for gap in self.gaps)])}
            return {"items": [{"name": "dock-a", "streams": [stream]}], "next": None}
        items, first, limit = getattr(self, path), int(query.get("after", 0)), int(query.get("limit", 1000))
        following = str(first + limit) if first + limit < len(items) else None
        return {"items": items[first : first + limit], "next": following, "complete_to": self.complete_to}


class Direct(System):
    """The same without sockets."""

    def __init__(self, answers: Answers) -> None:
        super().__init__("http://127.0.0.1:1")
        self.answers = answers

    def _get(self, target: str) -> bytes:
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        return msgspec.json.encode(self.answers.page(unquote(parts.path.removeprefix("/api/v1/")), query))


@dataclass
class Case:
    """A truth, an outbox, and a system that agrees with both."""

    truth: Path
    outbox: Path
    answers: Answers

    def asked(self, **more: bool) -> Asked:
        return Asked(truth.read([self.truth]), [outbox.read(self.outbox)], **more)

    def differing(self, **more: bool) -> dict[str, list[str]]:
        found = compare(Direct(self.answers), self.asked(**more))
        return {one.check: one.differences for one in found if not one.ok}


def make_day(folder: Path) -> Case:
    """One day of the simulated world and a system that judged all of it right."""
    with (folder / "truth.jsonl").open("w") as lines:
        world = World(3, START - timedelta(days=1), lines)
        site = agenda.build(world, SCENARIO.doors)
        stage = history.HistoryStage(world, SCENARIO, 400_000)
        texts = [text for _, chunk in history.readings(site, stage, 1) for text in chunk]
    rows = outbox.SentRows(folder / "history.db")
    rows.append(texts)
    rows.close()
    answers = Answers(rows.epoch)
    times: dict[tuple[str, str], list[int]] = {}
    hashes: dict[tuple[str, int], str] = {}
    for seq, text in enumerate(texts, 1):
        reading = wire.decode(text)
        assert isinstance(reading, Tag | Scan)
        kind = "scan" if isinstance(reading, Scan) else "tag"
        answers.journal.append(
            {"seq": seq, "kind": kind, "device": reading.device, "at": reading.at, "reading": msgspec.Raw(text)}
        )
        if isinstance(reading, Tag):
            times.setdefault((reading.device, reading.epc), []).append(micros(reading.at))
        else:
            hashes[reading.data, micros(reading.at)] = wire.content_hash(reading).hex()
    real = truth.read([folder / "truth.jsonl"])
    for one in real.passes:
        begin, end = micros(one.begin), micros(one.end)
        seen = [at for at in times.get((one.door, one.epc), ()) if begin <= at <= end]
        if not seen:
            continue
        ident = f"c{len(answers.crossings) + 1}"
        crossing = {"id": ident, "device": one.door, "epc": one.epc, "direction": one.direction, "sku": one.sku}
        crossing |= {"first_at": from_micros(min(seen)), "last_at": from_micros(max(seen)), "kind": "stock"}
        answers.crossings.append(crossing)
        if one.direction in WAY and one.sku:
            answers.move(f"crossing:{ident}", (one.sku, None, one.units), WAY[one.direction])
    scan_all(answers, real, hashes)
    answers.count()
    return Case(folder / "truth.jsonl", folder / "history.db", answers)


def scan_all(answers: Answers, real: truth.Truth, hashes: dict[tuple[str, int], str]) -> None:
    """What every scan did."""
    ways: dict[str, tuple[str, str]] = {}
    for scan in real.scans:
        seen_as = hashes[scan.data, micros(scan.at)]
        if scan.action == "undo" and scan.of in ways:
            ways[scan.id] = ways[scan.of][::-1]
        elif scan.action == "move":
            ways[scan.id] = (scan.location or "", scan.target or "")
        elif scan.action in SCANNED:
            ways[scan.id] = SCANNED[scan.action]
        if scan.id in ways:
            assert scan.sku
            assert scan.quantity
            answers.move(f"scan:{seen_as}", (scan.sku, scan.lot, scan.quantity), ways[scan.id])
        if scan.action in ("count", "pack", "assign", "undo"):
            tell(answers, scan, seen_as)


def tell(answers: Answers, scan: truth.Scan, seen_as: str) -> None:
    """The act of a scan, and what lies on a pallet or what a tag is on after it."""
    names = ("action", "sku", "lot", "child", "parent", "epc", "asset")
    facts = {name: getattr(scan, name) for name in names}
    quantity = None if scan.quantity is None else str(scan.quantity)
    answers.scans.append({**facts, "quantity": quantity, "evidence": [seen_as]})
    if scan.action == "assign":
        bound = {
            "thing": "asset" if scan.asset else "stock",
            "sku": scan.sku,
            "quantity": quantity,
            "asset": scan.asset,
        }
        answers.tags = [one for one in answers.tags if one["id"] != scan.epc] + [{"id": scan.epc, "body": bound}]
    standing = [one for one in answers.scans if one["action"] in ("pack", "undo") and one["child"] is not None]
    for one in [one for one in standing if one["action"] == "undo"]:
        at = standing.index(one)
        standing = [*standing[: at - 1], *standing[at + 1 :]]
    answers.packs = [
        {"child": child, "parent": on} for child, on in {o["child"]: o["parent"] for o in standing}.items()
    ]
