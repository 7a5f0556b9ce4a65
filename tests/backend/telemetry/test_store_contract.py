"""What every telemetry store must do, on each kind there is: whatever comes in whatever order, it says the same."""

import random
from collections import defaultdict
from collections.abc import Callable
from math import fsum

import pytest

from backend import projector
from backend.telemetry import rollup
from backend.telemetry.rows import (
    HOUR,
    TEN_MINUTES,
    Bucket,
    Followed,
    LedgerPosition,
    Rolled,
    Span,
    Step,
    StockRow,
)
from backend.telemetry.store import Store, StoreAway
from models.reading import Fix, Meter, Reading, Signal, Tag, from_micros, micros
from tests.backend.telemetry.followed_site import NOW, T0, S, Site, readings
from tests.backend.telemetry.places import Place
from tests.backend.telemetry.samples import sample

Make = Callable[[], Site]
A, B, C = "A" * 12, "B" * 12, "C" * 12
EVER = 2**62
CRANE, TRACKER = "dock-a/crane-2", "imei:356307042441013"


def test_any_order_and_any_repeats_say_the_same(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projector, "ROWS_A_STEP", 97)
    monkeypatch.setattr(projector, "BUCKETS_A_TURN", 5)
    all_of_it = readings(120)
    first = make()
    first.journal(A, sorted(all_of_it, key=lambda each: each.at))
    first.move("x", "y")
    wanted = first.digest()
    others = [make(), make()]
    for seed, other in enumerate(others):
        chance = random.Random(seed)
        mixed = [*all_of_it, *chance.sample(all_of_it, 40)]
        chance.shuffle(mixed)
        other.move("y", "z")
        for k in range(0, len(mixed), 70):
            other.journal(f"{'B' * 11}{k % 2}", mixed[k : k + 70])
            other.now += 60 * S
            other.projector.step()
        other.move("x", withdrawn=["z"])
        assert other.digest() == wanted
    others[0].projector.rebuild()
    assert others[0].store.digest() == wanted
    first.journal(A, readings(5)[:1])
    assert first.digest() == wanted
    first.journal(A, [Signal("crane-2", from_micros(T0), "gearbox_temperature", 3.0, "Cel")])
    assert first.digest() != wanted, "a digest that never differs says nothing"


def _expected(told: list[Reading], width: int) -> dict[tuple[str, str, int], tuple[int, float, float, float, float]]:
    """By device, series and bucket: count, mean, least, greatest, last. Of what was said twice the earliest counts."""
    earliest: dict[object, Reading] = {}
    for each in sorted(told, key=lambda each: each.at):
        said = (
            type(each),
            each.device,
            getattr(each, "name", ""),
            each.device_at or each.at,
            getattr(each, "value", 0),
        )
        earliest.setdefault(said, each)
    values: defaultdict[tuple[str, str, int], list[float]] = defaultdict(list)
    for each in earliest.values():
        bucket = micros(each.at) // width * width
        if isinstance(each, Signal | Meter):
            values[f"dock-a/{each.device}", each.name, bucket].append(each.value)
        elif isinstance(each, Fix) and each.speed_mps is not None:
            values[each.device, "speed_mps", bucket].append(each.speed_mps)
    return {of: (len(v), fsum(v) / len(v), min(v), max(v), v[-1]) for of, v in values.items()}


@pytest.mark.parametrize("width", [TEN_MINUTES, HOUR])
def test_rollups_are_what_plain_python_makes_of_the_readings(make: Make, width: int) -> None:
    site = make()
    told = readings(300)
    chance = random.Random(3)
    told += [
        Fix(TRACKER, from_micros(T0 + k * 40 * S), 50.0, 4.0, speed_mps=chance.choice([0.0, 0.4, 3.0]))
        for k in range(150)
    ]
    chance.shuffle(told)
    for k in range(0, len(told), 90):
        site.journal(f"{'B' * 11}{k % 3}", told[k : k + 90])
        site.projector.step()
    site.digest()
    names = ["gearbox_temperature", "oil_pressure", "engine_hours", "speed_mps"]
    found = {
        (row.device, row.name, row.begin): (row.count, row.total / row.count, row.low, row.high, row.last)
        for row in site.store.rollups(names, None, (0, EVER, width))
    }
    wanted = _expected(told, width)
    assert found.keys() == wanted.keys()
    for of, row in wanted.items():
        assert found[of] == pytest.approx(row, rel=1e-12), of
    driving = site.store.rollups(["speed_mps"], [TRACKER], (0, EVER, width))
    speeds = [each.speed_mps for each in told if isinstance(each, Fix) and each.speed_mps is not None]
    assert sum(row.zeros for row in driving) == speeds.count(0.0)
    assert sum(row.moving for row in driving) == speeds.count(3.0)
    assert sum(row.moving_total for row in driving) == 3 * speeds.count(3.0)


def test_counts_are_of_distinct_readings(make: Make) -> None:
    site = make()
    told = readings(200)
    site.journal(A, told)
    site.digest()
    tags = {(each.epc, each.device_at) for each in told if isinstance(each, Tag)}
    for width in (TEN_MINUTES, HOUR):
        counts = site.store.readings(["dock-a/door-1"], (0, EVER, width))
        assert {each.kind for each in counts} == {"tag"}
        assert sum(each.readings for each in counts) == len(tags)
    assert {each.kind for each in site.store.readings(None, (0, EVER, HOUR))} == {
        "tag",
        "fix",
        "signal",
        "meter",
        "input",
    }


def test_an_earlier_repeat_takes_the_place_of_what_was_written(make: Make) -> None:
    site = make()
    times = [T0 + 1800 * S, T0 + 300 * S, T0, T0 + 7200 * S]
    for k, at in enumerate(times):
        said = Signal("crane-2", from_micros(at), "oil_pressure", 4.5, "bar", device_at=from_micros(T0))
        site.journal(f"{'B' * 11}{k}", [said])
        site.digest()
    assert [(each.at, each.value) for each in site.store.points(["oil_pressure"], None, 0, EVER)] == [(T0, 4.5)]
    assert [each.begin for each in site.store.readings(None, (0, EVER, TEN_MINUTES))] == [T0]
    assert [(each.begin, each.count) for each in site.store.rollups(None, None, (0, EVER, TEN_MINUTES))] == [(T0, 1)]


def test_a_restored_book_takes_the_store_back(make: Make) -> None:
    told = readings(300)
    site = make()
    site.journal(A, told[:150])
    site.move("x")
    backup = site.backup()
    before = site.digest()
    site.journal(A, told[150:250])
    site.journal(C, told[250:])
    site.move("y", "z")
    full = site.digest()
    site.restore(backup)
    assert site.digest() == before
    site.move("z", "y")
    site.journal(C, told[250:])
    site.journal(A, told[150:250])
    assert site.digest() == full


def test_a_ledger_that_went_on_otherwise_is_followed_anew(make: Make) -> None:
    one, two = make(), make()
    one.move("x", "y")
    one.digest()
    two.move("x", "z")
    wanted = two.digest()
    projector.Projector(two.book, one.store, lambda: NOW).catch_up()
    assert one.store.digest() == wanted


def test_what_is_old_is_forgotten_whole(make: Make) -> None:
    site, young = make(), make()
    told = sorted(readings(120), key=lambda each: each.at)
    cut = T0 // HOUR * HOUR + HOUR
    late = [each for each in told if micros(each.at) >= cut and each.device_at is None]
    site.journal(A, [each for each in told if each.device_at is None])
    young.journal(A, late)
    wanted = young.digest()
    assert site.digest() != wanted
    site.store.forget(cut)
    assert site.store.digest() == wanted
    assert site.projector.lag() == 0, "positions stay: what is forgotten is not followed again"


def test_every_call_may_be_repeated(place: Place) -> None:
    once, twice = place.new(), place.new()
    chance = random.Random(1)
    samples = [sample("d", T0 + k * S, chance.randrange(2**62), ("x", "1", float(k % 3))) for k in range(20)]
    step = Step({}, samples, [Followed(("g", A), 20, {Bucket("d", T0): 20})], frozenset({Bucket("e", T0)}))
    ten = Rolled("d", T0, TEN_MINUTES, {"signal": 20}, rollup.rolled("d", T0, samples), samples, anew=True)
    stock = [StockRow(1, "x", T0, "A", 5), StockRow(1, "y", T0, "A", -5)]
    for store, times in ((once, 1), (twice, 2)):
        for act in (
            store.prepare,
            lambda store=store: store.write(step),
            lambda store=store: store.write_stock(stock, LedgerPosition(1, b"h"), anew=False),
            lambda store=store: store.replace([ten]),
        ):
            for _ in range(times):
                act()
    assert once.digest() == twice.digest()
    for store in (once, twice):
        assert (store.positions().streams, store.positions().ledger) == ({("g", A): 20}, (1, b"h"))
        assert [tuple(each) for each in store.stale(9, EVER)] == [(("e", T0), True)]
        store.write(Step(followed=[Followed(("g", A), 21, {Bucket("e", T0): 21, Bucket("d", T0 + TEN_MINUTES): 21})]))
        assert [each.anew for each in store.stale(9, EVER)] == [True, False], "once with its samples, until replaced"
        assert [each.bucket.begin for each in store.stale(9, T0 + 1)] == [T0]
        assert len(store.stale(1, EVER)) == 1
        store.clear()
        assert store.positions().streams == {}
        assert store.positions().ledger == (0, b"")
        assert store.stale(9, EVER) == []
        store.close()


def test_two_readings_of_one_moment_are_both_kept(place: Place) -> None:
    store = place.new()
    store.prepare()
    told = [sample("d", T0, content, ("x", "1", value)) for content, value in ((5, 1.0), (1006, 2.0))]
    store.write(Step(samples=told))
    assert sorted(each.value for each in store.points(["x"], None, 0, EVER)) == [1.0, 2.0]
    assert [each.value for each in store.last([Span("d", 0, EVER)], ["x"])] == [2.0]
    store.close()


class Failing:
    """A store that is away at every third call: before it does anything, or after it did everything."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._calls = 0

    def __getattr__(self, name: str) -> object:
        act = getattr(self._store, name)

        def call(*given: object, **named: object) -> object:
            self._calls += 1
            if self._calls % 6 == 3:
                raise StoreAway("away")
            found = act(*given, **named)
            if self._calls % 6 == 0:
                raise StoreAway("away, after it was done")
            return found

        return call


def test_what_a_store_misses_while_it_is_away_comes_later(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projector, "ROWS_A_STEP", 50)
    site, calm = make(), make()
    told = readings(200)
    calm.journal(A, told)
    calm.move("x", "y")
    wanted = calm.digest()
    failing = projector.Projector(site.book, Failing(site.store), lambda: site.now)  # type: ignore[arg-type]
    failures = 0
    for k in range(0, len(told), 40):
        site.journal(A, told[k : k + 40])
        if k == 80:
            site.move("x", "y")
        site.now += 60 * S
        try:
            failing.step()
        except StoreAway:
            failures += 1
    assert failures > 2
    assert site.digest() == wanted


def test_a_store_that_was_wiped_is_noticed_and_filled_anew(make: Make, place: Place) -> None:
    site = make()
    site.journal(A, readings(60))
    site.move("x")
    wanted = site.digest()
    place.wipe(site.store)
    assert site.store.positions().streams == {}
    while site.projector.step():
        site.now += 60 * S
    assert site.digest() == wanted
