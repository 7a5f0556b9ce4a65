"""An adversarial world for both halves of the delivery: one seed makes one run, on a virtual clock.

Edges have memory and a disk, the backend has a disk; the network loses, delays, doubles and reorders. At the end the
faults stop; `judge` then says what is not as contract.md section 1 "Delivery" promises.
"""

import heapq
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Any

import msgspec

from models.commit import Held, commit
from models.delivery import NewEpoch, RaiseAlert, SaveMark, Send, Sender, fill
from models.draining import EpochLine
from models.reading import Gap

AT = datetime(2026, 11, 23, tzinfo=UTC)
POISON, LARGE = b"poison", b"large"
Batch = tuple[str, int, list[bytes]]
_gap = msgspec.json.Decoder(Gap)


class Disk:
    """An outbox: per epoch its line [next_seq, mark, highest receipted] and its rows."""

    def __init__(self) -> None:
        self.lines: dict[str, list[int]] = {}
        self.rows: dict[str, dict[int, bytes]] = {}

    def copy(self) -> "Disk":
        twin = Disk()
        twin.lines = {epoch: list(line) for epoch, line in self.lines.items()}
        twin.rows = {epoch: dict(rows) for epoch, rows in self.rows.items()}
        return twin


class Backend:
    """Marks, journal, quarantine and gaps; `copy` is a backup."""

    def __init__(self) -> None:
        self.marks: dict[str, int] = {}
        self.pruned: dict[str, int] = {}
        self.journal: dict[tuple[str, int], bytes] = {}
        self.quarantine: dict[tuple[str, int], bytes] = {}
        self.gaps: dict[str, list[tuple[int, int]]] = {}
        self.conflicts = 0

    def copy(self) -> "Backend":
        twin = Backend()
        twin.marks, twin.pruned, twin.journal = dict(self.marks), dict(self.pruned), dict(self.journal)
        twin.quarantine, twin.conflicts = dict(self.quarantine), self.conflicts
        twin.gaps = {epoch: list(gaps) for epoch, gaps in self.gaps.items()}
        return twin

    def covers(self, epoch: str, seq: int) -> bool:
        return any(first <= seq <= last for first, last in self.gaps.get(epoch, ()))

    def take(self, batch: Batch) -> int:
        epoch, seq, texts = batch

        def same(number: int, text: bytes) -> bool:
            key = (epoch, number)
            return text in (self.journal.get(key), self.quarantine.get(key)) or self.covers(epoch, number)

        gap = _gap.decode(texts[0]) if texts and texts[0][:1] == b"{" else None
        done = commit(Held(self.marks.get(epoch, 0), self.pruned.get(epoch, 0), same), seq, texts, gap)
        for number, text in done.journal:
            (self.quarantine if text.startswith(POISON) else self.journal)[epoch, number] = text
        if done.gap:
            self.gaps.setdefault(epoch, []).append(done.gap)
        self.conflicts += len(done.conflicts)
        self.marks[epoch] = done.mark
        return done.mark

    def prune(self, rng: Random) -> None:
        for epoch, mark in self.marks.items():
            self.pruned[epoch] = max(self.pruned.get(epoch, 0), rng.randint(0, mark))


class Edge:
    """One gateway process and its disk."""

    def __init__(self, world: "World", disk: Disk) -> None:
        self.world, self.disk = world, disk
        self.images: list[Disk] = []
        self.alive = self.online = self.dies_sending = False
        self.start()

    def start(self) -> None:
        if not self.alive:
            self.alive, self.epoch, self.fresh = True, "", True
            self.unsaved: dict[str, tuple[int, int]] = {}
            self.sender = Sender([EpochLine(epoch, *line) for epoch, line in self.disk.lines.items()])
            self.connect()

    def crash(self) -> None:
        self.alive = self.online = False

    def connect(self) -> None:
        if self.alive and not self.online:
            self.online = True
            self.sender.connected(self.world.now)
            self.pump()

    def disconnect(self) -> None:
        self.online = False
        self.sender.disconnected()

    def commit(self, count: int) -> None:
        """What Outbox.append does: marks, eviction, the rows."""
        if not self.alive:
            return
        world, disk = self.world, self.disk
        self.save_marks()
        if self.fresh:
            self.epoch, self.fresh = world.new_epoch(), False
            disk.lines[self.epoch], disk.rows[self.epoch] = [1, 0, 0], {}
        line, rows = disk.lines[self.epoch], disk.rows[self.epoch]
        for seq in range(line[0], line[0] + count):
            rows[seq] = world.truth[self.epoch, seq] = world.reading(self.epoch, seq)
        line[0] += count
        world.evict(disk)
        self.sender.committed(self.epoch, line[0], world.now)
        self.pump()

    def save_marks(self) -> None:
        for epoch, marks in self.unsaved.items():
            self.disk.lines[epoch][1:] = marks
        self.unsaved.clear()

    def hear(self, receipt: tuple[str, int]) -> None:
        if not self.online:
            return
        for effect in self.sender.receipt(*receipt, self.world.now):
            if isinstance(effect, SaveMark):
                self.unsaved[effect.epoch] = (effect.mark, effect.receipted)
            elif isinstance(effect, NewEpoch):
                self.fresh = True
                self.world.counts[f"new epoch: {effect.why}"] += 1
            elif isinstance(effect, RaiseAlert):
                self.world.alerts += 1
        self.pump()

    def pump(self) -> None:
        world = self.world
        while self.online and (step := self.sender.poll(world.now)):
            if not isinstance(step, Send):
                world.post((step.epoch, step.seq, []))
                continue
            rows = self.disk.rows[step.epoch]
            limit = min(step.limit, world.rng.randint((world.cut + 1) // 2, world.cut))
            present = ((seq, rows[seq]) for seq in rows if seq >= step.seq)
            line = self.sender.line(step.epoch)
            texts, last = fill(Send(step.epoch, step.seq, limit), present, line, AT)
            world.post((step.epoch, step.seq, texts))
            if self.dies_sending:
                self.dies_sending = False
                self.crash()
                return
            self.sender.sent(step, last, world.now)

    @property
    def drained(self) -> bool:
        """The backend has every row of this disk (or the gap in its place), and the process knows."""
        marks = self.world.backend.marks
        has = all(marks.get(epoch, 0) >= line[0] - 1 for epoch, line in self.disk.lines.items())
        return self.alive and has and all(line.mark == line.next_seq - 1 for line in self.sender.listed())


class World:
    """The clock, the network, and what really happened."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.now = 0.0
        self.events: list[tuple[float, int, Callable[..., None], Any]] = []
        self.made = self.epochs = self.alerts = 0
        self.truth: dict[tuple[str, int], bytes] = {}
        self.evicted: set[tuple[str, int]] = set()
        self.excused: set[tuple[str, int]] = set()
        self.counts: Counter[str] = Counter()
        self.backend = Backend()
        self.backups: list[Backend] = []
        self.up = True
        self.dies_after: bool | None = None
        self.quota = self.rng.choice([10**9, 10**9, 60, 15, 4])
        self.loss, self.doubling = self.rng.choice([0, 0.02, 0.3]), self.rng.choice([0, 0.05, 0.3])
        self.delay_s = self.rng.choice([0.01, 0.3, 3.0, 10.0])
        self.cut = self.rng.choice([1, 3, 8, 500])
        self.odd = self.rng.choice([0.0, 0.0, 0.1])
        self.edges: list[Edge] = []
        self.edges.append(Edge(self, Disk()))

    def new_epoch(self) -> str:
        self.epochs += 1
        return f"{self.epochs:012d}"

    def reading(self, epoch: str, seq: int) -> bytes:
        self.made += 1
        kind = self.rng.choice([POISON, LARGE]) if self.odd and self.rng.random() < self.odd else b"reading"
        return b"%s %d %s/%d" % (kind, self.made, epoch.encode(), seq)

    def at(self, when: float, what: Callable[..., None], arg: Any = None) -> None:
        heapq.heappush(self.events, (when, len(self.truth) + self.rng.getrandbits(40), what, arg))

    def _carry(self, what: Callable[..., None], message: Any) -> None:
        if self.rng.random() >= self.loss:
            self.at(self.now + self.rng.random() * self.delay_s, what, message)
        if self.rng.random() < self.doubling:
            self.at(self.now + self.rng.random() * 5 * self.delay_s, what, message)

    def post(self, batch: Batch) -> None:
        """From an edge to the backend. A broker drops what is too large for it: a large reading passes only alone."""
        if len(batch[2]) > 1 and any(text.startswith(LARGE) for text in batch[2]):
            self.counts["too large for the broker"] += 1
            return
        self._carry(self.arrive, batch)

    def arrive(self, batch: Batch) -> None:
        if not self.up:
            return
        dies, self.dies_after = self.dies_after, None
        if dies is not False:
            mark = self.backend.take(batch)
        if dies is None:
            self._carry(self.announce, (batch[0], mark))
        else:
            self.up = False
            self.at(self.now + self.rng.uniform(1, 20), self.start_backend)

    def start_backend(self, _: Any = None) -> None:
        self.up = True

    def announce(self, receipt: tuple[str, int]) -> None:
        """A receipt reaches every process that has the gateway's name."""
        for edge in self.edges:
            edge.hear(receipt)

    def evict(self, disk: Disk) -> None:
        over = sum(map(len, disk.rows.values())) - self.quota
        for receipted in (True, False):
            for epoch, rows in disk.rows.items():
                mark = disk.lines[epoch][1] if receipted else 2**53
                for seq in [seq for seq in rows if seq <= mark][: max(over, 0)]:
                    del rows[seq]
                    self.evicted.add((epoch, seq))
                    self.counts["evicted"] += 1
                    over -= 1

    def run(self, until: float, tick_s: float, done: Callable[[], bool] = bool) -> None:
        """Events up to `until`, and a tick of every process in between."""
        tick = self.now
        while self.now < until and not done():
            tick = min(tick + tick_s, until)
            while self.events and self.events[0][0] <= tick:
                self.now, _, what, arg = heapq.heappop(self.events)
                what(arg)
            self.now = tick
            for edge in self.edges:
                edge.pump()

    def settle(self) -> bool:
        """The faults stop; whether everything is drained within a little more than the hourly asking."""
        self.loss = self.doubling = 0
        self.delay_s = 0.01
        self.dies_after = None
        self.start_backend()
        for edge in self.edges:
            edge.dies_sending = False
            edge.start()
            edge.connect()

        def drained() -> bool:
            return not self.events and all(edge.drained for edge in self.edges)

        self.run(self.now + 120, 1, drained)
        self.run(self.now + 4000, 15, drained)
        return drained()
