"""What only a PostgreSQL book has: its types, programs that migrate at once, and leases."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from threading import Barrier, Event, Thread
from time import monotonic, sleep
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from fastapi.testclient import TestClient
from sqlalchemy import Connection, Engine, insert, select, text, update
from sqlalchemy.exc import DataError, IntegrityError, OperationalError

from backend.api import create_app
from backend.api.services import Services
from backend.book import calendar_entries, events, journal, lease, locks, schema
from backend.book.bulk import write_rows
from backend.book.db import open_engine, read, repeated, write
from backend.book.lease import Wanted
from backend.book.migrations import pending
from backend.leases import BookLeases
from models.maintenance.feed import Changes, Entry

SESSIONS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND state = 'idle' AND pid <> pg_backend_pid()
"""
MIGRATE = """
import sys
from pathlib import Path
from backend.book.db import open_engine
from backend.book.migrations import migrate
print(migrate(open_engine(sys.argv[1], Path())))
"""


@pytest.fixture
def book(postgres_book_url: str) -> Iterator[Engine]:
    engine = open_engine(postgres_book_url, Path())
    with write(engine) as tx:
        tx.execute(insert(schema.gateway), [{"name": f"g{n}"} for n in range(5)])
    yield engine
    engine.dispose()


class Worker:
    """Leases without the thread: a session, and turns when the test says so."""

    def __init__(self, book: Engine, stack: ExitStack, name: str, *parts: str) -> None:
        self.name, self.wanted = name, Wanted(parts, ingests=True)
        self.session = stack.enter_context(book.connect())
        self.pid = self.session.scalar(text("SELECT pg_backend_pid()"))
        lease.live(self.session, name)
        self.session.commit()

    def turn(self) -> list[str]:
        with self.session.begin():
            held = lease.turn(self.session, self.name, self.wanted)
        return sorted(each.removeprefix("gateway/") for each in held if not each.startswith("worker/"))

    def die(self) -> None:
        """Its connection ends; the server has noticed."""
        engine = self.session.engine
        self.session.invalidate()
        while True:
            with read(engine) as tx:
                if not tx.scalar(text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid"), {"pid": self.pid}):
                    return
            sleep(0.01)


def test_gateways_are_shared_alike_and_a_dead_worker_s_are_taken_at_once(book: Engine) -> None:
    with ExitStack() as stack:
        one, two, three = (Worker(book, stack, name, "planner") for name in ("one", "two", "three"))
        assert one.turn() == ["g0", "g1", "g2", "g3", "g4", "part/planner"]
        assert two.turn() == [], "nothing is free until who has more than its share gives it up"
        assert one.turn() == ["g0", "g1", "g2", "part/planner"]
        assert two.turn() == ["g3", "g4"]
        assert three.turn() == []
        assert one.turn() == ["g0", "g1", "part/planner"]
        assert two.turn() == ["g3", "g4"]
        assert three.turn() == ["g2"]
        one.die()
        assert two.turn() == ["g0", "g3", "g4", "part/planner"]
        assert three.turn() == ["g1", "g2"]


def test_a_worker_that_lives_and_does_nothing_loses_its_leases_in_time(book: Engine) -> None:
    with ExitStack() as stack:
        stuck, other = (Worker(book, stack, name) for name in ("stuck", "other"))
        held = {f"gateway/{name}": 1 for name in stuck.turn()}
        assert other.turn() == []
        with write(book) as tx:
            assert lease.still_held(tx, "stuck", held) == set(held)
            tx.execute(update(schema.lease).where(schema.lease.c.worker == "stuck").values(until=1))
        assert other.turn() == ["g0", "g1", "g2", "g3", "g4"]
        with read(book) as tx:
            assert lease.still_held(tx, "stuck", held) == set()
            assert {*tx.scalars(select(schema.lease.c.generation).where(schema.lease.c.name.like("gateway/%")))} == {2}
        assert stuck.turn() == []


def test_a_part_runs_in_one_process_and_goes_on_in_another(book: Engine) -> None:
    running: list[str] = []

    def part(name: str) -> Callable[[Event], None]:
        def run(over: Event) -> None:
            running.append(name)
            over.wait()
            running.remove(name)

        return run

    def process(name: str) -> tuple[Event, list[Thread], BookLeases]:
        stop, leases = Event(), BookLeases(book, Wanted(["planner"], ingests=True), lambda _names: None)
        runs = (leases.run, leases.while_held("planner", part(name)))
        threads = [Thread(target=run, args=(stop,)) for run in runs]
        for thread in threads:
            thread.start()
        return stop, threads, leases

    first = process("first")
    until(lambda: running == ["first"])
    second = process("second")
    sleep(0.3)
    assert running == ["first"]
    end(first)
    until(lambda: running == ["second"])
    with write(book) as tx:
        tx.execute(text(SESSIONS))
        tx.execute(update(schema.lease).values(until=1))
    until(lambda: renewed(book))
    until(lambda: running == ["second"])
    end(second)
    assert running == []


def renewed(book: Engine) -> bool:
    with read(book) as tx:
        return (tx.scalar(select(schema.lease.c.until).where(schema.lease.c.name == "part/planner")) or 0) > 1


def end(process: tuple[Event, list[Thread], BookLeases]) -> None:
    stop, threads, leases = process
    stop.set()
    leases.poke()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def until(met: Callable[[], Any]) -> None:
    deadline = monotonic() + 20
    while not met():
        assert monotonic() < deadline
        sleep(0.01)


def test_programs_that_migrate_at_once_make_the_schema(postgres_url: str) -> None:
    command = [sys.executable, "-c", MIGRATE, postgres_url]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    said = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    engine = open_engine(postgres_url, Path())
    assert pending(engine) == []
    with read(engine) as tx:
        assert compare_metadata(MigrationContext.configure(tx), schema.metadata) == []
    engine.dispose()


def test_who_must_change_the_register_that_others_share_is_run_again(book: Engine) -> None:
    tried: list[int] = []

    def work() -> None:
        with write(book) as tx:
            locks.share_register(tx)
            tried.append(1)
            locks.own_register(tx)

    with write(book) as other:
        locks.share_register(other)
        again = Thread(target=repeated, args=(work,))
        again.start()
        until(lambda: tried)
        again.join(0.2)
        assert again.is_alive(), "it waits until nobody shares it"
    again.join(10)
    assert len(tried) == 2


def test_a_reader_cannot_write(book: Engine) -> None:
    with pytest.raises(Exception, match="read-only"), read(book) as tx:
        tx.execute(insert(schema.gateway).values(name="x"))


def test_a_book_that_can_only_be_read_is_away(book: Engine) -> None:
    with write(book) as tx:
        tx.exec_driver_sql("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
    with pytest.raises(OperationalError, match="read-only"):
        _add_gateway(book)


def _add_gateway(book: Engine) -> None:
    with write(book) as tx:
        tx.execute(insert(schema.gateway).values(name="g9"))


def test_many_rows_keep_their_types_and_nothing_is_cut(book: Engine) -> None:
    row = {"subject": "item:ä\n" * 10, "at": 1 << 60}
    with write(book) as tx:
        write_rows(tx, insert(schema.changed), [row, row | {"at": -1}])
    with read(book) as tx:
        found = tx.execute(select(schema.changed.c.subject, schema.changed.c.at).order_by(schema.changed.c.n)).all()
    assert found == [(row["subject"], 1 << 60), (row["subject"], -1)]
    with pytest.raises(DataError, match="too long"), write(book) as tx:
        write_rows(tx, insert(schema.changed), [row | {"subject": "x" * 201}])


def an_event(tx: Connection) -> None:
    events.emit(tx, "risk", {}, 1)


def a_fold(tx: Connection) -> None:
    locks.hold_devices(tx, {journal.device_id(tx, 0, "imei:1", {})})


def a_declaration(tx: Connection) -> None:
    locks.own_register(tx)


PAIRS = [(an_event, an_event), (a_fold, a_fold), (locks.share_register, a_declaration)]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_who_comes_second_waits_for_the_first_to_commit(
    one: Callable[[Connection], None], other: Callable[[Connection], None], book: Engine
) -> None:
    """So a lower number is never seen after a higher one, and nobody folds what another folds."""
    with write(book) as tx:
        journal.device_id(tx, 0, "imei:1", {})

    def second() -> None:
        with write(book) as tx:
            other(tx)

    thread = Thread(target=second)
    with write(book) as tx:
        one(tx)
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
    thread.join(10)
    assert not thread.is_alive()


def test_two_that_ask_for_a_calendar_at_once_write_it_once(book: Engine) -> None:
    day = date(2026, 1, 1)
    entry = Entry(uid="u", asset="a", plan=None, occurrence=None, team=None, begin=day, end=day, title="t", text="x")
    both, errors = Barrier(2), list[BaseException]()

    def save() -> None:
        try:
            with write(book) as tx:
                both.wait()
                calendar_entries.save(tx, Changes([entry], []))
        except IntegrityError as error:
            errors.append(error)

    threads = [Thread(target=save) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert errors == []


def test_what_no_text_of_the_book_can_be_is_refused(book: Engine) -> None:
    services = Services(book, lambda: 0, lambda *_: False)
    with TestClient(create_app(services), "http://127.0.0.1:8000/api/v1/", raise_server_exceptions=False) as client:
        assert client.get("alerts/a%00b/history").status_code == 400
        shelf = {"reason": "r", "until": "1970-01-02T00:00:00Z", "rules": ["failure_risk"]}
        assert client.put(f"shelves/{'x' * 99}", json=shelf).status_code == 400
