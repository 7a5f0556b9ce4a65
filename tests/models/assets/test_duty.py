"""The duty of a hoist: debounced starts, the factor of what is known how, and a contact that sticks."""

from decimal import Decimal

import pytest

from models.assets.duty import Contact, left, starts, stuck
from models.declared_use import Duty, PastDuty
from models.motion.spans import Span

D = Decimal
S, H = 1_000_000, 3_600_000_000
STARTS: dict[str, tuple[list[Span], list[Span], tuple[int, int | None]]] = {
    "none": ([], [], (0, 0)),
    "three": ([(0, 9 * S), (20 * S, 25 * S), (40 * S, 90 * S)], [], (3, 3)),
    "a contact that bounces": ([(0, S // 10), (S // 5, 9 * S), (9 * S + S // 2, 12 * S)], [], (1, 1)),
    "a touch of the contact": ([(0, 9 * S), (20 * S, 20 * S + S // 2)], [], (1, 1)),
    "on for a second": ([(0, S)], [], (1, 1)),
    "off for a second": ([(0, 9 * S), (10 * S, 19 * S)], [], (2, 2)),
    "on when it is heard again": ([(0, 9 * S), (H, H + 9 * S)], [(9 * S, H)], (1, None)),
    "started after it was heard again": ([(0, 9 * S), (2 * H, 3 * H)], [(9 * S, H)], (2, None)),
}


@pytest.mark.parametrize("name", STARTS)
def test_starts(name: str) -> None:
    lifting, dark, expected = STARTS[name]
    assert starts(lifting, dark) == expected


DESIGN = Duty(design_hours=D(3200), design_starts=D(1_000_000))
LIVES: dict[str, tuple[list[PastDuty], tuple[Decimal, Decimal]]] = {
    "watched from the first day": ([], (D(1400), D(1400))),
    "process documents of 1000 h before": ([PastDuty("documented_process", D(1000))], (D(300), D(300))),
    "nobody wrote them down": ([PastDuty("undocumented", D(1000))], (D(100), D(100))),
    "and nobody knows how it was used": ([PastDuty("unknown", D(1000))], (D(-100), D(-100))),
    "two owners": ([PastDuty("unknown", D(200)), PastDuty("documented_production", D(500))], (D(500), D(500))),
}


@pytest.mark.parametrize("name", LIVES)
def test_what_is_left_of_the_design(name: str) -> None:
    before, expected = LIVES[name]
    found = left(Duty(DESIGN.design_hours, DESIGN.design_starts, before), (D(1800), D(1800)), (D(40), D(40)))
    assert found["hours"].left == expected


def test_what_is_not_known_is_a_range_or_not_said() -> None:
    found = left(DESIGN, (D(1800), D(1900)), (D(40), None))
    assert {name: each.left for name, each in found.items()} == {"hours": (D(1300), D(1400))}
    assert left(Duty(), (D(1), D(1)), (D(1), D(1))) == {}


STUCK = {
    "off": (Contact(on=False, since=0, last_at=99 * H), None),
    "on for a shift": (Contact(on=True, since=0, last_at=8 * H), None),
    "on for a day": (Contact(on=True, since=0, last_at=24 * H), None),
    "on for longer": (Contact(on=True, since=0, last_at=25 * H), "on for 25 h"),
    "the ignition has just gone off": (Contact(True, 0, H, H - 59 * S), None),  # noqa: FBT003 - on
    "the ignition is off": (Contact(True, 0, H, H - 60 * S), "ignition"),  # noqa: FBT003 - on
    "it goes on while the ignition is off": (Contact(True, H - 60 * S, H, 0), "ignition"),  # noqa: FBT003 - on
}


@pytest.mark.parametrize("name", STUCK)
def test_a_contact_that_sticks(name: str) -> None:
    contact, says = STUCK[name]
    found = stuck(contact)
    assert (found is None) if says is None else (found is not None and says in found)
