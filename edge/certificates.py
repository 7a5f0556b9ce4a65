"""The certificates of the connection to the broker: why one is not accepted, in words, and how long each holds."""

import socket
import ssl
from collections.abc import Iterator
from datetime import datetime

from edge.connection import Mqtt
from models.certificate import BadCertificate, first_of_pem, not_after


def words(error: BaseException) -> str:
    """What went wrong with a connection, with what to look at where a certificate is the reason."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the broker's certificate is not accepted: {error.verify_message}; look at mqtt.ca_file and mqtt.url"
    if isinstance(error, ssl.SSLError):
        return (
            f"no TLS connection: {error}; does the broker speak TLS at this port, do mqtt.cert_file and key_file match?"
        )
    return f"{type(error).__name__}: {error}"


def ends(mqtt: Mqtt, wait_s: float) -> Iterator[tuple[str, datetime | str]]:
    """The broker's certificate and our own, each with when it ends, or why that is not known."""
    if not mqtt.tls:
        return
    try:
        yield "broker's certificate", _server_end(mqtt, wait_s)
    except (OSError, BadCertificate) as error:
        yield "broker's certificate", words(error)
    if mqtt.cert_file is not None:
        try:
            yield "mqtt.cert_file", not_after(first_of_pem(mqtt.cert_file.read_text("utf-8", "replace")))
        except (OSError, BadCertificate) as error:
            yield "mqtt.cert_file", words(error)


def _server_end(mqtt: Mqtt, wait_s: float) -> datetime:
    context = ssl.create_default_context(cafile=mqtt.ca_file)
    if mqtt.cert_file is not None:
        context.load_cert_chain(mqtt.cert_file, mqtt.key_file)
    with (
        socket.create_connection(mqtt.address, timeout=wait_s) as plain,
        context.wrap_socket(plain, server_hostname=mqtt.address[0]) as secured,
    ):
        return not_after(secured.getpeercert(binary_form=True) or b"")
