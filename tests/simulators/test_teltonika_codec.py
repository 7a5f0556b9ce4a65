"""The tracker's encoder against the examples of the maker's wiki and an independent decoder."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.devices.teltonika_codec import login, packet
from simulators.record import GEARBOX_DECIDEGREES, SIZES, Record
from tests.simulators.avl_server import decode

IMEI = "356307042441013"

raw = {
    ident: st.integers(0, 2 ** (8 * size) - 1) if ident != GEARBOX_DECIDEGREES else st.integers(-(2**31), 2**31 - 1)
    for ident, size in SIZES.items()
}
some_io = st.fixed_dictionaries({}, optional=raw).map(lambda io: tuple(sorted(io.items())))
some_records = st.builds(
    Record,
    at_us=st.integers(0, 2**41).map(lambda ms: ms * 1000),
    lat=st.integers(-900_000_000, 900_000_000).map(lambda units: units / 1e7),
    lon=st.integers(-1_800_000_000, 1_800_000_000).map(lambda units: units / 1e7),
    altitude_m=st.integers(-500, 9000),
    course_deg=st.integers(0, 359),
    satellites=st.integers(0, 40),
    speed_kmh=st.integers(0, 300),
    io=some_io,
    event_id=st.sampled_from((0, 239, 449)),
    priority=st.integers(0, 2),
)


@given(st.lists(some_records, min_size=1, max_size=5))
def test_what_is_encoded_is_decoded_to_the_same_records(records: list[Record]) -> None:
    assert decode(packet(records)) == records


def test_the_wikis_login_and_packet() -> None:
    assert login(IMEI).hex() == "000f333536333037303432343431303133"
    io = ((1, 1), (11, 0x3544C87A), (14, 0x1DD7E06A), (16, 0x015E2C88), (17, 0x1D))
    record = Record(1_560_166_592_000_000, 0.0, 0.0, 0, 0, 0, 0, io, event_id=1, priority=1)
    assert packet([record], {1: 1, 17: 2, 16: 4, 11: 8, 14: 8}).hex() == (
        "000000000000004a8e010000016b412cee000100000000000000000000000000000000010005000100010100010011001d"
        "00010010015e2c880002000b000000003544c87a000e000000001dd7e06a00000100002994"
    )


def test_the_wikis_packet_with_an_element_of_variable_length() -> None:
    io = ((11, 0x3544C875), (14, 0x29BFE4D1), (16, 0xCBDF), (17, 0x1E), (239, 0), (256, 0))
    record = Record(1_510_658_324_000_000, 54.6676016, 25.2562916, 138, 0, 6, 0, io)
    assert packet([record], {11: 8, 14: 8, 16: 4, 17: 2, 239: 1, 256: 17}).hex() == (
        "000000000000005f8e010000015fba40b620000f0dcde420959d30008a000006000000000006000100ef0"
        "000010011001e000100100000cbdf0002000b000000003544c875000e0000000029bfe4d1000101000011"
        "0000000000000000000000000000000000010000d153"
    )


def test_what_does_not_fit_is_refused() -> None:
    record = Record(0, 0.0, 0.0, 0, 0, 0, 0, ())
    for number in (0, 256):
        with pytest.raises(ValueError, match="1 to 255"):
            packet([record] * number)
    assert len(decode(packet([record] * 255))) == 255
    with pytest.raises(OverflowError):
        packet([Record(0, 0.0, 0.0, 0, 0, 0, 0, ((239, 256),))])
    with pytest.raises(struct.error):
        packet([Record(0, 0.0, 300.0, 0, 0, 0, 0, ())])
    with pytest.raises(KeyError):
        packet([Record(0, 0.0, 0.0, 0, 0, 0, 0, ((999, 1),))])
