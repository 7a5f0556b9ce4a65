"""Malformed messages for ingest: seeded mutations of good ones, and what a hostile or broken sender would think of."""

import random
import re
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache

from models import wire
from models.reading import Gap, Input, Scan, Tag, from_micros

DAY = 20_000 * 86_400_000_000
GATEWAY = "fuzz"
READINGS, STATUS = wire.topic(GATEWAY, "readings"), wire.topic(GATEWAY, "status")
Bad = tuple[str, bytes]
NUMBERS = [b"1e999", b"-1", b"0", b"9007199254740992", b"1" + b"0" * 400, b"NaN", b"Infinity", b"1.5", b'"1"', b"null"]
TIMES = [
    b"yesterday",
    b"2026-13-01T00:00:00Z",
    b"0001-01-01T00:00:00Z",
    b"2026-01-01T00:00:00",
    b"9999-12-31T23:59:59Z",
    b"9999-12-31T23:59:59-14:00",
    b"0001-01-01T00:00:00+14:00",
]
TEXTS = [
    b"\xff\xfe",
    b"\\ud800",
    b"\\u0000",
    b"\xed\xa0\x80",
    b"\\x",
    b"a" * 20_000,
    b"'; DROP TABLE journal; --",
    b"\n",
]
LEAVES = ["readings", "status"]
OTHERS = ["events", "api", "UPPER", "a" * 64, "-a", "a b", "é", "..", ""]


def epoch(chance: random.Random) -> str:
    return "".join(chance.choices("0123456789ABCDEFGHJKMNPQRSTVWXYZ", k=12))


def good(chance: random.Random, seq: int = 1) -> bytes:
    """A batch as an edge sends it."""
    at = from_micros(DAY + chance.randrange(10**12))
    texts = [
        wire.encode(Tag("door-1", at, "3034257bf7194e4000001a85", chance.randint(1, 4), rssi_dbm=-60.0, count=2)),
        wire.encode(Scan("scanner-1", at, "SY:RECEIVE", "]C1")),
        wire.encode(Input("eye", at, "photo_eye", on=True)),
    ]
    return wire.encode_batch(epoch(chance), seq, at, texts * chance.randint(1, 3), compress=chance.random() < 0.3)


def _plain(chance: random.Random) -> bytes:
    found = good(chance)
    return zlib.decompress(found) if found[:1] == b"\x78" else found


def _mutated(chance: random.Random) -> Bad:
    payload = bytearray(good(chance))
    for _ in range(chance.randint(1, 12)):
        place = chance.randrange(len(payload))
        match chance.randrange(4):
            case 0:
                payload[place] = chance.randrange(256)
            case 1:
                del payload[place : place + chance.randint(1, 30)]
            case 2:
                payload[place:place] = chance.randbytes(chance.randint(1, 30))
            case _:
                payload = payload[:place] or bytearray(b"{")
        if not payload:
            break
    return READINGS, bytes(payload)


def _swapped(chance: random.Random) -> Bad:
    """One value of a good batch by one that cannot be."""
    text = _plain(chance)
    old, new = chance.choice(
        (
            (b'"seq":1', b'"seq":' + chance.choice((*NUMBERS, b"9007199254740991"))),
            (b'"antenna":', b'"antenna":' + chance.choice(NUMBERS)),
            (b"-60.0", chance.choice(NUMBERS)),
            (b'"count":2', b'"count":' + chance.choice(NUMBERS)),
            (b"SY:RECEIVE", chance.choice(TEXTS)),
            (b"door-1", chance.choice(TEXTS)),
            (b'"kind":"input",', b'"kind":"input","note":"' + chance.choice(TEXTS) + b'",'),
            (b"3034257bf7194e4000001a85", chance.choice((b"xyz", b"303", b"", b"30\\n", b"ab" * 90))),
            (b'"kind":"tag"', b'"kind":' + chance.choice((b'"gap"', b'"t\\u0061g"', b"7", b'"tide"', b'""'))),
            (b'"at":"2', b'"at":"' + chance.choice(TIMES) + b'","x":"'),
            (b'"epoch":"', b'"epoch":"' + chance.choice((b"short", b"lower-case01", b"\\n", b"I", b""))),
            (b'"readings":[', b'"readings":[' + chance.choice((b"null,", b"[],", b"[" * 5000, b"{},", b'"x",', b",,"))),
        )
    )
    return READINGS, text.replace(old, new)


def _gap(chance: random.Random) -> Bad:
    first = chance.randint(1, 5)
    text = wire.encode(Gap("", from_micros(DAY), first, first + 2, "outbox quota"))
    match chance.randrange(6):
        case 0:
            texts, seq = [text, text], first
        case 5:
            texts, seq = [re.sub(rb'"at":"[^"]*"', b'"at":"' + chance.choice(TIMES) + b'"', text)], first
        case 1:
            texts, seq = [text], first + 1
        case 2:
            texts, seq = [text.replace(b'"to_seq":', b'"to_seq":-')], first
        case 3:
            texts, seq = [text.replace(b'"to_seq":', b'"to_seq":99999999999999999')], first
        case _:
            texts, seq = [text.replace(b'"device":""', b'"device":"x"')], first
    return READINGS, wire.encode_batch(epoch(chance), seq, datetime.now(UTC), texts)


@cache
def _bomb(size: int) -> bytes:
    return zlib.compress(b" " * size)


def _packed(chance: random.Random) -> Bad:
    match chance.randrange(4):
        case 0:
            return READINGS, _bomb(chance.choice((196_609, 1_000_000, 50_000_000)))
        case 1:
            return READINGS, zlib.compress(good(chance))[: -chance.randint(1, 20)]
        case 2:
            return READINGS, b"\x78" + chance.randbytes(200)
        case _:
            return READINGS, zlib.compress(zlib.compress(_plain(chance)))


def _deep(chance: random.Random) -> Bad:
    depth = chance.choice((500, 5_000, 90_000))
    opened, closed = chance.choice(((b"[", b"]"), (b'{"a":', b"}")))
    deep = (opened * depth + b"1" + closed * depth)[: 1 << 19]
    return chance.choice((READINGS, STATUS)), chance.choice((deep, _plain(chance).replace(b"true", deep, 1)))


def _noise(chance: random.Random) -> Bad:
    return chance.choice((READINGS, STATUS)), chance.randbytes(chance.choice((0, 1, 2, 50, 3_000, 300_000)))


def _status(chance: random.Random) -> Bad:
    return STATUS, chance.choice(
        (
            b"{}",
            b'{"online":"yes"}',
            b'{"online":true,"streams":[{"epoch":"x","next_seq":0,"outbox_depth":-1}]}',
            b'{"online":true,"streams":{}}',
            b'{"online":true,"devices":[{"name":7}]}',
            b'{"online":true,"devices":[{"name":"\\ud800","state":"reading","since":"2026-01-01T00:00:00Z"}]}',
            b'{"online":true,"trackers":{"connected":1e999}}',
            b'{"online":true,"version":"' + b"\xff" * 10 + b'"}',
            b"null",
            b"true",
            b'{"online":true,"version":"1","note":"\xff"}',
            b'{"online":true,"streams":[' + _stream(chance, chance.choice(NUMBERS), b"2026-01-01T00:00:00Z") + b"]}",
            b'{"online":true,"streams":[' + _stream(chance, b"1", chance.choice(TIMES)) + b"]}",
            b'{"online":true,"streams":[' + b",".join(_stream(chance) for _ in range(300)) + b"]}",
            b'{"online":true,"devices":[' + _device(chance.choice(NUMBERS), b"2026-01-01T00:00:00Z") + b"]}",
            b'{"online":true,"devices":[' + _device(b"1", chance.choice(TIMES)) + b"]}",
            b'{"online":true,"trackers":{"silent":' + chance.choice(NUMBERS) + b"}}",
        )
    )


def _stream(chance: random.Random, depth: bytes = b"3", oldest: bytes = b"2026-01-01T00:00:00Z") -> bytes:
    text = b'{"epoch":"%s","next_seq":9,"outbox_depth":%s,"oldest_unreceipted":"%s"}'
    return text % (epoch(chance).encode(), depth, oldest)


def _device(count: bytes, since: bytes) -> bytes:
    text = b'{"name":"door-1","state":"reading","since":"%s","readings":%s,"bad_frames":%s}'
    return text % (since, count, count)


def _topic(chance: random.Random) -> Bad:
    return f"stockyard/v1/{chance.choice(OTHERS)}/{chance.choice(LEAVES)}", good(chance)


SORTS: list[Callable[[random.Random], Bad]] = [
    _mutated, _mutated, _mutated, _swapped, _swapped, _swapped, _gap, _packed, _deep, _noise, _status, _topic
]  # fmt: skip


def messages(seed: int, count: int) -> list[Bad]:
    """That many malformed messages; some of the mutations may still be good."""
    chance = random.Random(seed)
    return [chance.choice(SORTS)(chance) for _ in range(count)]
