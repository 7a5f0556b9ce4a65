"""How long a certificate still holds: the end of its validity out of its DER bytes, and when a person should know.

Both ends of the wire use TLS and neither has a library for X.509; of a certificate nothing else is read here.
"""

import base64
import re
from datetime import UTC, datetime

RENEW_DAYS = (30, 7, 1)
"""At each of these a person is told more urgently."""
SEQUENCE, INTEGER, CONTEXT_0, UTC_TIME, GENERALIZED_TIME = 0x30, 0x02, 0xA0, 0x17, 0x18
SHORT_LENGTH = 0x80
CENTURY = 50


_PEM = re.compile(r"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END")


class BadCertificate(ValueError):
    """The bytes are no X.509 certificate."""


def first_of_pem(text: str) -> bytes:
    """DER of the first certificate of a PEM file: the leaf, where the file is a chain. Raises BadCertificate."""
    found = _PEM.search(text)
    if found is None:
        msg = "not a PEM file with a certificate"
        raise BadCertificate(msg)
    try:
        return base64.b64decode(found.group(1))
    except ValueError as error:
        msg = f"not a PEM file with a certificate: {error}"
        raise BadCertificate(msg) from error


def not_after(der: bytes) -> datetime:
    """The end of a certificate's validity. Raises BadCertificate. RFC 5280 section 4.1.2.5."""
    try:
        _, certificate, _ = _element(der, SEQUENCE)
        _, rest, _ = _element(certificate, SEQUENCE)
        if rest[0] == CONTEXT_0:
            rest = _element(rest, CONTEXT_0)[2]
        for expected in (INTEGER, SEQUENCE, SEQUENCE):  # serial number, algorithm, issuer
            rest = _element(rest, expected)[2]
        _, validity, _ = _element(rest, SEQUENCE)
        begin_rest = _element(validity)[2]
        tag, text, _ = _element(begin_rest)
        return _time(tag, text.decode("ascii"))
    except (IndexError, UnicodeDecodeError, ValueError) as error:
        msg = f"not an X.509 certificate: {error}"
        raise BadCertificate(msg) from error


def urgency(end: datetime, now: datetime) -> str:
    """Words for a certificate that ends within 30, 7 or 1 days or has ended; "" if it holds longer.

    >>> urgency(datetime(2026, 3, 8, tzinfo=UTC), datetime(2026, 3, 1, 12, tzinfo=UTC))
    'expires within 7 days, on 2026-03-08 00:00:00 UTC'
    """
    if end <= now:
        return f"expired on {end:%F %T} UTC"
    left_s = (end - now).total_seconds()
    within = [days for days in RENEW_DAYS if left_s <= days * 86_400]
    if not within:
        return ""
    unit = "day" if within[-1] == 1 else "days"
    return f"expires within {within[-1]} {unit}, on {end:%F %T} UTC"


def _element(data: bytes, expected: int | None = None) -> tuple[int, bytes, bytes]:
    """Tag, content and what follows of the first DER element."""
    tag, length, start = data[0], data[1], 2
    if expected is not None and tag != expected:
        msg = f"tag {expected:#x} expected, got {tag:#x}"
        raise ValueError(msg)
    if length >= SHORT_LENGTH:
        start += length - SHORT_LENGTH
        length = int.from_bytes(data[2:start], "big")
    content = data[start : start + length]
    if len(content) != length:
        msg = f"{length} bytes expected, got {len(content)}"
        raise ValueError(msg)
    return tag, content, data[start + length :]


def _time(tag: int, text: str) -> datetime:
    if tag == UTC_TIME:
        text = ("19" if int(text[:2]) >= CENTURY else "20") + text
    elif tag != GENERALIZED_TIME:
        msg = f"a time expected, got tag {tag:#x}"
        raise ValueError(msg)
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
