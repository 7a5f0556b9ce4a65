"""The journal: gateways, streams and their marks, devices, readings as they came, gaps, and the quarantine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import get_args

from msgspec import Struct
from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_ignore

from backend.book.bulk import write_values
from backend.book.schema import device, gap, gateway, journal, quarantine, refused_count, stream, too_late
from models.reading import Reading, Unknown, micros
from models.wire import is_global

DAY_US = 86_400_000_000
ENVELOPES_KEPT_A_DAY = 10

_GATEWAY = select(gateway.c.id).where(gateway.c.name == bindparam("name"))
_STREAM = (
    select(stream.c.id, stream.c.mark, stream.c.pruned_to)
    .where(stream.c.gateway_id == bindparam("owner"), stream.c.epoch == bindparam("epoch"))
    .with_for_update()
)
_RAISE = (
    update(stream)
    .where(stream.c.id == bindparam("stream"), stream.c.mark == bindparam("held"))
    .values(mark=bindparam("new_mark"))
)
_DEVICE = select(device.c.id).where(device.c.gateway_id == bindparam("owner"), device.c.name == bindparam("name"))
_ADD, _ADD_LATE = insert(journal), insert(too_late)
_COLUMNS = ("stream_id", "seq", "kind", "device_id", "at", "received_at", "content", "body")
_KINDS = {each: str(each.__struct_config__.tag) for each in get_args(Reading)}


@dataclass(frozen=True, slots=True)
class StreamRow:
    """One stream and its mark, as locked by this transaction."""

    id: int
    gateway: str
    gateway_id: int
    mark: int
    pruned_to: int


class Arrival(Struct, frozen=True, gc=False):
    """A reading on its way into the journal."""

    stream_id: int
    seq: int
    device_id: int
    gateway: str
    reading: Reading | Unknown
    content: bytes
    at: int
    received_at: int
    text: bytes

    @property
    def short(self) -> int:
        """The content hash as the journal's index has it."""
        return int.from_bytes(self.content[:8], "big") >> 1

    @property
    def order(self) -> tuple[int, bytes]:
        """Fold order within one key, whose device and kind are fixed."""
        return self.at, self.content


@dataclass(frozen=True, slots=True)
class BadRow:
    """A reading on its way into quarantine; `sort` is invalid or conflict."""

    seq: int
    sort: str
    reason: str
    text: bytes


def storable(reason: str) -> str:
    """Words for a text column: PostgreSQL holds no NUL and nothing that is not UTF-8."""
    return reason.replace("\0", "").encode("utf-8", "replace").decode()[:2000]


def short(content: bytes) -> int:
    """The first 63 bits of a content hash, as the journal's index has it."""
    return int.from_bytes(content[:8], "big") >> 1


def gateway_id(tx: Connection, name: str) -> int:
    """The gateway's row, made at first sight."""
    found: int | None = tx.scalar(_GATEWAY, {"name": name})
    if found is None:
        tx.execute(insert_or_ignore(gateway).values(name=name).on_conflict_do_nothing())
        found = tx.scalar(_GATEWAY, {"name": name})
    assert found is not None  # noqa: S101 - inserted just now
    return found


def lock_stream(tx: Connection, gateway_name: str, epoch: str) -> StreamRow:
    """The stream of (gateway, epoch), mark 0 if it is new, locked until the transaction ends."""
    owner = gateway_id(tx, gateway_name)
    key = {"owner": owner, "epoch": epoch}
    row = tx.execute(_STREAM, key).one_or_none()
    if row is None:
        values = {"gateway_id": owner, "epoch": epoch, "mark": 0}
        tx.execute(insert_or_ignore(stream).values(values).on_conflict_do_nothing())
        row = tx.execute(_STREAM, key).one()
    return StreamRow(row.id, gateway_name, owner, row.mark, row.pruned_to)


def raise_mark(tx: Connection, held: StreamRow, mark: int) -> bool:
    """Move the mark from what was held; False if another worker moved it first (then nothing may be committed)."""
    done = tx.execute(_RAISE, {"stream": held.id, "held": held.mark, "new_mark": mark})
    return done.rowcount == 1


def device_id(tx: Connection, owner: int, name: str, known: dict[tuple[int, str], int]) -> int:
    """The device's integer id; `known` is the caller's cache, valid for this transaction."""
    key = (0 if is_global(name) else owner, name)
    if key not in known:
        values = {"owner": key[0], "name": name}
        found = tx.scalar(_DEVICE, values)
        if found is None:
            tx.execute(insert_or_ignore(device).values(gateway_id=key[0], name=name).on_conflict_do_nothing())
            found = tx.scalar(_DEVICE, values)
        assert found is not None  # noqa: S101 - inserted just now
        known[key] = found
    return known[key]


def add(tx: Connection, arrivals: Sequence[Arrival], *, is_late: bool = False) -> None:
    """Journal readings, each once; a second row of one (stream, seq) is an IntegrityError.

    `is_late`: they are of before the seal, and kept apart from those that are folded.
    """
    rows = [
        (a.stream_id, a.seq, kind_of(a.reading), a.device_id, a.at, a.received_at, a.short, a.text) for a in arrivals
    ]
    write_values(tx, _ADD_LATE if is_late else _ADD, _COLUMNS, rows)


def kind_of(reading: Reading | Unknown) -> str:
    """The reading's kind on the wire."""
    return reading.kind if isinstance(reading, Unknown) else _KINDS[type(reading)]


def when(reading: Reading | Unknown) -> int:
    """`at` in microseconds."""
    return micros(reading.at)


def add_gap(tx: Connection, stream_id: int, span: tuple[int, int], reason: str, times: tuple[int, int]) -> None:
    """Journal a gap from..to; `times` are its `at` and when it was received."""
    values = {"stream_id": stream_id, "from_seq": span[0], "to_seq": span[1], "reason": storable(reason)}
    tx.execute(insert(gap).values(**values, at=times[0], received_at=times[1]))


def holds(tx: Connection, stream_id: int, first: int, last: int) -> Callable[[int, bytes], bool]:
    """`same(seq, text)` of models.commit for the numbers first..last, with four queries in all."""
    texts: set[tuple[int, bytes]] = set()
    for table in (journal, quarantine, too_late):
        query = select(table.c.seq, table.c.body).where(
            table.c.stream_id == stream_id, table.c.seq.between(first, last)
        )
        texts.update((seq, bytes(body)) for seq, body in tx.execute(query))
    gaps = tx.execute(
        select(gap.c.from_seq, gap.c.to_seq).where(
            gap.c.stream_id == stream_id, gap.c.from_seq <= last, gap.c.to_seq >= first
        )
    ).all()
    return lambda seq, text: (seq, text) in texts or any(low <= seq <= high for low, high in gaps)


def keep_bad(tx: Connection, held: StreamRow, bad: BadRow, now: int) -> None:
    """Quarantine one reading: an invalid one counts as committed, a conflict does not."""
    values = {"gateway": held.gateway, "stream_id": held.id, "seq": bad.seq, "sort": bad.sort}
    tx.execute(insert(quarantine).values(**values, reason=storable(bad.reason), body=bad.text, received_at=now))


def count_refused(tx: Connection, gateway_name: str, sort: str, more: int, now: int) -> int:
    """Count what a gateway sent and nobody keeps; how many of this sort and day there are."""
    key = {"gateway": gateway_name, "day": now // DAY_US, "sort": sort}
    upsert = insert_or_ignore(refused_count).values(**key, count=more)
    tx.execute(upsert.on_conflict_do_update(index_elements=list(key), set_={"count": refused_count.c.count + more}))
    counted: int = tx.execute(select(refused_count.c.count).filter_by(**key)).scalar_one()
    return counted


def keep_envelope(tx: Connection, gateway_name: str, reason: str, payload: bytes, now: int) -> bool:
    """Count an unreadable payload; keep the first ten of a gateway and day. True if it was kept."""
    if count_refused(tx, gateway_name, "envelope", 1, now) > ENVELOPES_KEPT_A_DAY:
        return False
    tx.execute(
        insert(quarantine).values(
            gateway=gateway_name, sort="envelope", reason=storable(reason), body=payload[:200_000], received_at=now
        )
    )
    return True
