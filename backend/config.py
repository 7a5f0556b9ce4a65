"""backend.toml as frozen structs; an unknown key is an error that names the nearest known one."""

import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, cast

import msgspec
from msgspec import Struct, field


class ConfigError(Exception):
    """The configuration cannot be used; the message names the file and the key."""


class Backend(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the backend keeps its files and listens."""

    state_dir: str = "/var/lib/stockyard"
    modules: list[Literal["stock", "assets"]] = field(default_factory=lambda: ["stock", "assets"])
    listen: str = "127.0.0.1:8000"


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
        return msgspec.convert(raw, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {error}") from error


def _refuse_unknown(path: Path, raw: dict[str, Any], struct: type[Struct], where: str) -> None:
    known = {f.encode_name: f.type for f in msgspec.structs.fields(struct)}
    for key, value in raw.items():
        if key not in known:
            near = get_close_matches(key, list(known), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}"
            raise ConfigError(f"{path}: unknown key {where}{key!r}{hint}")
        if isinstance(value, dict) and issubclass(known[key], Struct):
            _refuse_unknown(path, cast("dict[str, Any]", value), known[key], f"{key}.")
