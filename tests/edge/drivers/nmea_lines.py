"""Sentences with their checksums, for tests of everything that reads them."""

from functools import reduce
from operator import xor

RMC = "GPRMC,081836.75,A,3751.6500,S,14507.3600,E,22.4,084.4,130926,011.3,E,A"
GGA = "GNGGA,081836.750,3751.65000,S,14507.36000,E,1,08,0.9,545.4,M,46.9,M,,"


def line(body: str) -> bytes:
    """One sentence without its end."""
    return f"${body}*{reduce(xor, body.encode('latin-1'), 0):02X}".encode("latin-1")


def lines(*bodies: str) -> bytes:
    return b"".join(line(body) + b"\r\n" for body in bodies)
