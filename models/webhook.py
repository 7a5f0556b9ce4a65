"""What a webhook is signed with and when it is tried again: the rules of Standard Webhooks (standardwebhooks.com).

A delivery is told at least once: its id stays the same over all tries, so that a receiver can leave out repeats.
"""

import hmac
from base64 import b64decode, b64encode
from binascii import Error
from hashlib import sha256

from models.errors import Refused

PREFIX = "whsec_"
LEAST_BYTES, MOST_BYTES = 24, 64
"""Of a secret, as the specification has it."""
RETRY_S = (5, 30, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""After the first try, the second, ...; after the last of them it is dead: about three days in all."""
GONE = 410
"""The receiver says that it wants nothing more."""


def key_of(secret: str) -> bytes:
    """The key in a secret `whsec_` + base64. Raises Refused, which does not repeat the secret."""
    try:
        key = b64decode(secret.strip().removeprefix(PREFIX), validate=True)
    except (Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not LEAST_BYTES <= len(key) <= MOST_BYTES:
        msg = f"{PREFIX} and {LEAST_BYTES} to {MOST_BYTES} bytes in base64 expected"
        raise Refused(msg)
    return key


def signature(key: bytes, ident: str, at_s: int, body: bytes) -> str:
    """The header `webhook-signature`: HMAC-SHA256 of id, time in seconds and body. The example is the specification's.

    >>> key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    >>> signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    signed = f"{ident}.{at_s}.".encode() + body
    return "v1," + b64encode(hmac.digest(key, signed, sha256)).decode()


def next_try_s(tries: int, status: int | None) -> int | None:
    """Seconds until the next try after `tries` of them, the last answered with `status` or not at all; None: dead."""
    if status == GONE or tries > len(RETRY_S):
        return None
    return RETRY_S[tries - 1]
