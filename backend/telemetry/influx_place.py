"""Which InfluxDB there is, as backend.toml says it: server, database, API and token."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from backend.config import ConfigError, Telemetry, wrong_influx_url

SCHEMES = {"influxdb": "http", "influxdbs": "https"}
PORT = 8086


@dataclass(frozen=True, slots=True)
class Place:
    """Which server and database, and how it is written to."""

    url: str
    database: str
    org: str
    write_api: Literal["v1", "v2"]
    token: str

    @classmethod
    def of(cls, config: Telemetry) -> "Place":
        """What backend.toml says; the token is read from its file. Raises ConfigError."""
        parts = urlsplit(config.url)
        if problem := wrong_influx_url(config.url):
            raise ConfigError(f"telemetry.url: {problem}")
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        url = f"{SCHEMES[parts.scheme]}://{host}:{parts.port or PORT}"
        org = parse_qs(parts.query).get("org", [""])[0]
        return cls(url, parts.path.strip("/"), org, config.write_api, _token(config))


def _token(config: Telemetry) -> str:
    if not config.token_file:
        return ""
    try:
        token = Path(config.token_file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"telemetry.token_file: {config.token_file}: {type(error).__name__}") from None
    if not token or not token.isascii() or not token.isprintable():
        raise ConfigError(f"telemetry.token_file: {config.token_file}: one line of ASCII text expected")
    if config.write_api == "v1" and ":" not in token:
        raise ConfigError(f"telemetry.token_file: {config.token_file}: NAME:PASSWORD expected with write_api v1")
    return token
