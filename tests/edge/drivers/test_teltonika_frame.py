"""Packets of the maker's documentation, packets built at random, and bytes that are none."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.driver import BadFrame
from edge.drivers.teltonika_frame import MAX_DATA_BYTES, Framer, Record, answer, claimed, decode
from tests.edge.drivers.tracker_client import IMEI, LAYOUTS, body, frame, login, packet, record

# The examples of the wiki's page "Teltonika Data Sending Protocols", with the values that it gives.
WIKI = {
    "codec 8, example 1": (
        (
            "000000000000003608010000016b40d8ea30010000000000000000000000000000000105021503010101425e0f01f10000601a01"
            "4e0000000000000000010000c7cf"
        ),
        [(1_560_161_086_000, 1, 1, {21: 3, 1: 1, 66: 24079, 241: 24602, 78: 0})],
    ),
    "codec 8, example 2": (
        "000000000000002808010000016b40d9ad80010000000000000000000000000000000103021503010101425e100000010000f22a",
        [(1_560_161_136_000, 1, 1, {21: 3, 1: 1, 66: 24080})],
    ),
    "codec 8, example 3": (
        (
            "000000000000004308020000016b40d57b480100000000000000000000000000000001010101000000000000016b40d5c1980100"
            "00000000000000000000000000000101010101000000020000252c"
        ),
        [(1_560_160_861_000, 1, 1, {1: 0}), (1_560_160_879_000, 1, 1, {1: 1})],
    ),
    "codec 8 extended": (
        (
            "000000000000004a8e010000016b412cee000100000000000000000000000000000000010005000100010100010011001d000100"
            "10015e2c880002000b000000003544c87a000e000000001dd7e06a00000100002994"
        ),
        [(1_560_166_592_000, 1, 1, {1: 1, 17: 29, 16: 22_949_000, 11: 893_700_218, 14: 500_686_954})],
    ),
    "codec 16": (
        (
            "000000000000005f10020000016bdbc7833000000000000000000000000000000000000b05040200010000030002000b00270042"
            "563a00000000016bdbc7871800000000000000000000000000000000000b05040200010000030002000b00260042563a00000200"
            "005fb3"
        ),
        [
            (1_562_760_414_000, 0, 11, {1: 0, 3: 0, 11: 39, 66: 22074}),
            (1_562_760_415_000, 0, 11, {1: 0, 3: 0, 11: 38, 66: 22074}),
        ],
    ),
}


def taken(stream: bytes, step: int | None = None) -> list[bytes]:
    framer, found = Framer(), []
    step = step or len(stream) or 1
    for begin in range(0, len(stream), step):
        framer.feed(stream[begin : begin + step])
        while (data := framer.frame()) is not None:
            found.append(data)
    return found


@pytest.mark.parametrize("name", WIKI)
def test_the_examples_of_the_documentation(name: str) -> None:
    text, expected = WIKI[name]
    [data] = taken(bytes.fromhex(text))
    found = [
        (each.at_ms, each.priority, each.event_id, {key: int.from_bytes(raw) for key, raw in each.io.items()})
        for each in decode(data)
    ]
    assert found == expected
    assert claimed(data) == len(expected)


def test_a_login_and_its_answers() -> None:
    framer = Framer()
    for byte in bytes.fromhex("000f333536333037303432343431303133"):
        assert framer.login() is None
        framer.feed(bytes([byte]))
    assert framer.login() == IMEI
    assert not framer.begun
    assert answer(255).hex() == "000000ff"


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"GET / HTTP/1.1\r\n", "length of 15 expected, got 4745"),
        (b"\x16", "length of 15 expected, got 16"),
        (b"\x00\x10" + b"3" * 16, "length of 15 expected, got 0010"),
        (login("35630704244101x"), "15 digits expected"),
        (login()[:5] + b"\xb2", "15 digits expected"),
    ],
)
def test_what_is_no_login(sent: bytes, words: str) -> None:
    framer = Framer()
    framer.feed(sent)
    with pytest.raises(BadFrame, match=words):
        framer.login()


def test_a_login_without_an_imei_names_nobody() -> None:
    framer = Framer()
    framer.feed(b"\x00\x00")
    assert framer.login() == ""


def test_pings_between_frames_are_dropped_and_those_within_are_data() -> None:
    inside = packet(record(io={1: b"\xff" * 8}))
    stream = b"\xff" + inside + b"\xff\xff" + inside + b"\xff"
    for step in (1, 7, len(stream)):
        assert [decode(data)[0].io for data in taken(stream, step)] == [{1: b"\xff" * 8}] * 2


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"\x00\x00\x01", "preamble of 4 zero bytes"),
        (login(), "preamble"),
        (bytes(8), "length of 3 ... 65536 expected, got 0"),
        (bytes(4) + (MAX_DATA_BYTES + 1).to_bytes(4), "got 65537"),
        (packet(record())[:-1] + b"\x00", "CRC of 0x.... expected, got"),
        (packet(record())[:-4] + b"\x00\x01" + packet(record())[-2:], "CRC"),
        (packet(record()).replace(b"\x00\xef", b"\x00\xee"), "CRC"),
    ],
)
def test_what_is_no_frame(sent: bytes, words: str) -> None:
    with pytest.raises(BadFrame, match=words):
        taken(sent)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "codec"),
        (b"\x08", "both ends"),
        (b"\x08\x00", "both ends"),
        (b"\x07\x01\x01", "codec 8, 8E or 10 expected, got 07"),
        (b"\x08\x01\x00", "same number of records"),
        (body([record()], 0x08)[:-1] + b"\x02", "same number of records"),
        (b"\x08\x02" + body([record()], 0x08)[2:-1] + b"\x02", "24 bytes expected at"),
        (b"\x08\x00" + body([record()], 0x08)[2:-1] + b"\x00", "0 records end at 2"),
        (body([record()], 0x08)[:-1] + b"\x00\x00\x01", "records end at"),
        (body([record()], 0x10)[:-1] + b"\x00\x01", "records end at"),
        (b"\x10" + body([record()])[1:], "record"),
        (body([record(io={5: b"abc"})])[:-2] + b"\x01", "3 bytes expected at"),
    ],
)
def test_data_that_cannot_be_read(data: bytes, words: str) -> None:
    with pytest.raises(BadFrame, match=words):
        decode(data)


def test_a_wrong_total_of_elements_is_no_harm() -> None:
    data = bytearray(body([record()], 0x08))
    assert data[2 + 24 + 1] == 1
    data[2 + 24 + 1] = 9
    assert decode(bytes(data)) == [record()]


def test_a_fifth_group_of_16_bytes_is_read_where_only_that_ends_with_the_data() -> None:
    one, two = (body([record(number)], 0x08)[2:-1] for number in (1, 2))
    uuid = bytes(range(16))
    found = decode(b"\x08\x02" + one + b"\x01\xfe" + uuid + two + b"\x00" + b"\x02")
    assert found == [record(1, io={239: b"\x01", 254: uuid}), record(2)]
    with pytest.raises(BadFrame, match=r"records end at|expected at"):
        decode(b"\x08\x02" + one + b"\x02\xfe" + uuid + two + b"\x00" + b"\x02")


SIGNED_32 = st.integers(-(2**31), 2**31 - 1)


def records(codec: int) -> st.SearchStrategy[list[Record]]:
    wide = LAYOUTS[codec][0] == "H"
    sizes = st.sampled_from([1, 2, 4, 8])
    values = sizes.flatmap(lambda size: st.binary(min_size=size, max_size=size))
    if codec == 0x8E:
        values = st.binary(max_size=300)
    ids = st.integers(0, 65_535 if wide else 255)
    one = st.builds(
        Record,
        at_ms=st.integers(0, 2**64 - 1),
        priority=st.integers(0, 255),
        lon_e7=SIGNED_32,
        lat_e7=SIGNED_32,
        altitude_m=st.integers(-(2**15), 2**15 - 1),
        course_deg=st.integers(0, 65_535),
        satellites=st.integers(0, 255),
        speed_kmh=st.integers(0, 65_535),
        event_id=ids,
        io=st.dictionaries(ids, values, max_size=12),
    )
    return st.lists(one, max_size=6)


@pytest.mark.parametrize("codec", LAYOUTS)
def test_what_was_packed_is_unpacked(codec: int) -> None:
    @given(records(codec), st.integers(1, 90))
    @settings(max_examples=150, deadline=None)
    def run(sent: list[Record], step: int) -> None:
        [data] = taken(frame(body(sent, codec)), step)
        assert decode(data) == sent

    run()


@given(st.binary(max_size=400))
@settings(max_examples=800, deadline=None)
def test_any_bytes_are_frames_or_a_bad_frame(sent: bytes) -> None:
    framer = Framer()
    framer.feed(sent)
    for read in (framer.login, framer.frame, framer.frame):
        try:
            read()
        except BadFrame:
            break


@pytest.mark.parametrize("codec", LAYOUTS)
def test_changed_data_are_records_or_a_bad_frame(codec: int) -> None:
    """With a right CRC, so that what is inside must stand for itself."""

    @given(
        records(codec), st.lists(st.tuples(st.integers(0, 500), st.integers(0, 255)), max_size=8), st.integers(0, 80)
    )
    @settings(max_examples=300, deadline=None)
    def run(sent: list[Record], changes: list[tuple[int, int]], cut: int) -> None:
        data = bytearray(body(sent, codec))
        for at, byte in changes:
            data[at % len(data)] = byte
        data = data[: max(3, len(data) - cut)] if cut % 2 else data
        [whole] = taken(frame(bytes(data)))
        with suppress(BadFrame):
            assert len(decode(whole)) == claimed(whole)

    run()


@given(st.binary(max_size=300).map(lambda rest: b"\x8e\x01" + rest))
@settings(max_examples=500, deadline=None)
def test_random_content_is_records_or_a_bad_frame(data: bytes) -> None:
    with suppress(BadFrame):
        assert len(decode(data)) == 1
