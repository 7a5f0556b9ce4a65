"""backend.toml as frozen structs; an unknown key is an error that names the nearest known one."""

import tomllib
from collections.abc import Iterator
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct, field

LAST_PORT = 65535


class ConfigError(Exception):
    """The configuration cannot be used; the message names the file and the key."""


class Backend(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the backend keeps its files and listens."""

    state_dir: str = "/var/lib/stockyard"
    modules: list[Literal["stock", "assets"]] = field(default_factory=lambda: ["stock", "assets"])
    listen: str = "127.0.0.1:8000"
    hosts: list[str] = field(default_factory=list[str])


class Mqtt(Struct, frozen=True, forbid_unknown_fields=True):
    """The broker."""

    url: str = "mqtt://127.0.0.1:1883"
    username: str = ""
    password_file: str = ""


class Book(Struct, frozen=True, forbid_unknown_fields=True):
    """The book: `sqlite` is state_dir/book.db, or a PostgreSQL URL."""

    url: str = "sqlite"


class Telemetry(Struct, frozen=True, forbid_unknown_fields=True):
    """The telemetry store: `sql` is state_dir/telemetry.db."""

    url: str = "sql"
    retention_days: int = 730


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of backend.toml."""

    backend: Backend = Backend()
    mqtt: Mqtt = Mqtt()
    book: Book = Book()
    telemetry: Telemetry = Telemetry()

    @property
    def state_dir(self) -> Path:
        return Path(self.backend.state_dir)


def load(path: Path) -> Config:
    """Read backend.toml. Raises ConfigError."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    _refuse_unknown(path, raw, Config, "")
    try:
        config = msgspec.convert(raw, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {error}") from error
    for key, wrong in _problems(config):
        raise ConfigError(f"{path}: {key}: {wrong}")
    return config


def _problems(config: Config) -> Iterator[tuple[str, str]]:
    host, _, port = config.backend.listen.rpartition(":")
    if not host or not port.isdecimal() or int(port) > LAST_PORT:
        yield "backend.listen", f"HOST:PORT expected, got {config.backend.listen!r}"
    if urlsplit(config.mqtt.url).scheme not in {"mqtt", "mqtts"} or not urlsplit(config.mqtt.url).hostname:
        yield "mqtt.url", f"mqtt://HOST:PORT or mqtts://HOST:PORT expected, got {config.mqtt.url!r}"
    if config.mqtt.username and not Path(config.mqtt.password_file).is_file():
        yield "mqtt.password_file", f"a file with the password of {config.mqtt.username!r} expected"
    if config.book.url != "sqlite" and not config.book.url.startswith("postgresql://"):
        yield "book.url", f"sqlite or postgresql://... expected, got {config.book.url!r}"
    if config.book.url != "sqlite" and find_spec("psycopg") is None:
        yield "book.url", "psycopg is not installed: pip install psycopg"
    if config.telemetry.url != "sql":
        yield "telemetry.url", f"sql expected, got {config.telemetry.url!r}"


def _refuse_unknown(path: Path, raw: dict[str, Any], struct: type[Struct], where: str) -> None:
    known = {f.encode_name: f.type for f in msgspec.structs.fields(struct)}
    for key, value in raw.items():
        if key not in known:
            near = get_close_matches(key, list(known), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}"
            raise ConfigError(f"{path}: unknown key {where}{key!r}{hint}")
        if isinstance(value, dict) and issubclass(known[key], Struct):
            _refuse_unknown(path, cast("dict[str, Any]", value), known[key], f"{key}.")
