"""A year of a fleet in a book: readings through ingest and deriver, the planner in between, a mechanic who is slow.

What is due is asked of the book and compared with what is true of the machines. Each service is due when the truth
says so; 30 days before that the book is asked from when to when it will be.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Connection, Engine, insert, literal, select

from backend import dues
from backend.book import register, schema, services
from backend.book.db import read, write
from backend.book.migrations import migrate
from backend.deriver import Deriver
from backend.ingest import Ingest, Message
from backend.plan.services import SERVICE_DUE
from backend.planner import Planner
from backend.registers import Registers
from models import wire
from models.declared import Asset, Device, Tracker
from models.declared_plans import Season
from models.maintenance.done import Done
from models.maintenance.due import judge
from models.maintenance.outlook import ahead
from models.reading import from_micros
from models.register import Register
from tests.backend.books import Clock
from tests.backend.maintenance.machine_plans import plans, truly_due
from tests.backend.maintenance.machines import BEGIN, CLOSED, DAY, HOUR, SECOND, Machine, Sent

KM, AHEAD = 1000, 30 * DAY
EVENING = 4 * HOUR
"""The planner looks so long before midnight: what fell due on a last day before a rest is told on it."""
REST = [Season(low, high) for low, high in CLOSED]


class Stated(NamedTuple):
    """What the book said 30 days ahead."""

    due_from: int | None
    due_by: int | None


@dataclass
class Service:
    """One service of one plan as the world knows it: when it is truly due, was told and done, and what was stated."""

    machine: Machine
    plan: str
    number: int
    since: int
    due_at: int | None
    asked_at: int | None = None
    stated: Stated | None = None
    told_at: int | None = None
    done_at: int | None = None

    @property
    def is_by_use(self) -> bool:
        return self.plan in {"oil", "filter", "tyres", "grease"}


@dataclass
class Year:
    """The book, its workers and the mechanic."""

    book: Engine
    machines: Sequence[Machine]
    days: int
    say: Callable[[str], None] = print
    clock: Clock = field(default_factory=lambda: Clock(BEGIN))
    services: list[Service] = field(default_factory=list[Service])
    readings: int = 0
    seq: dict[str, int] = field(default_factory=dict[str, int])

    def __post_init__(self) -> None:
        migrate(self.book)
        self.ingest, self.deriver = Ingest(self.book, self.clock), Deriver(self.book, self.clock)
        self.planner, self.registers = Planner(self.book, self.clock, [SERVICE_DUE]), Registers()
        self._declare()
        self._waiting: dict[tuple[str, str], Service] = {}
        self._fixed: dict[str, Service] = {}
        for machine in self.machines:
            for name, plan in plans(machine).items():
                assert plan.starts_at is not None
                self._expect(machine, name, 1, int(plan.starts_at.timestamp()) * SECOND)

    def run(self) -> None:
        """From day to day."""
        arrivals = self._arrivals()
        for day in range(1, self.days + 1):
            self.clock.now = BEGIN + day * DAY - EVENING
            self._take(arrivals[day])
            self.settle()
            self._look()
            self._ask()
            if day % 30 == 0:
                done = sum(each.done_at is not None for each in self.services)
                self.say(f"day {day}: {self.readings:,} readings, {done} services")
        self.settle()

    def rebuild(self) -> None:
        """Fold all of it anew, from the first reading on; another process plans then."""
        with write(self.book) as tx:
            keys = select(
                schema.fold_state.c.step,
                schema.fold_state.c.device_id,
                schema.fold_state.c.subject,
                literal(0),
                literal(1 << 62),
            )
            tx.execute(insert(schema.dirty).from_select(["step", "device_id", "subject", "since", "until"], keys))
        self.planner = Planner(self.book, self.clock, [SERVICE_DUE])
        self.settle()

    def replayed(self, book: Engine, rng: random.Random) -> "Year":
        """Another book that is told the same, all of it late and in any order; and once more, the services after it."""
        other = Year(book, self.machines, self.days, self.say)
        other.clock.now = self.clock.now
        sent = [each for page in self._arrivals()[: self.days + 1] for each in page]
        rng.shuffle(sent)
        other._take(sent)
        other._take(rng.sample(sent, len(sent) // 10), "B" * 12)
        with write(book) as tx:
            for each in self.services:
                if each.done_at is not None and each.done_at <= self.clock.now:
                    self._record(tx, register.load(tx), each)
        other.settle()
        return other

    def reopen(self) -> None:
        """Two weeks later no plant is closed: nothing rests, and what may be due has been so for long enough."""
        for wait in (14 * DAY, DAY // 24):
            self.clock.now += wait
            self.settle()

    def settle(self) -> None:
        """Let the deriver and the planner come to rest."""
        while self.deriver.step():
            pass
        while self.planner.step():
            pass

    def _declare(self) -> None:
        stamp = {"actor": "test", "now": BEGIN}
        with write(self.book) as tx:
            for each in self.machines:
                asset = Asset(each.name, each.name, inactive=REST)
                register.put(tx, "assets", each.name, asset, valid_from=BEGIN - 400 * DAY, **stamp)
                self._mount(tx, each, stamp)
                for name, plan in plans(each).items():
                    ident = f"{each.name}/{name}"
                    register.put(tx, "plans", ident, plan, valid_from=BEGIN - 400 * DAY, **stamp)

    def _mount(self, tx: Connection, each: Machine, stamp: dict[str, object]) -> None:
        silent = {"silent_on_s": 3900, "silent_off_s": 3900} if each.by_ignition else {"silent_on_s": 86_400.0}
        source = "ignition" if each.by_ignition else "engine_hours"
        tracker = Tracker(each.name, hours_from=source, **silent)
        names = [(BEGIN - DAY, each.device(BEGIN))]
        names += [(at, each.device(at)) for at, declared in each.swaps if declared]
        for k, (at, device) in enumerate(names):
            if k:
                old = names[k - 1][1]
                register.put(tx, "devices", old, Device(old), valid_from=at, **stamp)
            register.put(tx, "devices", device, Device(device, tracker=tracker), valid_from=at, **stamp)

    def _arrivals(self) -> list[list[Sent]]:
        found: list[list[Sent]] = [[] for _ in range(self.days + 2)]
        for each in self.machines:
            for sent in each.records(self.days):
                if sent.arrives_at is not None:
                    day = (sent.arrives_at - BEGIN + EVENING) // DAY + 1
                    found[min(day, self.days + 1)].append(sent)
        for page in found:
            page.sort(key=lambda sent: sent.arrives_at or 0)
        return found

    def _take(self, sent: Sequence[Sent], epoch: str = "A" * 12) -> None:
        messages: list[Message] = []
        seq = self.seq.get(epoch, 1)
        for k in range(0, len(sent), 500):
            texts = [each.text for each in sent[k : k + 500]]
            messages.append(
                Message(
                    wire.topic("yard", "readings"),
                    wire.encode_batch(epoch, seq, from_micros(self.clock.now), texts),
                )
            )
            seq += len(texts)
        self.seq[epoch] = seq
        for k in range(0, len(messages), 8):
            self.ingest.take(messages[k : k + 8])
        self.readings += len(sent)

    def _look(self) -> None:
        """The mechanic reads the alerts in the morning, and does some days later what is due."""
        table = schema.alert.c
        with read(self.book) as tx:
            rows = tx.execute(
                select(table.subject).where(table.state != "closed", table.severity.in_(["warning", "critical"]))
            )
            told = {subject.rpartition("/")[0]: subject for (subject,) in rows}
        for (machine, plan), each in list(self._waiting.items()):
            if told.get(f"{machine}/{plan}") == f"{machine}/{plan}/{each.number}" and each.told_at is None:
                each.told_at = self.clock.now
                later = random.Random(f"{machine}/{plan}/{each.number}").uniform(0.4, 6)
                each.done_at = self.clock.now + int(later * DAY)
        ready = [each for each in self._waiting.values() if each.done_at is not None and each.done_at <= self.clock.now]
        if ready:
            with write(self.book) as tx:
                held = self.registers.current(tx)
                for each in ready:
                    self._record(tx, held, each)
        for each in ready:
            assert each.done_at is not None
            self._expect(each.machine, each.plan, each.number + 1, each.done_at)

    def _record(self, tx: Connection, held: Register, each: Service) -> None:
        plan = f"{each.machine.name}/{each.plan}"
        done = Done(id=f"s-{plan}-{each.number}", asset=each.machine.name, kind="service", plan=plan, at=each.done_at)
        services.record(tx, held, done, ("mechanic", self.clock.now))

    def _expect(self, machine: Machine, plan: str, number: int, since: int) -> None:
        each = self._fixed.pop(machine.name, None) if plan == "check" else None
        if each is None:
            each = self._made(machine, plan, number, since, since)
        each.since = since
        self._waiting[machine.name, plan] = each
        self.services.append(each)
        if plan == "check" and each.due_at is not None:
            self._fixed[machine.name] = self._made(machine, plan, number + 1, since, 0)

    def _made(self, machine: Machine, plan: str, number: int, since: int, known_from: int) -> Service:
        """A fixed date is known before the service that comes before it is done."""
        due_at = truly_due(machine, plan, number, since)
        is_told = due_at is not None and due_at - AHEAD > max(known_from, BEGIN)
        asked_at = due_at - AHEAD if due_at is not None and is_told else None
        return Service(machine, plan, number, since, due_at, asked_at)

    def _ask(self) -> None:
        """Ask for the forecasts of what is truly due in 30 days."""
        now = self.clock.now
        known_of = [*self._waiting.values(), *self._fixed.values()]
        wanted = [each for each in known_of if each.stated is None and each.asked_at and each.asked_at <= now]
        if not wanted:
            return
        with read(self.book) as tx:
            known = dues.facts(tx, self.registers.current(tx), {each.machine.name for each in wanted}, now)
        judged = {(each.asset, each.plan_id): judge(each, now) for each in known}
        for each in wanted:
            due = judged[each.machine.name, f"{each.machine.name}/{each.plan}"]
            coming = ahead(due, now, now + 2 * AHEAD)
            planned = next((one for one in coming if one.occurrence == each.number), None)
            each.stated = Stated(None, None) if planned is None else Stated(planned.due_from, planned.due_by)
            each.asked_at = now
