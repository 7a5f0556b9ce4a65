"""The register in the book: dated entries, and which derived keys a change marks dirty."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select

from backend.book import register, schema
from backend.book.db import open_engine, read, write
from backend.book.derived import FOR_EVER
from models import epc
from models.declared import Asset, Desk, Device, Door, Item, Location, PackGtin, TagBinding
from models.errors import Refused

DAY = 86_400_000_000
NOW = 1000 * DAY
PUMP, OTHER, FORK = (
    epc.encode(f"urn:epc:id:{uri}") for uri in ("sgtin:9521321.100010.7", "sgtin:9521321.100020.7", "giai:9521321.55")
)
ITEM = Item("Pump", gtins=[PackGtin("19521321000107")])
DOOR = Device(gateway="dock-a", name="door-1", door=Door([1], [2], "warehouse", "supplier", "customer"))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A book with a door that has seen three tags, and a desk with a session, yesterday."""
    engine = open_engine("sqlite", tmp_path / "book.db")
    schema.metadata.create_all(engine)
    with write(engine) as tx:
        tx.execute(insert(schema.gateway).values(id=1, name="dock-a"))
        tx.execute(insert(schema.device), [{"id": i, "gateway_id": 1, "name": f"door-{i}"} for i in (1, 2)])
        for subject in (PUMP, OTHER, FORK):
            tx.execute(insert(schema.crossing).values(_crossing(subject)))
        tx.execute(insert(schema.fold_state).values(_state("scan", 2, "", NOW - DAY)))
    yield engine
    engine.dispose()


def _crossing(subject: str) -> dict[str, object]:
    at = NOW - DAY
    text = dict.fromkeys(("direction", "own_direction", "rule", "kind", "why", "door"), "x")
    text |= dict.fromkeys(("reasons", "own_reasons", "evidence", "chances"), "[]")
    times = {**dict.fromkeys(("first_at", "last_at", "closed_at", "middle_at"), at), "day": at // DAY}
    times |= {"own_score": 1, "stray": 0}
    return {"id": subject, "device_id": 1, "subject": subject, "score": 1.0, "evidence_count": 1, **text, **times}


def _state(step: str, device_id: int, subject: str, last_at: int) -> dict[str, object]:
    key = {"step": step, "device_id": device_id, "subject": subject, "last_at": last_at}
    return key | {"state": b"", "last_hash": b"", "stream_id": 1, "received_at": last_at}


def put(engine: Engine, kind: str, ident: str, body: object, valid_from: int = 0) -> register.Outcome:
    with write(engine) as tx:
        return register.put(tx, kind, ident, body, valid_from=valid_from, actor="test", now=NOW)  # type: ignore[arg-type]


def dirty(engine: Engine) -> set[tuple[str, int, str]]:
    with read(engine) as tx:
        return {(row.step, row.device_id, row.subject) for row in tx.execute(select(schema.dirty))}


def test_entries_are_dated_and_the_same_content_is_said_once(engine: Engine) -> None:
    later = Item("Pump, new", gtins=ITEM.gtins)
    assert put(engine, "items", "PUMP", ITEM) == "created"
    assert put(engine, "items", "PUMP", ITEM, DAY) == "same"
    assert put(engine, "items", "PUMP", later, 2 * DAY) == "changed"
    assert put(engine, "items", "PUMP", ITEM, 2 * DAY) == "changed"
    assert put(engine, "items", "PUMP", ITEM) == "same"
    with read(engine) as tx:
        loaded = register.load(tx)
        assert register.version(tx) == 3
    assert loaded.get("items", "PUMP", 2 * DAY) == ITEM
    assert loaded.get("items", "PUMP", -1) is None
    assert loaded.get("items", "PUMP", 0) == ITEM
    with read(engine) as tx:
        assert set(tx.execute(select(schema.changed.c.subject)).scalars()) == {"item:PUMP"}


@pytest.mark.parametrize(
    ("kind", "ident", "body", "said"),
    [
        ("itemz", "A", ITEM, "kind: one of"),
        ("items", "A", Location("x"), "a Item expected"),
        ("items", "A b", ITEM, "items.A b: id"),
        ("tags", "30zz", TagBinding("none"), "tags.30zz: id"),
    ],
)
def test_what_cannot_be_is_refused(engine: Engine, kind: str, ident: str, body: object, said: str) -> None:
    with pytest.raises(Refused, match=said):
        put(engine, kind, ident, body)
    with read(engine) as tx:
        assert register.version(tx) == 0


def test_an_item_marks_its_crossings_and_every_desk_from_the_day_it_holds(engine: Engine) -> None:
    put(engine, "items", "PUMP", ITEM)
    assert dirty(engine) == {("dock", 1, PUMP), ("scan", 2, "")}
    with write(engine) as tx:
        assert tx.execute(select(schema.dirty.c.since, schema.dirty.c.until)).first() == (0, FOR_EVER)
        tx.execute(schema.dirty.delete())
    put(engine, "items", "PUMP", Item("Other name", gtins=ITEM.gtins, reorder_max=Decimal(3)), DAY)
    assert dirty(engine) == set()
    put(engine, "items", "PUMP", Item("Pump", gtins=ITEM.gtins, tagged=True), NOW)
    assert dirty(engine) == set(), "nothing was read after that day"


def test_a_tag_binding_and_an_asset_mark_their_tag_and_the_scanners_that_may_name_them(engine: Engine) -> None:
    put(engine, "tags", OTHER, TagBinding("none"))
    assert dirty(engine) == {("dock", 1, OTHER)}
    put(engine, "assets", "FORK", Asset("Fork", "1", giai=epc.decode(FORK).uri))
    assert dirty(engine) == {("dock", 1, OTHER), ("dock", 1, FORK), ("scan", 2, "")}
    with write(engine) as tx:
        tx.execute(schema.dirty.delete())
    put(engine, "assets", "FORK", Asset("Fork", "1", giai=epc.decode(FORK).uri, state="in_repair"), DAY)
    put(engine, "tags", "e2801160", TagBinding("asset", asset="FORK"))
    assert dirty(engine) == set()


def test_a_device_marks_what_it_saw_before_anyone_said_what_it_is(engine: Engine) -> None:
    row = {"stream_id": 1, "device_id": 1, "at": DAY, "received_at": DAY, "content": 1}
    with write(engine) as tx:
        tags = [b'{"kind":"tag","device":"door-1","epc":"%s","antenna":1}' % tag for tag in (b"aa", b"bb", b"aa")]
        tx.execute(insert(schema.journal), [row | {"seq": n, "kind": "tag", "body": b} for n, b in enumerate(tags)])
    put(engine, "devices", "dock-a/door-1", DOOR)
    assert dirty(engine) == {("dock", 1, subject) for subject in ("aa", "bb", PUMP, OTHER, FORK)}
    desk = Device(gateway="dock-a", name="door-2", desk=Desk("desk", "supplier", "customer"))
    put(engine, "devices", "dock-a/scanner-1", desk)
    assert ("scan", 2, "") in dirty(engine)
