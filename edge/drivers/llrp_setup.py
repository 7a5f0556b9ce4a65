"""From a reader's greeting to a running radio, from nothing on each connection."""

import logging
from typing import Any

from msgspec.structs import replace

from edge.driver import BadFrame, DeviceLost, DeviceRefused
from edge.drivers import llrp_control
from edge.drivers.llrp_control import Capabilities
from edge.drivers.llrp_frame import GET_REPORT, header
from edge.drivers.llrp_inventory import inventory, ports
from edge.drivers.llrp_rospec import ROSPEC_ID, Inventory, rospec
from edge.drivers.llrp_session import Session
from edge.drivers.llrp_settings import LlrpSettings
from edge.drivers.llrp_unasked import Unasked

log = logging.getLogger(__name__)


def set_up(device: str, settings: LlrpSettings, session: Session, unasked: Unasked) -> None:
    """Check what is asked against what the reader can, delete its old ROSpecs, add ours, start it.

    First it tells what it kept since the last connection, as it may forget that with the ROSpec. Another client's
    AccessSpecs go too: they would read from, or write to, every tag.

    Raises DeviceRefused (a setting that it does not take), DeviceLost.
    """
    reader, plan = check(settings, session)
    try:
        config = _config(device, session, llrp_control.EVERYTHING)
        plan = _with_extensions(device, session, plan)
        _configure(device, settings, session, unasked)
        _tell_unplugged(settings, unasked, config)
        if not config or llrp_control.holds_reports(config):
            session.send("ENABLE_EVENTS_AND_REPORTS")
        if settings.report_poll_s:
            ask_report(session, unasked)
        session.request("DELETE_ROSPEC", ROSpecID=0)
        unasked.may_fail = session.send("DELETE_ACCESSSPEC", AccessSpecID=0)
        session.request("ADD_ROSPEC", ROSpec=rospec(plan))
        session.request("ENABLE_ROSPEC", ROSpecID=ROSPEC_ID)
        _start(device, session, unasked, plan)
    except BadFrame as error:
        msg = f"setting up: {error}"
        raise DeviceLost(msg) from error
    phase = " with phase and Doppler" if plan.impinj else ""
    log.debug("%s: reader of %d antennas, firmware %s%s", device, reader.antennas, reader.firmware, phase)


def ask_report(session: Session, unasked: Unasked) -> None:
    """Ask for what was read and is not told yet."""
    unasked.polled = session.next_id()
    session.send_bytes(header(GET_REPORT, unasked.polled))


def _config(device: str, session: Session, item: int) -> dict[str, Any]:
    """The reader's configuration, which helps and is not needed; nothing if it refuses that, or answers nonsense."""
    try:
        return session.request("GET_READER_CONFIG", RequestedData=item)
    except (DeviceRefused, BadFrame) as error:
        log.debug("%s: set up without what its configuration says: %s", device, error)
        return {}


def check(settings: LlrpSettings, session: Session) -> tuple[Capabilities, Inventory]:
    """What the reader can, and the inventory it is to do; it is only asked. Raises DeviceRefused, DeviceLost."""
    try:
        reader = llrp_control.capabilities(session.request("GET_READER_CAPABILITIES", RequestedData=0))
    except BadFrame as error:
        msg = f"setting up: {error}"
        raise DeviceLost(msg) from error
    return reader, inventory(settings, reader)


def _with_extensions(device: str, session: Session, plan: Inventory) -> Inventory:
    """An Impinj reader takes its own parameters only after it was asked to; without them it reads all the same."""
    if not plan.impinj:
        return plan
    try:
        session.request("IMPINJ_ENABLE_EXTENSIONS")
    except DeviceRefused as error:
        log.warning("%s: no phase and Doppler: %s", device, error)
        return replace(plan, impinj=False)
    return plan


def _configure(device: str, settings: LlrpSettings, session: Session, unasked: Unasked) -> None:
    """Keepalives, events and inputs; then how the inputs are now, because events tell only of changes."""
    watched = ports(settings)
    session.request("SET_READER_CONFIG", **llrp_control.reader_config(settings.keepalive_s, watched))
    if watched:
        states = llrp_control.gpi_states(_config(device, session, llrp_control.GPI_STATES))
        for port in watched:
            if port in states:
                unasked.input(port, states[port])


def _tell_unplugged(settings: LlrpSettings, unasked: Unasked, config: dict[str, object]) -> None:
    """Antennas that the settings name and that are not there now: no event will tell of them."""
    for antenna in llrp_control.unplugged(config):
        if antenna in settings.antennas:
            unasked.publish("antenna_down", f"antenna {antenna}: not connected when the reader was set up")


def _start(device: str, session: Session, unasked: Unasked, plan: Inventory) -> None:
    """Start the radio now, or leave it to the input; if that stands at "start" already, no change would come."""
    if plan.start_on is None:
        session.request("START_ROSPEC", ROSpecID=ROSPEC_ID)
    elif unasked.inputs.get(plan.start_on.gpi) == plan.start_on.on:
        try:
            session.request("START_ROSPEC", ROSpecID=ROSPEC_ID)
        except DeviceRefused as error:
            log.info("%s: the radio starts at the next change of input %d: %s", device, plan.start_on.gpi, error)
