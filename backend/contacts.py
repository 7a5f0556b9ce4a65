"""Whom the backend should hear from: the broker, tried with one connection, and the devices of the register."""

import secrets
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

from paho.mqtt.client import Client, ConnectFlags
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from sqlalchemy import Connection, func, select

from backend.book import register, schema
from backend.book.status import stored_status
from backend.config import Mqtt
from backend.transport import tls
from models.declared import Device
from models.reading import from_micros

PORTS = {"mqtt": 1883, "mqtts": 8883}
READING = "reading"


@dataclass(frozen=True, slots=True)
class Contact:
    """A declared device and how well it is heard."""

    name: str
    ok: bool
    detail: str
    next_step: str


def knock(config: Mqtt, wait_s: float) -> str:
    """Connect to the broker once: "" if it takes us, else its reason. Raises OSError if none answers."""
    url = urlsplit(config.url)
    if url.scheme not in PORTS:
        msg = f"mqtt.url: mqtt:// or mqtts:// expected, got {config.url!r}"
        raise ValueError(msg)
    answered = Event()
    said: list[ReasonCode] = []

    def connected(
        _client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, _: Properties | None
    ) -> None:
        said.append(reason)
        answered.set()

    def lost(*_told: object) -> None:
        answered.set()

    client = Client(CallbackAPIVersion.VERSION2, client_id=f"doctor-{secrets.token_hex(4)}", clean_session=True)
    if config.username:
        client.username_pw_set(config.username, Path(config.password_file).read_text(encoding="utf-8").strip())
    if url.scheme == "mqtts":
        client.tls_set_context(tls.context(config))  # pyright: ignore[reportUnknownMemberType]
    client.on_connect = connected
    client.on_disconnect = lost
    client.connect_timeout = wait_s
    client.connect(url.hostname or "127.0.0.1", url.port or PORTS[url.scheme])
    client.loop_start()
    ended = answered.wait(wait_s)
    client.disconnect()
    client.loop_stop()
    if not said:
        return "it ended the connection" if ended else f"no MQTT answer in {wait_s:.0f} s"
    return str(said[0]) if said[0].is_failure else ""


def devices(tx: Connection, now: int) -> list[Contact]:
    """Every device that the register declares, as its gateway last described it, and when it last read anything."""
    declared = register.load(tx).all("devices", now)
    statuses = {
        row.name: (row.online, row.status)
        for row in tx.execute(select(schema.gateway.c.name, schema.gateway.c.online, schema.gateway.c.status))
    }
    found: list[Contact] = []
    for ident, body in declared.items():
        if isinstance(body, Device):
            online, status = statuses.get(body.gateway or "", (False, None))
            found.append(_contact(ident, body, _state(body, online=online, status=status), _last_read(tx, body)))
    return found


def _contact(ident: str, device: Device, state: str, last_at: int | None) -> Contact:
    last = "nothing read yet" if last_at is None else f"last read {from_micros(last_at):%F %T} UTC"
    steps = {
        "gateway never heard": f"start `stockyard-edge run` with the name {device.gateway!r} and this broker",
        "gateway offline": f"look at gateway {device.gateway!r}: `stockyard-edge doctor`",
        "not configured": f"add a [[device]] named {device.name!r} to that gateway's edge.toml",
    }
    is_heard = last_at is not None if device.gateway is None else state == READING
    step = steps.get(state, "look at the device's power, cable and address: `stockyard-edge doctor`")
    if device.tracker is not None:
        step = f"let {device.name} send to a gateway's tracker port, and look for it in that gateway's log"
    return Contact(ident, is_heard, f"{state}, {last}" if device.gateway is not None else last, step)


def _state(device: Device, *, online: bool, status: bytes | None) -> str:
    if status is None:
        return "gateway never heard"
    if not online:
        return "gateway offline"
    told = stored_status(status)
    return next((each.state for each in told.devices or [] if each.name == device.name), "not configured")


def _last_read(tx: Connection, device: Device) -> int | None:
    table = schema.device.c
    owner = 0
    if device.gateway is not None:
        owner = tx.scalar(select(schema.gateway.c.id).where(schema.gateway.c.name == device.gateway)) or -1
    ident = tx.scalar(select(table.id).where(table.gateway_id == owner, table.name == device.name))
    last: int | None = tx.scalar(select(func.max(schema.journal.c.at)).where(schema.journal.c.device_id == ident))
    return last
