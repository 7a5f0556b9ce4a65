"""backend.toml as frozen structs; an unknown key is an error that names the nearest known one."""

import re
import tomllib
from collections.abc import Iterator
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal, cast
from urllib.parse import parse_qs, urlsplit

import msgspec
from msgspec import Meta, Struct, field

from models.declared_alerts import Address
from models.errors import Refused
from models.webhook import key_of

LAST_PORT = 65535
LEAST_JOURNAL_DAYS = 30
"""What an edge that was offline for so long brings must still count."""
Kind = Literal[
    "availability", "crossing", "movement", "alert", "proposal", "scan", "visit", "service", "gateway", "reservation"
]
"""The kinds of domain events."""


class ConfigError(Exception):
    """The configuration cannot be used; the message names the file and the key."""


class Backend(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the backend keeps its files and listens."""

    state_dir: str = "/var/lib/stockyard"
    modules: list[Literal["stock", "assets"]] = field(default_factory=lambda: ["stock", "assets"])
    listen: str = "127.0.0.1:8000"
    hosts: list[str] = field(default_factory=list[str])
    gateway_readings_per_s: Annotated[int, Meta(ge=250)] = 20_000
    log: Literal["text", "json"] = "text"
    backup_days: Annotated[int, Meta(ge=0)] = 7
    undo_days: Annotated[int, Meta(ge=0, le=36_500)] = 30


class Mqtt(Struct, frozen=True, forbid_unknown_fields=True):
    """The broker."""

    url: str = "mqtt://127.0.0.1:1883"
    username: str = ""
    password_file: str = ""
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""


class Book(Struct, frozen=True, forbid_unknown_fields=True):
    """The book: `sqlite` is state_dir/book.db, or a PostgreSQL URL."""

    url: str = "sqlite"
    history_days: Annotated[int, Meta(ge=1)] = 400
    journal_days: Annotated[int, Meta(ge=0)] = 0


class Telemetry(Struct, frozen=True, forbid_unknown_fields=True):
    """The telemetry store: `sql` is state_dir/telemetry.db; or influxdb://HOST:PORT/DATABASE, influxdbs:// for TLS."""

    url: str = "sql"
    token_file: str = ""
    write_api: Literal["v1", "v2"] = "v2"
    retention_days: Annotated[int, Meta(ge=1, le=100_000)] = 730


class Webhook(Struct, frozen=True, forbid_unknown_fields=True):
    """Who is told of events by HTTP: signed as Standard Webhooks has it, at least once each."""

    url: str = ""
    secret_file: str = ""
    kinds: list[Kind] = field(default_factory=lambda: list[Kind](["availability"]))


class Mail(Struct, frozen=True, forbid_unknown_fields=True):
    """The server that mails of alerts go to: smtp://HOST:PORT, or smtps:// for TLS from the first byte; empty: none."""

    url: str = ""
    starttls: bool = True
    sender: str = ""
    username: str = ""
    password_file: str = ""
    ca_file: str = ""
    page: str = ""


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of backend.toml."""

    backend: Backend = Backend()
    mqtt: Mqtt = Mqtt()
    book: Book = Book()
    telemetry: Telemetry = Telemetry()
    mail: Mail = Mail()
    webhook: dict[str, Webhook] = field(default_factory=dict[str, Webhook])

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


def secrets_of(config: Config) -> list[str]:
    """What no log may ever say: the content of every file that a `..._file` key names as a password or token."""
    tables: tuple[Struct, ...] = (config.mqtt, config.telemetry, config.mail, *config.webhook.values())
    named = [str(getattr(t, key, "") or "") for t in tables for key in ("password_file", "token_file", "secret_file")]
    return [Path(file).read_text(encoding="utf-8").strip() for file in named if file and Path(file).is_file()]


def _problems(config: Config) -> Iterator[tuple[str, str]]:
    host, _, port = config.backend.listen.rpartition(":")
    if not host or not port.isdecimal() or int(port) > LAST_PORT:
        yield "backend.listen", f"HOST:PORT expected, got {config.backend.listen!r}"
    mqtt = urlsplit(config.mqtt.url)
    if mqtt.scheme not in {"mqtt", "mqtts"} or not mqtt.hostname or mqtt.username is not None:
        yield "mqtt.url", f"mqtt://HOST:PORT or mqtts://HOST:PORT expected, got {config.mqtt.url!r}"
    yield from _tls_problems(config.mqtt)
    if config.mqtt.username and not Path(config.mqtt.password_file).is_file():
        yield "mqtt.password_file", f"a file with the password of {config.mqtt.username!r} expected"
    if config.book.url != "sqlite" and not config.book.url.startswith("postgresql://"):
        yield "book.url", f"sqlite or postgresql://... expected, got {config.book.url!r}"
    if config.book.url != "sqlite" and find_spec("psycopg") is None:
        yield "book.url", "psycopg is not installed: pip install 'stockyard[postgres]'"
    if 0 < config.book.journal_days < LEAST_JOURNAL_DAYS:
        yield "book.journal_days", f"0 (for ever), or at least {LEAST_JOURNAL_DAYS} expected"
    yield from _store_problems(config.telemetry)
    yield from mail_problems(config.mail)
    for name, hook in config.webhook.items():
        yield from _webhook_problems(f"webhook.{name}", hook)


def mail_problems(mail: Mail) -> Iterator[tuple[str, str]]:
    """What is wrong with [mail]: each key, and what was expected."""
    if not mail.url:
        return
    url = urlsplit(mail.url)
    if url.scheme not in {"smtp", "smtps"} or not url.hostname or url.username is not None or url.path not in {"", "/"}:
        yield "mail.url", f"smtp://HOST:PORT or smtps://HOST:PORT expected, got {mail.url!r}"
    try:
        msgspec.convert(mail.sender, Address)
    except msgspec.ValidationError:
        yield "mail.sender", f"an address like stockyard@example.com expected, got {mail.sender!r}"
    if mail.username and not Path(mail.password_file).is_file():
        yield "mail.password_file", f"a file with the password of {mail.username!r} expected"
    if mail.username and url.scheme == "smtp" and not mail.starttls:
        yield "mail.starttls", "true expected with mail.username: a password goes by TLS only"
    if mail.ca_file and not Path(mail.ca_file).is_file():
        yield "mail.ca_file", f"no such file: {mail.ca_file}"
    page = urlsplit(mail.page)
    if mail.page and (page.scheme not in {"http", "https"} or not page.hostname):
        yield "mail.page", f"http://HOST/ or https://HOST/ expected, got {mail.page!r}"


def _webhook_problems(key: str, hook: Webhook) -> Iterator[tuple[str, str]]:
    url = urlsplit(hook.url)
    if url.scheme not in {"http", "https"} or not url.hostname or url.username is not None:
        yield f"{key}.url", "http://HOST/... or https://HOST/... expected"
    try:
        key_of(Path(hook.secret_file).read_text(encoding="utf-8"))
    except (OSError, UnicodeError):
        yield f"{key}.secret_file", f"a file with the secret expected, got {hook.secret_file!r}"
    except Refused as error:
        yield f"{key}.secret_file", str(error)


def _store_problems(telemetry: Telemetry) -> Iterator[tuple[str, str]]:
    if telemetry.url == "sql":
        return
    if problem := wrong_influx_url(telemetry.url):
        yield "telemetry.url", problem
    if find_spec("influxdb_client") is None:
        yield "telemetry.url", 'influxdb-client is not installed: pip install "stockyard[influx]"'
    if telemetry.token_file and not Path(telemetry.token_file).is_file():
        yield "telemetry.token_file", f"no such file: {telemetry.token_file}"


def wrong_influx_url(url: str) -> str:
    """What is wrong with a URL of InfluxDB; empty if nothing is. A password in it is not repeated."""
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        return "a name and password belong into telemetry.token_file, as NAME:PASSWORD"
    try:
        fits = parts.scheme in {"influxdb", "influxdbs"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits or not re.fullmatch(r"/[A-Za-z0-9_.-]+/?", parts.path) or parts.fragment:
        return f"sql, influxdb://HOST:PORT/DATABASE or influxdbs://HOST:PORT/DATABASE expected, got {url!r}"
    if set(parse_qs(parts.query, keep_blank_values=True)) - {"org"}:
        return "org is the only parameter there is"
    return ""


def _tls_problems(mqtt: Mqtt) -> Iterator[tuple[str, str]]:
    for key, file in {"ca_file": mqtt.ca_file, "cert_file": mqtt.cert_file, "key_file": mqtt.key_file}.items():
        if file and not mqtt.url.startswith("mqtts:"):
            yield f"mqtt.{key}", "mqtts:// is expected of mqtt.url with it"
        if file and not Path(file).is_file():
            yield f"mqtt.{key}", f"no such file: {file}"
    if mqtt.key_file and not mqtt.cert_file:
        yield "mqtt.cert_file", "the certificate of mqtt.key_file expected"


def _refuse_unknown(path: Path, raw: dict[str, Any], struct: type[Struct], where: str) -> None:
    known = {f.encode_name: f.type for f in msgspec.structs.fields(struct)}
    for key, value in raw.items():
        if key not in known:
            near = get_close_matches(key, list(known), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}"
            raise ConfigError(f"{path}: unknown key {where}{key!r}{hint}")
        if known[key] == dict[str, Webhook] and isinstance(value, dict):
            for name, hook in cast("dict[str, Any]", value).items():
                if isinstance(hook, dict):
                    _refuse_unknown(path, cast("dict[str, Any]", hook), Webhook, f"{key}.{name}.")
        elif isinstance(value, dict) and issubclass(known[key], Struct):
            _refuse_unknown(path, cast("dict[str, Any]", value), known[key], f"{key}.")
