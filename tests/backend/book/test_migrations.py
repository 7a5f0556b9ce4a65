"""Alembic on the book: what the revisions make is exactly what backend.book.schema says, all of it or nothing."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, select, text
from sqlalchemy.exc import OperationalError

from backend.book import migrations, schema
from backend.book.db import open_engine, read, write


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine("sqlite", tmp_path / "100% book.db")
    yield engine
    engine.dispose()


def made(engine: Engine) -> dict[str, str]:
    with read(engine) as tx:
        rows = tx.execute(
            text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%'")
        )
        return {name: sql for name, sql in rows if not name.startswith("sqlite_")}


def test_an_upgraded_book_is_the_schema(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert migrations.migrate(engine)[0] == "r0001"
    assert migrations.migrate(engine) == []
    with read(engine) as tx:
        assert compare_metadata(MigrationContext.configure(tx), schema.metadata) == []
    fresh = open_engine("sqlite", tmp_path / "fresh.db")
    schema.metadata.create_all(fresh)
    assert made(engine) == made(fresh)
    fresh.dispose()


def test_the_revisions_are_told_by_their_files(engine: Engine) -> None:
    script = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert migrations.known() == [each.revision for each in script.walk_revisions()][::-1]
    migrations.migrate(engine)
    program = (
        "import sys; from pathlib import Path; from backend.app import open_engine, migrate; "
        "migrate(open_engine('sqlite', Path(sys.argv[1]))); sys.exit('alembic' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program, engine.url.database or ""], check=True, timeout=60)


def test_a_revision_is_whole_or_not_there(engine: Engine) -> None:
    with write(engine) as tx:
        tx.execute(text("CREATE TABLE lease (x INTEGER)"))
    with pytest.raises(OperationalError, match="lease already exists"):
        migrations.migrate(engine)
    assert inspect(engine).get_table_names() == ["lease"]
    with write(engine) as tx:
        tx.execute(text("DROP TABLE lease"))
    assert migrations.migrate(engine)[0] == "r0001"


BEFORE = """
INSERT INTO crossing (n, id, device_id, subject, door, first_at, last_at, closed_at, day, direction, score, reasons,
    rule, evidence, evidence_count, kind, why) VALUES
    (3, 'x', 1, 'aa', 'd', 10, 30, 40, 0, 'in', 0.9, '["why"]', 'portal-1', '[]', 1, 'stock', 'w'),
    (7, 'y', 1, 'aa', 'd', 50, 60, 70, 0, 'none', 0.8, '[]', 'portal-1', '[]', 1, 'stock', 'w');
DELETE FROM crossing WHERE n = 7;
INSERT INTO fold_state (step, device_id, subject, state, last_at, last_hash, stream_id, received_at) VALUES
    ('dock', 1, 'aa', x'80', 30, x'00', 1, 1), ('hours', 2, '', x'80', 30, x'00', 1, 1);
INSERT INTO checkpoint (step, device_id, subject, day, state) VALUES
    ('dock', 1, 'aa', 5, x'80'), ('dock', 1, 'aa', 4, x'c0'), ('hours', 2, '', 4, x'c0');
INSERT INTO dirty (step, device_id, subject, since, until) VALUES ('dock', 1, 'aa', 9, 9);
"""


def test_crossings_of_before_the_vote_stand_until_their_doors_are_folded_anew(engine: Engine) -> None:
    config = migrations._config()
    config.attributes["engine"] = engine
    command.upgrade(config, "r0003")
    with write(engine) as tx:
        for statement in BEFORE.split(";")[:-1]:
            tx.execute(text(statement))
    assert migrations.migrate(engine)[0] == "r0004"
    with write(engine) as tx:
        (row,) = tx.execute(select(schema.crossing)).mappings()
        found = {name: row[name] for name in ("n", "own_direction", "own_score", "own_reasons", "chances", "middle_at")}
        assert list(found.values()) == [3, "in", 0.9, '["why"]', "[1.0, 0.0, 0.0]", 20]
        marks = tx.execute(select(schema.dirty).where(schema.dirty.c.step == "dock")).all()
        assert marks == [("dock", 1, "aa", 9, 1 << 62)], "what waits from before its first checkpoint waits from there"
        assert set(tx.scalars(select(schema.checkpoint.c.step))) <= {"hours"}
        again = {**row, "id": "z"}
        again.pop("n")
        assert tx.execute(schema.crossing.insert().values(again)).inserted_primary_key == (8,), "7 was given out"


SCANNED = """
INSERT INTO scan_act (n, id, device_id, subject, device, at, closed_at, day, action, ok, text, sku, evidence) VALUES
    (3, 'a', 1, '', 'd', 10, 10, 0, 'receive', 1, 't', 'BOLT', '["aa"]'),
    (7, 'b', 1, '', 'd', 20, 20, 0, 'refused', 0, 't', NULL, '["bb"]');
DELETE FROM scan_act WHERE n = 7;
INSERT INTO fold_state (step, device_id, subject, state, last_at, last_hash, stream_id, received_at) VALUES
    ('scan', 1, '', x'80', 30, x'00', 1, 1), ('hours', 2, '', x'80', 30, x'00', 1, 1);
INSERT INTO checkpoint (step, device_id, subject, day, state) VALUES
    ('scan', 1, '', 5, x'80'), ('scan', 1, '', 4, x'c0');
INSERT INTO dirty (step, device_id, subject, since, until) VALUES ('scan', 1, '', 500000000000, 500000000000);
"""


def test_acts_of_before_stand_until_their_scanners_are_folded_anew(engine: Engine) -> None:
    config = migrations._config()
    config.attributes["engine"] = engine
    command.upgrade(config, "r0002")
    with write(engine) as tx:
        for statement in SCANNED.split(";")[:-1]:
            tx.execute(text(statement))
    assert migrations.migrate(engine)[0] == "r0003"
    with write(engine) as tx:
        (row,) = tx.execute(select(schema.scan_act)).mappings()
        assert (row["n"], row["sku"], row["evidence"], row["epc"], row["undoes"]) == (3, "BOLT", '["aa"]', None, None)
        marks = tx.execute(select(schema.dirty).where(schema.dirty.c.step == "scan")).all()
        assert marks == [("scan", 1, "", 4 * 86_400_000_000, 1 << 62)]
        assert not tx.scalars(select(schema.checkpoint.c.step)).all()
        again = {**row, "id": "z"}
        again.pop("n")
        assert tx.execute(schema.scan_act.insert().values(again)).inserted_primary_key == (8,), "7 was given out"


LOADED = """
INSERT INTO scan_act
    (n, id, device_id, subject, device, at, closed_at, day, action, ok, text, sku, lot, child, evidence) VALUES
    (3, 'a', 1, '', 'd', 10, 10, 0, 'pack', 1, 't', 'BOLT', NULL, '(01)1(21)A', '["aa"]'),
    (4, 'b', 2, '', 'd', 20, 20, 0, 'receive', 1, 't', 'BOLT', 'L1', NULL, '["bb"]');
INSERT INTO crossing (id, device_id, subject, door, first_at, last_at, closed_at, day, direction, score, reasons, rule,
    own_direction, own_score, own_reasons, chances, stray, middle_at, evidence, evidence_count, kind, why) VALUES
    ('x', 3, '3174aa', 'd', 30, 40, 50, 0, 'out', 1, '[]', 'r', 'out', 1, '[]', '[]', 0, 35, '[]', 1, 'stock', 'w'),
    ('y', 3, '3034aa', 'd', 30, 40, 50, 0, 'out', 1, '[]', 'r', 'out', 1, '[]', '[]', 0, 35, '[]', 1, 'stock', 'w');
INSERT INTO outbound_line (order_id, line, sku, quantity) VALUES ('o1', 1, 'BOLT', '5');
"""


def test_pallets_that_passed_and_lots_that_were_scanned_are_folded_anew(engine: Engine) -> None:
    config = migrations._config()
    config.attributes["engine"] = engine
    command.upgrade(config, "r0019")
    with write(engine) as tx:
        for statement in LOADED.split(";")[:-1]:
            tx.execute(text(statement))
    assert migrations.migrate(engine)[0] == "r0020"
    with read(engine) as tx:
        acts = tx.execute(select(schema.scan_act.c.n, schema.scan_act.c.child, schema.scan_act.c.expires)).all()
        assert acts == [(3, "(01)1(21)A", None), (4, None, None)]
        assert tx.execute(text("SELECT order_id, quantity, price FROM outbound_line")).all() == [("o1", "5", None)]
        marks = tx.execute(select(schema.dirty).order_by(schema.dirty.c.step)).all()
        assert marks == [("dock", 3, "3174aa", 30, 1 << 62), ("scan", 2, "", 20, 1 << 62)]


MIGRATE = """
import sys
from pathlib import Path
from backend.book import db, migrations
engine = db.open_engine("sqlite", Path(sys.argv[1]))
migrations.migrate(engine)
assert migrations.pending(engine) == []
"""


def test_two_that_start_together_take_turns(engine: Engine, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", MIGRATE, str(tmp_path / "100% book.db")]
    both = [subprocess.Popen(command) for _ in range(2)]
    assert [process.wait(30) for process in both] == [0, 0]
    assert migrations.pending(engine) == []


def test_a_book_of_a_newer_program_is_left_alone(engine: Engine) -> None:
    migrations.migrate(engine)
    with write(engine) as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = 'r9999'"))
    with pytest.raises(migrations.BookTooNew, match="r9999"):
        migrations.migrate(engine)
