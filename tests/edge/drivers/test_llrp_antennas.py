"""Antenna health as a table: what each antenna hears at which second, and what is said of it."""

from collections.abc import Iterable

import pytest

from edge.drivers.llrp_antennas import MAX_TAGS, MIN_TAGS, Antennas

Heard = tuple[int, int, int]
"""Second, antenna, tag."""


def told(quiet_s: float, ports: Iterable[int], heard: Iterable[Heard], end: int) -> list[tuple[int, str]]:
    """Every event with the second at which it was told."""
    antennas = Antennas(quiet_s, ports)
    by_second: dict[int, list[Heard]] = {}
    for each in heard:
        by_second.setdefault(each[0], []).append(each)
    events: list[tuple[int, str]] = []
    for second in range(end):
        for _, antenna, tag in by_second.get(second, ()):
            antennas.heard(antenna, f"{tag:024x}", second)
        events += [
            (second, f"{name} {detail.split(':')[0].removeprefix('antenna ')}") for name, detail in antennas.due(second)
        ]
    return events


BUSY = [(second, 1, second) for second in range(600)]
BOTH = [(second, antenna, second) for second in range(100) for antenna in (1, 2)]
CASES: list[tuple[str, float, tuple[int, ...], list[Heard], list[tuple[int, str]]]] = [
    ("never heard while the other is busy", 60, (1, 2), BUSY, [(60, "antenna_quiet 2")]),
    ("switched off", 0, (1, 2), BUSY, []),
    ("both quiet: nobody comes", 60, (1, 2), BOTH, []),
    ("it stops", 60, (1, 2), BOTH + BUSY[100:], [(159, "antenna_quiet 2")]),
    (
        "it comes back, and stops again",
        60,
        (1, 2),
        [*BOTH, *BUSY[100:], (300, 2, 5)],
        [(159, "antenna_quiet 2"), (300, "antenna_heard 2"), (480, "antenna_quiet 2")],
    ),
    ("one tag that stays is no traffic", 60, (1, 2), [(second, 1, 7) for second in range(400)], []),
    ("few tags are no traffic", 60, (1, 2), [(second, 1, second % (MIN_TAGS - 1)) for second in range(400)], []),
    (
        "an antenna that hears every hundredth tag is learned",
        30,
        (1, 2),
        [(second, 1, second) for second in range(1000)] + [(second, 2, second) for second in (10, 110, 210, 310)],
        [
            *((43, "antenna_quiet 2"), (110, "antenna_heard 2"), (209, "antenna_quiet 2"), (210, "antenna_heard 2")),
            (310 + 300, "antenna_quiet 2"),
        ],
    ),
    ("a port that is not in use and never heard is not watched", 60, (), BUSY, []),
    ("a port of no list is watched once it was heard", 60, (), [*BUSY, (0, 3, 1)], [(60, "antenna_quiet 3")]),
]


@pytest.mark.parametrize(
    ("quiet_s", "ports", "heard", "events"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_what_is_said(
    quiet_s: float, ports: tuple[int, ...], heard: list[Heard], events: list[tuple[int, str]]
) -> None:
    assert told(quiet_s, ports, heard, 1000) == events


def test_a_tag_that_is_not_told_of_shows_that_the_antenna_is_alive() -> None:
    antennas = Antennas(60.0, (1, 2))
    for second in range(200):
        antennas.heard(1, f"{second:024x}", second)
        antennas.alive({1: float(second), 2: second // 50 * 50.0})
        assert antennas.due(second) == []


def test_what_is_kept_of_a_port_is_bounded() -> None:
    antennas = Antennas(60.0, (1, 2))
    for tag in range(MAX_TAGS + 500):
        antennas.heard(1, f"{tag:024x}", 1.0)
    assert antennas.due(61.0) == [
        ("antenna_quiet", f"antenna 2: nothing for 60 s, in which the others heard {MAX_TAGS} tags")
    ]
