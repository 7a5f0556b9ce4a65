"""`stockyard verify`: every invariant is there to be broken, and a damaged row is named by the invariant it breaks."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from backend.book import alerts, ledger, register, schema, services
from backend.book.db import open_engine, write
from backend.book.register import load
from backend.cli import app
from backend.scans import ApiScans
from backend.verify import CHECKS
from models import epc, wire
from models.alert import Alert
from models.declared import Device, Door
from models.maintenance.done import Done
from models.reading import Fix, Gap, Input, Reading, Scan, Tag, from_micros
from models.stock.ledger import Movement
from tests.backend.books import SECOND, Yard, batch
from tests.backend.custody_damages import OF_CUSTODY
from tests.backend.pallets import TAGS as PALLET
from tests.backend.sealed_damages import SEALED
from tests.backend.stories import BOLT, MIDNIGHT
from tests.backend.test_proofs import CHECK as PROOFS
from tests.backend.test_verify_asset_value import DAMAGES as OF_ASSETS
from tests.backend.test_verify_values import DAMAGES as OF_VALUES
from tests.backend.travel_damages import OF_TRAVEL
from tests.backend.warehouse.damages import WORK_DAMAGES

OK, UNAVAILABLE, INTEGRITY = 0, 4, 5
PUMP = epc.encode("urn:epc:id:sgtin:9521321.100010.7")
FORK = epc.encode("urn:epc:id:giai:9521321.55")


def a_pass(door: str, tag: str, begin: int, first: int = 3, then: int = 1) -> list[Reading]:
    return [
        Tag(door, from_micros(begin + i * SECOND), tag, antenna, rssi_dbm=-55.0, count=3)
        for i, antenna in enumerate((first, first, then, then))
    ]


def a_drive(begin: int) -> list[Reading]:
    """Three hours of a truck: north by 10 m/s, its engine on for the first half of each."""
    truck = "imei:356307042441013"
    said: list[Reading] = []
    for minute in range(180):
        at = from_micros(begin + minute * 60 * SECOND)
        said.append(Fix(truck, at, 51.0602 + minute * 0.0054, 3.73, speed_mps=10.0, satellites=9, valid=True))
        said.append(Input(truck, at, "ignition", on=minute % 60 < 30))
    return said


def a_watched_pallet(yard: Yard, begin: int) -> None:
    """Four cartons come in past a photo-eye, one of them seems to go out."""
    door = Door([1, 2], [3, 4], "warehouse", "supplier", "customer", 3.0, photo_eye="photo_eye")
    with write(yard.book) as tx:
        body = Device(gateway="dock-a", name="door-2", door=door)
        stamp = {"valid_from": begin - SECOND, "now": yard.clock.now}
        register.put(tx, "devices", "dock-a/door-2", body, actor="test", **stamp)
    for k, (first, then) in enumerate(((3, 1), (3, 1), (1, 3), (3, 1))):
        yard.send(a_pass("door-2", PALLET[k], begin, first, then))
    yard.send([Input("door-2", from_micros(begin + 2 * SECOND), "photo_eye", on=True)])


@pytest.fixture(scope="module")
def run(file_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small real run: passes over two days, scans, a gap, bad input, alerts."""
    folder = tmp_path_factory.mktemp("run")
    yard = Yard.copy(file_template, folder / "book.db", MIDNIGHT)
    yard.send(a_pass("door-1", PUMP, MIDNIGHT - 60 * SECOND))
    yard.send(a_pass("door-2", FORK, MIDNIGHT - 30 * SECOND))
    yard.send(a_pass("door-1", PUMP, MIDNIGHT - SECOND, 1, 3))
    codes = ("SY:RECEIVE", "SY:LOC:desk", f"01{BOLT}3040", f"01{BOLT}3002")
    yard.send([Scan("scanner-1", from_micros(MIDNIGHT + i * SECOND), code, "]C1") for i, code in enumerate(codes)])
    yard.ingest.take([batch("E" * 12, 1, [wire.encode(Gap("", from_micros(MIDNIGHT), 1, 40, "outbox quota"))])])
    yard.ingest.take(
        [batch("E" * 12, 41, [b'{"kind":"tag"}', b'{"kind":"tide","device":"x","at":"2026-01-01T00:00:00Z"}'])]
    )
    yard.ingest.take([batch("E" * 12, 41, [b'{"kind":"other"}'])])
    unreadable = batch("E" * 12, 43, [])
    yard.ingest.take([type(unreadable)(unreadable.topic, b"{")] * 12)
    scan = Scan("handheld", from_micros(MIDNIGHT), f"01{BOLT}", "]C1")
    assert ApiScans().put(yard.book, "mine", wire.encode(scan), yard.clock.now)
    yard.send(a_pass("door-1", PUMP, MIDNIGHT + 3600 * SECOND))
    a_watched_pallet(yard, MIDNIGHT + 1200 * SECOND)
    yard.send(a_drive(MIDNIGHT - 4 * 3600 * SECOND))
    yard.settle()
    with write(yard.book) as tx:
        for subject in ("a", "b", "c"):
            alerts.raise_alert(tx, Alert("test", subject, "warning", "t", "{}"), 1, "test")
        alerts.close(tx, "test", "b", 2)
        quiet = select(schema.alert.c.id).where(schema.alert.c.subject == "c")
        alerts.snooze(tx, tx.scalars(quiet).one(), 3, "test", 2)
        done = Done(id="s1", asset="TRUCK-1", kind="service", plan="TRUCK-1/oil", at=MIDNIGHT)
        services.record(tx, load(tx), done, ("test", MIDNIGHT))
    yard.book.dispose()
    (folder / "backend.toml").write_text(f'[backend]\nstate_dir = "{folder}"\n')
    return folder


def verify(folder: Path) -> tuple[int, dict[str, bool]]:
    """Exit status, and whether each invariant holds."""
    (folder / "backend.toml").write_text(f'[backend]\nstate_dir = "{folder}"\n')
    done = CliRunner().invoke(app, ["verify", "-c", str(folder / "backend.toml"), "--json"])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, {row["invariant"]: row[""] == "ok" for row in json.loads(done.stdout)}


def test_an_undamaged_book_is_whole(run: Path) -> None:
    status, found = verify(run)
    assert (status, found) == (OK, dict.fromkeys(CHECKS, True))


def test_without_a_book_it_says_so_and_makes_none(tmp_path: Path) -> None:
    (tmp_path / "backend.toml").write_text(f'[backend]\nstate_dir = "{tmp_path}"\n')
    done = CliRunner().invoke(app, ["verify", "-c", str(tmp_path / "backend.toml")])
    assert done.exit_code == UNAVAILABLE
    assert not (tmp_path / "book.db").exists()


def test_a_correction_by_hand_may_name_a_crossing(run: Path, tmp_path: Path) -> None:
    shutil.copy(run / "book.db", tmp_path / "book.db")
    book = open_engine("sqlite", tmp_path / "book.db")
    correction = Movement(
        id="m1",
        at=1,
        sku="PUMP-40",
        quantity=Decimal(1),
        source="supplier",
        target="warehouse",
        reason="count",
        evidence=["crossing:abc"],
    )
    with write(book) as tx:
        ledger.post(tx, [correction], [], "somebody", 1)
    book.dispose()
    assert verify(tmp_path)[0] == OK


FIRST_TAG = "SELECT min(seq) FROM journal WHERE kind = 'tag'"
VOTED = "SELECT max(n) FROM crossing WHERE own_direction = 'out' AND direction = 'in'"
LAST_DISTANCE = "SELECT max(n) FROM travel WHERE what = 'distance'"
LAST_TRIP = "SELECT max(n) FROM travel WHERE what = 'trip'"
TWO_PROPOSALS = """INSERT INTO proposal (id, sku, quantity, position, reorder_min, reorder_max, state, made_at)
    SELECT value, 'PUMP-40', '1', '0', '1', '2', 'open', 1 FROM json_each('[1, 2]')"""
SCANNED = """(kind, id, valid_from, recorded_at, actor, body)
    VALUES ('tags', 'e280', 1, 1, 'scan:dock-a/scanner-1', CAST('{"thing":"none"}' AS BLOB))"""
WRITTEN_OFF = "INSERT INTO write_off VALUES (1, 'w', 's', '', 'd', '1', 'r', 'approved', 'x', 1, '', 1, '', 'none')"
QUERIES = {"$tag": FIRST_TAG, "$distance": LAST_DISTANCE, "$trip": LAST_TRIP, "$voted": VOTED, "$scanned": SCANNED}
DAMAGES: list[tuple[str, str]] = [
    ("each seq once", "DELETE FROM journal WHERE seq = ($tag)"),
    ("each seq once", "UPDATE stream SET mark = mark + 1 WHERE id = 1"),
    ("each seq once", "UPDATE stream SET mark = mark - 1 WHERE id = 1"),
    ("each seq once", "UPDATE gap SET to_seq = 39"),
    ("each seq once", "UPDATE gap SET to_seq = 41"),
    ("each seq once", "DELETE FROM quarantine WHERE sort = 'invalid'"),
    ("each seq once", "UPDATE quarantine SET sort = 'invalid' WHERE sort = 'conflict'"),
    ("each seq once", "UPDATE journal SET stream_id = 99 WHERE stream_id = 1"),
    ("readings as they came", "UPDATE journal SET at = at + 1 WHERE seq = ($tag)"),
    ("readings as they came", "UPDATE journal SET content = content + 1 WHERE seq = ($tag)"),
    ("readings as they came", "UPDATE journal SET kind = 'fix' WHERE seq = ($tag)"),
    ("readings as they came", "UPDATE device SET name = 'door-9' WHERE name = 'door-1'"),
    ("readings as they came", "UPDATE journal SET body = x'7b' WHERE seq = ($tag)"),
    ("readings as they came", "UPDATE journal SET body = replace(body, '-55.0', '-56.0') WHERE seq = ($tag)"),
    ("scans put by programs journalled", "UPDATE api_scan SET seq = seq + 1"),
    ("refused messages counted", "UPDATE refused_count SET count = 9"),
    ("refused messages counted", "UPDATE quarantine SET sort = 'envelope' WHERE sort = 'conflict'"),
    ("derived rows = fold of the journal", "UPDATE crossing SET direction = 'none' WHERE n = 1"),
    ("derived rows = fold of the journal", "UPDATE crossing SET own_direction = 'none' WHERE n = ($voted)"),
    ("derived rows = fold of the journal", "UPDATE crossing SET direction = own_direction WHERE n = ($voted)"),
    ("derived rows = fold of the journal", "UPDATE crossing SET reasons = own_reasons WHERE n = ($voted)"),
    ("derived rows = fold of the journal", "UPDATE crossing SET score = 0.5 WHERE n = ($voted)"),
    ("derived rows = fold of the journal", "UPDATE crossing SET middle_at = middle_at + 60000000 WHERE n = ($voted)"),
    ("derived rows = fold of the journal", "UPDATE crossing SET chances = '[0.0, 0.0, 1.0]' WHERE n = ($voted)"),
    ("derived rows = fold of the journal", "UPDATE crossing SET movement = NULL WHERE n = ($voted)"),
    ("derived rows = fold of the journal", "UPDATE crossing SET stray = 0 WHERE n = ($voted)"),
    ("derived rows = fold of the journal", "DELETE FROM journal WHERE CAST(body AS TEXT) LIKE '%photo_eye%'"),
    ("derived rows = fold of the journal", "UPDATE crossing SET subject = 'aa' WHERE n = 1"),
    ("derived rows = fold of the journal", "UPDATE crossing SET device_id = 77 WHERE n = 1"),
    ("derived rows = fold of the journal", "DELETE FROM scan_act WHERE n = 1"),
    ("derived rows = fold of the journal", "UPDATE register_entry SET valid_from = 9000000000000000"),
    ("derived rows = fold of the journal", "UPDATE register_entry SET body = x'7b' WHERE n = 1"),
    ("states = fold of the journal", "UPDATE fold_state SET state = x'80'"),
    ("states = fold of the journal", "UPDATE fold_state SET last_at = last_at + 1 WHERE step = 'dock'"),
    ("states = fold of the journal", "UPDATE fold_state SET due_at = 1 WHERE step = 'dock'"),
    ("states = fold of the journal", "DELETE FROM fold_state WHERE step = 'dock'"),
    ("checkpoints = fold of the journal", "UPDATE checkpoint SET state = x'c0' WHERE length(state) > 1"),
    ("checkpoints = fold of the journal", "DELETE FROM checkpoint WHERE day = (SELECT max(day) FROM checkpoint)"),
    ("checkpoints = fold of the journal", "UPDATE checkpoint SET day = day + 9"),
    ("ledger chain", "UPDATE movement SET quantity = '2' WHERE n = 1"),
    ("ledger chain", "UPDATE movement SET recorded_at = recorded_at + 1 WHERE n = 1"),
    ("ledger chain", "UPDATE movement SET evidence = '[]' WHERE n = 1"),
    ("ledger chain", "UPDATE movement SET hash = x'00' WHERE n = 1"),
    ("ledger chain", "UPDATE movement SET quantity = 'x' WHERE n = 1"),
    ("ledger chain", "DELETE FROM movement WHERE n = (SELECT max(n) FROM movement)"),
    ("ledger chain", "UPDATE ledger_head SET n = n + 1"),
    ("balances = ledger", "UPDATE balance SET on_hand = '7' WHERE location = 'desk'"),
    ("balances = ledger", "DELETE FROM balance WHERE location = 'desk'"),
    ("balances = ledger", "UPDATE balance SET on_hand = 'x' WHERE location = 'desk'"),
    ("movements and their evidence", "DELETE FROM crossing WHERE movement IS NOT NULL"),
    ("movements and their evidence", "UPDATE crossing SET movement = 'x' WHERE movement IS NOT NULL"),
    ("movements and their evidence", "DELETE FROM movement WHERE n = 1"),
    ("readings behind the evidence", "UPDATE crossing SET evidence = '[\"' || hex(zeroblob(32)) || '\"]' WHERE n = 1"),
    ("readings behind the evidence", "DELETE FROM journal WHERE seq = ($tag)"),
    ("stock or asset, never both", "UPDATE crossing SET asset = 'FORKLIFT-1' WHERE sku IS NOT NULL"),
    ("tags bound by scans", "UPDATE scan_act SET epc = 'e280', asset = 'CRANE-1', action = 'assign' WHERE n = 1"),
    ("tags bound by scans", "INSERT INTO register_entry $scanned"),
    ("stock or asset, never both", "UPDATE crossing SET kind = 'asset' WHERE movement IS NOT NULL"),
    ("one open alert, one open proposal", "UPDATE alert SET subject = 'a', state = 'open' WHERE rule = 'test'"),
    ("one open alert, one open proposal", TWO_PROPOSALS),
    ("reservations = their steps", "INSERT INTO reservation_step VALUES (1, 'r', 1, 'made', '5', 'x', NULL)"),
    ("written off or capitalised once", WRITTEN_OFF),
    ("alerts = their recorded life", "DELETE FROM alert_event WHERE n = 1"),
    ("alerts = their recorded life", "UPDATE alert SET state = 'acknowledged' WHERE subject = 'a'"),
    ("alerts = their recorded life", "DELETE FROM alert WHERE subject = 'a'"),
    ("alerts = their recorded life", "UPDATE alert SET state = 'open' WHERE subject = 'c'"),
    ("alerts = their recorded life", "DELETE FROM alert_snooze"),
    ("alerts = their recorded life", "UPDATE alert_snooze SET alert_id = (SELECT id FROM alert WHERE subject = 'a')"),
    ("alerts = their recorded life", "INSERT INTO alert_snooze (alert_id, until) VALUES ('nobody', 3)"),
    ("derived rows = fold of the journal", "UPDATE run SET least = 0 WHERE n = 1"),
    ("readings behind the evidence", "UPDATE run SET evidence = '[\"' || hex(zeroblob(32)) || '\"]' WHERE n = 1"),
    ("use counted once", "UPDATE run SET begin_at = begin_at - 3600000000 WHERE n = 2"),
    ("use counted once", "UPDATE run SET most = most + 1 WHERE n = 1"),
    ("use counted once", "UPDATE run SET least = most + 1 WHERE n = 1"),
    ("derived rows = fold of the journal", "UPDATE run SET why = 'reset' WHERE n = 1"),
    ("use counted once", "UPDATE run SET most = least + 1, least = least - 1 WHERE why IS NULL"),
    ("services of their plans", "UPDATE service_done SET plan = 'CRANE-1/oil'"),
    ("services of their plans", "UPDATE service_done SET plan = 'oil'"),
    *WORK_DAMAGES,
    *OF_TRAVEL,
    *OF_CUSTODY,
]  # fmt: skip


def damaged(run: Path, folder: Path, harm: Callable[[Path], object]) -> tuple[int, dict[str, bool]]:
    shutil.copy(run / "book.db", folder / "book.db")
    harm(folder / "book.db")
    return verify(folder)


def harm_by(statement: str) -> Callable[[Path], None]:
    """Run the statement without the constraints that would refuse it."""

    def harm(file: Path) -> None:
        sql = statement
        book = sqlite3.connect(file)
        for index in ("uq_alert_open", "uq_proposal_open", "uq_work_order_plan"):
            book.execute(f"DROP INDEX {index}")
        for name, query in QUERIES.items():
            sql = sql.replace(name, query)
        assert book.execute(sql).rowcount > 0
        book.commit()
        book.close()

    return harm


@pytest.mark.parametrize(("invariant", "sql"), DAMAGES)
def test_a_damaged_row_is_named(invariant: str, sql: str, run: Path, tmp_path: Path) -> None:
    status, found = damaged(run, tmp_path, harm_by(sql))
    assert status == INTEGRITY
    assert not found[invariant]


def test_a_damaged_page_is_named(run: Path, tmp_path: Path) -> None:
    def harm(file: Path) -> None:
        book = sqlite3.connect(file)
        (page,) = book.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ix_journal_device_at'").fetchone()
        (size,) = book.execute("PRAGMA page_size").fetchone()
        book.close()
        with file.open("r+b") as raw:
            raw.seek((page - 1) * size)
            raw.write(b"\xff" * size)

    status, found = damaged(run, tmp_path, harm)
    assert status == INTEGRITY
    assert not found["file integrity"]


def test_every_invariant_is_broken_above() -> None:
    elsewhere = {invariant for _, invariant, _ in (*OF_VALUES, *OF_ASSETS)} | {PROOFS, "file integrity"}
    elsewhere |= {"contents of pallets moved with them"}  # test_contents.py
    assert {invariant for invariant, _ in (*DAMAGES, *SEALED)} | elsewhere == set(CHECKS)
