"""Prefixes against plain text comparison, on random EPCs."""

import random

import pytest

from edge.drivers.epc_prefix import wanted

CASES: list[tuple[list[str], list[str]]] = [
    (["3034"], []),
    (["3", "e2801"], []),
    ([], ["3034"]),
    (["30"], ["3034", "303"]),
    (["3034257BF7"], []),
    (["0A", "5C", "2E", "5b5d"], ["0a0A"]),  # bytes that mean something in a pattern: line end, \ . [ ]
]


@pytest.mark.parametrize(("include", "exclude"), CASES)
def test_a_prefix_test_says_what_the_text_says(include: list[str], exclude: list[str]) -> None:
    test = wanted(include, exclude)
    assert test is not None
    chance = random.Random(3)
    starts = [*include, *exclude, "", "30", "e280"]
    told = 0
    for _ in range(1000):
        epc = (chance.choice(starts) + f"{chance.getrandbits(96):024x}").lower()[: chance.choice((2, 4, 6, 12, 24))]
        begins = not include or epc.startswith(tuple(prefix.lower() for prefix in include))
        expected = begins and not epc.startswith(tuple(prefix.lower() for prefix in exclude))
        assert bool(test(bytes.fromhex(epc))) == expected, epc
        told += expected
    assert 0 < told < 1000


def test_without_prefixes_there_is_no_test() -> None:
    assert wanted([], []) is None
