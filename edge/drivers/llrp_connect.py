"""A connection to a reader: TCP or TLS, the greeting that a reader opens with, and the goodbye."""

import socket
import ssl
import time
from contextlib import suppress
from pathlib import Path

from edge.driver import DeviceLost, DeviceRefused
from edge.drivers.llrp_frame import id_of
from edge.drivers.llrp_session import TICK_S, Session
from edge.drivers.llrp_settings import LlrpSettings
from edge.drivers.llrp_unasked import Unasked

CONNECT_S, GOODBYE_S = 5.0, 1.0
_OTHER_HOST = (62, 64)
"""X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH of OpenSSL."""


def connect(settings: LlrpSettings, connect_s: float = CONNECT_S) -> socket.socket:
    """A connected socket, with TLS if the settings say so. Raises DeviceLost saying what is wrong."""
    host, port = settings.where()
    context = _context(settings) if settings.tls else None
    try:
        plain = socket.create_connection((host, port), timeout=connect_s)
    except (OSError, UnicodeError) as error:  # the latter of a name that cannot be one
        msg = f"connecting to {host}:{port}: {error}"
        raise DeviceLost(msg) from error
    if context is None:
        return plain
    try:
        return context.wrap_socket(plain, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        plain.close()
        step = (
            "verify_host = false takes it" if error.verify_code in _OTHER_HOST else "put it or its issuer into ca_file"
        )
        msg = f"TLS with {host}:{port}: the reader's certificate: {error.verify_message}: {step}"
        raise DeviceLost(msg) from error
    except OSError as error:
        plain.close()
        msg = f"TLS with {host}:{port}: {error}: is this the reader's TLS port?"
        raise DeviceLost(msg) from error


def _context(settings: LlrpSettings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = settings.verify_host
    for name in ("ca_file", "cert_file", "key_file"):
        file: str = getattr(settings, name)
        if file and not Path(file).is_file():
            msg = f"{name}: no such file: {file}"
            raise DeviceLost(msg)
    try:
        if settings.ca_file:
            context.load_verify_locations(settings.ca_file)
        else:
            context.load_default_certs()
    except OSError as error:
        msg = f"ca_file: a certificate in PEM expected: {settings.ca_file}: {error}"
        raise DeviceLost(msg) from error
    try:
        if settings.cert_file:
            context.load_cert_chain(settings.cert_file, settings.key_file or None, password="")
    except OSError as error:
        msg = f"cert_file, key_file: a certificate and its key in PEM expected: {settings.cert_file}: {error}"
        raise DeviceLost(msg) from error
    return context


def expect_greeting(session: Session, unasked: Unasked, within_s: float = CONNECT_S) -> None:
    """The ConnectionAttemptEvent that a reader opens with. Raises DeviceRefused if it has another client."""
    until = time.monotonic() + within_s
    while unasked.greeting is None:
        if time.monotonic() > until:
            msg = f"no LLRP greeting within {within_s:g} s: is this the reader's LLRP port?"
            raise DeviceLost(msg)
        session.read(TICK_S)
    if unasked.greeting != "Success":
        msg = f"reader busy: {unasked.greeting}"
        raise DeviceRefused(msg)


def say_goodbye(session: Session) -> None:
    """Stop the radio, take the reads that it then tells, and close; within a second, as the reader may be gone."""
    until = time.monotonic() + GOODBYE_S
    with suppress(DeviceLost):
        session.send("DELETE_ROSPEC", ROSpecID=0)
        sent = session.send("CLOSE_CONNECTION")
        while time.monotonic() < until:
            frame = session.step(TICK_S)
            if frame is not None and id_of(frame) == sent:
                return
