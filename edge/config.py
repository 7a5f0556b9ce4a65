"""edge.toml to frozen structs. Whatever is wrong is said with the key, what was expected, and the nearest known key."""

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, cast

import msgspec
from msgspec import Meta, Struct

from edge.connection import Mqtt
from edge.driver import Driver, DriverKind
from edge.drivers import DRIVERS
from edge.flow import READINGS_PER_S
from models.wire import is_gateway

MOST_PER_S = 1_000_000
_DEVICE_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,128}")
_S = TypeVar("_S", bound=Struct)


class BadConfig(Exception):
    """The configuration cannot be used; the message names the key."""


class GatewayTable(Struct, frozen=True):
    """`[gateway]`."""

    name: str
    """This gateway's name on the wire: a-z, 0-9, - and _."""
    state_dir: str = "/var/lib/stockyard/edge"
    """Where outbox.db lives."""
    outbox_quota_mb: Annotated[int, Meta(ge=1, le=1_000_000)] = 1024
    """The most that outbox.db may hold; keep it below the disk's free room."""


class MqttTable(Struct, frozen=True):
    """`[mqtt]`."""

    url: str = "mqtt://127.0.0.1:1883"
    """mqtt://HOST:PORT, or mqtts:// for TLS."""
    version: Literal["3.1.1", "5"] = "3.1.1"
    """MQTT version."""
    username: str = ""
    """For brokers that ask for one: the gateway's name."""
    password_file: str = ""
    """A file that holds the password."""
    ca_file: str = ""
    """With mqtts: who signs the broker's certificate; the system's own list if empty."""
    cert_file: str = ""
    """With mqtts: this gateway's certificate, if the broker asks for one."""
    key_file: str = ""
    """With mqtts: its key."""


@dataclass(frozen=True, slots=True)
class Device:
    """One `[[device]]`."""

    name: str
    kind: DriverKind
    settings: Struct
    max_readings_per_s: float = READINGS_PER_S
    """Of the device; where it is a port, of each tracker that connects to it, which its settings say."""

    def driver(self) -> Driver:
        """A driver for it, not yet running."""
        return self.kind.make(self.name, self.settings)


@dataclass(frozen=True, slots=True)
class Config:
    """The whole file."""

    gateway: GatewayTable
    mqtt: Mqtt
    devices: tuple[Device, ...]

    @property
    def outbox(self) -> Path:
        """The outbox's file."""
        return Path(self.gateway.state_dir) / "outbox.db"


def load(path: Path) -> Config:
    """Read a configuration file. Raises BadConfig."""
    try:
        return parse(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: {error}"
        raise BadConfig(msg) from error


def parse(text: str) -> Config:
    r"""Parse a configuration. Raises BadConfig.

    >>> parse('[gateway]\nname = "dock-a"\nstatedir = "/tmp"\n')
    Traceback (most recent call last):
    ...
    edge.config.BadConfig: gateway.statedir: unknown key; did you mean state_dir?
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        msg = f"not TOML: {error}"
        raise BadConfig(msg) from error
    _known("", tables, ("gateway", "mqtt", "device"))
    gateway = _table("gateway", tables.get("gateway", {}), GatewayTable)
    if not is_gateway(gateway.name):
        msg = f"gateway.name: a-z, 0-9, - and _ expected (not events, not api), got {gateway.name!r}"
        raise BadConfig(msg)
    return Config(gateway, _mqtt(_table("mqtt", tables.get("mqtt", {}), MqttTable)), _devices(tables.get("device", [])))


def missing_files(config: Config) -> list[str]:
    """The files that keys of the configuration name and that are not there; each with its key.

    They are looked for here and not in `parse`: one device's missing certificate must not keep the others from running.
    """
    named = {f"mqtt.{name}": str(getattr(config.mqtt, name) or "") for name in ("ca_file", "cert_file", "key_file")}
    missing = [f"{key}: no such file: {file}" for key, file in named.items() if file and not Path(file).is_file()]
    for device in config.devices:
        values = {name: getattr(device.settings, name) for name in device.settings.__struct_fields__}
        for key, value in values.items():
            if not isinstance(value, str) or not value:
                continue
            if key.endswith("_file") and not Path(value).is_file():
                missing.append(f"device {device.name}.{key}: no such file: {value}")
            elif key == "capture" and not Path(value).parent.is_dir():
                missing.append(f"device {device.name}.{key}: no such folder: {Path(value).parent}")
    return missing


def _devices(tables: object) -> tuple[Device, ...]:
    if not isinstance(tables, list):
        msg = "device: [[device]] tables expected"
        raise BadConfig(msg)
    devices: dict[str, Device] = {}
    for number, table in enumerate(cast("list[object]", tables), 1):
        device = _device(f"device {number}", table)
        if device.name in devices:
            msg = f"device {number}: name {device.name!r} is taken by another device"
            raise BadConfig(msg)
        devices[device.name] = device
    return tuple(devices.values())


def _device(where: str, table: object) -> Device:
    if not isinstance(table, dict):
        msg = f"{where}: a table expected"
        raise BadConfig(msg)
    rest = dict(cast("dict[str, Any]", table))
    name, driver = rest.pop("name", None), rest.pop("driver", None)
    if not isinstance(name, str) or not _DEVICE_NAME.fullmatch(name):
        msg = f"{where}.name: 1 to 128 printable characters expected, got {name!r}"
        raise BadConfig(msg)
    kinds = {kind.name: kind for kind in DRIVERS}
    if driver not in kinds:
        msg = (
            f"{where} ({name}).driver: one of {', '.join(kinds)} expected, got {driver!r}{_nearest(str(driver), kinds)}"
        )
        raise BadConfig(msg)
    settings, where = kinds[driver].settings, f"{where} ({name})"
    if "max_readings_per_s" in settings.__struct_fields__:
        return Device(name, kinds[driver], _table(where, rest, settings), float(MOST_PER_S))
    rate = rest.pop("max_readings_per_s", READINGS_PER_S)
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 1 <= rate <= MOST_PER_S:
        msg = f"{where}.max_readings_per_s: a number, 1 ... {MOST_PER_S}, expected, got {rate!r}"
        raise BadConfig(msg)
    return Device(name, kinds[driver], _table(where, rest, settings), float(rate))


def _mqtt(table: MqttTable) -> Mqtt:
    password = ""
    if table.password_file:
        try:
            password = Path(table.password_file).read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            msg = f"mqtt.password_file: {error}"
            raise BadConfig(msg) from error
    try:
        return Mqtt(
            url=table.url,
            username=table.username,
            password=password,
            ca_file=_file(table.ca_file),
            cert_file=_file(table.cert_file),
            key_file=_file(table.key_file),
            version=table.version,
        )
    except ValueError as error:
        raise BadConfig(str(error)) from error


def _file(name: str) -> Path | None:
    return Path(name) if name else None


def _table(where: str, table: object, struct: type[_S]) -> _S:
    """A table as the struct. Raises BadConfig naming the key and what was expected."""
    if not isinstance(table, dict):
        msg = f"{where}: a table expected"
        raise BadConfig(msg)
    _known(where, cast("dict[str, Any]", table), struct.__struct_fields__)
    try:
        return msgspec.convert(table, struct)
    except msgspec.ValidationError as error:
        msg = f"{where}: {error}"
        raise BadConfig(msg) from error


def _known(where: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            msg = f"{where}{'.' if where else ''}{key}: unknown key{_nearest(key, known)}"
            raise BadConfig(msg)


def _nearest(key: str, known: Mapping[str, Any] | tuple[str, ...]) -> str:
    near = difflib.get_close_matches(key, list(known), 1, 0.4)
    return f"; did you mean {near[0]}?" if near else f"; known are {', '.join(known)}"
