"""The gateway's status message in the book: online, devices, and the streams that its outbox still lists."""

import msgspec
from sqlalchemy import Connection, select, update

from backend.book import events
from backend.book.journal import gateway_id, lock_stream
from backend.book.schema import gateway, stream
from models.errors import BadEnvelope
from models.reading import micros
from models.wire import Status

_status = msgspec.json.Decoder(Status)
MAX_STATUS_BYTES = 1 << 20
MAX_STREAMS = 10_000


def note_status(tx: Connection, name: str, payload: bytes, now: int) -> None:
    """Keep a status. Raises BadEnvelope naming the field that is wrong."""
    try:
        status = _status.decode(payload[:MAX_STATUS_BYTES])
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise BadEnvelope(f"status: {error}") from error
    owner = gateway_id(tx, name)
    before = tx.execute(select(gateway.c.online, gateway.c.status).where(gateway.c.id == owner)).one()
    values: dict[str, object] = {"online": status.online, "last_seen": now}
    if status.online:
        values["status"] = payload
        for each in (status.streams or [])[:MAX_STREAMS]:
            held = lock_stream(tx, name, each.epoch)
            oldest = None if each.oldest_unreceipted is None else micros(each.oldest_unreceipted)
            tx.execute(
                update(stream)
                .where(stream.c.id == held.id)
                .values(listed_next_seq=each.next_seq, listed_at=now, listed_oldest=oldest)
            )
    tx.execute(update(gateway).where(gateway.c.id == owner).values(values))
    events.changed(tx, f"gateway:{name}", now)
    if before.online != status.online or _devices(before.status) != _devices(
        payload if status.online else before.status
    ):
        events.emit(tx, "gateway", {"name": name, "online": status.online}, now)


def _devices(payload: bytes | None) -> list[tuple[str, str]]:
    status = None if payload is None else _status.decode(payload)
    return [] if status is None else [(device.name, device.state) for device in status.devices or []]
