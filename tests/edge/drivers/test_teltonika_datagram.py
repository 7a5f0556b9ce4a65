"""Datagrams of the maker's documentation, and what is none."""

from datetime import UTC, datetime

import pytest

from edge.driver import BadFrame
from edge.drivers.teltonika_datagram import acknowledgement, datagram, heard_in
from edge.drivers.teltonika_frame import decode
from edge.drivers.teltonika_io import table
from models.reading import DeviceEvent, Fix
from tests.edge.drivers import tracker_client
from tests.edge.drivers.tracker_client import IMEI, body, record

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
# The wiki's page "Teltonika Data Sending Protocols", sections of sending over UDP; with the answers that it gives.
WIKI = {
    "codec 8": (
        (
            "003dcafe0105000f33353230393330383634303336353508010000016b4f815b30010000000000000000000000000000000103021503"
            "010101425dbc000001"
        ),
        "0005cafe010501",
        "352093086403655",
        [(1_560_407_006_000, {21: 3, 1: 1, 66: 23996})],
    ),
    "codec 8 extended": (
        (
            "005fcafe0107000f3335323039333038363430333635358e010000016b4f831c680100000000000000000000000000000000010005000"
            "100010100010011009d00010010015e2c880002000b000000003544c87a000e000000001dd7e06a000001"
        ),
        "0005cafe010701",
        "352093086403655",
        [(1_560_407_121_000, {1: 1, 17: 157, 16: 22_949_000, 11: 893_700_218, 14: 500_686_954})],
    ),
}


@pytest.mark.parametrize("name", WIKI)
def test_the_examples_of_the_documentation(name: str) -> None:
    sent, answer, imei, expected = WIKI[name]
    found = datagram(bytes.fromhex(sent))
    values = [(each.at_ms, {key: int.from_bytes(raw) for key, raw in each.io.items()}) for each in decode(found.data)]
    assert (found.imei, values) == (imei, expected)
    assert acknowledgement(found).hex() == answer


@pytest.mark.parametrize("codec", [0x08, 0x8E, 0x10])
def test_every_codec_is_read(codec: int) -> None:
    heard = heard_in(tracker_client.datagram(body([record(1), record(2)], codec), 9), table({}), AT)
    assert (heard.tracker, heard.answer.hex()) == (f"imei:{IMEI}", "0005ca09010902")
    assert [type(each).__name__ for each in heard.said] == ["Fix", "Input"] * 2


GOOD = tracker_client.datagram(body([record()]))


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"", "datagram: 8 bytes or more expected, got 0"),
        (GOOD[:7], "datagram: 8 bytes or more expected, got 7"),
        (GOOD[:-1], r"datagram: a length of \d+ expected"),
        (GOOD + b"\0", r"datagram: a length of \d+ expected"),
        (tracker_client.datagram(body([]), imei="35630704244101"), "an IMEI of 15 digits expected, got 14"),
        (
            tracker_client.datagram(body([]), imei="35630704244101x"),
            "an IMEI of 15 digits expected, got 15: b'3563070424",
        ),
        (tracker_client.datagram(b"", imei="35630704244"), "an IMEI of 15 digits expected"),
        (tracker_client.datagram(b"\x08\x00"), "codec and counts expected, got 0800"),
        (tracker_client.datagram(b""), "codec and counts expected, got nothing"),
    ],
)
def test_what_is_no_datagram(sent: bytes, words: str) -> None:
    with pytest.raises(BadFrame, match=words):
        heard_in(sent, table({}), AT)


def test_data_that_can_never_be_read_are_kept_and_acknowledged() -> None:
    heard = heard_in(tracker_client.datagram(b"\x07\x03" + bytes(9) + b"\x03"), table({}), AT)
    [event] = heard.said
    assert isinstance(event, DeviceEvent)
    assert (event.device, event.name, event.at) == (f"imei:{IMEI}", "bad_reading", AT)
    assert (len(heard.wrong), heard.answer[-1]) == (1, 3)


def test_a_text_is_counted_and_not_answered() -> None:
    heard = heard_in(tracker_client.datagram(bytes.fromhex("0c010600000003414243") + b"\x01"), table({}), AT)
    assert (heard.said, heard.wrong, heard.answer) == ((), ("codec 0x0c, not records",), b"")


def test_an_answer_is_shorter_than_what_it_answers() -> None:
    shortest = tracker_client.datagram(b"\x08\x00\x00")
    assert len(heard_in(shortest, table({}), AT).answer) < len(shortest)


def test_a_fix_of_a_datagram_is_that_of_a_frame() -> None:
    [fix, _] = heard_in(GOOD, table({}), AT).said
    assert isinstance(fix, Fix)
    assert (fix.device, fix.lat, fix.lon) == (f"imei:{IMEI}", 51.06, 3.73)
