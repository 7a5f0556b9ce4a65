from hashlib import sha256
from random import Random
from typing import Any

import msgspec
import pytest

from models.dock.features import NAMES, Figures
from models.dock.learned import FORMAT, PassModel, _power, decode_model
from models.errors import Refused

READS, LEAD = NAMES.index("first_reads"), NAMES.index("sharp_ms")
FIGURE = {"tag_passes": 1, "unread": 0, "learned": 1.0, "rule": 0.5}
CARD: dict[str, Any] = {
    "layout": "reference",
    "seeds": [1],
    "passes": 1,
    "tag_passes": 1,
    "held_back_passes": 1,
    "timeout_s": 10.0,
    "all": FIGURE,
    "kinds": {"in": FIGURE},
    "library": "none",
}
LEAD_TREE = [0, [LEAD, -1, READS, -1, -1], [500, 0, 3, 0, 0], [2, 0, 4, 0, 0], [0, -2048, 512, 0, 2048]]
NONE_TREE = [2, [-1], [0], [0], [1024]]


def file(**changes: Any) -> bytes:
    whole = {"format": FORMAT, "name": "two", "features": [*NAMES], "card": CARD, "trees": [LEAD_TREE, NONE_TREE]}
    return msgspec.json.encode(whole | changes)


def figures(reads: int, lead_ms: int, *, inside_first: bool = False) -> Figures:
    values = [0] * len(NAMES)
    values[READS], values[LEAD] = reads, lead_ms
    return Figures(inside_first, tuple(values))


def test_the_trees_decide() -> None:
    model = decode_model(file())
    clear = model.judge(figures(9, 2000))
    assert clear.direction == "in"
    assert clear.chances == (0.571428, 0.142857, 0.285715)
    assert model.judge(figures(9, 2000, inside_first=True)).direction == "out"
    assert model.judge(figures(9, 500)).direction == "none"
    assert model.judge(figures(3, 501)).direction == "none"
    assert sum(clear.chances) == pytest.approx(1, abs=1e-9)
    assert clear.score == 0.571


def test_the_reasons_are_what_moved_it_with_their_shares() -> None:
    assert decode_model(file()).judge(figures(9, 2000)).reasons == [
        "9 reads outside, 0 inside (75 %)",
        "heard by the outside row only (25 %)",
    ]
    assert decode_model(file()).judge(figures(9, 400)).reasons == ["heard by the outside row only (100 %)"]


def test_a_model_is_named_after_its_bytes() -> None:
    one, other = decode_model(file()), decode_model(file(trees=[NONE_TREE]))
    assert one.name == "two@" + sha256(file()).hexdigest()[:8]
    assert one == decode_model(file())
    assert one != other
    assert len({one, other, decode_model(file())}) == 2


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"format": "x"}, "format: 'stockyard-pass-model-1' expected"),
        ({"name": "../etc"}, "$.name"),
        ({"features": ["a"]}, "features: those of this program expected"),
        ({"trees": []}, "trees: 1 to 3000 expected, got 0"),
        ({"trees": [NONE_TREE] * 3001}, "trees: 1 to 3000 expected, got 3001"),
        ({"trees": [[3, [-1], [0], [0], [0]]]}, "$.trees"),
        ({"trees": [[0, [], [], [], []]]}, "trees[0]: as many features"),
        ({"trees": [NONE_TREE, [0, [-1], [0], [0], []]]}, "trees[1]: as many features"),
        ({"trees": [[0, [len(NAMES), -1, -1], [0] * 3, [2, 0, 0], [0] * 3]]}, "node 0: feature: at most"),
        ({"trees": [[0, [0, -1, -1], [0] * 3, [1, 0, 0], [0] * 3]]}, "node 0: right: a node after 1"),
        ({"trees": [[0, [0, -1, -1], [0] * 3, [3, 0, 0], [0] * 3]]}, "node 0: right: a node after 1 and before 3"),
        ({"trees": [[0, [0, 0, -1], [0] * 3, [2, 0, 0], [0] * 3]]}, "node 1: right"),
        ({"trees": [[0, [-1], [0], [0], [1 << 25]]]}, "$.trees"),
        ({"trees": [[0, [-1], [1 << 60], [0], [0]]]}, "$.trees"),
        ({"surprise": 1}, "surprise"),
        ({"card": {}}, "$.card"),
    ],
)
def test_a_file_that_was_tampered_with_is_refused(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(Refused) as refused:
        decode_model(file(**changes))
    assert what in str(refused.value)


def test_any_bytes_are_refused_or_give_a_model_that_comes_to_an_end() -> None:
    chance, good = Random(5), file()
    outcomes = set()
    for _ in range(3000):
        text = bytearray(good[-400:])
        for _ in range(chance.randint(1, 4)):
            text[chance.randrange(len(text))] = chance.choice(b'0123456789,-[]"{}e.')
        try:
            model = decode_model(good[:-400] + bytes(text))
        except Refused:
            outcomes.add("refused")
            continue
        verdict = model.judge(figures(chance.randrange(20), chance.randrange(2000)))
        assert all(0 <= each <= 1 for each in verdict.chances)
        outcomes.add("judged")
    assert outcomes == {"refused", "judged"}
    for text in (b"", b"[" * 100_000, b"\xff" * 9, b" " * (1024 * 1024 + 1), b"null"):
        with pytest.raises(Refused):
            decode_model(text)


def test_powers_of_two() -> None:
    for logarithm in range(-70 * 1024, 1, 37):
        assert _power(logarithm) / 2**60 == pytest.approx(
            2 ** (logarithm / 1024) if logarithm > -60000 else 0, abs=1e-15
        )
    assert _power(0) == 1 << 60


def test_sums_of_any_size_give_chances() -> None:
    big = [0, [-1], [0], [0], [1 << 24]]
    model: PassModel = decode_model(file(trees=[big] * 50 + [[1, [-1], [0], [0], [-(1 << 24)]]]))
    assert model.judge(figures(1, 1)).chances == (1.0, 0.0, 0.0)
