"""Looking for LLRP readers: each address of a subnet is asked once, and a reader is left as it was.

Opt-in, because it connects to every address. A reader serves one client: it is busy for the half second that it is
asked, and one that has a client already is listed as busy and not touched.
"""

import ipaddress
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from threading import Event

from msgspec import Struct

from edge.driver import BadFrame, DeviceLost, DeviceRefused
from edge.drivers import llrp_control
from edge.drivers.llrp import Silent
from edge.drivers.llrp_connect import connect, expect_greeting
from edge.drivers.llrp_session import Session
from edge.drivers.llrp_settings import LlrpSettings
from edge.drivers.llrp_unasked import Unasked

MAX_ADDRESSES = 4096
AT_ONCE = 64
CONNECT_S, GREETING_S, ANSWER_S = 1.0, 2.0, 2.0
_MAKES = {161: "Zebra (Motorola)", 25882: "Impinj"}
"""By IANA private enterprise number."""


class Found(Struct, frozen=True, omit_defaults=True):
    """One reader; what it did not tell is None."""

    address: str
    port: int
    state: str
    """free: it was asked; busy: it has another client; silent: it greeted and then did not answer."""
    name: str | None = None
    """Its identification: a MAC address or an EPC in hex."""
    make: str | None = None
    model: int | None = None
    firmware: str | None = None
    antennas: int | None = None


def addresses(subnet: str) -> list[str]:
    """The hosts of an address or a network, IPv4 or IPv6. Raises ValueError saying what was expected.

    >>> addresses("192.0.2.8/30"), addresses("2001:db8::1")
    (['192.0.2.9', '192.0.2.10'], ['2001:db8::1'])
    """
    try:
        network = ipaddress.ip_network(subnet, strict=False)
    except ValueError:
        msg = f"an address or a network like 192.0.2.0/24 expected, got {subnet!r}"
        raise ValueError(msg) from None
    if network.num_addresses > MAX_ADDRESSES:
        least = network.max_prefixlen - (MAX_ADDRESSES.bit_length() - 1)
        msg = (
            f"at most {MAX_ADDRESSES} addresses expected, /{least} or longer, got {subnet} with {network.num_addresses}"
        )
        raise ValueError(msg)
    return [str(host) for host in network.hosts()]


def search(hosts: Sequence[str], port: int, stop: Event) -> Iterator[Found | None]:
    """What is at each host, as it is found out, in no order; None where no reader answers. Ends early at stop."""
    with ThreadPoolExecutor(min(AT_ONCE, len(hosts)), "discover") as pool:
        asked = [pool.submit(ask, host, port, stop) for host in hosts]
        try:
            for each in as_completed(asked):
                yield each.result()
        finally:
            stop.set()


def ask(host: str, port: int, stop: Event) -> Found | None:
    """The reader at an address, or None if there is none or stop is set."""
    settings = LlrpSettings(address=f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    if stop.is_set():
        return None
    try:
        connection = connect(settings, CONNECT_S)
    except DeviceLost:
        return None
    with closing(connection):
        unasked = Unasked(host, settings, Silent())
        session = Session(connection, unasked, stop, ANSWER_S / 3)
        try:
            expect_greeting(session, unasked, GREETING_S)
        except DeviceRefused:
            return Found(host, port, "busy")
        except DeviceLost:
            return None
        try:
            return _identify(session, Found(host, port, "free"))
        except (DeviceLost, BadFrame):
            return Found(host, port, "silent")
        finally:
            session.send("CLOSE_CONNECTION")


def _identify(session: Session, found: Found) -> Found:
    """Ask who it is, and nothing that changes it. Raises DeviceLost, BadFrame."""
    told = llrp_control.capabilities(session.request("GET_READER_CAPABILITIES", RequestedData=0))
    config = session.request("GET_READER_CONFIG", RequestedData=llrp_control.IDENTIFICATION)
    name = llrp_control.identification(config)
    return Found(
        address=found.address,
        port=found.port,
        state=found.state,
        name=":".join(name[at : at + 2] for at in range(0, len(name), 2)) or None,
        make=_MAKES.get(told.manufacturer, f"enterprise {told.manufacturer}"),
        model=told.model,
        firmware=told.firmware,
        antennas=told.antennas,
    )


def in_order(found: Sequence[Found]) -> list[Found]:
    """By address."""
    return sorted(found, key=lambda each: ipaddress.ip_address(each.address).packed)
