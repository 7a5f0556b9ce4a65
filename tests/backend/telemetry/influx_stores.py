"""A store on a real InfluxDB, as tests want it."""

from pathlib import Path
from uuid import uuid4

from backend.config import Telemetry
from backend.telemetry.influx import InfluxStore
from tests.servers.influx import InfluxServer

QUICK, PATIENT = (1.0, 1.0, 1.0), (5.0, 30.0, 30.0)
"""Seconds to connect, to wait for an answer, and to wait for what is only read."""


def store_on(
    server: InfluxServer,
    database: str = "",
    *,
    days: int = 36_500,
    token: Path | None = None,
    limits: tuple[float, float, float] = PATIENT,
) -> InfluxStore:
    url = f"influxdb://127.0.0.1:{server.port}/{database or f't{uuid4().hex}'}"
    return InfluxStore(Telemetry(url, str(token or ""), "v1", days), limits)
