"""Changes of the register: from a past date, over an open pass or a waiting item, known before or after."""

from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import event

from backend.book.schema import crossing, movement, scan_act
from models.declared import Desk, Device, Door, Item, PackGtin, TagBinding
from models.reading import Reading
from tests.backend.books import DAY, SECOND, Yard, facts
from tests.backend.stories import BOLT, MIDNIGHT, PUMP, TAGS, Change, declare
from tests.backend.test_deriver import alike, broken, scan, tag, through


def a_door(inside: list[int], outside: list[int], timeout_s: float) -> Device:
    return Device(
        gateway="dock-a", name="door-1", door=Door(inside, outside, "warehouse", "supplier", "customer", timeout_s)
    )


CHANGES: list[tuple[str, list[Change]]] = [
    ("units", [Change("items", "PUMP-40", Item("Pump", gtins=[PackGtin(PUMP, Decimal(6))]), MIDNIGHT)]),
    ("no number", [Change("items", "PUMP-40", Item("Pump"), MIDNIGHT + 12 * SECOND)]),
    ("antennas", [Change("devices", "dock-a/door-1", a_door([3, 4], [1, 2], 3.0), MIDNIGHT)]),
    ("time-out", [Change("devices", "dock-a/door-1", a_door([1, 2], [3, 4], 0.5), MIDNIGHT + 11 * SECOND)]),
    ("no door", [Change("devices", "dock-a/door-1", Device(gateway="dock-a", name="door-1"), MIDNIGHT + 12 * SECOND)]),
    ("binding", [Change("tags", TAGS[0], TagBinding("stock", "VALVE-2IN", Decimal(3)), MIDNIGHT)]),
    ("not ours", [Change("tags", TAGS[0], TagBinding("none"), MIDNIGHT - DAY)]),
]


@pytest.mark.parametrize(("name", "changes"), CHANGES)
def test_a_change_of_the_register_from_a_past_date_is_followed(
    name: str, changes: list[Change], template: Path, tmp_path: Path
) -> None:
    before, later = (Yard.copy(template, tmp_path / f"{k}.db", MIDNIGHT + 60 * SECOND) for k in "ab")
    declare(before, changes)
    for yard in (before, later):
        yard.send([*through(-3600), *through(10), *through(3600)])
        yard.settle(2 * DAY)
    unchanged = facts(later.book)
    declare(later, changes)
    alike(before, later)
    assert facts(later.book) != unchanged, name


def in_both_orders(folder: Path, template: Path, changes: list[Change], late: Reading, *first: Reading) -> list[Yard]:
    """Two yards where the deriver rests after every reading: `late` comes in order, and last."""
    yards: list[Yard] = []
    for name, told in (("a", sorted((*first, late), key=lambda each: each.at)), ("b", [*first, late])):
        yard = Yard.copy(template, folder / f"{name}.db", MIDNIGHT + 2 * DAY)
        declare(yard, changes)
        for reading in told:
            yard.send([reading])
            yard.settle(60 * SECOND)
        yards.append(yard)
    return yards


@pytest.mark.parametrize("late", [tag(3600.5), tag(-1.5, 1)], ids=["next day", "same day"])
def test_a_pass_that_a_change_ends_before_midnight_and_a_silence_after(
    late: Reading, template: Path, tmp_path: Path
) -> None:
    doors = [a_door([1, 2], [3, 4], 8.0), a_door([1], [2], 2.0)]
    times = [MIDNIGHT - 60 * SECOND, MIDNIGHT - 2 * SECOND]
    changes = [Change("devices", "dock-a/door-1", door, at) for door, at in zip(doors, times, strict=True)]
    first = [tag(-6), tag(-4, 1), tag(-1), tag(3600), tag(3601, 1)]
    yards = in_both_orders(tmp_path, template, changes, late, *first)
    alike(yards[0], yards[1])
    ended = [(row["direction"], row["closed_at"]) for row in yards[1].rows(crossing)]
    assert ("in", MIDNIGHT + 4 * SECOND) in ended
    assert len(yards[1].rows(movement)) == 1


@pytest.mark.parametrize("late", [3600, -1.5], ids=["next day", "same day"])
def test_an_item_that_waited_when_its_desk_was_taken_away_before_midnight(
    late: float, template: Path, tmp_path: Path
) -> None:
    desks = [Desk("desk", "supplier", "customer"), None, Desk("desk", "customer", "supplier")]
    times = [MIDNIGHT - DAY, MIDNIGHT - 2 * SECOND, MIDNIGHT + 2 * SECOND]
    changes = [
        Change("devices", "dock-a/scanner-1", Device(gateway="dock-a", name="scanner-1", desk=desk), at)
        for desk, at in zip(desks, times, strict=True)
    ]
    codes = [(-40, "SY:RECEIVE"), (-30, "SY:LOC:desk"), (-20, f"01{BOLT}"), (-1, "SY:CONFIRM"), (3601, "SY:ISSUE")]
    first = [scan(at, code) for at, code in codes]
    yards = in_both_orders(tmp_path, template, changes, scan(late, "SY:CONFIRM"), *first)
    alike(yards[0], yards[1])
    (act,) = yards[1].rows(scan_act)
    assert (act["action"], act["at"], act["day"]) == ("receive", MIDNIGHT + 40 * SECOND, MIDNIGHT // DAY - 1)
    last = yards[1].rows(movement)[-1]
    assert (last["source"], last["target"], last["reverses"]) == ("supplier", "desk", None)


def test_a_pass_is_judged_by_the_parameters_that_it_began_with(yard: Yard) -> None:
    declare(yard, [Change("devices", "dock-a/door-1", a_door([3, 4], [1, 2], 3.0), MIDNIGHT + 12 * SECOND)])
    yard.send(through(10))
    yard.settle()
    rows = [((row["first_at"] - MIDNIGHT) / SECOND, row["evidence_count"]) for row in yard.rows(crossing)]
    assert rows == [(10, 2), (12, 2)]
    assert not broken(yard)


def test_what_a_tag_is_on_is_told_without_a_walk_through_all_tags(yard: Yard) -> None:
    """Scanners say so all day long, in the transaction that takes their scans in."""
    yard.send(through(10))
    asked: list[tuple[str, tuple[object, ...]]] = []
    event.listen(yard.book, "before_cursor_execute", lambda *args: asked.append((args[2], args[3])))
    declare(yard, [Change("tags", TAGS[0], TagBinding("stock", "VALVE-2IN", Decimal(3)), MIDNIGHT)])
    selects = [each for each in asked if each[0].startswith("SELECT")]
    with yard.book.connect() as tx:
        plans = [str(tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", params).all()) for sql, params in selects]
    assert any("fold_state" in plan for plan in plans)
    assert not [plan for plan in plans if "SCAN crossing" in plan or "SCAN fold_state" in plan or "(step=?)'" in plan]
