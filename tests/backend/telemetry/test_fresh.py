"""What the projector has in memory of ten minutes says the same as the journal, or is not used."""

import os
import shutil
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from backend import projector
from backend.projector import Projector
from backend.telemetry import fresh, source_tens, sql
from backend.telemetry.rows import TEN_MINUTES, Bucket
from backend.telemetry.store import Store, StoreAway
from models.reading import Fix, Reading, Signal, Tag, from_micros
from tests.backend.telemetry.followed_site import T0, S, Site

A, B = "A" * 12, "B" * 12
MINUTE = 60 * S
Journal = list[Bucket]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    found = Site(tmp_path / "book.db", sql.on_file(tmp_path / "telemetry.db"))
    found.now = T0 + MINUTE
    yield found
    found.close()


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Journal:
    """The ten minutes that were read from the journal since the list was last emptied."""
    found: Journal = []

    def wholes(tx: object, buckets: Sequence[Bucket]) -> Iterator[source_tens.Whole]:
        found.extend(buckets)
        return source_tens.wholes(tx, buckets)  # type: ignore[arg-type]

    monkeypatch.setattr(fresh, "wholes", wholes)
    return found


def signal(device: str, at: int, value: float = 1.0, device_at: int | None = None) -> Signal:
    return Signal(
        device, from_micros(at), "x", value, "1", device_at=None if device_at is None else from_micros(device_at)
    )


def begun(device: str, at: int = T0) -> Bucket:
    return Bucket(f"dock-a/{device}", at // TEN_MINUTES * TEN_MINUTES)


def test_what_came_meanwhile_is_not_read_again(site: Site, read: Journal) -> None:
    for k in range(3):
        site.journal(A, [signal("d", T0 + k * S, float(k)), Tag("door", from_micros(T0 + k * S), f"{k:024x}", 1)])
        site.projector.step()
        site.now += 11 * S
    assert not read
    assert {row.total for row in site.store.rollups(["x"], None, (0, 2**62, TEN_MINUTES))} == {3.0}
    counts = site.store.readings(None, (0, 2**62, TEN_MINUTES))
    assert [(row.device, row.kind, row.readings) for row in counts] == [
        ("dock-a/d", "signal", 3),
        ("dock-a/door", "tag", 3),
    ]


def test_what_was_there_before_is_read(site: Site, read: Journal) -> None:
    site.journal(A, [signal("d", T0), signal("e", T0)])
    Projector(site.book, site.store, lambda: site.now).step()
    site.journal(A, [signal("d", T0 + S)])
    site.journal(B, [signal("new", T0 + S)])
    site.projector.step()
    assert set(read) == {begun("d")}, "not the one of which everything came now"


def test_what_a_reading_repeats_is_read(site: Site, read: Journal) -> None:
    site.journal(A, [signal("d", T0 + MINUTE, 5.0, T0), signal("e", T0)])
    site.projector.step()
    assert not read
    site.journal(B, [signal("d", T0, 5.0, T0)])
    site.now += 11 * S
    site.projector.step()
    assert set(read) == {begun("d")}


@pytest.mark.parametrize("is_done", [True, False])
def test_after_a_write_without_an_answer(site: Site, read: Journal, *, is_done: bool) -> None:
    site.journal(A, [signal("d", T0)])
    site.projector.step()
    site.journal(A, [signal("d", T0 + S, 2.0)])
    fail_once(site.store, "write", is_done=is_done)
    with pytest.raises(StoreAway):
        site.projector.step()
    site.journal(A, [signal("d", T0 + 2 * S, 4.0)])
    site.now += 11 * S
    site.projector.step()
    assert [row.total for row in site.store.rollups(["x"], None, (0, 2**62, TEN_MINUTES))] == [7.0]
    assert set(read) == ({begun("d")} if is_done else set())


def test_no_more_is_held_than_said(site: Site, read: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fresh, "MOST", 6)
    site.journal(A, [signal(f"d{k}", T0 + k * S) for k in range(5)])
    site.projector.step()
    assert set(read) == {begun("d0"), begun("d1")}, "each is one, and its sample another"


def test_what_is_over_is_let_go(site: Site, read: Journal) -> None:
    site.journal(A, [signal("d", T0)])
    site.projector.step()
    site.now += 30 * MINUTE
    site.projector.step()
    site.journal(A, [signal("d", T0 + S)])
    site.now += 11 * S
    site.projector.step()
    site.projector.step()
    assert set(read) == {begun("d")}


def test_what_still_comes_is_left_until_it_does_not(site: Site) -> None:
    """Of an hour that is over and comes late; the other device's comes no more."""
    site.now = T0 + 60 * MINUTE
    counts: list[list[tuple[str, int]]] = []
    for k in range(4):
        new = [signal("still", T0 + k * S)]
        site.journal(A, new if k else [*new, signal("done", T0)])
        site.projector.step()
        site.now += S
        counts.append(
            [(row.device[-5:], row.count) for row in site.store.rollups(["x"], None, (0, 2**62, TEN_MINUTES))]
        )
    assert counts[0] == [("/done", 1), ("still", 1)], (
        "the first time everything is rolled up, and then each ten seconds"
    )
    assert counts[1:] == [counts[0]] * 3
    site.projector.step()
    found = site.store.rollups(["x"], None, (0, 2**62, TEN_MINUTES))
    assert [row.count for row in found] == [1, 4]


def fail_once(store: Store, name: str, *, is_done: bool) -> None:
    """The next call fails, before it does anything or after it did it all."""
    act = getattr(store, name)

    def failing(*given: object, **named: object) -> None:
        delattr(store, name)
        if is_done:
            act(*given, **named)
        raise StoreAway("away")

    setattr(store, name, failing)


class Days(RuleBasedStateMachine):
    """Readings, steps, failures, another projector, a restored book: the store always says what a new one would."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp())
        self.names = count()
        self.site = Site(self.folder / "book.db", sql.on_file(self.folder / "telemetry.db"))
        self.site.now = T0 + MINUTE
        self.other = Projector(self.site.book, self.site.store, lambda: self.site.now)
        self.backup: Path | None = None

    @rule(
        epoch=st.sampled_from([A, B]),
        said=st.lists(
            st.tuples(
                st.sampled_from(["d", "e", "imei:356307042441013"]),
                st.integers(-12, 2),
                st.sampled_from(["signal", "fix", "tag", "said again"]),
                st.integers(0, 3),
            ),
            min_size=1,
            max_size=8,
        ),
    )
    def say(self, epoch: str, said: list[tuple[str, int, str, int]]) -> None:
        self.site.journal(epoch, [self.reading(*each) for each in said])

    def reading(self, device: str, minutes: int, kind: str, value: int) -> Reading:
        at = self.site.now // MINUTE * MINUTE + minutes * MINUTE
        if kind == "fix":
            return Fix(device, from_micros(at), lat=50.0, lon=value / 8, speed_mps=float(value))
        if kind == "tag":
            return Tag(device, from_micros(at), f"{value:024x}", 1)
        return signal(device, at, float(value), T0 if kind == "said again" else None)

    @rule(seconds=st.sampled_from([0, 1, 11, 120, 700]))
    def step(self, seconds: int) -> None:
        self.site.now += seconds * S
        self.site.projector.step()

    @rule(name=st.sampled_from(["write", "replace", "positions"]), is_done=st.booleans())
    def fail(self, name: str, *, is_done: bool) -> None:
        fail_once(self.site.store, name, is_done=is_done)
        self.site.now += 11 * S
        try:
            self.site.projector.step()
        except StoreAway:
            return
        self.site.store.__dict__.pop(name, None)

    @rule()
    def another_takes_over(self) -> None:
        self.other.step()

    @rule()
    def back_up(self) -> None:
        self.backup = self.site.backup()

    @precondition(lambda self: self.backup is not None)
    @rule()
    def restore(self) -> None:
        assert self.backup is not None
        self.site.restore(self.backup)
        self.site.projector.step()

    @rule()
    def compare(self) -> None:
        anew = sql.on_file(self.folder / f"anew-{next(self.names)}.db")
        Projector(self.site.book, anew, lambda: self.site.now).catch_up()
        assert self.site.digest() == anew.digest()
        anew.close()

    def teardown(self) -> None:
        try:
            self.compare()
        finally:
            self.site.close()
            shutil.rmtree(self.folder)


@pytest.mark.parametrize("most", [4, 1000])
def test_any_days(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(fresh, "MOST", most)
    monkeypatch.setattr(projector, "ROWS_A_STEP", 10)
    many = int(os.environ.get("STOCKYARD_STORIES", "40"))
    run_state_machine_as_test(
        Days, settings=settings(max_examples=many, stateful_step_count=20, deadline=None, print_blob=True)
    )
