"""TLS to the broker: one context for all that connect to it, why a connection failed in words, and when it will."""

import socket
import ssl
from datetime import datetime
from pathlib import Path

from backend.config import Mqtt
from models.certificate import first_of_pem, not_after


class BadFiles(OSError):
    """A certificate or key that the configuration names cannot be used; the message names it."""


def context(config: Mqtt) -> ssl.SSLContext:
    """Trusts `ca_file`, else the system's list; has our certificate if there is one.

    Raises BadFiles.
    """
    try:
        made = ssl.create_default_context(cafile=config.ca_file or None)
    except OSError as error:
        msg = f"mqtt.ca_file: {config.ca_file}: no certificates in PEM: {error}"
        raise BadFiles(msg) from error
    if config.cert_file:
        try:
            made.load_cert_chain(config.cert_file, config.key_file or None, password=_no_password)
        except OSError as error:
            msg = f"mqtt.cert_file: {config.cert_file} and its key do not belong together or are not PEM: {error}"
            raise BadFiles(msg) from error
    return made


def words(error: BaseException) -> str:
    """What went wrong with a connection, with what to look at where the certificate is the reason."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the broker's certificate is not accepted: {error.verify_message}; look at mqtt.ca_file and mqtt.url"
    if isinstance(error, ssl.SSLError):
        return f"no TLS connection: {getattr(error, 'reason', error)}; does the broker speak TLS at this port?"
    return str(error) or type(error).__name__


def server_end(host: str, port: int, config: Mqtt, wait_s: float) -> datetime:
    """When the broker's certificate ends. Raises OSError, also where it is not accepted now."""
    with (
        socket.create_connection((host, port), timeout=wait_s) as plain,
        context(config).wrap_socket(plain, server_hostname=host) as secured,
    ):
        return not_after(secured.getpeercert(binary_form=True) or b"")


def file_end(file: str) -> datetime:
    """When the certificate of a PEM file ends. Raises OSError, or BadCertificate."""
    return not_after(first_of_pem(Path(file).read_text(encoding="utf-8", errors="replace")))


def _no_password() -> bytes:
    """A key with a password cannot be used by a service that nobody watches: do not ask for one on a terminal."""
    return b""
