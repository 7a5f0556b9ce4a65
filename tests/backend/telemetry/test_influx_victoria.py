"""The write path of InfluxDB 2 on a real server: VictoriaMetrics takes `/api/v2/write`.

It answers no InfluxQL, so that it is no store of ours. It keeps milliseconds and 15 digits of a number or so, and a row
that is repeated is there twice.
"""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.config import Telemetry
from backend.telemetry.influx import InfluxStore
from backend.telemetry.influx_http import NOTHING_REFUSED, Connection
from backend.telemetry.influx_place import Place
from backend.telemetry.influx_write import samples
from backend.telemetry.rows import Sample
from backend.telemetry.store import StoreAway
from tests.backend.telemetry.followed_site import T0
from tests.backend.telemetry.samples import sample, values
from tests.servers.victoria import SKIP, VICTORIA, VictoriaServer

MS = 1000
UNITS = ["Cel", "%", "m/s"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[VictoriaServer]:
    if VICTORIA is None:
        pytest.skip(SKIP)
    own = VictoriaServer(tmp_path / "victoria")
    own.start()
    yield own
    own.end()


def _connection(server: VictoriaServer) -> Connection:
    return Connection(Place(f"http://127.0.0.1:{server.port}", "stockyard", "acme", "v2", "a-token"), (1.0, 5.0, 5.0))


def _samples(count: int) -> list[Sample]:
    chance = random.Random(2)
    return [
        sample(f"d {k % 3}", T0 + k * MS, k, ("x", UNITS[k % 3], round(chance.uniform(-1e6, 1e6), 3)))
        for k in range(count)
    ]


def test_what_is_written_is_held_with_its_tags_times_and_floats(server: VictoriaServer) -> None:
    told = [*_samples(300), *(sample("t", T0 + k * MS, k, ("lat", "deg", 50 + k / 8)) for k in range(9))]
    connection = _connection(server)
    assert connection.write([*samples(told, 0)], "telemetry") == NOTHING_REFUSED
    connection.close()
    wanted = {(each.device, name, unit, each.at // MS, value) for each in told for name, unit, value in values(each)}
    found = {
        (
            (tags := dict(each.tags))["device"],
            tags.get("name") or each.name.removeprefix("fix_"),
            tags.get("unit", "deg"),
            each.at,
            each.value,
        )
        for each in server.export()
    }
    assert found == wanted


def test_all_of_it_is_there_after_the_server_was_away(server: VictoriaServer) -> None:
    told = [*samples(_samples(1000), 0)]
    connection = _connection(server)
    failures = 0
    for k in range(0, 1000, 100):
        if k == 300:
            server.end()
        while True:
            try:
                connection.write(told[k : k + 100], "telemetry")
                break
            except StoreAway:
                failures += 1
                server.start()
    connection.close()
    assert failures == 1
    assert {(each.at, each.value) for each in server.export()} == {
        (each.at // MS, each.values[0]) for each in _samples(1000)
    }


def test_it_is_named_that_it_can_be_no_store(server: VictoriaServer) -> None:
    store = InfluxStore(Telemetry(f"influxdb://127.0.0.1:{server.port}/stockyard", retention_days=36_500))
    with pytest.raises(StoreAway, match="InfluxQL"):
        store.prepare()
    store.close()
