"""`stockyard-edge doctor`: each thing the gateway needs, tried once, and what to do where it fails."""

import os
import secrets
import shutil
import socket
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Empty, SimpleQueue

from msgspec import Struct

from edge.certificates import ends, words
from edge.config import Config, Device, missing_files
from edge.connection import CONNECT_S, Heard, Mqtt, new_client
from edge.driver import DeviceLost, DeviceRefused, SettingRefused
from edge.waiting import waiting
from models.certificate import urgency

OLDEST_CLOCK = datetime(2026, 1, 1, tzinfo=UTC)
_CLOCK_SLACK = timedelta(seconds=5)


class Finding(Struct, frozen=True, omit_defaults=True):
    """One line: what was looked at, what was found, and the next step if it is not well."""

    check: str
    ok: bool
    found: str
    next_step: str | None = None


def examine(config: Config) -> Iterator[Finding]:
    """Every check, in the order in which a person would mend things."""
    yield _clock(config)
    yield _state_dir(config)
    yield _room(config)
    yield from _files(config)
    yield from _broker(config)
    for device in config.devices:
        yield _device(device)


def _clock(config: Config) -> Finding:
    """The clock runs, and is not behind what this gateway has already written down."""
    now = datetime.now(UTC)
    newest = OLDEST_CLOCK
    if config.outbox.exists():
        written = datetime.fromtimestamp(config.outbox.stat().st_mtime, UTC)
        newest = max(newest, written - _CLOCK_SLACK)
    if now < newest:
        return Finding("clock", ok=False, found=f"{now:%F %T} UTC, before {newest:%F %T}", next_step="set it: use NTP")
    return Finding("clock", ok=True, found=f"{now:%F %T} UTC")


def _state_dir(config: Config) -> Finding:
    """The outbox's folder can be written, and its file read."""
    folder = Path(config.gateway.state_dir)
    step = f"create {folder} and give it to the user that runs the gateway"
    try:
        with tempfile.TemporaryFile(dir=_existing(folder)) as file:
            file.write(b"stockyard")
            os.fsync(file.fileno())
        streams = waiting(config.outbox) if config.outbox.exists() else []
    except (OSError, sqlite3.Error) as error:
        return Finding("outbox", ok=False, found=f"{folder}: {error}", next_step=step)
    return Finding("outbox", ok=True, found=f"{folder}, {sum(stream.unreceipted for stream in streams)} readings wait")


def _room(config: Config) -> Finding:
    """The quota fits on the disk: SQLite on a full disk cannot even delete."""
    free_mb = shutil.disk_usage(_existing(Path(config.gateway.state_dir))).free // 2**20
    files = [config.outbox.with_name(config.outbox.name + suffix) for suffix in ("", "-wal")]
    used_mb = sum(file.stat().st_size for file in files if file.exists()) // 2**20
    quota_mb = config.gateway.outbox_quota_mb
    found = f"{free_mb} MiB free, {used_mb} MiB used of outbox_quota_mb = {quota_mb}"
    if free_mb + used_mb > quota_mb:
        return Finding("disk", ok=True, found=found)
    return Finding("disk", ok=False, found=found, next_step="free some room, or lower gateway.outbox_quota_mb")


def _files(config: Config) -> Iterator[Finding]:
    """The files that the configuration names; nothing is said if all are there."""
    step = "correct the path, or put the file there; it must be readable by the user that runs the gateway"
    for line in missing_files(config):
        yield Finding("files", ok=False, found=line, next_step=step)


def _broker(config: Config) -> Iterator[Finding]:
    host, port = config.mqtt.address
    try:
        with socket.create_connection((host, port), timeout=CONNECT_S):
            yield Finding("broker", ok=True, found=f"{host}:{port} accepts connections")
    except OSError as error:
        step = "start the broker, or correct mqtt.url; look at the firewall between"
        yield Finding("broker", ok=False, found=f"{host}:{port}: {error}", next_step=step)
        return
    yield from _certificates(config.mqtt)
    problem = _mqtt_problem(config.gateway.name, config.mqtt)
    if problem is None:
        yield Finding("mqtt", ok=True, found="connected, receipts and replies granted")
    else:
        step = "check mqtt.username, password_file, the certificates, and the broker's ACL for this gateway's topics"
        yield Finding("mqtt", ok=False, found=problem, next_step=step)


def _certificates(mqtt: Mqtt) -> Iterator[Finding]:
    """How long the certificates of a TLS connection hold; a person is told 30, 7 and 1 days before."""
    for name, end in ends(mqtt, CONNECT_S):
        if isinstance(end, str):
            step = "look at mqtt.ca_file, mqtt.cert_file and mqtt.url, and at the broker's log"
            yield Finding(name, ok=False, found=end, next_step=step)
        elif soon := urgency(end, datetime.now(UTC)):
            yield Finding(name, ok=False, found=soon, next_step="renew it, put it in place and restart who uses it")
        else:
            yield Finding(name, ok=True, found=f"valid until {end:%F %T} UTC")


def _mqtt_problem(gateway: str, mqtt: Mqtt) -> str | None:
    """Connect as the gateway would, but without its last will. None if all is granted."""
    heard: SimpleQueue[Heard] = SimpleQueue()
    try:
        client = new_client(gateway, f"{gateway}-{secrets.token_hex(4)}", mqtt, heard.put)
        client.will_clear()
        client.connect(*mqtt.address)
        client.loop_start()
    except (OSError, ValueError) as error:
        return words(error)
    until = time.monotonic() + CONNECT_S
    problem: str | None = "no answer: is this an MQTT broker?"
    while time.monotonic() < until:
        try:
            event = heard.get(timeout=CONNECT_S)
        except Empty:
            break
        if event.what in {"subscribed", "refused", "lost"}:
            problem = None if event.what == "subscribed" else event.payload.decode()
            break
    client.disconnect()
    client.loop_stop()
    return problem


def _device(device: Device) -> Finding:
    check = f"device {device.name}"
    try:
        return Finding(check, ok=True, found=device.driver().probe())
    except SettingRefused as error:
        step = "change this key of the device in the configuration to what the device can do"
        return Finding(check, ok=False, found=str(error), next_step=step)
    except DeviceRefused as error:
        step = "end the other client; if it is this gateway's own service, all is well"
        return Finding(check, ok=False, found=str(error), next_step=step)
    except DeviceLost as error:
        step = "is it powered and connected, is its address or port in the configuration right, may this user open it?"
        return Finding(check, ok=False, found=str(error), next_step=step)


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder
