"""The gateway's status message in the book: online, devices, and the streams that its outbox still lists.

What a status may grow the book by is bounded: at most MAX_STREAMS streams of a gateway have a row before anything of
them was committed, and one of which nothing was ever numbered has none.
"""

from sqlalchemy import ColumnElement, Connection, func, select, update

from backend.book import events
from backend.book.journal import count_refused, gateway_id, lock_stream
from backend.book.schema import gateway, stream
from models.errors import BadEnvelope
from models.reading import micros
from models.wire import Status, Stream, decode_status

MAX_STREAMS = 200


def note_status(tx: Connection, name: str, payload: bytes, now: int) -> None:
    """Keep a status. Raises BadEnvelope naming the field that is wrong."""
    status = decode_status(payload)
    owner = gateway_id(tx, name)
    before = tx.execute(select(gateway.c.online, gateway.c.status).where(gateway.c.id == owner)).one()
    values: dict[str, object] = {"online": status.online, "last_seen": now}
    if status.online:
        values["status"] = payload
        _note_streams(tx, (name, owner), status.streams or [], now)
    tx.execute(update(gateway).where(gateway.c.id == owner).values(values))
    events.changed(tx, f"gateway:{name}", now)
    told = _devices(stored_status(before.status))
    if before.online != status.online or told != (_devices(status) if status.online else told):
        events.emit(tx, "gateway", {"name": name, "online": status.online}, now)


def stored_status(payload: bytes | None) -> Status:
    """What a kept status says; nothing, if this version cannot read it."""
    try:
        return Status(online=False) if payload is None else decode_status(payload)
    except BadEnvelope:
        return Status(online=False)


def waiting(listed: Stream, mark: int) -> int:
    """How many readings of a stream wait at the edge: what it listed, less what has been committed since."""
    return min(listed.outbox_depth, max(0, listed.next_seq - 1 - mark))


def _note_streams(tx: Connection, owner: tuple[str, int], listed: list[Stream], now: int) -> None:
    """Keep what is listed; a stream that is not listed any more has nothing that waits."""
    name, owner_id = owner
    gone = stream.c.gateway_id == owner_id, stream.c.listed_oldest.is_not(None)
    tx.execute(update(stream).where(*gone).values(listed_oldest=None))
    ignored = max(0, len(listed) - MAX_STREAMS)
    for each in listed[:MAX_STREAMS]:
        is_known = _count(tx, owner_id, stream.c.epoch == each.epoch) > 0
        if not is_known and each.next_seq == 1:
            continue
        if not is_known and _count(tx, owner_id, stream.c.mark == 0) >= MAX_STREAMS:
            ignored += 1
            continue
        held = lock_stream(tx, name, each.epoch)
        at = each.oldest_unreceipted
        oldest = micros(at) if at is not None and waiting(each, held.mark) else None
        values = {"listed_next_seq": each.next_seq, "listed_at": now, "listed_oldest": oldest}
        tx.execute(update(stream).where(stream.c.id == held.id).values(values))
    if ignored:
        count_refused(tx, name, "stream", ignored, now)


def _count(tx: Connection, owner_id: int, which: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(stream).where(stream.c.gateway_id == owner_id, which)
    return tx.scalar(query) or 0


def _devices(status: Status) -> list[tuple[str, str]]:
    return [(device.name, device.state) for device in status.devices or []]
