"""edge.toml: what is wrong is named, and the example is true."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from msgspec import NODEFAULT, Struct
from msgspec.structs import fields

from edge.config import BadConfig, GatewayTable, MqttTable, load, missing_files, parse
from edge.drivers import DRIVERS
from edge.flow import READINGS_PER_S

EXAMPLE = Path(__file__).parents[2] / "deploy" / "edge.example.toml"
GATEWAY = '[gateway]\nname = "dock-a"\n'
DEVICE = '[[device]]\nname = "door-1"\ndriver = "llrp"\naddress = "192.0.2.10"\n'
TRACKERS = '[[device]]\nname = "t"\ndriver = "teltonika"\nlisten = "0.0.0.0:5027"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "gateway: Object missing required field `name`"),
        ("[gateway", "not TOML"),
        ('[gatway]\nname = "a"', "gatway: unknown key; did you mean gateway?"),
        ('[gateway]\nname = "events"', "gateway.name: a-z"),
        (GATEWAY + "outbox_quota = 5", "gateway.outbox_quota: unknown key; did you mean outbox_quota_mb?"),
        (GATEWAY + "outbox_quota_mb = 0", "outbox_quota_mb"),
        (GATEWAY + '[mqtt]\nuser = "x"', "mqtt.user: unknown key; did you mean username?"),
        (GATEWAY + '[mqtt]\nversion = "4"', "version"),
        (GATEWAY + '[mqtt]\nurl = "http://x"', "mqtt.url: mqtt://"),
        (GATEWAY + '[mqtt]\npassword_file = "/no/such/file"', "mqtt.password_file: "),
        (GATEWAY + "device = 5", "gateway.device: unknown key"),
        ("device = 5\n" + GATEWAY, "device: [[device]] tables expected"),
        ("device = [5]\n" + GATEWAY, "device 1: a table expected"),
        (GATEWAY + DEVICE + DEVICE, "device 2: name 'door-1' is taken"),
        (GATEWAY + DEVICE.replace('"door-1"', '"a\\nb"'), "device 1.name"),
        (
            GATEWAY + DEVICE.replace("llrp", "lrp"),
            f"driver: one of {', '.join(kind.name for kind in DRIVERS)} expected, got 'lrp'; did you mean",
        ),
        (GATEWAY + DEVICE + "antenas = [1]", "device 1 (door-1).antenas: unknown key; did you mean antennas?"),
        (GATEWAY + DEVICE + "antennas = [0]", "antennas"),
        (GATEWAY + DEVICE + "antennas = 1", "Expected `array`"),
        (GATEWAY + DEVICE + "keepalive_s = 0", "keepalive_s"),
        (GATEWAY + DEVICE.replace("192.0.2.10", "host:0"), ": address: HOST:PORT expected, got 'host:0'"),
        (GATEWAY + DEVICE + "antennas = [1, 1]", "antennas: each once expected"),
        (GATEWAY + DEVICE + "window_s = -1", "window_s"),
        (GATEWAY + DEVICE + "max_readings_per_s = 0", "(door-1).max_readings_per_s: a number, 1 ... 1000000, expected"),
        (GATEWAY + DEVICE + "max_readings_per_s = true", "expected, got True"),
        (GATEWAY + TRACKERS + "max_readings_per_s = 0", "max_readings_per_s"),
        (
            GATEWAY + DEVICE + "tx_power_dbm = { x = 27.0 }",
            "tx_power_dbm: an antenna, 1 ... 255, expected as key, got 'x'",
        ),
        (
            GATEWAY + DEVICE + "antennas = [1]\ntx_power_dbm = { 2 = 27.0 }",
            "tx_power_dbm.2: an antenna of antennas expected",
        ),
        (GATEWAY + DEVICE + "tx_power_dbm = 99", "tx_power_dbm"),
        (GATEWAY + DEVICE + 'mode = "fast"', "mode"),
        (GATEWAY + DEVICE + 'include = ["30x"]', "include"),
        (GATEWAY + DEVICE + 'gpi = { 0 = "photo_eye" }', "gpi: an input's port, 1 ... 255, expected as key, got '0'"),
        (GATEWAY + DEVICE + 'gpi = { 1 = "eye", 2 = "eye" }', "gpi: a name of its own for each input"),
        (GATEWAY + DEVICE + "start_on = { gpi = 1 }", "start_on, stop_on: both or neither"),
        (
            GATEWAY + DEVICE + "start_on = { gpi = 1, timeout_s = 5 }\nstop_on = { gpi = 1, on = false }",
            "start_on.timeout_s: only stop_on",
        ),
        (GATEWAY + DEVICE + "start_on = { gpio = 1 }", "gpio"),
        (GATEWAY + DEVICE + 'ca_file = "reader.pem"', "ca_file: needs tls = true"),
        (GATEWAY + DEVICE + 'tls = true\nkey_file = "edge.key"', "key_file: needs cert_file"),
        (GATEWAY + DEVICE + "capture_mb = 0", "capture_mb"),
        (GATEWAY + TRACKERS.replace(":", ";"), ": listen: HOST:PORT expected, got"),
        (GATEWAY + TRACKERS + "io = 5", "device 1 (t): Expected `object`"),
        (GATEWAY + TRACKERS + 'imeis = ["35630704244101"]', "imeis"),
        (GATEWAY + TRACKERS + "io.1 = { inptu = 'x' }", "(t): io.1.inptu: unknown key; did you mean input?"),
    ],
)
def test_what_is_wrong_is_named(text: str, words: str) -> None:
    with pytest.raises(BadConfig, match=re.escape(words)):
        parse(text)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"none\.toml"):
        load(tmp_path / "none.toml")


def test_the_password_comes_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret\n")
    config = parse(f'{GATEWAY}[mqtt]\nusername = "dock-a"\npassword_file = "{tmp_path}/password"\n')
    assert (config.mqtt.username, config.mqtt.password) == ("dock-a", "secret")
    assert "secret" not in repr(config)


def test_the_whole_of_a_reader_is_taken() -> None:
    settings = """
tx_power_dbm = { 1 = 27, 2 = 30.5 }
mode = 1000
include = ["3034257BF"]
gpi = { 1 = "photo_eye" }
start_on = { gpi = 1 }
stop_on = { gpi = 1, on = false, timeout_s = 60 }
tls = true
"""
    reader: Any = parse(GATEWAY + DEVICE + settings).devices[0].settings
    assert (reader.powers_dbm(), reader.inputs(), reader.where()) == (
        {1: 27.0, 2: 30.5},
        {1: "photo_eye"},
        ("192.0.2.10", 5085),
    )
    assert (reader.mode, reader.start_on.on, reader.stop_on.timeout_s) == (1000, True, 60.0)
    plain: Any = parse(GATEWAY + DEVICE).devices[0].settings
    assert plain.where() == ("192.0.2.10", 5084)


def test_files_that_are_missing_are_named_by_their_key(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("x")
    files = f"""
tls = true
ca_file = "{tmp_path}/ca.pem"
cert_file = "{tmp_path}/edge.pem"
capture = "{tmp_path}/none/door.cap"
"""
    mqtt = f'[mqtt]\nurl = "mqtts://127.0.0.1"\nca_file = "{tmp_path}/broker.pem"\n'
    assert missing_files(parse(GATEWAY + mqtt + DEVICE + files)) == [
        f"mqtt.ca_file: no such file: {tmp_path}/broker.pem",
        f"device door-1.cert_file: no such file: {tmp_path}/edge.pem",
        f"device door-1.capture: no such folder: {tmp_path}/none",
    ]
    assert missing_files(parse(GATEWAY + DEVICE)) == []


def test_the_example_is_a_configuration() -> None:
    config = load(EXAMPLE)
    assert [(device.name, device.kind.name) for device in config.devices] == [
        ("door-1", "llrp"),
        ("scanner-1", "serial_scanner"),
        ("trackers-gt06", "gt06"),
        ("yard-gps", "nmea"),
        ("roof-gpsd", "gpsd"),
        ("phones", "osmand"),
        ("oem-feed", "aemp"),
        ("trackers", "teltonika"),
    ]


STRUCTS: list[tuple[str, type[Struct]]] = [
    ("[gateway]", GatewayTable),
    ("[mqtt]", MqttTable),
    *((f'driver = "{kind.name}"', kind.settings) for kind in DRIVERS),
]


@pytest.mark.parametrize(("table", "struct"), STRUCTS, ids=[table for table, _ in STRUCTS])
def test_the_example_mentions_every_field_and_its_defaults_are_true(table: str, struct: type[Struct]) -> None:
    section = next(part for part in EXAMPLE.read_text().split("\n\n") if table in part)
    section, *tables = re.split(r"^\[device\.(\w+)\]", section, flags=re.MULTILINE)
    shown = {match[1]: match[2] for match in re.finditer(r"^#(\w+)(?: = (.*))?", section, re.MULTILINE)}
    set_here = re.findall(r"^(\w+) = ", section, re.MULTILINE) + tables[::2]
    for field in fields(struct):
        assert (field.name in shown) != (field.name in set_here), field.name
        if field.name in shown:
            value = tomllib.loads(f"value = {shown[field.name]}")["value"] if shown[field.name] else None
            default = field.default if field.default_factory is NODEFAULT else field.default_factory()
            assert default is not NODEFAULT, field.name
            assert (tuple(value) if isinstance(value, list) else value) == default, field.name
    common = {"max_readings_per_s"} if table.startswith("driver") else set[str]()
    assert common <= set(shown)
    assert set(shown) | set(set_here) <= {*struct.__struct_fields__, "name", "driver"} | common
    if "max_readings_per_s" in shown and "max_readings_per_s" not in struct.__struct_fields__:
        assert float(shown["max_readings_per_s"].partition("#")[0]) == READINGS_PER_S
