"""What the wire refuses: bytes that a page or the API could not show again, and numbers that would pass 2**53."""

from datetime import UTC, datetime, timedelta

import pytest

from models import wire
from models.errors import BadEnvelope, BadReading
from models.reading import Gap, Input

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
EPOCH = "0123456789AB"
PHOTO_EYE = wire.encode(Input("eye", AT, "photo_eye", on=True))
MISDATED = ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "1969-12-31T23:59:59Z", "2200-01-01T00:00:00Z"]


@pytest.mark.parametrize("kind", [b"input", b"tide"])
@pytest.mark.parametrize("bad", [b"\xff", b"\xed\xa0\x80", b"\xc3", b"\xf8\x88\x80\x80\x80"])
def test_a_field_that_is_skipped_is_utf8_too(kind: bytes, bad: bytes) -> None:
    text = PHOTO_EYE.replace(b'"input"', b'"' + kind + b'"')
    assert wire.decode(text.replace(b"{", '{"note":"über",'.encode(), 1)).device == "eye"
    with pytest.raises(BadReading, match="utf-8"):
        wire.decode(text.replace(b"{", b'{"note":"' + bad + b'",', 1))


def test_a_reading_may_be_a_day_ahead_of_its_receipt() -> None:
    reading = wire.decode(PHOTO_EYE)
    wire.check_received(reading, AT - timedelta(days=1))
    with pytest.raises(BadReading, match="at: more than a day after it was received"):
        wire.check_received(reading, AT - timedelta(days=1, microseconds=1))


@pytest.mark.parametrize("at", MISDATED)
def test_a_gap_is_dated_like_a_reading(at: str) -> None:
    gap = wire.encode(Gap("", AT, 5, 9, "outbox quota"))
    good = wire.encode_batch(EPOCH, 5, AT, [gap])
    assert wire.decode_batch(good)[1] is not None
    bad = wire.encode_batch(EPOCH, 5, AT, [gap.replace(b"2026-11-23T09:00:00Z", at.encode())])
    with pytest.raises(BadEnvelope, match=r"gap: at: a time in 1970 \.\.\. 2199 expected"):
        wire.decode_batch(bad)


def test_a_batch_ends_below_the_largest_number() -> None:
    last = wire.MAX_SEQ - 2
    assert wire.decode_batch(wire.encode_batch(EPOCH, last, AT, [PHOTO_EYE]))[0].seq == last
    with pytest.raises(BadEnvelope, match="seq"):
        wire.decode_batch(wire.encode_batch(EPOCH, last, AT, [PHOTO_EYE] * 2))


STREAM = b'{"epoch":"0123456789AB","next_seq":9,"outbox_depth":%s,"oldest_unreceipted":"%s"}'
DEVICE = b'{"name":"door-1","state":"reading","since":"%s","readings":%s,"bad_frames":%s}'
NOW = b"2026-11-23T09:00:00Z"
LARGEST = b"9007199254740991"


@pytest.mark.parametrize("count", [b"9007199254740992", b"-1", b"1" + b"0" * 400, b"1.5"])
def test_counts_of_a_status_are_below_the_largest_number(count: bytes) -> None:
    def status(depth: bytes, read: bytes, bad: bytes, trackers: bytes) -> bytes:
        told = b'"devices":[' + DEVICE % (NOW, read, bad) + b'],"trackers":{"silent":' + trackers + b"}"
        return b'{"online":true,"streams":[' + STREAM % (depth, NOW) + b"]," + told + b"}"

    assert wire.decode_status(status(*[LARGEST] * 4)).online
    for place in range(4):
        counts = [LARGEST] * 4
        counts[place] = count
        with pytest.raises(BadEnvelope, match="status: "):
            wire.decode_status(status(*counts))


@pytest.mark.parametrize("at", MISDATED)
def test_times_of_a_status_are_in_range(at: str) -> None:
    streams = b'{"online":true,"streams":[' + STREAM % (b"1", at.encode()) + b"]}"
    devices = b'{"online":true,"devices":[' + DEVICE % (at.encode(), b"1", b"1") + b"]}"
    for field, payload in (("oldest_unreceipted", streams), ("since", devices)):
        with pytest.raises(BadEnvelope, match=f"status: {field}: "):
            wire.decode_status(payload)


def test_a_status_is_utf8_and_bounded() -> None:
    with pytest.raises(BadEnvelope, match="utf-8"):
        wire.decode_status(b'{"online":true,"note":"\xff"}')
    with pytest.raises(BadEnvelope, match="bytes expected"):
        wire.decode_status(b'{"online":true}' + b" " * wire.MAX_STATUS_BYTES)
