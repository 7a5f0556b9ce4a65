"""The projector by itself: whom it gives how much, when it rolls up, and that nothing which goes away ends it.

What it makes of a store is in telemetry/test_store_contract.py.
"""

import logging
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from backend import projector
from backend.book import journal
from backend.book.db import read, write
from backend.book.schema import device
from backend.projector import Projector
from backend.telemetry import source, sql
from backend.telemetry.rows import HOUR, TEN_MINUTES
from backend.telemetry.store import StoreAway
from models.reading import Signal, from_micros
from tests.backend.telemetry.followed_site import NOW, T0, S, Site, readings

A, B, ZERO = "A" * 12, "B" * 12, "0" * 12
EVER = 2**62
DAY = projector.DAY_US


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[[], Site]]:
    sites: list[Site] = []

    def new() -> Site:
        folder = tmp_path / f"site-{len(sites)}"
        sites.append(Site(folder / "book.db", sql.on_file(folder / "telemetry.db")))
        return sites[-1]

    yield new
    for each in sites:
        each.close()


def test_a_gap_of_all_numbers_holds_nobody_up(make: Callable[[], Site], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projector, "ROWS_A_STEP", 40)
    site = make()
    site.journal(A, readings(30))
    with write(site.book) as tx:
        held = journal.lock_stream(tx, "dock-a", ZERO)
        journal.raise_mark(tx, held, 2**53 - 1)
    site.journal(B, readings(100))
    assert site.projector.step() == 2 * (40 // 3)
    followed = site.store.positions().streams
    assert followed["dock-a", ZERO] == 2**53 - 1
    assert (followed["dock-a", A], followed["dock-a", B]) == (13, 13)
    assert [site.projector.step() for _ in range(2)] == [40, 40]
    site.projector.catch_up()
    assert site.projector.lag() == 0


def test_names_are_forgotten_where_devices_are_invented(
    make: Callable[[], Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "DEVICES_KNOWN", 2)
    site, names = make(), source.Names()
    for known in (["d1", "d2", "d3"], ["d4"]):
        site.journal(A, [Signal(each, from_micros(T0), "x", 1.0, "1") for each in known])
        with read(site.book) as tx:
            ids = [ident for (ident,) in tx.execute(select(device.c.id).order_by(device.c.id))][-len(known) :]
            assert names.of(tx, ids[0]) == f"dock-a/{known[0]}"
        assert [*names.values()] == [f"dock-a/{each}" for each in known]


def test_names_of_a_book_that_came_back_older_are_forgotten(make: Callable[[], Site]) -> None:
    """It gave the numbers anew, and its marks are beyond those that were followed before anybody looked."""
    site = make()
    site.journal(A, [Signal("d1", from_micros(T0), "x", 1.0, "1")])
    site.projector.step()
    backup = site.backup()
    site.journal(A, [Signal("lost", from_micros(T0), "x", 2.0, "1")])
    site.projector.step()
    site.restore(backup)
    site.journal(
        A, [Signal("other", from_micros(T0), "x", 2.0, "1"), Signal("other", from_micros(T0 + S), "x", 3.0, "1")]
    )
    site.projector.step()
    assert {(row.device, row.value) for row in site.store.points(["x"], None, T0 + S, EVER)} == {("dock-a/other", 3.0)}


def test_retention_is_kept_once_a_day(make: Callable[[], Site]) -> None:
    site = make()
    site.projector = Projector(site.book, site.store, lambda: site.now, retention_days=1)
    site.journal(A, readings(50))
    site.digest()
    site.projector.step()
    assert site.store.complete_from() == T0
    site.now = T0 + 2 * DAY
    site.projector.step()
    assert site.store.complete_from() == T0 + DAY
    assert site.store.points(["lat", "oil_pressure"], None, 0, EVER) == []
    assert site.store.rollups(None, None, (0, EVER, HOUR)) == []
    assert site.projector.lag() == 0


def test_a_clock_that_was_ahead_takes_a_week_at_most_and_what_it_took_comes_back(make: Callable[[], Site]) -> None:
    site = make()
    site.projector = Projector(site.book, site.store, lambda: site.now, retention_days=1)
    site.journal(A, readings(50))
    site.journal(B, [Signal("d", from_micros(T0 + days * DAY), "x", 1.0, "1") for days in (1, 20)])
    site.now = T0 + DAY + HOUR // 2
    whole = site.digest()
    site.projector.step()
    assert site.store.complete_from() == T0 + HOUR // 2
    kept = site.store.digest()
    assert kept != whole
    site.now += 400 * DAY
    site.projector.step()
    assert [each.at for each in site.store.points(["x"], None, 0, EVER)] == [T0 + 20 * DAY]
    assert site.store.complete_from() == T0 + HOUR // 2 + 7 * DAY
    site.now -= 400 * DAY
    site.projector.step()
    assert site.store.complete_from() == T0 + HOUR // 2
    while site.store.stale(1, EVER):
        site.now += HOUR
        site.projector.step()
    site.store.forget(T0 + HOUR // 2)
    assert site.store.digest() == kept


def test_ten_minutes_that_go_on_are_rolled_up_now_and_then(make: Callable[[], Site]) -> None:
    site = make()
    site.now = T0 + 30 * S

    def count() -> int:
        return sum(each.count for each in site.store.rollups(["x"], None, (0, EVER, TEN_MINUTES)))

    for k in range(3):
        site.journal(A, [Signal("d", from_micros(T0 + k * S), "x", 1.0, "1")])
        site.projector.step()
        site.now += S
    assert count() == 1
    site.now += 10 * S
    site.projector.step()
    assert count() == 3
    site.journal(A, [Signal("d", from_micros(T0 + 9 * S), "x", 1.0, "1")])
    site.now = T0 + TEN_MINUTES + 61 * S
    site.projector.step()
    assert count() == 4


def _running(work: Projector) -> tuple[Event, Thread]:
    stop = Event()
    thread = Thread(target=work.run, args=(stop,))
    thread.start()
    return stop, thread


def test_it_follows_while_it_runs(make: Callable[[], Site]) -> None:
    site = make()
    site.journal(A, readings(50))
    stop, thread = _running(site.projector)
    while site.projector.lag():
        stop.wait(0.02)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()


@pytest.mark.parametrize("error", [StoreAway("no route"), OperationalError("SELECT", {}, OSError("the book is away"))])
def test_it_waits_for_what_is_away_and_goes_on_by_itself(
    make: Callable[[], Site],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    monkeypatch.setattr(projector, "AGAIN_S", 0.01)
    monkeypatch.setattr(projector, "LONGEST_S", 0.05)
    caplog.set_level(logging.WARNING)
    site = make()
    site.journal(A, readings(20))
    asked: list[float] = []
    store_positions = site.store.positions

    def positions() -> object:
        asked.append(time.monotonic())
        if len(asked) < 8:
            raise error
        return store_positions()

    monkeypatch.setattr(site.store, "positions", positions)
    stop, thread = _running(site.projector)
    while len(asked) < 10:
        stop.wait(0.01)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
    assert asked[6] - asked[0] >= 0.01 + 0.02 + 0.04 + 3 * 0.05, "it does not spin"
    monkeypatch.undo()
    assert site.projector.lag() == 0
    assert [r.message.partition(":")[0] for r in caplog.records] == ["the projector waits", "the projector goes on"]


def test_a_clock_that_is_set_back_stops_no_rollup(make: Callable[[], Site]) -> None:
    site = make()
    site.now = T0 + 400 * 86_400 * S
    site.journal(A, [Signal("d", from_micros(T0), "x", 1.0, "1")])
    site.projector.step()
    site.now = T0 + HOUR
    site.journal(A, [Signal("d", from_micros(T0 + S), "x", 1.0, "1")])
    site.projector.step()
    assert site.store.stale(1, EVER) == []


def test_an_older_copy_of_the_store_in_its_place_is_followed_whole(make: Callable[[], Site]) -> None:
    site = make()
    file = site.file.with_name("telemetry.db")
    site.journal(A, readings(5))
    site.digest()
    site.store.close()
    older = Path(shutil.copy(file, file.with_suffix(".older")))
    site.journal(A, [Signal("newcomer", from_micros(T0), "x", 1.0, "1")])
    wanted = site.digest()
    site.store.close()
    older.replace(file)
    assert site.digest() == wanted
    assert [point.device for point in site.store.points(["x"], None, 0, EVER)] == ["dock-a/newcomer"]


def test_another_file_in_the_place_of_the_store_is_noticed(make: Callable[[], Site]) -> None:
    one, two = make(), make()
    one.journal(A, readings(40))
    wanted = one.digest()
    two.journal(B, readings(9))
    two.digest()
    two.store.close()
    two.file.with_name("telemetry.db").replace(one.file.with_name("telemetry.db"))
    one.now = NOW + 86_400 * S
    assert one.digest() == wanted, "what another book had told is taken back"
