"""backend.toml: what is wrong is named, and the example is true."""

import re
from pathlib import Path

import msgspec
import pytest
from msgspec import Struct

from backend.config import Config, ConfigError, Webhook, load

EXAMPLE = Path(__file__).parents[2] / "deploy" / "backend.example.toml"
MAIL = '[mail]\nurl = "smtp://m"\nsender = "a@b"\n'


def test_the_example_is_a_configuration(tmp_path: Path) -> None:
    assert load(EXAMPLE) == Config()
    shown = tmp_path / "backend.toml"
    text = EXAMPLE.read_text(encoding="utf-8").partition("#[webhook.")[0]
    shown.write_text(re.sub(r"(?m)^#(\w+ =)", r"\1", text), encoding="utf-8")
    assert shown.read_text() != text
    assert load(shown) == Config(), "a default that is shown is not the default"


def test_the_webhook_of_the_example(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("whsec_" + "A" * 32)
    shown = tmp_path / "backend.toml"
    text = re.sub(r"(?m)^#", "", "".join(EXAMPLE.read_text(encoding="utf-8").partition("#[webhook.")[1:]))
    shown.write_text(text.replace("/etc/stockyard/shop.secret", str(tmp_path / "secret")), encoding="utf-8")
    (hook,) = load(shown).webhook.values()
    assert hook.kinds == Webhook().kinds, "a default that is shown is not the default"
    assert set(msgspec.to_builtins(hook)) == set(re.findall(r"(?m)^(\w+) = ", text))


@pytest.mark.parametrize("table", [field.name for field in msgspec.structs.fields(Config) if field.name != "webhook"])
def test_the_example_mentions_every_field(table: str) -> None:
    struct = type(getattr(Config(), table))
    assert issubclass(struct, Struct)
    text = EXAMPLE.read_text(encoding="utf-8")
    section = re.split(r"(?m)^#?\[", text.partition(f"[{table}]\n")[2])[0]
    assert re.findall(r"(?m)^#?(\w+) = ", section) == [field.name for field in msgspec.structs.fields(struct)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[backend", "Expected"),
        ("[bakend]\n", "unknown key 'bakend'; did you mean 'backend'?"),
        ('[book]\nurI = "x"\n', "unknown key book.'urI'; did you mean 'url'?"),
        ("[telemetry]\nretention_days = true\n", "Expected `int`"),
        ("[telemetry]\nretention_days = 0\n", "retention_days"),
        ('[backend]\nmodules = ["stok"]\n', "stok"),
        ('[backend]\nlisten = "8000"\n', "backend.listen: HOST:PORT expected, got '8000'"),
        ('[mqtt]\nurl = "http://x"\n', "mqtt.url: mqtt://HOST:PORT or mqtts://HOST:PORT expected"),
        ('[mqtt]\nurl = "mqtt://b:x@h"\n', "mqtt.url: mqtt://HOST:PORT or mqtts://HOST:PORT expected"),
        ('[mqtt]\nusername = "b"\npassword_file = "/nowhere"\n', "mqtt.password_file: a file with the password of 'b'"),
        ('[mqtt]\nca_file = "/nowhere"\n', "mqtt.ca_file: mqtts:// is expected of mqtt.url with it"),
        ('[mqtt]\nurl = "mqtts://x"\nca_file = "/nowhere"\n', "mqtt.ca_file: no such file: /nowhere"),
        ('[mqtt]\nurl = "mqtts://x"\nkey_file = "/nowhere"\n', "mqtt.key_file: no such file: /nowhere"),
        ('[book]\nurl = "nonsense"\n', "book.url: sqlite or postgresql://"),
        ("[book]\njournal_days = 7\n", "book.journal_days: 0 (for ever), or at least 30 expected"),
        ('[telemetry]\nurl = "influxdb://x"\n', "telemetry.url: sql, influxdb://HOST:PORT/DATABASE"),
        ('[mail]\nurl = "mail.example"\nsender = "a@b"\n', "mail.url: smtp://HOST:PORT or smtps://HOST:PORT expected"),
        ('[mail]\nurl = "smtp://m"\n', "mail.sender: an address like stockyard@example.com expected, got ''"),
        ('[mail]\nurl = "smtp://m"\nsender = "a@b\\nBcc: c@d"\n', "mail.sender: an address like"),
        ('[mail]\nurl = "smtp://m"\nsender = "a@b"\nusername = "u"\n', "mail.password_file: a file with the password"),
        (MAIL + f'username = "u"\npassword_file = "{EXAMPLE}"\nstarttls = false\n', "mail.starttls: true expected"),
        (MAIL + 'ca_file = "/nowhere"\n', "mail.ca_file: no such file: /nowhere"),
        (MAIL + 'page = "stockyard"\n', "mail.page: http://HOST/ or https://HOST/ expected, got 'stockyard'"),
        ("[mail]\nstartls = true\n", "unknown key mail.'startls'; did you mean 'starttls'?"),
        ('[webhook.shop]\nurI = "x"\n', "unknown key webhook.shop.'urI'; did you mean 'url'?"),
        ('[webhook.shop]\nurl = "ftp://x"\n', "webhook.shop.url: http://HOST/... or https://HOST/... expected"),
        ('[webhook.shop]\nurl = "http://x"\n', "webhook.shop.secret_file: a file with the secret expected"),
        (f'[webhook.shop]\nurl = "http://x"\nsecret_file = "{EXAMPLE}"\n', "webhook.shop.secret_file: whsec_ and"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "backend.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load(path)
    assert said in str(refused.value)
    assert str(path) in str(refused.value)
