"""The projector: what the store says is a function of the set of readings, however they came and however often."""

import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import func, select, update

from backend import projector
from backend.book import journal, ledger, schema
from backend.book.db import open_engine, read, write
from backend.config import Backend, Config, ConfigError, Telemetry
from backend.projector import Projector
from backend.telemetry import schema as store
from backend.telemetry import sql
from models import wire
from models.ids import derived_id
from models.reading import Fix, Input, Meter, Reading, Signal, Tag, from_micros, micros
from models.stock.ledger import Movement

S = 1_000_000
T0 = 1_762_999_800 * S
NOW = T0 + 86_400 * S


def readings(count: int) -> list[Reading]:
    """Two hours of a door, a tracker and a machine; some said twice, with another `at` for the same `device_at`."""
    chance = random.Random(7)
    found: list[Reading] = []
    for k in range(count):
        at = from_micros(T0 + chance.randrange(7200 * S))
        tag = Tag("door-1", at, f"{k:024x}", 1, device_at=at, rssi_dbm=-50.0)
        kinds: list[Reading] = [
            Signal("crane-2", at, "gearbox_temperature", chance.random() * 90, "Cel"),
            Fix("imei:356307042441013", at, lat=50.85, lon=4.3 + k / 1e5),
            Input("crane-2", at, "hoist", on=k % 2 == 0),
            Meter("crane-2", at, "engine_hours", k / 7, "h"),
            tag,
        ]
        found.append(kinds[k % 5] if k % 5 < 4 else tag)
        if k % 5 == 4 and k % 3 == 0:
            for shift in (-900, 0, 900):
                heard = at + timedelta(seconds=shift)
                found.append(Tag("door-1", heard, tag.epc, 1, device_at=at, rssi_dbm=-50.0))
                found.append(Signal("crane-2", heard, "oil_pressure", k / 9, "bar", device_at=at))
    return found


class Site:
    """A book that is written directly, and a store that follows it."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.book = open_engine("sqlite", path / "book.db")
        schema.metadata.create_all(self.book)
        self.telemetry = sql.open_telemetry(Config(backend=Backend(state_dir=str(path))))
        self.now = NOW
        self.projector = Projector(self.book, self.telemetry, lambda: self.now)

    def journal(self, epoch: str, new: Sequence[Reading]) -> None:
        """Commit readings to a stream, after what it has."""
        known: dict[tuple[int, str], int] = {}
        with write(self.book) as tx:
            held = journal.lock_stream(tx, "dock-a", epoch)
            rows = [
                journal.Arrival(
                    held.id,
                    held.mark + k,
                    journal.device_id(tx, held.gateway_id, each.device, known),
                    "dock-a",
                    each,
                    wire.content_hash(each),
                    micros(each.at),
                    NOW,
                    wire.encode(each),
                )
                for k, each in enumerate(new, 1)
            ]
            journal.add(tx, rows)
            journal.raise_mark(tx, held, held.mark + len(rows))

    def move(self, *names: str, withdrawn: Sequence[str] = ()) -> None:
        """Post movements of 1.5 units to the ledger, or take some back."""
        new = [
            Movement(
                id=derived_id("t", name),
                at=T0,
                sku="A",
                lot=None,
                quantity=Decimal("1.5"),
                source="supplier",
                target=name,
                reason="t",
                evidence=[],
                reverses=None,
            )
            for name in names
        ]
        with write(self.book) as tx:
            ledger.post(tx, new, [derived_id("t", name) for name in withdrawn], "t", NOW)

    def digest(self) -> str:
        self.projector.catch_up()
        assert self.projector.lag() == 0
        return sql.digest(self.telemetry)

    def close(self) -> None:
        self.book.dispose()
        self.telemetry.dispose()


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[[str], Site]]:
    sites: list[Site] = []

    def new(name: str) -> Site:
        sites.append(Site(tmp_path / name))
        return sites[-1]

    yield new
    for each in sites:
        each.close()


def test_any_order_and_any_repeats_say_the_same(make: Callable[[str], Site], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projector, "ROWS_A_STEP", 97)
    monkeypatch.setattr(projector, "BUCKETS_A_TURN", 5)
    all_of_it = readings(400)
    first = make("first")
    first.journal("A" * 12, sorted(all_of_it, key=lambda each: each.at))
    first.move("x", "y")
    wanted = first.digest()
    for seed in range(3):
        chance = random.Random(seed)
        mixed = [*all_of_it, *chance.sample(all_of_it, 100)]
        chance.shuffle(mixed)
        other = make(f"other-{seed}")
        other.move("y", "z")
        for k in range(0, len(mixed), 130):
            other.journal(f"{'B' * 11}{k % 2}", mixed[k : k + 130])
            other.now += 60 * S
            other.projector.step()
        other.move("x", withdrawn=["z"])
        assert other.digest() == wanted
        other.projector.rebuild()
        assert sql.digest(other.telemetry) == wanted
    first.journal("A" * 12, readings(5)[:1])
    assert first.digest() == wanted
    first.journal("A" * 12, [Signal("crane-2", from_micros(T0), "gearbox_temperature", 3.0, "Cel")])
    assert first.digest() != wanted, "a digest that never differs says nothing"


def test_an_earlier_repeat_takes_the_place_of_what_was_counted(make: Callable[[str], Site]) -> None:
    site = make("one")
    later, earlier = (
        Tag("door-1", from_micros(at), "aa" * 12, 1, device_at=from_micros(T0)) for at in (T0 + 1800 * S, T0)
    )
    site.journal("A" * 12, [later])
    site.digest()
    site.journal("A" * 12, [earlier])
    site.digest()
    with read(site.telemetry) as tx:
        assert tx.execute(select(store.readings_10m.c.bucket, store.readings_10m.c.readings)).all() == [(T0, 1)]


def test_counts_are_what_the_journal_says(make: Callable[[str], Site]) -> None:
    site = make("one")
    told = readings(300)
    site.journal("A" * 12, told)
    site.digest()
    distinct = {wire.content_hash(each) for each in told if isinstance(each, Tag)}
    with read(site.telemetry) as tx:
        for table in (store.readings_10m, store.readings_1h):
            where = (table.c.kind == "tag", table.c.device == "dock-a/door-1")
            assert tx.scalar(select(func.sum(table.c.readings)).where(*where)) == len(distinct)
        devices = set(tx.scalars(select(store.series.c.device)))
        longitudes = select(func.count()).select_from(
            store.point.join(store.series, store.series.c.id == store.point.c.series)
        )
        fixes = tx.scalar(longitudes.where(store.series.c.name == "lon"))
    assert devices == {"dock-a/crane-2", "imei:356307042441013"}
    assert fixes == sum(isinstance(each, Fix) for each in told)


def test_a_restored_book_takes_the_store_back(make: Callable[[str], Site]) -> None:
    told = readings(300)
    site = make("live")
    site.journal("A" * 12, told[:150])
    site.move("x")
    site.book.dispose()
    shutil.copy(site.path / "book.db", site.path / "backup.db")
    before = site.digest()
    site.journal("A" * 12, told[150:250])
    site.journal("C" * 12, told[250:])
    site.move("y", "z")
    full = site.digest()
    site.book.dispose()
    for suffix in ("-wal", "-shm"):
        (site.path / f"book.db{suffix}").unlink(missing_ok=True)
    shutil.copy(site.path / "backup.db", site.path / "book.db")
    assert site.digest() == before
    site.move("z", "y")
    site.journal("C" * 12, told[250:])
    site.journal("A" * 12, told[150:250])
    assert site.digest() == full


def test_a_ledger_that_went_on_otherwise_is_followed_anew(make: Callable[[str], Site]) -> None:
    one, two = make("one"), make("two")
    one.move("x", "y")
    one.digest()
    two.move("x", "z")
    wanted = two.digest()
    switched = Projector(two.book, one.telemetry, lambda: NOW)
    switched.catch_up()
    assert sql.digest(one.telemetry) == wanted


def test_what_is_old_is_forgotten_and_another_version_is_emptied(make: Callable[[str], Site]) -> None:
    site = make("one")
    site.journal("A" * 12, readings(50))
    site.digest()
    site.now = T0 + 731 * 86_400 * S
    site.projector.step()
    with read(site.telemetry) as tx:
        assert tx.scalar(select(func.count()).select_from(store.point)) == 0
    with write(site.telemetry) as tx:
        tx.execute(update(store.about).values(version=0))
    sql.prepare(site.telemetry)
    assert site.projector.lag() == len(readings(50))
    with pytest.raises(ConfigError, match=r"telemetry\.url"):
        sql.open_telemetry(Config(telemetry=Telemetry(url="influx")))


def test_a_gap_of_all_numbers_holds_nobody_up(make: Callable[[str], Site], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projector, "ROWS_A_STEP", 40)
    site = make("one")
    site.journal("A" * 12, readings(30))
    with write(site.book) as tx:
        held = journal.lock_stream(tx, "dock-a", "0" * 12)
        journal.raise_mark(tx, held, 2**53 - 1)
    site.journal("B" * 12, readings(100))
    assert site.projector.step() == 2 * (40 // 3)
    with read(site.telemetry) as tx:
        followed = projector.positions(tx)
    assert followed["dock-a", "0" * 12] == 2**53 - 1
    assert (followed["dock-a", "A" * 12], followed["dock-a", "B" * 12]) == (13, 13)
    assert [site.projector.step() for _ in range(2)] == [40, 40]
    site.projector.catch_up()
    assert site.projector.lag() == 0


def test_it_follows_while_it_runs(make: Callable[[str], Site]) -> None:
    site = make("one")
    site.journal("A" * 12, readings(50))
    stop = Event()
    thread = Thread(target=site.projector.run, args=(stop,))
    thread.start()
    while site.projector.lag():
        stop.wait(0.02)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
