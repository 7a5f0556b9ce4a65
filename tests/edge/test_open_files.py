"""Connections that the limit of open files allows."""

import resource

import pytest

from edge import open_files
from edge.open_files import SPARE, room_for


@pytest.fixture(autouse=True)
def nothing_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_files, "_promised", [])


@pytest.mark.parametrize(
    ("limits", "room", "raised"),
    [
        ((4096, 4096), 2000, None),
        ((1024, 524_288), 2000, (2000 + SPARE, 524_288)),
        ((1024, -1), 2000, (2000 + SPARE, -1)),
        ((-1, -1), 2000, None),
        ((1024, 1024), 1024 - SPARE, None),
        ((512, 1024), 1024 - SPARE, (1024, 1024)),
        ((64, 64), 1, None),
    ],
)
def test_the_soft_limit_is_raised_as_far_as_it_may(
    limits: tuple[int, int],
    room: int,
    raised: tuple[int, int] | None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(open_files.resource, "getrlimit", lambda _what: limits)
    monkeypatch.setattr(open_files.resource, "setrlimit", lambda _what, wanted: asked.append(wanted))
    assert resource.RLIM_INFINITY == -1
    with room_for(2000) as given:
        assert given == room
    assert asked == ([raised] if raised else [])
    assert ["instead of 2000" in entry.message for entry in caplog.records] == ([True] if room < 2000 else [])


def test_what_is_promised_to_one_is_not_given_to_another(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = [1024, 5000]
    monkeypatch.setattr(open_files.resource, "getrlimit", lambda _what: tuple(limits))
    monkeypatch.setattr(open_files.resource, "setrlimit", lambda _what, wanted: limits.__setitem__(0, wanted[0]))
    with room_for(2000) as first:
        with room_for(2000) as second:
            assert [first, second, limits[0]] == [2000, 2000, 4000 + SPARE]
            with room_for(2000) as third:
                assert third == 5000 - SPARE - 4000
        with pytest.raises(ZeroDivisionError), room_for(2000):
            _ = 1 / 0
        with room_for(2000) as again:
            assert again == 2000, "given back, however it ended"
