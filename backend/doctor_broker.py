"""The doctor on the broker: a connection that takes our name and password, and certificates that hold long enough."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

from backend.check import Check
from backend.config import Mqtt
from backend.contacts import PORTS, knock
from backend.transport import tls
from models.certificate import BadCertificate, urgency


def broker(config: Mqtt, wait_s: float) -> Check:
    """A TCP connection, TLS where the URL says so, and an MQTT broker that takes our name and password."""
    try:
        refusal = knock(config, wait_s)
    except (OSError, ValueError) as error:
        step = "start the broker, or correct mqtt.url and mqtt.password_file"
        if config.url.startswith("mqtts:"):
            step = "start the broker, or correct mqtt.url, mqtt.ca_file and mqtt.password_file"
        return Check("broker", ok=False, detail=f"{config.url}: {tls.words(error)}", next_step=step)
    if refusal:
        step = "correct mqtt.username and mqtt.password_file, or the broker's access rules"
        return Check("broker", ok=False, detail=f"{config.url}: {refusal}", next_step=step)
    return Check("broker", ok=True, detail=f"{config.url} accepts us")


def certificates(config: Mqtt, wait_s: float) -> Iterator[Check]:
    """How long the broker's certificate and our own hold: told 30, 7 and 1 days before. Nothing without TLS."""
    url = urlsplit(config.url)
    if url.scheme != "mqtts":
        return
    host, port = url.hostname or "127.0.0.1", url.port or PORTS["mqtts"]
    yield _until("broker's certificate", lambda: tls.server_end(host, port, config, wait_s))
    if config.cert_file:
        yield _until("mqtt.cert_file", lambda: tls.file_end(config.cert_file))


def _until(name: str, find: Callable[[], datetime]) -> Check:
    try:
        end = find()
    except (OSError, BadCertificate) as error:
        step = "look at mqtt.ca_file, mqtt.cert_file and mqtt.url, and at the broker's log"
        return Check(name, ok=False, detail=tls.words(error), next_step=step)
    if soon := urgency(end, datetime.now(UTC)):
        step = "renew it, put it in place and restart who uses it"
        return Check(name, ok=False, detail=soon, next_step=step)
    return Check(name, ok=True, detail=f"valid until {end:%F %T} UTC")
