"""Calendar entries: a change raises the sequence and nothing else does; what is done goes, the withdrawn is told."""

from datetime import date
from typing import Any

import pytest

from models.maintenance.feed import KEPT_US, Entry, changes


def entry(uid: str = "u", occurrence: int | None = 2, **known: Any) -> Entry:
    days = {"begin": date(2026, 12, 1), "end": date(2026, 12, 3)}
    return Entry(
        **(
            {
                "uid": uid,
                "asset": "A",
                "plan": "A/oil",
                "occurrence": occurrence,
                "team": None,
                **days,
                "title": "t",
                "text": "x",
            }
            | known
        )
    )


TOLD = entry(sequence=4, changed_at=10)


@pytest.mark.parametrize(
    ("present", "done", "now", "saved", "gone"),
    [
        ([entry()], 1, 20, [], []),
        ([entry(end=date(2026, 12, 4))], 1, 20, [entry(end=date(2026, 12, 4), sequence=5, changed_at=20)], []),
        ([entry(), entry("v", 3)], 1, 20, [entry("v", 3, sequence=0, changed_at=20)], []),
        ([], 1, 20, [entry(is_cancelled=True, sequence=5, changed_at=20)], []),
        ([], 2, 20, [], ["u"]),
    ],
)
def test_what_changed(present: list[Entry], done: int, now: int, saved: list[Entry], gone: list[str]) -> None:
    found = changes(present, {"u": TOLD}, {("A", "A/oil"): done}, now)
    assert ([*found.saved], [*found.gone]) == (saved, gone)


def test_what_was_withdrawn_is_told_for_a_while_and_may_come_back() -> None:
    cancelled = entry(is_cancelled=True, sequence=5, changed_at=20)
    assert changes([], {"u": cancelled}, {}, 20 + KEPT_US).saved == ()
    assert changes([], {"u": cancelled}, {}, 20 + KEPT_US).gone == ()
    assert changes([], {"u": cancelled}, {}, 21 + KEPT_US).gone == ("u",)
    assert changes([entry()], {"u": cancelled}, {}, 30).saved == (entry(sequence=6, changed_at=30),)
    assert changes([], {"u": entry(occurrence=None, plan=None)}, {}, 30).saved[0].is_cancelled
