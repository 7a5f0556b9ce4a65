"""One MQTT connection as paho makes it: settings, TLS, last will, subscriptions. What it hears goes into a queue.

paho's network thread ends when a callback raises; these only put into the queue, so that none can.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from models.wire import Status, encode, topic

VERSIONS = {"3.1.1": MQTTProtocolVersion.MQTTv311, "5": MQTTProtocolVersion.MQTTv5}
PORTS = {"mqtt": 1883, "mqtts": 8883}
CONNECT_S = 5.0
MAX_IN_FLIGHT, MAX_QUEUED = 64, 4096


@dataclass(frozen=True)
class Mqtt:
    """How to reach the broker. Raises ValueError naming the field."""

    url: str
    """mqtt://host[:port] or mqtts://host[:port]"""
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    version: str = "3.1.1"

    def __post_init__(self) -> None:
        if self.version not in VERSIONS:
            msg = f'mqtt.version: "3.1.1" or "5" expected, got {self.version!r}'
            raise ValueError(msg)
        parts = urlsplit(self.url)
        if parts.scheme not in PORTS or not parts.hostname or parts.username or parts.path not in {"", "/"}:
            msg = f"mqtt.url: mqtt://host[:port] or mqtts://host[:port] expected, got {self.url!r}"
            raise ValueError(msg)
        if parts.scheme == "mqtt" and (self.ca_file or self.cert_file or self.key_file):
            msg = "mqtt.url: ca_file, cert_file and key_file need mqtts://"
            raise ValueError(msg)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or PORTS[parts.scheme]

    @property
    def tls(self) -> bool:
        """Whether the connection is TLS."""
        return self.url.startswith("mqtts:")


@dataclass(frozen=True)
class Heard:
    """What paho's thread tells the publisher's, and from which connection."""

    client: Client | None
    what: str
    payload: bytes = b""
    committed: tuple[str, int, float] = ("", 0, 0.0)
    """Epoch, next seq, and when: monotonic seconds."""


def new_client(gateway: str, client_id: str, mqtt: Mqtt, hear: Callable[[Heard], None]) -> Client:
    """A client that is not connected yet and never reconnects by itself.

    It hears "subscribed" once the broker has granted receipts and replies, "refused" or "lost", and then messages by
    the last part of their topic. Raises OSError (ssl.SSLError) for certificates that are missing or cannot be read.
    """
    five = mqtt.version == "5"
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id,
        clean_session=None if five else True,
        protocol=VERSIONS[mqtt.version],
        reconnect_on_failure=False,
    )
    client.connect_timeout = CONNECT_S
    client.max_inflight_messages_set(MAX_IN_FLIGHT)
    client.max_queued_messages_set(MAX_QUEUED)
    client.will_set(topic(gateway, "status"), encode(Status(online=False)), qos=1, retain=True)
    if mqtt.username:
        client.username_pw_set(mqtt.username, mqtt.password or None)
    if mqtt.tls:
        ca, cert, key = (_present(mqtt, name) for name in ("ca_file", "cert_file", "key_file"))
        client.tls_set(ca, cert, key)  # pyright: ignore[reportUnknownMemberType]
    _listen(client, gateway, hear)
    return client


def _present(mqtt: Mqtt, name: str) -> str | None:
    file: Path | None = getattr(mqtt, name)
    if file is not None and not file.is_file():
        msg = f"mqtt.{name}: no such file: {file}"
        raise FileNotFoundError(msg)
    return str(file) if file else None


def _listen(client: Client, gateway: str, hear: Callable[[Heard], None]) -> None:
    topics = [(topic(gateway, "receipt"), 1), (topic(gateway, "reply"), 1)]

    def on_connect(
        me: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, _more: Properties | None
    ) -> None:
        if reason.is_failure:
            hear(Heard(client, "refused", f"refused: {reason}".encode()))
        else:
            me.subscribe(topics)

    def on_subscribe(
        _me: Client, _data: object, _mid: int, reasons: list[ReasonCode], _more: Properties | None
    ) -> None:
        refused = [str(reason) for reason in reasons if reason.is_failure]
        hear(Heard(client, "refused" if refused else "subscribed", f"subscriptions refused: {refused}".encode()))

    def on_message(_me: Client, _data: object, message: MQTTMessage) -> None:
        hear(Heard(client, message.topic.rpartition("/")[2], bytes(message.payload)))

    def on_disconnect(
        _me: Client, _data: object, _flags: DisconnectFlags, reason: ReasonCode, _more: Properties | None
    ) -> None:
        hear(Heard(client, "lost", f"connection lost: {reason}".encode()))

    client.on_connect, client.on_subscribe = on_connect, on_subscribe
    client.on_message, client.on_disconnect = on_message, on_disconnect
