"""Which types of GT06 packets are known, how each is answered, and what is too short."""

import pytest

from edge.driver import BadFrame
from edge.drivers.gt06_frame import Packet
from edge.drivers.gt06_message import UnknownType, answer
from tests.edge.drivers.gt06_client import clock
from tests.edge.drivers.test_gt06_message import RECEIVED_AT, packet, said


@pytest.mark.parametrize("kind", [0x2A, 0x8A, 0x80, 0x14, 0x19, 0xA7])
def test_types_that_are_known_and_not_kept(kind: int) -> None:
    assert said(kind, bytes(30)) == []


@pytest.mark.parametrize(("kind", "long"), [(0x77, False), (0x22, True), (0x8C, False), (0xF1, True)])
def test_types_that_are_not_known(kind: int, long: bool) -> None:  # noqa: FBT001
    with pytest.raises(UnknownType, match=f"type {kind:#04x}: not known"):
        said(kind, bytes(30), long=long)


@pytest.mark.parametrize("kind", [0x12, 0x22, 0x26, 0x34, 0xA0])
def test_a_packet_that_is_too_short_says_what_was_expected(kind: int) -> None:
    with pytest.raises(BadFrame, match=rf"type {kind:#04x}: content: \d+ bytes expected at \d+, got"):
        said(kind, clock()[:5])


@pytest.mark.parametrize(
    ("kind", "long", "expected"),
    [
        (0x22, False, "787805220007"),
        (0x13, False, "787805130007"),
        (0x70, True, "787805700007"),
        (0x32, True, "79790005320007"),
        (0x77, False, "787805770007"),
        (0x80, False, ""),
        (0x94, True, ""),
        (0x9B, True, ""),
        (0x2A, False, "79790015970b000000004e4126264e4126263023230007"),
    ],
)
def test_answers(kind: int, long: bool, expected: str) -> None:  # noqa: FBT001
    found = answer(Packet(kind, bytes(30), 7, long), RECEIVED_AT)
    assert found[:-4].hex() == expected
    if found:
        assert packet(found.hex()).serial == 7
