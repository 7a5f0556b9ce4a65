"""LLRP control messages by sllurp's codec: the only module that imports it.

The codec raises nearly anything on malformed bytes and copies quadratically, so frames are small, their parameters
are measured first, and whatever it raises is a BadFrame.
"""

import logging
from collections.abc import Mapping
from typing import Any, cast

import sllurp.llrp
import sllurp.llrp_proto
from msgspec import Struct

from edge.driver import BadFrame, DeviceRefused
from edge.drivers.llrp_frame import HEADER_BYTES, MAX_CONTROL_BYTES, parameters

ROSPEC_ID = 1
_codec: Any = sllurp.llrp
_rospec: Any = sllurp.llrp_proto.LLRPROSpec
_PERIODIC = 1
_CONTENT = {
    "EnableROSpecID": False,
    "EnableAntennaID": True,
    "EnableChannelIndex": True,
    "EnablePeakRSSI": True,
    "EnableFirstSeenTimestamp": True,
    "EnableLastSeenTimestamp": True,
    "EnableTagSeenCount": True,
}
_EVENTS = {"ReportBufferFillWarning": True, "ReaderExceptionEvent": True, "AntennaEvent": True}
# What it has to say about malformed bytes comes out as BadFrame, counted once.
logging.getLogger("sllurp").setLevel(logging.CRITICAL)


class Inventory(Struct, frozen=True):
    """What the radio is to do."""

    antennas: tuple[int, ...]
    report_every_n: int
    session: int
    tag_population: int
    tx_power_dbm: float | None


class Capabilities(Struct, frozen=True):
    """What GET_READER_CAPABILITIES_RESPONSE says of the reader, as far as it is used."""

    antennas: int
    utc_clock: bool
    firmware: str
    powers: dict[int, float]
    hop_table: int
    hopping: bool


class ReaderEvent(Struct, frozen=True):
    """What READER_EVENT_NOTIFICATION says, as far as it is used."""

    utc_us: int | None
    connection: str | None
    antenna: int | None
    antenna_up: bool
    exception: str | None
    overflow: bool
    closed: bool


def encode(name: str, message_id: int, fields: Mapping[str, object] | None = None) -> bytes:
    """A message to the reader.

    >>> encode("ENABLE_ROSPEC", 5, {"ROSpecID": 1}).hex()
    '04180000000e0000000500000001'
    """
    frame: bytes = _codec.LLRPMessage(msgdict={name: {"Ver": 1, "ID": message_id, **(fields or {})}}).msgbytes
    return frame


def decode(frame: bytes) -> tuple[str, dict[str, Any]]:
    """A message's name and fields. Raises BadFrame, whatever the bytes."""
    if len(frame) > MAX_CONTROL_BYTES:
        msg = f"control message: at most {MAX_CONTROL_BYTES} bytes expected, got {len(frame)}"
        raise BadFrame(msg)
    for _ in parameters(frame, HEADER_BYTES, len(frame)):
        """Every length is sound."""
    try:
        message = _codec.LLRPMessage(msgbytes=frame)
        name: str = message.getName()
        fields: dict[str, Any] = message.msgdict[name]
    except Exception as error:  # the codec raises struct.error, KeyError, RecursionError and more
        msg = f"control message: {type(error).__name__}: {error}"
        raise BadFrame(msg) from error
    return name, fields


def check_status(name: str, fields: Mapping[str, Any]) -> None:
    """Raises DeviceRefused with the reader's own words unless LLRPStatus is Success."""
    if _part(fields, "LLRPStatus").get("StatusCode") != "Success":
        msg = f"{name}: {status_words(fields)}"
        raise DeviceRefused(msg)


def status_words(fields: Mapping[str, Any]) -> str:
    """LLRPStatus for people."""
    status = _part(fields, "LLRPStatus")
    words = bytes(status.get("ErrorDescription", b"")).decode("utf-8", "replace")
    return f"{status.get('StatusCode', 'no known status')} {words}".strip()


def reader_event(fields: Mapping[str, Any]) -> ReaderEvent:
    """The used part of READER_EVENT_NOTIFICATION."""
    data = _part(fields, "ReaderEventNotificationData")
    antenna, exception = _part(data, "AntennaEvent"), _part(data, "ReaderExceptionEvent")
    return ReaderEvent(
        utc_us=_part(data, "UTCTimestamp").get("Microseconds"),
        connection=_part(data, "ConnectionAttemptEvent").get("Status"),
        antenna=antenna.get("AntennaID"),
        antenna_up=antenna.get("EventType") == "Connected",
        exception=bytes(exception.get("Message", b"")).decode("utf-8", "replace") or None,
        overflow="ReportBufferOverflowErrorEvent" in data,
        closed="ConnectionCloseEvent" in data,
    )


def _part(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A parameter's fields; none if it is absent."""
    part = fields.get(name)
    return cast("Mapping[str, Any]", part) if isinstance(part, Mapping) else {}


def capabilities(fields: Mapping[str, Any]) -> Capabilities:
    """The used part of GET_READER_CAPABILITIES_RESPONSE. Raises BadFrame where it is not as the standard says."""
    try:
        general = fields["GeneralDeviceCapabilities"]
        band = fields.get("RegulatoryCapabilities", {}).get("UHFBandCapabilities", {})
        frequency = band.get("FrequencyInformation", {})
        hop_tables = frequency.get("FrequencyHopTable", [])
        return Capabilities(
            antennas=general["MaxNumberOfAntennaSupported"],
            utc_clock=general["HasUTCClockCapability"],
            firmware=general["ReaderFirmwareVersion"].decode("utf-8", "replace"),
            powers={
                entry["Index"]: entry["TransmitPowerValue"] / 100
                for entry in band.get("TransmitPowerLevelTableEntry", [])
            },
            hop_table=hop_tables[0]["HopTableId"] if hop_tables else 0,
            hopping=bool(frequency.get("Hopping", False)),
        )
    except (KeyError, TypeError, AttributeError) as error:
        msg = f"GET_READER_CAPABILITIES_RESPONSE: {type(error).__name__}: {error}"
        raise BadFrame(msg) from error


def holds_reports(fields: Mapping[str, Any]) -> bool:
    """Whether GET_READER_CONFIG_RESPONSE says that nothing is sent before ENABLE_EVENTS_AND_REPORTS."""
    return bool(_part(fields, "EventsAndReports").get("HoldEventsAndReportsUponReconnect"))


def reader_config(keepalive_s: float) -> dict[str, object]:
    """SET_READER_CONFIG: keepalives, and the events that are published."""
    return {
        "ResetToFactoryDefaults": False,
        "ReaderEventNotificationSpec": {"EventNotificationState": _EVENTS},
        "KeepaliveSpec": {"KeepaliveTriggerType": _PERIODIC, "TimeInterval": round(keepalive_s * 1000)},
    }


def rospec(inventory: Inventory, reader: Capabilities) -> dict[str, object]:
    """ADD_ROSPEC: one inventory for ever, reported every n tags; nothing in it stops and restarts the radio.

    The transmitter is left as the reader has it unless a power is asked for: a fixed hop table or channel is refused by
    some makes. Raises DeviceRefused if the reader cannot do it.
    """
    if inventory.antennas and max(inventory.antennas) > reader.antennas:
        msg = f"antennas: 1 ... {reader.antennas} expected for this reader, got {max(inventory.antennas)}"
        raise DeviceRefused(msg)
    spec = _rospec(
        None,
        ROSPEC_ID,
        antennas=inventory.antennas or (0,),
        session=inventory.session,
        tag_population=inventory.tag_population,
        tag_content_selector=_CONTENT,
    )
    spec["ROBoundarySpec"]["ROSpecStartTrigger"]["ROSpecStartTriggerType"] = "Null"
    spec["ROReportSpec"]["N"] = inventory.report_every_n
    for antenna in spec["AISpec"][0]["InventoryParameterSpec"][0]["AntennaConfiguration"]:
        del antenna["RFTransmitter"]
        if inventory.tx_power_dbm is not None:
            antenna["RFTransmitter"] = _transmitter(inventory.tx_power_dbm, reader)
    return {"ROSpec": spec}


def _transmitter(power_dbm: float, reader: Capabilities) -> dict[str, int]:
    """The strongest level of the reader's table that is not above the power asked for."""
    levels = {index: level for index, level in reader.powers.items() if level <= power_dbm}
    if not levels:
        lowest = min(reader.powers.values(), default=None)
        msg = f"tx_power_dbm: at least {lowest} expected for this reader, got {power_dbm}"
        raise DeviceRefused(msg)
    index = max(levels, key=lambda level: levels[level])
    return {
        "HopTableId": reader.hop_table if reader.hopping else 0,
        "ChannelIndex": 0 if reader.hopping else 1,
        "TransmitPower": index,
    }
