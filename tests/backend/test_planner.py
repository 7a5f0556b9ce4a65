"""The planner on a book: proposals, alerts that open and close, and rows of `changed` taken with their effects."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import Engine, insert, select, update
from sqlalchemy.exc import OperationalError

from backend import site
from backend.api.approval import Verdict, decide
from backend.book import alerts, events, ledger, purchases, schema
from backend.book.db import open_engine, read, write
from backend.book.journal import short
from backend.plan.items import REJECTION_HOLDS_US, REVISED_AFTER_US
from backend.plan.rule import Rule
from backend.planner import Planner
from backend.rules import RULES
from models.epc import encode
from models.ids import derived_id
from models.stock.ledger import Movement

EXAMPLE = Path(__file__).parents[2] / "deploy" / "site.example.toml"
S = 1_000_000
START = 1_763_000_000 * S
SKUS = ("PUMP-40", "VALVE-2IN", "FILTER-10", "MOTOR-1KW", "BOLT-M8", "GLOVE-L", "TAPE-48")


@dataclass
class Site:
    """A book with the example's register, and a planner whose clock is `now`."""

    engine: Engine
    now: int = START

    def __post_init__(self) -> None:
        schema.metadata.create_all(self.engine)
        site.apply(self.engine, EXAMPLE, self.now, "test")
        self.planner = Planner(self.engine, lambda: self.now)

    def begin(self) -> None:
        """Every item has been here once; then the planner looks for the first time."""
        for way in (("supplier", "warehouse"), ("warehouse", "customer")):
            self.post([self.moved(sku, f"{sku}{way}", 1, *way) for sku in SKUS])
        self.now += 60 * S
        self.plan()

    def plan(self) -> None:
        while self.planner.step():
            pass

    def moved(self, sku: str, name: str, quantity: int, source: str, target: str) -> Movement:
        what = {"lot": None, "reason": "test", "evidence": [], "reverses": None}
        ends = {"source": source, "target": target}
        return Movement(id=derived_id("t", name), at=self.now, sku=sku, quantity=Decimal(quantity), **ends, **what)

    def post(self, movements: list[Movement]) -> None:
        with write(self.engine) as tx:
            ledger.post(tx, movements, [], "test", self.now)

    def move(self, name: str, quantity: int, source: str, target: str) -> None:
        """A movement of pumps, and what the planner makes of it a minute later."""
        self.post([self.moved("PUMP-40", name, quantity, source, target)])
        self.now += 60 * S
        self.plan()

    def open(self, rule: str) -> list[str]:
        with read(self.engine) as tx:
            where = (schema.alert.c.rule == rule, schema.alert.c.state != "closed")
            return list(tx.scalars(select(schema.alert.c.subject).where(*where).order_by(schema.alert.c.subject)))

    def proposals(self) -> list[tuple[str, str]]:
        """(state, quantity) of PUMP-40, oldest first."""
        with read(self.engine) as tx:
            rows = select(schema.proposal).where(schema.proposal.c.sku == "PUMP-40").order_by(schema.proposal.c.n)
            return [(row.state, row.quantity) for row in tx.execute(rows)]

    def decide(self, state: Verdict) -> None:
        of = schema.proposal.c
        with write(self.engine) as tx:
            (ident,) = tx.scalars(select(of.id).where(of.sku == "PUMP-40", of.state == "open"))
            decide(tx, ident, state, ("ann", None, self.now))
        self.plan()


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Site]:
    engine = open_engine("sqlite", tmp_path / "book.db")
    yield Site(engine)
    engine.dispose()


def test_the_first_look_is_at_everything(book: Site) -> None:
    book.plan()
    assert book.open("reorder") == [], "nothing is known of what never was here"
    book.begin()
    assert book.proposals() == [("open", "60")]
    assert len(book.open("reorder")) == 7
    with read(book.engine) as tx:
        assert tx.execute(select(schema.changed)).all() == []
        title = tx.scalar(select(schema.alert.c.title).where(schema.alert.c.subject == "item:PUMP-40"))
    assert title == "Pump, 40 l/min: 0 left, the minimum is 20"


def test_a_need_that_vanished_is_withdrawn(book: Site) -> None:
    book.begin()
    book.move("a", 20, "supplier", "warehouse")
    assert book.proposals() == [("open", "60")], "still needed, and its figures are fresh"
    book.now += REVISED_AFTER_US
    book.move("b", 1, "warehouse", "customer")
    assert book.proposals() == [("withdrawn", "60"), ("open", "41")]
    book.move("c", 2, "supplier", "warehouse")
    assert book.proposals() == [("withdrawn", "60"), ("withdrawn", "41")]
    assert "item:PUMP-40" not in book.open("reorder")
    with read(book.engine) as tx:
        told = [json.loads(b) for b in tx.scalars(select(schema.event.c.body).where(schema.event.c.kind == "proposal"))]
        steps = schema.proposal_event.join(schema.proposal, schema.proposal_event.c.proposal_id == schema.proposal.c.id)
        pumps = select(steps).where(schema.proposal.c.sku == "PUMP-40").order_by(schema.proposal_event.c.n)
        life = [(row.what, row.actor, row.note, row.reason) for row in tx.execute(pumps)]
    assert [each["state"] for each in told if each["sku"] == "PUMP-40"] == ["open", "withdrawn", "open", "withdrawn"]
    assert [what for what, *_ in life] == ["made", "withdrawn", "made", "withdrawn"]
    assert {actor for _, actor, *_ in life} == {"planner"}
    assert life[3][2] == "21 on hand and 0 on order: no longer needed"
    assert life[3][3] != life[3][2], "why it was proposed stays"


def test_what_is_approved_is_on_order_until_it_comes(book: Site) -> None:
    book.begin()
    book.decide("approved")
    assert "item:PUMP-40" not in book.open("reorder")
    book.move("a", 25, "supplier", "warehouse")
    book.move("b", 5, "customer", "warehouse")
    with read(book.engine) as tx:
        assert purchases.on_order(tx, ["PUMP-40"]) == {"PUMP-40": 35}
    book.move("c", 35, "supplier", "warehouse")
    book.move("d", 45, "warehouse", "customer")
    assert book.proposals() == [("approved", "60"), ("open", "40")], "what has come is on order no more"
    assert "item:PUMP-40" in book.open("reorder")


def test_a_rejection_holds_for_a_day(book: Site) -> None:
    book.begin()
    book.decide("rejected")
    book.move("a", 3, "supplier", "warehouse")
    assert book.proposals() == [("rejected", "60")]
    assert "item:PUMP-40" in book.open("reorder"), "it is still low"
    book.now += REJECTION_HOLDS_US
    book.plan()
    assert book.proposals() == [("rejected", "60"), ("open", "57")]


def test_less_than_nothing_is_a_discrepancy_until_it_is_not(book: Site) -> None:
    book.move("a", 2, "warehouse", "customer")
    assert book.open("negative_stock") == ["item:PUMP-40"]
    book.move("b", 2, "supplier", "warehouse")
    assert book.open("negative_stock") == []


def test_a_gateway_goes_and_comes_back_without_its_outbox(book: Site) -> None:
    with write(book.engine) as tx:
        values = {"name": "dock-a", "online": True, "last_seen": book.now, "status": b"{}"}
        tx.execute(insert(schema.gateway).values(values | {"id": 1}))
        tx.execute(insert(schema.gateway).values(id=2, name="sender-of-history"))
        listed = {"listed_next_seq": 11, "listed_at": book.now}
        tx.execute(insert(schema.stream).values(id=1, gateway_id=1, epoch="0123456789AB", mark=5, **listed))
    book.plan()
    assert book.open("gateway_offline") == []
    book.now += 100 * S
    book.plan()
    assert book.open("gateway_offline") == ["gateway:dock-a"], "time passing is enough"
    book.now += 100 * S
    with write(book.engine) as tx:
        tx.execute(update(schema.gateway).where(schema.gateway.c.id == 1).values(last_seen=book.now))
        events.changed(tx, "gateway:dock-a", book.now)
    book.plan()
    assert book.open("gateway_offline") == []
    assert book.open("lost_outbox") == ["stream:dock-a/0123456789AB"]
    with write(book.engine) as tx:
        new = {"listed_next_seq": 3, "listed_at": book.now}
        tx.execute(insert(schema.stream).values(id=2, gateway_id=1, epoch="NEWER0000000", mark=2, **new))
        tx.execute(update(schema.gateway).where(schema.gateway.c.id == 1).values(online=False, last_seen=book.now + S))
    book.now += 10 * S
    book.plan()
    assert book.open("lost_outbox") == ["stream:dock-a/0123456789AB"], "going offline brings nothing back"
    with write(book.engine) as tx:
        tx.execute(update(schema.stream).where(schema.stream.c.id == 1).values(mark=10))
        events.changed(tx, "gateway:dock-a", book.now)
    book.plan()
    assert book.open("lost_outbox") == []


def test_a_gateway_that_only_went_offline_has_lost_nothing(book: Site) -> None:
    with write(book.engine) as tx:
        tx.execute(insert(schema.gateway).values(id=1, name="dock-a", online=False, last_seen=book.now, status=b"{}"))
        listed = {"listed_next_seq": 11, "listed_at": book.now - 500 * S}
        tx.execute(insert(schema.stream).values(id=1, gateway_id=1, epoch="0123456789AB", mark=5, **listed))
    book.plan()
    assert book.open("lost_outbox") == []


def _crossing(epc: str, at: int, **known: object) -> dict[str, object]:
    text = dict.fromkeys(("rule", "kind", "why", "door"), "unknown") | {"reasons": "[]", "evidence": "[]"}
    own = {"own_direction": "in", "own_reasons": "[]", "chances": "[]", "own_score": 1.0, "stray": 0.0}
    times = dict.fromkeys(("first_at", "last_at", "closed_at", "middle_at"), at)
    row = {"id": derived_id("c", epc, str(at)), "device_id": 1, "subject": epc, "direction": "in", "score": 1.0}
    return {
        **(row | own),
        "day": at // (86_400 * S),
        "evidence_count": 1,
        **text,
        **times,
        "sku": None,
        **known,
    }


def test_a_stranger_is_told_once_a_company_and_not_late(book: Site) -> None:
    one, two, old, ours, none = (
        encode(f"urn:epc:id:sgtin:{company}.1000100.{serial}")
        for company, serial in ((614141, 1), (614141, 2), (614143, 1), (952132, 1), (614144, 1))
    )
    rows = [
        *(_crossing(one, book.now - late * S) for late in (301, 0)),
        _crossing(two, book.now),
        _crossing(old, book.now - 301 * S),
        _crossing(ours, book.now, sku="PUMP-40"),
        _crossing(none, book.now, direction="none"),
        _crossing("ff" * 12, book.now),
        _crossing("ee" * 12, book.now),
    ]
    _pass(book, rows)
    assert book.open("unknown_tag") == ["company:614141", "door:unknown"]
    assert _told(book) == [("open", 2), ("open", 2)]
    with write(book.engine) as tx:
        for ident in tx.scalars(select(schema.alert.c.id).where(schema.alert.c.rule == "unknown_tag")).all():
            alerts.acknowledge(tx, ident, "ann", book.now)
        events.changed_all(tx, [f"tag:{one}", f"tag:{'ff' * 12}"], book.now)
    book.plan()
    assert _told(book) == [("acknowledged", 2), ("acknowledged", 2)], "each crossing is told once"
    _pass(book, [_crossing("dd" * 12, book.now)])
    assert _told(book) == [("acknowledged", 2), ("open", 3)]


def test_a_stranger_is_late_by_when_it_was_received_not_by_when_it_is_judged(book: Site) -> None:
    rows: list[dict[str, object]] = []
    for company, received in ((614141, book.now + S), (614142, book.now + 301 * S)):
        content = bytes([company % 251] * 32)
        came = {"stream_id": company, "seq": 1, "kind": "tag", "device_id": 1, "at": book.now, "body": b"{}"}
        with write(book.engine) as tx:
            tx.execute(insert(schema.journal).values(**came, received_at=received, content=short(content)))
        epc = encode(f"urn:epc:id:sgtin:{company}.1000100.1")
        rows.append(_crossing(epc, book.now) | {"evidence": json.dumps([content.hex()])})
    book.now += 900 * S
    _pass(book, rows)
    assert book.open("unknown_tag") == ["company:614141"]


def _pass(book: Site, rows: list[dict[str, object]]) -> None:
    with write(book.engine) as tx:
        tx.execute(insert(schema.crossing), rows)
        events.changed_all(tx, [f"tag:{row['subject']}" for row in rows], book.now)
    book.plan()


def _told(book: Site) -> list[tuple[str, int]]:
    """(state, times) of the strangers' alerts, by subject."""
    with read(book.engine) as tx:
        rows = select(schema.alert).where(schema.alert.c.rule == "unknown_tag").order_by(schema.alert.c.subject)
        return [(row.state, json.loads(row.detail)["times"]) for row in tx.execute(rows)]


def test_a_crash_repeats_what_it_took(book: Site) -> None:
    book.begin()
    with write(book.engine) as tx:
        events.changed(tx, "item:PUMP-40", book.now)

    def fail(*_: object) -> None:
        raise OperationalError("select", None, RuntimeError("the store is away"))

    with pytest.raises(OperationalError):
        Planner(book.engine, lambda: book.now, [Rule("reorder", "item", RULES[0].load, fail)]).step()
    with read(book.engine) as tx:
        assert tx.scalars(select(schema.changed.c.subject)).all() == ["item:PUMP-40"]
    assert book.planner.step() == 1


def test_it_runs_until_it_is_stopped(book: Site) -> None:
    book.post([book.moved(sku, sku, 1, "supplier", "warehouse") for sku in SKUS])
    stop = Event()
    thread = Thread(target=book.planner.run, args=(stop,))
    thread.start()
    while len(book.open("reorder")) < 7:
        stop.wait(0.02)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
