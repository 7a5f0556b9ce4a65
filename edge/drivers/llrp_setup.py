"""From a reader's greeting to a running radio, from nothing on each connection."""

import logging

from msgspec.structs import replace

from edge.driver import BadFrame, DeviceLost, DeviceRefused
from edge.drivers import llrp_control
from edge.drivers.llrp_control import Capabilities
from edge.drivers.llrp_inventory import inventory, ports
from edge.drivers.llrp_rospec import ROSPEC_ID, Inventory, rospec
from edge.drivers.llrp_session import Session
from edge.drivers.llrp_settings import LlrpSettings
from edge.drivers.llrp_unasked import Unasked

log = logging.getLogger(__name__)


def set_up(device: str, settings: LlrpSettings, session: Session, unasked: Unasked) -> None:
    """Check what is asked against what the reader can, delete its old ROSpecs, add ours, start it.

    Raises DeviceRefused (a setting that it does not take), DeviceLost.
    """
    reader, plan = check(settings, session)
    try:
        config = session.request("GET_READER_CONFIG", RequestedData=0)
        plan = _with_extensions(device, session, plan)
        _configure(settings, session, unasked)
        _tell_unplugged(settings, unasked, config)
        session.request("DELETE_ROSPEC", ROSpecID=0)
        session.request("ADD_ROSPEC", ROSpec=rospec(plan))
        session.request("ENABLE_ROSPEC", ROSpecID=ROSPEC_ID)
        _start(device, session, unasked, plan)
        if llrp_control.holds_reports(config):
            session.send("ENABLE_EVENTS_AND_REPORTS")
    except BadFrame as error:
        msg = f"setting up: {error}"
        raise DeviceLost(msg) from error
    phase = " with phase and Doppler" if plan.impinj else ""
    log.debug("%s: reader of %d antennas, firmware %s%s", device, reader.antennas, reader.firmware, phase)


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


def _configure(settings: LlrpSettings, session: Session, unasked: Unasked) -> None:
    """Keepalives, events and inputs; then how the inputs are now, because events tell only of changes."""
    watched = ports(settings)
    session.request("SET_READER_CONFIG", **llrp_control.reader_config(settings.keepalive_s, watched))
    if watched:
        states = llrp_control.gpi_states(session.request("GET_READER_CONFIG", RequestedData=llrp_control.GPI_STATES))
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
