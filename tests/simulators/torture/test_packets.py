from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.torture.packets import PUBLISH, NotMqtt, Packets, doubled, kind, packet_size, slices

ACK, PING = bytes.fromhex("40020007"), bytes.fromhex("c000")


def publish(body: bytes, qos: int = 1) -> bytes:
    length, head = len(body), b""
    while True:
        length, low = divmod(length, 128)
        head += bytes([low | (128 if length else 0)])
        if not length:
            return bytes([PUBLISH << 4 | qos << 1]) + head + body


@settings(deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=8), st.integers(1, 40), st.randoms())
def test_packets_come_out_whole_however_they_were_cut(bodies: list[bytes], most: int, chance: Random) -> None:
    whole = [publish(body) for body in bodies] + [ACK, PING]
    packets = Packets()
    found = [packet for piece in slices(b"".join(whole), chance, most) for packet in packets.feed(piece)]
    assert found == whole


@pytest.mark.parametrize("size", [0, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152])
def test_every_length_of_the_standard(size: int) -> None:
    packet = publish(bytes(size))
    assert packet_size(packet) == len(packet)
    assert packet_size(packet[:1]) is None


def test_what_is_no_packet_is_said() -> None:
    with pytest.raises(NotMqtt, match="ffffffffff"):
        Packets().feed(b"\xff" * 5)


def test_only_a_publish_that_is_acknowledged_comes_twice() -> None:
    chance = Random(1)
    assert [doubled(each, chance, 1.0) for each in (ACK, PING, publish(b"x", qos=0))] == [
        [ACK],
        [PING],
        [publish(b"x", qos=0)],
    ]
    copies = [doubled(publish(b"x"), chance, 1.0) for _ in range(20)]
    assert {len(each) for each in copies} == {2}
    assert {each[1][0] for each in copies} == {0x32, 0x3A}, "with and without the mark of a repetition"
    assert doubled(publish(b"x"), chance, 0.0) == [publish(b"x")]
    assert kind(publish(b"")) == PUBLISH


def test_slices_are_the_same_bytes() -> None:
    data = bytes(range(256)) * 9
    pieces = list(slices(data, Random(3), 100))
    assert b"".join(pieces) == data
    assert max(map(len, pieces)) <= 100
    assert len(pieces) > 23
