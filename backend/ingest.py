"""Ingest: batches from the transport to the book, one transaction for many, and a receipt after it.

Nothing is acknowledged before it is durable. A group that fails with a data error is committed message by message
with a savepoint per reading, and what fails then is quarantined; a store that is away is waited for.
"""

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from backend import too_late
from backend.apply import apply
from backend.book import alerts, journal, locks, sealed
from backend.book.db import repeated, write
from backend.book.journal import Arrival, BadRow, StreamRow
from backend.book.lease import LeaseLost, Lost
from backend.book.register import load, version
from backend.book.status import note_status
from backend.registers import Registers, register_id
from backend.step import Derived
from models import wire
from models.alert import Alert
from models.commit import Held, commit
from models.errors import BadEnvelope, BadReading
from models.reading import DeviceEvent, Gap, Scan, from_micros, micros
from models.register import Register

log = logging.getLogger(__name__)
ACTOR = "ingest"
TOLD = {
    "outbox_shared": "Another process sends as {}: its outbox was copied",
    "outbox_refused": "The disk of {} took no readings for a while: its devices waited",
}
"""What a gateway says of itself that somebody must know."""
DEVICES_KNOWN = 50_000
"""So many names of devices are remembered; whoever invents more makes it look them up again."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message as the transport delivered it."""

    topic: str
    payload: bytes


@dataclass(slots=True)
class Outcome:
    """What a group of messages came to: receipts (gateway, receipt) and derived rows, to be told after the commit."""

    receipts: list[tuple[str, wire.Receipt]] = field(default_factory=list[tuple[str, wire.Receipt]])
    derived: list[Derived] = field(default_factory=list[Derived])
    heard_by: dict[str, str] = field(default_factory=dict[str, str])
    """The gateway that a scanner (its id in the register) was heard by: who waits for an answer waits there."""
    readings: int = 0

    def add(self, other: "Outcome") -> None:
        """Take in what another group came to."""
        self.receipts += other.receipts
        self.derived += other.derived
        self.heard_by |= other.heard_by
        self.readings += other.readings


class MarkMoved(Exception):
    """Another worker moved a mark that this transaction had read: nothing of it may be committed."""


class Ingest:
    """Commits messages; holds only caches, so that a new process goes on where the last one stopped."""

    def __init__(self, book: Engine, clock: Callable[[], int], lost: Lost | None = None) -> None:
        self._book = book
        self._clock = clock
        self._lost = lost
        self._devices: dict[tuple[int, str], int] = {}
        self._registers = Registers()

    @property
    def book(self) -> Engine:
        """Where it commits to."""
        return self._book

    def take(self, messages: Sequence[Message]) -> Outcome:
        """Commit these messages. Raises OperationalError while the store is away: what has no receipt comes again."""
        outcome = self._attempt(messages, careful=False)
        if outcome is not None:
            return outcome
        total = Outcome()
        for message in messages:
            one = self._attempt([message], careful=True)
            if one is not None:
                total.add(one)
        return total

    def _attempt(self, messages: Sequence[Message], *, careful: bool) -> Outcome | None:
        try:
            return repeated(lambda: self._transaction(messages, careful=careful))
        except OperationalError:
            raise
        except LeaseLost as error:
            log.warning("%s; what came of them is left to it", error)
            return self._attempt([m for m in messages if _gateway(m) not in error.gateways], careful=careful)
        except MarkMoved as error:
            log.warning("%s; nothing of %d messages was committed", error, len(messages))
        except Exception:  # one bad reading or message must not stop the others: find it
            what = "it is left, without a receipt" if careful else "each is committed by itself"
            log.exception("a group of %d messages failed; %s", len(messages), what)
        return None

    def _transaction(self, messages: Sequence[Message], *, careful: bool) -> Outcome:
        known = dict(self._devices) if len(self._devices) < DEVICES_KNOWN else {}
        with write(self._book) as tx:
            work = _Work(tx, self._registers, known, self._clock())
            for message in messages:
                work.message(message)
            outcome = work.finish(careful=careful)
            self._check(tx, messages)
        self._devices = known
        return outcome

    def _check(self, tx: Connection, messages: Sequence[Message]) -> None:
        """Raise LeaseLost if what was done here is another's to do: the last look before the commit."""
        if self._lost is None:
            return
        gateways = {gateway for each in messages if (gateway := _gateway(each)) is not None}
        if lost := self._lost(tx, gateways):
            raise LeaseLost(lost)


def _gateway(message: Message) -> str | None:
    try:
        return wire.gateway_of(message.topic)
    except BadEnvelope:
        return None


class _Work:
    """One transaction over several messages."""

    def __init__(self, tx: Connection, registers: Registers, devices: dict[tuple[int, str], int], now: int) -> None:
        self.tx = tx
        self.register = registers.current(tx)
        self.version: int | None = None
        self.devices = devices
        self.named: dict[tuple[int, str], int] = {}
        """Devices by gateway and the name that it knows them by."""
        self.now = now
        self.received_at = from_micros(now)
        self.outcome = Outcome()
        self.sealed = sealed.boundary(tx)
        self.arrivals: list[Arrival] = []
        self.late: list[Arrival] = []  # of before the seal
        self.alerts: dict[tuple[str, str], Alert] = {}
        self.statuses: list[tuple[str, Message]] = []
        self.streams: dict[tuple[str, str], tuple[StreamRow, int]] = {}
        """Rows as locked, and the mark that this transaction has come to."""

    def message(self, message: Message) -> None:
        """Take in one message; whatever is wrong with it is kept and counted."""
        try:
            gateway = wire.gateway_of(message.topic)
        except BadEnvelope as error:
            self.refuse("", str(error), message.payload)
            return
        try:
            if message.topic.endswith("/status"):
                self.statuses.append((gateway, message))
            else:
                self.batch(gateway, *wire.decode_batch(message.payload))
        except BadEnvelope as error:
            self.refuse(gateway, str(error), message.payload)

    def refuse(self, gateway: str, reason: str, payload: bytes) -> None:
        journal.keep_envelope(self.tx, gateway, reason, payload, self.now)
        title = f"Unreadable message from {gateway or 'an unknown topic'}"
        self.alert("envelope", f"gateway:{gateway}", title, {"reason": reason[:500]})

    def alert(self, rule: str, subject: str, title: str, detail: dict[str, object]) -> None:
        self.alerts.setdefault((rule, subject), Alert(rule, subject, "warning", title, json.dumps(detail)))

    def batch(self, gateway: str, batch: wire.Batch, gap: Gap | None) -> None:
        key = (gateway, batch.epoch)
        if key not in self.streams:
            locked = journal.lock_stream(self.tx, gateway, batch.epoch)
            self.streams[key] = (locked, locked.mark)
        locked, mark = self.streams[key]
        texts = [bytes(raw) for raw in batch.readings]
        same = self.same(locked, batch.seq, min(mark, batch.seq + len(texts) - 1))
        done = commit(Held(mark, locked.pruned_to, same), batch.seq, texts, gap)
        for seq, text in done.journal:
            self.reading(locked, seq, text)
        for seq, text in done.conflicts:
            self.conflict(locked, seq, text)
        if done.gap is not None and gap is not None:
            self.gap(locked, done.gap, gap)
        if done.pruned:
            journal.count_refused(self.tx, gateway, "pruned", done.pruned, self.now)
        self.streams[key] = (locked, done.mark)

    def same(self, held: StreamRow, first: int, last: int) -> Callable[[int, bytes], bool]:
        """What is held at first ... last, this transaction's own readings included."""
        if first > last:
            return lambda _seq, _text: True
        stored = journal.holds(self.tx, held.id, first, last)
        mine = {(a.seq, a.text) for a in (*self.arrivals, *self.late) if a.stream_id == held.id}
        return lambda number, text: (number, text) in mine or stored(number, text)

    def reading(self, held: StreamRow, seq: int, text: bytes) -> None:
        try:
            reading = wire.decode(text)
            wire.check_received(reading, self.received_at)
        except BadReading as error:
            self.invalid(held, seq, text, str(error))
            return
        if isinstance(reading, DeviceEvent) and reading.name in TOLD:
            title = TOLD[reading.name].format(held.gateway)
            self.alert(reading.name, f"gateway:{held.gateway}", title, {"reason": reading.detail})
        named = (held.gateway_id, reading.device)
        device = self.named.get(named)
        if device is None:
            device = self.named[named] = journal.device_id(self.tx, *named, self.devices)
        content, at = wire.content_hash(reading), micros(reading.at)
        arrival = Arrival(held.id, seq, device, held.gateway, reading, content, at, self.now, text)
        (self.late if at < self.sealed else self.arrivals).append(arrival)

    def invalid(self, held: StreamRow, seq: int, text: bytes, reason: str) -> None:
        journal.keep_bad(self.tx, held, BadRow(seq, "invalid", reason, text), self.now)
        self.alert("quarantine", f"gateway:{held.gateway}", f"Invalid readings from {held.gateway}", {"reason": reason})

    def conflict(self, held: StreamRow, seq: int, text: bytes) -> None:
        reason = "another text is committed at this number: an outbox was copied or restored"
        journal.keep_bad(self.tx, held, BadRow(seq, "conflict", reason, text), self.now)
        title = f"{held.gateway} sent two texts under one number"
        self.alert("conflict", f"gateway:{held.gateway}", title, {"stream": held.id, "seq": seq})

    def gap(self, held: StreamRow, span: tuple[int, int], gap: Gap) -> None:
        journal.add_gap(self.tx, held.id, span, gap.reason, (micros(gap.at), self.now))
        many = span[1] - span[0] + 1
        detail: dict[str, object] = {"stream": held.id, "from": span[0], "to": span[1], "reason": gap.reason}
        title = f"{many} readings of {held.gateway} are missing: {journal.storable(gap.reason)[:80]}"
        self.alert("gap", f"gateway:{held.gateway}", title, detail | {"readings": many})

    def finish(self, *, careful: bool) -> Outcome:
        """Effects, journal, marks; then the receipts that may go out once this is committed."""
        if careful:
            self.each_reading()
        else:
            self.outcome.derived = apply(self.tx, self.register, self.arrivals, self.now)
            journal.add(self.tx, self.arrivals)
            too_late.keep(self.tx, self.late, self.now)
        self.note_statuses()
        for alert in (*self.alerts.values(), *too_late.told(self.late, self.sealed)):  # last, as they are numbered
            alerts.raise_alert(self.tx, alert, self.now, ACTOR)
        self.outcome.readings = len(self.arrivals) + len(self.late)
        scans = (a for a in self.arrivals if isinstance(a.reading, Scan))
        self.outcome.heard_by = {register_id(a.gateway, a.reading.device): a.gateway for a in scans}
        for (gateway, epoch), (held, mark) in self.streams.items():
            if mark != held.mark and not journal.raise_mark(self.tx, held, mark):
                msg = f"the mark of {gateway} {epoch} moved under this transaction"
                raise MarkMoved(msg)
            self.outcome.receipts.append((gateway, wire.Receipt(epoch, mark)))
        return self.outcome

    def note_statuses(self) -> None:
        for gateway, message in self.statuses:
            try:
                note_status(self.tx, gateway, message.payload, self.now)
            except BadEnvelope as error:
                self.refuse(gateway, str(error), message.payload)

    def register_now(self) -> Register:
        """The register with what this transaction itself wrote to it: nobody else may keep that before the commit."""
        now = version(self.tx)
        if self.version not in (None, now):
            self.register = load(self.tx)
        self.version = now
        return self.register

    def each_reading(self) -> None:
        """A savepoint per reading: what fails while the store is up is quarantined and counts as committed."""
        held = {row.id: row for row, _ in self.streams.values()}
        locks.hold_devices(self.tx, {arrival.device_id for arrival in self.arrivals})
        for arrival in (*self.arrivals, *self.late):
            try:
                with locks.savepoint(self.tx):
                    if arrival.at < self.sealed:
                        too_late.keep(self.tx, [arrival], self.now)
                        continue
                    self.outcome.derived += apply(self.tx, self.register_now(), [arrival], self.now)
                    journal.add(self.tx, [arrival])
            except OperationalError:
                raise
            except Exception as error:  # whatever it was, this reading is what it was about
                log.exception("reading %d of stream %d goes to quarantine", arrival.seq, arrival.stream_id)
                self.invalid(held[arrival.stream_id], arrival.seq, arrival.text, f"effect failed: {error!r}")
