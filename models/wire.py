"""The wire contract, version 1: topics, payloads and limits, exactly as docs/contract.md section 1 says.

A reading's own bytes are kept as they came (msgspec.Raw); decoding validates types, ranges and UTF-8 in one pass.
"""

import re
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct

from models.errors import BadEnvelope, BadReading
from models.reading import GLOBAL_DEVICE, Gap, Reading, Seq, Tag, Time, Unknown

PREFIX = "stockyard/v1"
MAX_BATCH_READINGS = 500
MAX_BATCH_BYTES = 192 * 1024
MAX_READING_BYTES = 16 * 1024
MAX_STATUS_BYTES = 1 << 20
MOST_AHEAD = timedelta(days=1)
"""How far after its receipt a reading may be dated."""
MAX_SEQ = 2**53
OLDEST, NEWEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
RESERVED = frozenset({"events", "api"})

Epoch = Annotated[str, Meta(pattern=r"^[0-9A-HJKMNP-TV-Z]{12}$(?!\n)")]
Count = Annotated[int, Meta(ge=0, lt=MAX_SEQ)]
_GATEWAY = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_MAYBE_GAP = re.compile(rb'"kind"\s*:\s*"(?:gap|[^"]*\\u)')


class Batch(Struct, frozen=True):
    """Readings `seq`, `seq + 1`, ... of one epoch. A gap is a batch of one (see `gap`)."""

    epoch: Epoch
    seq: Seq
    sent_at: Time
    readings: Annotated[list[Raw], Meta(max_length=MAX_BATCH_READINGS)]


class Receipt(Struct, frozen=True):
    """Everything of `epoch` up to `seq` is committed."""

    epoch: Epoch
    seq: Count


class Stream(Struct, frozen=True, omit_defaults=True):
    """One epoch of an outbox, as the status lists it."""

    epoch: Epoch
    next_seq: Seq
    outbox_depth: Count
    oldest_unreceipted: Time | None = None


class DeviceState(Struct, frozen=True, omit_defaults=True):
    """One configured device; state is reading, connecting, lost or refused."""

    name: str
    state: str
    since: Time
    readings: Count = 0
    bad_frames: Count = 0


class Status(Struct, frozen=True, omit_defaults=True):
    """The gateway's retained status; the last will is `Status(online=False)`."""

    online: bool
    version: str | None = None
    streams: list[Stream] | None = None
    devices: list[DeviceState] | None = None
    trackers: dict[str, Count] | None = None


class Reply(Struct, frozen=True):
    """Feedback for a scanner's person; older than 30 s is dropped."""

    device: str
    at: Time
    ok: bool
    text: Annotated[str, Meta(max_length=512)]


class _Kind(Struct, frozen=True):
    kind: str


KINDS = frozenset({"tag", "scan", "fix", "input", "meter", "signal", "device"})
_batch = msgspec.json.Decoder(Batch)
_gap = msgspec.json.Decoder(Gap)
_kind = msgspec.json.Decoder(_Kind)
_reading: msgspec.json.Decoder[Reading] = msgspec.json.Decoder(Reading)
_unknown = msgspec.json.Decoder(Unknown)
_sorted = msgspec.json.Encoder(order="sorted")
_status = msgspec.json.Decoder(Status)
_TIMES = ("at", "device_at", "first_at")
_ERRORS = (msgspec.MsgspecError, RecursionError, UnicodeError, ValueError)


def topic(gateway: str, leaf: str) -> str:
    """`stockyard/v1/{gateway}/{leaf}`; leaf is readings, receipt, status, reply, or `+` wildcards."""
    return f"{PREFIX}/{gateway}/{leaf}"


def gateway_of(topic_name: str) -> str:
    """The gateway that a topic names. Raises BadEnvelope if the name is reserved or not a gateway's.

    >>> gateway_of("stockyard/v1/dock-a/readings")
    'dock-a'
    """
    parts = topic_name.split("/")
    if len(parts) != PREFIX.count("/") + 3 or not is_gateway(parts[2]):
        msg = f"topic: expected {PREFIX}/{{gateway}}/..., got {topic_name[:120]!r}"
        raise BadEnvelope(msg)
    return parts[2]


def is_gateway(name: str) -> bool:
    """Whether a gateway may have this name."""
    return name not in RESERVED and _GATEWAY.fullmatch(name) is not None


def is_global(device: str) -> bool:
    """Whether a device's name is unique by itself (imei:..., id:...), whichever gateway hears it."""
    return device.startswith(GLOBAL_DEVICE)


def encode(message: Struct) -> bytes:
    """One reading, receipt, status or reply as UTF-8 JSON."""
    return msgspec.json.encode(message)


def decode(text: bytes | Raw) -> Reading | Unknown:
    """One reading from its bytes. Raises BadReading naming the field and what was expected."""
    raw = bytes(text)
    if len(raw) > MAX_READING_BYTES:
        msg = f"reading: at most {MAX_READING_BYTES} bytes expected, got {len(raw)}"
        raise BadReading(msg)
    try:
        if not raw.isascii():
            raw.decode()  # a field that is skipped must be UTF-8 too: the journal is answered as it came
        reading: Reading | Unknown = _reading.decode(raw)
    except UnicodeError as error:
        msg = f"JSON is malformed: {error}"
        raise BadReading(msg) from error
    except _ERRORS as error:
        reading = _decode_unknown(raw, error)
    if (wrong := _wrong_time(reading, _TIMES)) is not None:
        raise BadReading(wrong)
    return reading


def check_received(reading: Reading | Unknown, received_at: datetime) -> None:
    """Raise BadReading of a reading from the future: a clock is wrong, and its key would wait for that time."""
    if reading.at - received_at > MOST_AHEAD:
        msg = "at: more than a day after it was received"
        raise BadReading(msg)


def _wrong_time(message: Struct, fields: Sequence[str]) -> str | None:
    for field in fields:
        at = getattr(message, field, None)
        if at is not None and not OLDEST <= at < NEWEST:
            return f"{field}: a time in 1970 ... 2199 expected, got {at}"
    return None


def _decode_unknown(text: bytes, first: Exception) -> Unknown:
    try:
        unknown = _unknown.decode(text)
    except _ERRORS:
        raise BadReading(str(first)) from first
    if unknown.kind in KINDS or unknown.kind == "gap":
        raise BadReading(str(first)) from first
    return unknown


def encode_batch(epoch: str, seq: int, sent_at: datetime, readings: list[bytes], *, compress: bool = False) -> bytes:
    """A batch whose readings are the given bytes, untouched. `readings` may be empty: it asks for the mark."""
    text = msgspec.json.encode(Batch(epoch, seq, sent_at, [Raw(reading) for reading in readings]))
    return zlib.compress(text, 1) if compress else text


def decode_batch(payload: bytes) -> tuple[Batch, Gap | None]:
    """A batch, and its gap if it is one. Raises BadEnvelope: nothing in it can be numbered then."""
    try:
        batch = _batch.decode(_inflate(payload))
        gap = _gap_of(batch)
    except _ERRORS as error:
        msg = f"batch: {error}"
        raise BadEnvelope(msg) from error
    if batch.seq + len(batch.readings) >= MAX_SEQ:
        msg = f"batch: seq + readings below {MAX_SEQ} expected"
        raise BadEnvelope(msg)
    return batch, gap


def decode_status(payload: bytes) -> Status:
    """A gateway's status. Raises BadEnvelope naming the field and what was expected."""
    if len(payload) > MAX_STATUS_BYTES:
        msg = f"status: at most {MAX_STATUS_BYTES} bytes expected, got {len(payload)}"
        raise BadEnvelope(msg)
    try:
        payload.decode()
        status = _status.decode(payload)
    except _ERRORS as error:
        msg = f"status: {error}"
        raise BadEnvelope(msg) from error
    said: list[Stream | DeviceState] = [*(status.streams or ()), *(status.devices or ())]
    for each in said:
        if (wrong := _wrong_time(each, ("oldest_unreceipted", "since"))) is not None:
            msg = f"status: {wrong}"
            raise BadEnvelope(msg)
    return status


def _inflate(payload: bytes) -> bytes:
    text = payload
    if payload[:1] == b"\x78":
        inflater = zlib.decompressobj()
        try:
            text = inflater.decompress(payload, MAX_BATCH_BYTES + 1)
        except zlib.error as error:
            msg = f"batch: zlib: {error}"
            raise BadEnvelope(msg) from error
        if not inflater.eof and len(text) <= MAX_BATCH_BYTES:
            msg = "batch: zlib data ends early"
            raise BadEnvelope(msg)
    if len(text) > MAX_BATCH_BYTES:
        msg = f"batch: at most {MAX_BATCH_BYTES} bytes expected"
        raise BadEnvelope(msg)
    return text


def _gap_of(batch: Batch) -> Gap | None:
    gaps = [raw for raw in batch.readings if _MAYBE_GAP.search(raw) and _is_gap(raw)]
    if not gaps:
        return None
    gap = _gap.decode(gaps[0])
    if len(batch.readings) != 1 or gap.from_seq != batch.seq or gap.to_seq < gap.from_seq:
        msg = "gap: expected alone in its batch, from_seq = seq <= to_seq"
        raise BadEnvelope(msg)
    if (wrong := _wrong_time(gap, ("at",))) is not None:
        msg = f"gap: {wrong}"
        raise BadEnvelope(msg)
    return gap


def _is_gap(raw: Raw) -> bool:
    try:
        return _kind.decode(raw).kind == "gap"
    except _ERRORS:
        return False


def content_hash(reading: Reading | Unknown) -> bytes:
    """32 bytes: SHA-256 of the canonical JSON of what the device said.

    Sorted keys, nulls and unknown fields left out, times in UTC, without `at` and `first_at` where `device_at` is
    present: those then hold the edge's estimate, which differs between two hearings of the same thing.
    """
    if isinstance(reading, Unknown) or not _is_plain(reading):
        return sha256(msgspec.json.encode(_canonical(reading), order="deterministic")).digest()
    return sha256(_sorted.encode(reading)).digest()


def _is_plain(reading: Reading) -> bool:
    """Whether its own JSON, keys sorted, is the canonical one: no null is written, and all of it is in UTC."""
    if reading.device_at is not None or reading.at.tzinfo is not UTC:
        return False
    return not isinstance(reading, Tag) or reading.first_at is None or reading.first_at.tzinfo is UTC


def _canonical(reading: Reading | Unknown) -> dict[str, Any]:
    out = () if reading.device_at is None else ("at", "first_at")
    names = [name for name in reading.__struct_fields__ if name not in out]
    fields: dict[str, Any] = {name: value for name in names if (value := getattr(reading, name)) is not None}
    fields |= {name: fields[name].astimezone(UTC) for name in _TIMES if name in fields}
    return fields if isinstance(reading, Unknown) else fields | {"kind": reading.__struct_config__.tag}
