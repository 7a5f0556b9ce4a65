"""What backend.toml says of an InfluxDB: its URL, its token, which API it has, how long it keeps things."""

import logging
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from backend import cli
from backend.config import ConfigError, Telemetry
from backend.telemetry.influx import InfluxStore
from backend.telemetry.rows import Bucket, Followed, LedgerPosition, Step
from backend.telemetry.store import StoreAway
from simulators.torture.parts import free_port
from tests.backend.telemetry.followed_site import T0, S
from tests.backend.telemetry.influx_stores import store_on
from tests.backend.telemetry.samples import sample
from tests.servers import influx
from tests.servers.influx import InfluxServer

EPOCH = "0" * 12


def test_the_token_is_used_and_never_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = tmp_path / "token"
    with influx.on_loopback(auth="true") as server:
        server.ask("CREATE USER stock WITH PASSWORD 'right-secret' WITH ALL PRIVILEGES")
        said: list[str] = []
        for secret, works in (("stock:right-secret", True), ("stock:wrong-secret", False)):
            token.write_text(f"{secret}\n")
            store = store_on(server, "locked", token=token)
            for act in (
                store.prepare,
                store.positions,
                lambda store=store: store.write_stock([], LedgerPosition(1, b"h"), anew=False),
            ):
                if works:
                    act()
                    continue
                with pytest.raises(StoreAway, match="token_file") as refused:
                    act()
                said.append(f"{refused.value!r} {refused.value.__cause__!r} {refused.value.__context__!r}")
    said += [f"{each.getMessage()} {each.exc_text}" for each in caplog.records]
    assert not [each for each in said if "secret" in each]


@pytest.mark.parametrize(
    ("text", "said"),
    [("with\nnewline:x", "one line"), ("", "one line"), ("ä:b", "one line"), ("alone", "NAME:PASSWORD")],
)
def test_a_token_that_cannot_be_one_is_refused_without_showing_it(tmp_path: Path, text: str, said: str) -> None:
    token = tmp_path / "token"
    token.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=said) as refused:
        InfluxStore(Telemetry("influxdb://h/db", str(token), "v1"))
    assert not text or text not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("influxdb://user:hidden@host/db", "token_file"),
        ("influxdb://host", "DATABASE expected"),
        ('influxdb://host/a"b', "DATABASE expected"),
        ("influxdb://host:99999/db", "DATABASE expected"),
        ("influxdb://host/db?bucket=x", "org is the only"),
    ],
)
def test_what_is_no_url_of_influxdb_is_named(url: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as refused:
        InfluxStore(Telemetry(url))
    assert "hidden" not in str(refused.value)


def test_a_server_that_is_away_keeps_no_backend_from_starting(tmp_path: Path) -> None:
    config = tmp_path / "backend.toml"
    url = f'url = "influxdb://127.0.0.1:{free_port()}/x"\nwrite_api = "v1"\n'
    config.write_text(f'[backend]\nstate_dir = "{tmp_path}"\n[telemetry]\n{url}')
    done = CliRunner().invoke(cli.app, ["migrate", "-c", str(config)])
    assert done.exit_code == 0
    assert "the telemetry store is away" in done.output
    assert "nothing to do" in CliRunner().invoke(cli.app, ["migrate", "-c", str(config)]).output


def test_a_server_before_1_8_is_told_from_a_later_one(influx_server: InfluxServer) -> None:
    store = InfluxStore(Telemetry(f"influxdb://127.0.0.1:{influx_server.port}/t{uuid4().hex}"))
    with pytest.raises(StoreAway, match='need write_api = "v1"'):
        store.prepare()


def test_retention_follows_the_configuration(influx_server: InfluxServer) -> None:
    database = f"t{uuid4().hex}"
    for days, hours in ((730, 732 * 24), (90, 92 * 24)):
        store = store_on(influx_server, database, days=days)
        store.prepare()
        shown = influx_server.ask(f'SHOW RETENTION POLICIES ON "{database}"')[0]["values"]
        kept = {row[0]: row[1] for row in shown}
        assert (kept["telemetry"], kept["forever"]) == (f"{hours}h0m0s", "0s")
    old = sample("d", T0 - 4000 * 86_400 * S, 1, ("x", "1", 1.0))
    store.write(Step(samples=[old], followed=[Followed(("g", EPOCH), 1, {Bucket("d", old.at): 1})]))
    assert store.positions().streams == {("g", EPOCH): 1}
    assert store.refused().lines == 0, "what is too old is left out, not refused"
