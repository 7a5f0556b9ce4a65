"""A book of before trips: rows stand until trackers are folded anew, and what arrives meanwhile is neither lost nor
doubled, whenever the deriver is stopped."""

import random
import sqlite3
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, select, text

from backend.book import derived, migrations, schema
from backend.book.db import open_engine, read, write
from backend.book.schema import travel
from backend.verify import verify
from models.reading import Input, Meter, Reading, from_micros
from tests.backend.books import DAY, SECOND, Yard, facts, open_quick
from tests.backend.journeys import DOCK, GATE, PAD, TRUCK, drive, fix
from tests.backend.stories import MIDNIGHT

STRANGER = "imei:000000000000001"
OLD = """
INSERT INTO gateway (id, name) VALUES (1, 'dock-a');
INSERT INTO device (id, gateway_id, name) VALUES (1, 0, '$truck'), (2, 0, '$stranger'), (3, 1, 'plain'),
    (4, 0, 'id:quiet'), (5, 1, 'eye');
INSERT INTO register_entry (kind, id, valid_from, recorded_at, actor, body) VALUES
    ('devices', '$truck', 5, 5, 't', CAST('{"name":"$truck"}' AS BLOB)),
    ('devices', '$truck', 1, 1, 't', CAST('{"name":"$truck","tracker":{"asset":"T"}}' AS BLOB)),
    ('devices', 'dock-a/plain', 1, 1, 't', CAST('{"name":"plain","tracker":{"asset":"U"}}' AS BLOB)),
    ('devices', 'dock-a/eye', 1, 1, 't', CAST('{"name":"\\"tracker\\":{"}' AS BLOB)),
    ('devices', 'id:quiet', 1, 1, 't', CAST('{"name":"id:quiet","tracker":{"asset":"V"}}' AS BLOB));
INSERT INTO fold_state (step, device_id, subject, state, last_at, last_hash, stream_id, received_at) VALUES
    ('motion', 1, '', x'80', 30, x'00', 1, 1), ('hours', 1, '', x'80', 30, x'00', 1, 1),
    ('motion', 2, '', x'c0', 30, x'00', 1, 1), ('hours', 5, '', x'c0', 30, x'00', 1, 1),
    ('hours', 3, '', x'80', 30, x'00', 1, 1), ('dock', 9, 'aa', x'80', 30, x'00', 1, 1);
INSERT INTO checkpoint (step, device_id, subject, day, state) VALUES ('motion', 1, '', 5, x'80'),
    ('hours', 1, '', 3, x'c0'), ('hours', 1, '', 4, x'80'), ('motion', 2, '', 1, x'c0'), ('hours', 3, '', 7, x'c0'),
    ('hours', 5, '', 2, x'c0'), ('dock', 9, 'aa', 2, x'c0');
INSERT INTO dirty (step, device_id, subject, since, until) VALUES ('motion', 1, '', 9, 9), ('motion', 2, '', 9, 9),
    ('motion', 4, '', 7, 9), ('hours', 3, '', 11, 12);
INSERT INTO travel (n, id, device_id, subject, asset, what, zone, begin_at, end_at, closed_at, day, distance_mm,
    evidence) VALUES (3, 'x', 1, '', 'T', 'visit', 'dock', 10, 20, 30, 0, 7, '["aa"]'),
    (7, 'y', 1, '', 'T', 'distance', NULL, 10, 20, 30, 0, 7, '["bb"]');
DELETE FROM travel WHERE n = 7;
INSERT INTO run (n, id, device_id, subject, asset, meter, begin_at, end_at, closed_at, day, least, most, evidence)
    VALUES (4, 'r', 1, '', 'T', 'runtime', 10, 20, 30, 0, 1, 2, '["aa"]');
"""


def at_revision(file: Path, revision: str) -> Engine:
    engine = open_engine("sqlite", file)
    config = migrations._config()
    config.attributes["engine"] = engine
    command.upgrade(config, revision)
    return engine


def test_rows_stand_and_every_tracker_is_folded_anew_from_its_first_reading(tmp_path: Path) -> None:
    engine = at_revision(tmp_path / "book.db", "r0004")
    with write(engine) as tx:
        for statement in OLD.replace("$truck", TRUCK).replace("$stranger", STRANGER).split(";\n")[:-1]:
            tx.execute(text(statement.replace(":", "\\:")))
    assert migrations.migrate(engine)[0] == "r0005"
    with write(engine) as tx:
        (row,) = tx.execute(select(travel)).mappings()
        names = ("n", "zone", "distance_mm", "lat", "fixes", "method", "evidence")
        assert [row[name] for name in names] == [3, "dock", 7, None, 0, None, '["aa"]']
        assert tx.execute(select(schema.run.c.n, schema.run.c.why)).all() == [(4, None)]
        marks = {(r.step, r.device_id): (r.since, r.until) for r in tx.execute(select(schema.dirty))}
        assert marks == {
            ("motion", 1): (9, derived.FOR_EVER),
            ("hours", 1): (3 * DAY, derived.FOR_EVER),
            ("motion", 3): (11, derived.FOR_EVER),
            ("hours", 3): (11, derived.FOR_EVER),
            ("motion", 4): (0, derived.FOR_EVER),
            ("hours", 5): (2 * DAY, derived.FOR_EVER),
        }, "what was never a tracker is none: its fixes and inputs wait in the journal"
        states = {(r.step, r.device_id): bytes(r.state) for r in tx.execute(select(schema.fold_state))}
        assert states.pop(("dock", 9)) == b"\x80"
        assert set(states) == {("motion", 1), ("hours", 1), ("hours", 3), ("hours", 5)}
        assert {*states.values()} == {b"\xc0"}
        assert tx.scalars(select(schema.checkpoint.c.step)).all() == ["dock"]
        again = {**row, "id": "z"}
        again.pop("n")
        assert tx.execute(travel.insert().values(again)).inserted_primary_key == (8,), "7 was given out"
    engine.dispose()


def told() -> list[Reading]:
    """Three days of a truck with its ignition, and a tracker that nobody declared."""
    said: list[Reading] = []
    for day in range(3):
        begin = (day - 1) * 86_400.0 + 3000
        said += drive(begin, GATE, DOCK, DOCK, DOCK, PAD, (9000.0, 0.0), GATE, GATE, every=120)
        for k, on in ((-60, True), (1000, False), (2000, True)):
            said.append(Input(TRUCK, from_micros(MIDNIGHT + round((begin + k) * SECOND)), "ignition", on))
        said.append(Meter(TRUCK, from_micros(MIDNIGHT + round(begin * SECOND)), "odometer", 100.0 + day, "km"))
        said += [fix(begin, GATE, STRANGER), Input(STRANGER, from_micros(MIDNIGHT + day * DAY), "ignition", on=True)]
    return sorted(said, key=lambda each: each.at)


def age(new: Path, old: Path) -> Engine:
    """A book as the revision before would have it: the same readings, states in another form, rows by other rules."""
    at_revision(old, "r0004").dispose()
    book = sqlite3.connect(old)
    book.execute("ATTACH ? AS new", (str(new),))
    for table in ("gateway", "stream", "device", "journal", "register_entry", "fold_state", "checkpoint"):
        book.execute(f"INSERT INTO main.{table} SELECT * FROM new.{table}")  # noqa: S608 - constants
    book.execute("UPDATE fold_state SET state = x'81a161c3' WHERE state <> x'c0'")
    book.execute("UPDATE checkpoint SET state = x'81a161c3' WHERE state <> x'c0'")
    book.execute(
        "INSERT INTO fold_state SELECT 'motion', device_id, subject, x'c0', last_at, last_hash, stream_id, received_at,"
        " NULL, NULL FROM fold_state WHERE device_id = (SELECT id FROM device WHERE name = ?)",
        (STRANGER,),
    )
    kept = "id, device_id, subject, asset, what, zone, begin_at, end_at, closed_at, day, distance_mm, evidence"
    book.execute(
        f"INSERT INTO main.travel ({kept}) SELECT {kept.replace('distance_mm', 'distance_mm + 1')} FROM new.travel"  # noqa: S608 - constants
        " WHERE what IN ('visit', 'distance')"
    )
    book.commit()
    book.close()
    return open_quick(old)


@pytest.mark.parametrize("seed", range(6))
def test_a_book_of_before_ends_as_the_one_that_was_never_old(seed: int, template: Path, tmp_path: Path) -> None:
    chance = random.Random(seed)
    readings = told()
    cut = chance.randrange(1, len(readings))
    orderly, source = (Yard.copy(template, tmp_path / f"{name}.db", MIDNIGHT + 3 * DAY) for name in ("a", "b"))
    orderly.send(readings)
    orderly.settle()
    early = readings[:cut] if seed % 2 else chance.sample(readings, cut)
    source.send(early)
    source.settle()
    source.book.dispose()
    book = age(tmp_path / "b.db", tmp_path / "old.db")
    migrations.migrate(book)
    old = Yard(book, source.clock, next_seq=source.next_seq)
    for reading in chance.sample(rest := [each for each in readings if each not in early], len(rest)):
        old.send([reading, *chance.sample(early, 1)])
        if chance.random() < 0.1:
            old.deriver.step()
            old = Yard(book, old.clock, next_seq=old.next_seq)  # stopped, and started again
    old.settle()
    assert facts(book) == facts(orderly.book)
    assert [finding for finding in verify(book) if not finding.ok] == []
    with read(book) as tx:
        assert not tx.scalars(select(schema.dirty.c.step)).all()
    book.dispose()
    orderly.book.dispose()


def test_an_input_that_waits_from_before_the_first_checkpoint_is_heard_by_motion_too(
    template: Path, tmp_path: Path
) -> None:
    """Its engine was off when it was taken away: what only hours had to hear then decides what kind of way it was."""
    away = [fix(600.0 + 30 * k, (300.0 * k, 0.0), speed_mps=10.0) for k in range(20)]
    known = [*drive(0, *[GATE] * 9), *away, *drive(1230, *[(5700.0, 0.0)] * 6)]
    late = Input(TRUCK, from_micros(MIDNIGHT - 600 * SECOND), "ignition", on=False)
    orderly, source = (Yard.copy(template, tmp_path / f"{name}.db", MIDNIGHT + DAY) for name in ("a", "b"))
    orderly.send([late, *known])
    orderly.settle()
    source.send(known)
    source.settle()
    source.send([late])
    source.book.dispose()
    book = age(tmp_path / "b.db", tmp_path / "old.db")
    with write(book) as tx:
        tx.execute(
            schema.dirty.insert().values(
                step="hours", device_id=1, subject="", since=(at := MIDNIGHT - 600 * SECOND), until=at
            )
        )
    migrations.migrate(book)
    old = Yard(book, source.clock, next_seq=source.next_seq)
    old.settle()
    assert facts(book) == facts(orderly.book)
    assert "transported" in {row["what"] for row in old.rows(travel)}
    book.dispose()
    orderly.book.dispose()
