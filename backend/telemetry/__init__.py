"""The telemetry store: what happened over time, for charts and models. Derived from the book, and rebuilt from it."""

from backend.config import Config
from backend.telemetry import sql
from backend.telemetry.store import Store


def open_store(config: Config) -> Store:
    """The store that backend.toml names, as it is; `prepare` makes what it needs. Nothing is connected to yet."""
    if config.telemetry.url != "sql":
        from backend.telemetry.influx import InfluxStore  # noqa: PLC0415 - needs influxdb-client

        return InfluxStore(config.telemetry)
    if config.book.url != "sqlite":
        return sql.on_postgres(config.book.url)
    return sql.on_file(config.state_dir / "telemetry.db")
