"""Halts: a backlog that comes piece by piece is folded from where it goes on, and ends in the orderly book."""

import gc
import random
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from backend import deriver, halts, journal_days
from backend.book import register
from backend.book.db import write
from backend.book.schema import run
from backend.deriver import Deriver
from backend.refold import Folding, Refold
from backend.step import Derived, Key
from models.declared import Asset, Device, Location, Tracker
from models.reading import Fix, Reading, Tag, from_micros
from tests.backend.books import DAY, SECOND, Yard, facts
from tests.backend.stories import MIDNIGHT, TAGS

TRACKER = "imei:350000000000001"
FIXES, PIECE = 400, 20


def fixes(chance: random.Random) -> list[Reading]:
    """Some driving and standing, one each 30 s from 4 h after midnight."""
    lat, moves, told = 51.0, False, list[Reading]()
    for k in range(FIXES):
        moves = moves if chance.random() < 0.9 else not moves
        lat += 0.003 if moves else 0.0
        at = from_micros(MIDNIGHT + (14_400 + 30 * k) * SECOND)
        told.append(Fix(TRACKER, at, round(lat, 6), 3.7, speed_mps=11.0 if moves else 0.0, valid=True))
    return told


def tracked(template: Path, file: Path) -> Yard:
    yard = Yard.copy(template, file, MIDNIGHT + 30_000 * SECOND)
    with write(yard.book) as tx:
        stamp: dict[str, Any] = {"valid_from": 0, "actor": "test", "now": 1}
        register.put(tx, "assets", "T1", Asset("truck", "1"), **stamp)
        register.put(tx, "devices", TRACKER, Device(TRACKER, tracker=Tracker("T1")), **stamp)
    return yard


@pytest.fixture
def folded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many readings each fold of the deriver took."""
    found: list[int] = []
    fold: Callable[..., Folding] = deriver.fold

    def counting(*given: Any) -> Folding:
        folding = fold(*given)
        found.append(folding.readings)
        return folding

    monkeypatch.setattr(deriver, "fold", counting)
    return found


def pieces(told: list[Reading]) -> list[list[Reading]]:
    """The newest first, then the backlog in order."""
    return [told[-PIECE:], *(told[low : low + PIECE] for low in range(0, FIXES - PIECE, PIECE))]


def told_in(yard: Yard, parts: list[list[Reading]]) -> dict[str, Any]:
    for part in parts:
        yard.send(part)
        yard.settle(SECOND)
    found = facts(yard.book)
    yard.book.dispose()
    return found


def test_a_backlog_is_folded_from_where_it_goes_on(template: Path, tmp_path: Path, folded: list[int]) -> None:
    told = fixes(random.Random(5))
    orderly = told_in(tracked(template, tmp_path / "orderly.db"), [told])
    assert not folded
    late = told_in(tracked(template, tmp_path / "late.db"), pieces(told))
    assert late == orderly
    assert len(folded) >= FIXES // PIECE - 1
    assert max(folded) <= 2 * PIECE, "the piece and the newest, and nothing before"


def test_what_comes_before_a_halt_is_folded_from_midnight(template: Path, tmp_path: Path, folded: list[int]) -> None:
    told = fixes(random.Random(6))
    orderly = told_in(tracked(template, tmp_path / "orderly.db"), [told])
    missing, last = told[7], pieces(told[:7] + told[8:] + told[-1:])
    late = told_in(tracked(template, tmp_path / "late.db"), [*last[:9], [missing], *last[9:]])
    assert late == orderly
    assert max(folded) > 4 * PIECE, "all of the day until then"


def test_what_another_process_folded_meanwhile_is_not_passed_over(template: Path, tmp_path: Path) -> None:
    told = fixes(random.Random(8))
    orderly = told_in(tracked(template, tmp_path / "orderly.db"), [told])
    yard = tracked(template, tmp_path / "late.db")
    parts = pieces(told[:137] + told[138:] + told[-1:])
    for part in parts[:9]:
        yard.send(part)
        yard.settle(SECOND)
    mine, yard.deriver = yard.deriver, Deriver(yard.book, yard.clock)
    yard.send([told[137]])
    yard.settle(SECOND)
    yard.deriver = mine
    assert told_in(yard, parts[9:]) == orderly


def test_who_derives_again_after_another_process_remembers_nothing(template: Path, tmp_path: Path) -> None:
    def seen(hour: float, antenna: int, device_at: int | None = None) -> Reading:
        at = from_micros(MIDNIGHT + round(3600 * hour * SECOND))
        return Tag("door-1", at, TAGS[0], antenna, device_at=None if device_at is None else from_micros(device_at))

    passing = [seen(8, 1), seen(8.0001, 3, 5), seen(8.0002, 2)]
    parts = [passing[::2], passing[1:2], [seen(10, 1)], [seen(12, 1)], [seen(10.5, 1)]]
    repeated, more = seen(-2, 3, 5), [seen(10.6, 1), seen(10.6001, 2)]
    orderly = told_in(Yard.copy(template, tmp_path / "orderly.db", MIDNIGHT + DAY), [[repeated], *parts, more])
    yard = Yard.copy(template, tmp_path / "late.db", MIDNIGHT + DAY)
    for part in parts:
        yard.send(part)
        yard.settle(SECOND)
    mine, yard.deriver = yard.deriver, Deriver(yard.book, yard.clock)
    yard.send([repeated])
    yard.settle(SECOND)
    over = Event()
    over.set()
    mine.run(over)
    yard.deriver = mine
    assert told_in(yard, [more]) == orderly


def test_a_register_that_holds_no_more_is_not_kept_in_memory(template: Path, tmp_path: Path) -> None:
    yard = tracked(template, tmp_path / "late.db")
    told = fixes(random.Random(9))
    stamp: dict[str, Any] = {"valid_from": 0, "actor": "test", "now": 1}
    with write(yard.book) as tx:
        register.put(tx, "assets", "T2", Asset("truck", "2"), **stamp)
        register.put(tx, "devices", f"{TRACKER}2", Device(f"{TRACKER}2", tracker=Tracker("T2")), **stamp)
    for part in pieces(told)[:3]:
        yard.send(part)
        yard.settle(SECOND)
    with write(yard.book) as tx:
        register.put(tx, "locations", "new", Location("New"), **stamp)
    for part in pieces(told)[:3]:
        yard.send([Fix(f"{TRACKER}2", each.at, 51.0, 3.7, valid=True) for each in part])
        yard.settle(SECOND)
    gc.collect()
    halted = [each for each in gc.get_objects() if isinstance(each, halts.Halt)]
    mine = [each for each in halted if "T2" in each.register.all("assets", SECOND)]
    assert len({id(each.register) for each in mine}) == 1
    yard.book.dispose()


def test_what_toggles_all_day_is_folded_in_little_memory() -> None:
    folding = Refold(Key(1, "gw/crane", ""), MIDNIGHT // DAY, MIDNIGHT // DAY, None, {})
    tracemalloc.start()
    for k in range(400):
        folding.stand(MIDNIGHT // DAY)
        folding.last_at = MIDNIGHT + k * SECOND
        rows = (Derived("hours", run, f"{k}-{n}", folding.last_at, folding.last_at, {}, None) for n in range(25))
        folding.new += rows
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * 2**20, "each halt on the way would hold the ids of all rows before it"
    assert len(folding.stood) == halts.MOST_OF_KEY
    assert len(folding.rows_by(folding.stood[-1][-1])) == 25 * 399


def test_the_newest_halts_of_few_keys_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halts, "MOST", 4)
    kept: dict[halts.HaltKey, Any] = {}
    for device in range(5):
        key = ("motion", device, "")
        halts.remember(kept, [Posted([key], {key: [device, device]})])  # type: ignore[dict-item, list-item]
    assert [device for _, device, _ in kept] == [3, 4]
    halts.remember(kept, [Posted([("motion", 3, "")], {})])
    assert [device for _, device, _ in kept] == [4], "what was folded without a halt has none"


class Posted:
    """What `remember` looks at."""

    def __init__(self, of_keys: list[halts.HaltKey], of_them: dict[halts.HaltKey, Any]) -> None:
        self.of_keys = of_keys
        self.halts = of_them


def test_a_day_is_in_memory_a_page_at_a_time(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folded: list[int]
) -> None:
    told = fixes(random.Random(7))
    orderly = told_in(tracked(template, tmp_path / "orderly.db"), [told])
    monkeypatch.setattr(journal_days, "PAGE", 7)
    sizes: list[int] = []
    once: Callable[..., dict[str, list[Any]]] = journal_days._once

    def sizing(*given: Any) -> dict[str, list[Any]]:
        found = once(*given)
        sizes.extend(len(each) for each in found.values())
        return found

    monkeypatch.setattr(journal_days, "_once", sizing)
    late = told_in(tracked(template, tmp_path / "late.db"), [told[200:], told[:200]])
    assert late == orderly
    assert sum(folded) == FIXES
    assert max(sizes) == 7
