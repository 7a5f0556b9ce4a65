"""The backend half as a table: what is held, what arrives, what is written."""

from datetime import UTC, datetime

import pytest

from models.commit import Commit, Held, commit
from models.reading import Gap

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
TEXTS = {1: b"a", 2: b"b", 3: b"c"}


def held(mark: int, pruned_to: int = 0) -> Held:
    """A stream that holds a, b, c up to its mark; 4 and 5 are covered by a gap once the mark is there."""
    return Held(mark, pruned_to, lambda seq, text: seq in {4, 5} or TEXTS.get(seq) == text)


@pytest.mark.parametrize(
    ("state", "seq", "readings", "expected"),
    [
        pytest.param(held(0), 1, [b"a", b"b"], Commit(2, journal=[(1, b"a"), (2, b"b")]), id="first batch"),
        pytest.param(held(2), 3, [b"c"], Commit(3, journal=[(3, b"c")]), id="next batch"),
        pytest.param(held(2), 2, [b"b", b"c"], Commit(3, journal=[(3, b"c")], dropped=1), id="overlapping"),
        pytest.param(held(3), 1, [b"a", b"b", b"c"], Commit(3, dropped=3), id="repeated"),
        pytest.param(held(0), 2, [b"b"], Commit(0), id="ahead of an unknown stream"),
        pytest.param(held(1), 3, [b"c"], Commit(1), id="ahead by one"),
        pytest.param(held(3), 4, [], Commit(3), id="empty at the next seq"),
        pytest.param(held(0), 900, [], Commit(0), id="empty and ahead: the backend was restored"),
        pytest.param(held(3), 1, [], Commit(3), id="empty and behind"),
        pytest.param(held(3), 2, [b"X"], Commit(3, conflicts=[(2, b"X")]), id="other text"),
        pytest.param(
            held(2),
            1,
            [b"a", b"X", b"c"],
            Commit(3, journal=[(3, b"c")], conflicts=[(2, b"X")], dropped=1),
            id="same, other and new in one batch",
        ),
        pytest.param(held(5), 4, [b"late"], Commit(5, dropped=1), id="covered by a gap"),
        pytest.param(held(3, 2), 1, [b"?", b"?", b"c"], Commit(3, dropped=1, pruned=2), id="pruned"),
        pytest.param(
            held(2, 2), 1, [b"?", b"?", b"c"], Commit(3, journal=[(3, b"c")], pruned=2), id="pruned up to the mark"
        ),
    ],
)
def test_readings(state: Held, seq: int, readings: list[bytes], expected: Commit) -> None:
    assert commit(state, seq, readings, None) == expected


@pytest.mark.parametrize(
    ("mark", "gap", "expected"),
    [
        pytest.param(0, (1, 9), Commit(9, gap=(1, 9)), id="whole"),
        pytest.param(3, (4, 4), Commit(4, gap=(4, 4)), id="one seq"),
        pytest.param(5, (2, 9), Commit(9, gap=(6, 9)), id="only the part above the mark"),
        pytest.param(9, (2, 9), Commit(9, dropped=1), id="repeated"),
        pytest.param(12, (2, 9), Commit(12, dropped=1), id="long past"),
        pytest.param(0, (2, 9), Commit(0), id="ahead"),
    ],
)
def test_gaps(mark: int, gap: tuple[int, int], expected: Commit) -> None:
    reading = Gap("", AT, gap[0], gap[1], "outbox quota")
    assert commit(held(mark), gap[0], [b"the gap's own text"], reading) == expected
