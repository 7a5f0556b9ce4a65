"""What came in, as the API and the page show it: gateways, journal, gaps, quarantine; every query of these is here."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Raw
from pydantic import BaseModel, Field
from sqlalchemy import Connection, Row, func, select

from backend.api import items
from backend.book.journal import short
from backend.book.schema import device, gap, gateway, journal, quarantine, stream, too_late
from backend.book.status import stored_status, waiting
from models.errors import Refused
from models.reading import from_micros
from models.wire import Stream, content_hash, decode

SHOWN_TEXT = 2000


def time(us: int | None) -> datetime | None:
    """The time of microseconds, or None of None."""
    return None if us is None else from_micros(us)


def committed_at(tx: Connection) -> datetime | None:
    """When readings were last committed: of the newest reading of every stream, the last received."""
    at_mark = select(journal.c.received_at).where(journal.c.stream_id == stream.c.id, journal.c.seq == stream.c.mark)
    newest = at_mark.correlate(stream).scalar_subquery()
    return time(tx.scalar(select(func.max(newest)).select_from(stream)))


def gateways(tx: Connection) -> list[items.Gateway]:
    """Every gateway by name, with its streams and what its last status said."""
    streams: dict[int, list[Row[Any]]] = {}
    for row in tx.execute(select(stream).order_by(stream.c.id)):
        streams.setdefault(row.gateway_id, []).append(row)
    return [_gateway(row, streams.get(row.id, [])) for row in tx.execute(select(gateway).order_by(gateway.c.name))]


def _gateway(row: Row[Any], streams: list[Row[Any]]) -> items.Gateway:
    said = stored_status(row.status)
    listed = {each.epoch: each for each in said.streams or []}
    return items.Gateway(
        name=row.name,
        online=bool(row.online),
        last_seen=time(row.last_seen),
        streams=[_stream(each, listed.get(each.epoch)) for each in streams],
        devices=[items.DeviceState(d.name, d.state, d.since, d.readings, d.bad_frames) for d in said.devices or []],
    )


def _stream(row: Row[Any], listed: Stream | None) -> items.Stream:
    """What waits is what the last status listed less what has been committed since."""
    depth = None if listed is None else waiting(listed, row.mark)
    return items.Stream(row.epoch, row.mark, row.listed_next_seq, depth, time(row.listed_oldest) if depth else None)


class JournalAsk(BaseModel, frozen=True, extra="forbid"):
    """Which part of the journal: of a gateway, of an epoch, above a seq; `after` is the `next` of the page before."""

    gateway: str | None = Field(None, max_length=63)
    epoch: str | None = Field(None, max_length=12)
    after_seq: int = Field(0, ge=0, lt=2**63)
    after: str | None = Field(None, max_length=40)
    too_late: bool = Field(default=False, description="only those of days that were sealed when they came")
    limit: int = Field(1000, ge=1, le=5000)


def journal_entries(tx: Connection, ask: JournalAsk) -> tuple[list[items.JournalEntry], str | None]:
    """Committed readings by stream and seq, and the cursor of the last one. Raises Refused of a cursor not ours."""
    from_stream, from_seq = _cursor(ask.after) if ask.after is not None else (0, 0)
    found: list[Row[Any]] = []
    owners: dict[int, Row[Any]] = {}
    table = too_late if ask.too_late else journal
    for row in streams(tx, ask, from_stream):
        above = max(ask.after_seq, from_seq if row.id == from_stream else 0)
        if row.mark > above and len(found) < ask.limit:
            owners[row.id] = row
            entries = select(table).where(table.c.stream_id == row.id, table.c.seq > above)
            found += tx.execute(entries.order_by(table.c.seq).limit(ask.limit - len(found))).all()
    names = device_names(tx, {row.device_id for row in found})
    entries_of = [_entry(row, owners[row.stream_id], names[row.device_id]) for row in found]
    return entries_of, f"{found[-1].stream_id}.{found[-1].seq}" if found else None


def streams(tx: Connection, ask: JournalAsk, from_stream: int = 0) -> Sequence[Row[Any]]:
    """The streams that are asked for: id, epoch, mark, pruned_to, name of the gateway."""
    columns = (stream.c.id, stream.c.epoch, stream.c.mark, stream.c.pruned_to, gateway.c.name)
    query: Any = select(*columns).join(gateway, gateway.c.id == stream.c.gateway_id)
    if ask.gateway is not None:
        query = query.where(gateway.c.name == ask.gateway)
    if ask.epoch is not None:
        query = query.where(stream.c.epoch == ask.epoch)
    return tx.execute(query.where(stream.c.id >= from_stream).order_by(stream.c.id)).all()


def _entry(row: Row[Any], owner: Row[Any], device_name: str) -> items.JournalEntry:
    return items.JournalEntry(
        gateway=owner.name,
        epoch=owner.epoch,
        seq=row.seq,
        kind=row.kind,
        device=device_name,
        at=from_micros(row.at),
        received_at=from_micros(row.received_at),
        reading=Raw(row.body),
    )


def _cursor(text: str) -> tuple[int, int]:
    parts = text.split(".")
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):  # noqa: PLR2004 - stream.seq
        msg = f"after: a cursor that was given as `next` expected, got {text[:40]!r}"
        raise Refused(msg)
    return int(parts[0]), int(parts[1])


def device_names(tx: Connection, ids: set[int]) -> dict[int, str]:
    """The names of these devices."""
    return {row.id: row.name for row in tx.execute(select(device.c.id, device.c.name).where(device.c.id.in_(ids)))}


def readings_of(tx: Connection, hashes: Sequence[str]) -> list[items.JournalEntry]:
    """The readings with these content hashes (hex), each once, by time: what a derived fact rests on."""
    wanted = {bytes.fromhex(text): text for text in hashes}
    query = (
        select(journal, stream.c.epoch, gateway.c.name)
        .join(stream, stream.c.id == journal.c.stream_id)
        .join(gateway, gateway.c.id == stream.c.gateway_id)
        .where(journal.c.content.in_([short(content) for content in wanted]))
        .order_by(journal.c.at, journal.c.stream_id, journal.c.seq)
    )
    found: dict[bytes, Row[Any]] = {}
    for row in tx.execute(query):
        content = content_hash(decode(row.body))
        if content in wanted:
            found.setdefault(content, row)
    names = device_names(tx, {row.device_id for row in found.values()})
    return [_entry(row, row, names[row.device_id]) for row in found.values()]


def gaps(tx: Connection, gateway_name: str | None, skip: int, limit: int) -> list[items.Gap]:
    """Numbers that were forced out of an outbox, by stream."""
    query = (
        select(gateway.c.name, stream.c.epoch, gap)
        .join(stream, stream.c.id == gap.c.stream_id)
        .join(gateway, gateway.c.id == stream.c.gateway_id)
        .order_by(gap.c.stream_id, gap.c.from_seq)
        .offset(skip)
        .limit(limit)
    )
    if gateway_name is not None:
        query = query.where(gateway.c.name == gateway_name)
    return [
        items.Gap(
            gateway=row.name,
            epoch=row.epoch,
            from_seq=row.from_seq,
            to_seq=row.to_seq,
            reason=row.reason,
            at=from_micros(row.at),
            received_at=from_micros(row.received_at),
        )
        for row in tx.execute(query)
    ]


def quarantined(tx: Connection, after: int, limit: int) -> list[items.Quarantined]:
    """What could not be used, in order of arrival."""
    query = (
        select(quarantine, stream.c.epoch)
        .outerjoin(stream, stream.c.id == quarantine.c.stream_id)
        .where(quarantine.c.id > after)
        .order_by(quarantine.c.id)
        .limit(limit)
    )
    return [
        items.Quarantined(
            id=row.id,
            gateway=row.gateway,
            epoch=row.epoch,
            seq=row.seq,
            sort=row.sort,
            reason=row.reason,
            text=_text(row.body),
            body=row.body,
            received_at=from_micros(row.received_at),
            replayed_at=time(row.replayed_at),
        )
        for row in tx.execute(query)
    ]


def _text(body: bytes) -> str | None:
    try:
        return body.decode()[:SHOWN_TEXT]
    except UnicodeDecodeError:
        return None
