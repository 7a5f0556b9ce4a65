"""LLRP control messages by sllurp's codec: the only module that imports it.

The codec raises nearly anything on malformed bytes and copies quadratically, so frames are small, their parameters
are measured first, and whatever it raises is a BadFrame. Two messages it cannot encode are laid out by hand: ADD_ROSPEC
(`llrp_rospec` says why) and GET_READER_CONFIG, where sllurp 3.0.5 has RequestedData before AntennaID.
"""

import logging
import struct
from collections.abc import Mapping, Sequence
from typing import Any, cast

import sllurp.llrp
from msgspec import Struct

from edge.driver import BadFrame, DeviceRefused
from edge.drivers.llrp_frame import HEADER_BYTES, MAX_CONTROL_BYTES, VERSION, kind_of, parameters

EVERYTHING, IDENTIFICATION, GPI_STATES = 0, 1, 9
"""What GET_READER_CONFIG may ask for (12.1)."""
_codec: Any = sllurp.llrp
_PERIODIC = 1
_GET_READER_CONFIG, _ADD_ROSPEC = 2, 20
_CUSTOM, _CUSTOM_HEADER_BYTES = 1023, 5
_HIGHEST = 32_767
_EVENTS = {"ReportBufferFillWarning": True, "ReaderExceptionEvent": True, "AntennaEvent": True}
_ON, _OFF = 1, 0
# What it has to say about malformed bytes comes out as BadFrame, counted once.
logging.getLogger("sllurp").setLevel(logging.CRITICAL)


class Capabilities(Struct, frozen=True):
    """What GET_READER_CAPABILITIES_RESPONSE says of the reader, as far as it is used."""

    antennas: int
    utc_clock: bool
    firmware: str
    powers: dict[int, float]
    """dBm by index."""
    hop_table: int
    hopping: bool
    manufacturer: int = 0
    """Private enterprise number."""
    model: int = 0
    gpis: int = 0
    modes: tuple[int, ...] = ()
    filters: int = 0
    """Select filters at once."""


class ReaderEvent(Struct, frozen=True, kw_only=True):
    """What READER_EVENT_NOTIFICATION says, as far as it is used."""

    utc_us: int | None = None
    connection: str | None = None
    antenna: int | None = None
    antenna_up: bool = False
    gpi: int | None = None
    gpi_on: bool = False
    exception: str | None = None
    buffer_percent: int | None = None
    overflow: bool = False
    closed: bool = False


def encode(name: str, message_id: int, fields: Mapping[str, object] | None = None) -> bytes:
    """A message to the reader. The `ROSpec` of ADD_ROSPEC is its bytes.

    >>> encode("ENABLE_ROSPEC", 5, {"ROSpecID": 1}).hex()
    '04180000000e0000000500000001'
    >>> encode("GET_READER_CONFIG", 6, {"RequestedData": GPI_STATES}).hex()
    '0402000000110000000600000900000000'
    """
    values = fields or {}
    if name == "ADD_ROSPEC":
        return _message(_ADD_ROSPEC, message_id, cast("bytes", values["ROSpec"]))
    if name == "GET_READER_CONFIG":  # 12.1: of all antennas, inputs and outputs
        return _message(_GET_READER_CONFIG, message_id, struct.pack("!HBHH", 0, values["RequestedData"], 0, 0))
    frame: bytes = _codec.LLRPMessage(msgdict={name: {"Ver": 1, "ID": message_id, **values}}).msgbytes
    return frame


def _message(kind: int, message_id: int, body: bytes) -> bytes:
    return struct.pack("!HII", VERSION << 10 | kind, HEADER_BYTES + len(body), message_id) + body


def decode(frame: bytes) -> tuple[str, dict[str, Any]]:
    """A message's name and fields. Raises BadFrame, whatever the bytes."""
    if len(frame) > MAX_CONTROL_BYTES:
        msg = f"control message: at most {MAX_CONTROL_BYTES} bytes expected, got {len(frame)}"
        raise BadFrame(msg)
    start = HEADER_BYTES + (_CUSTOM_HEADER_BYTES if kind_of(frame) == _CUSTOM else 0)
    for _ in parameters(frame, start, len(frame)):
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
    words = _words(status.get("ErrorDescription"))
    return f"{status.get('StatusCode', 'no known status')} {words}".strip()


def _words(raw: object) -> str:
    """A reader's words, "" if there are none: nothing in them can command a terminal or begin a line of the log."""
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else ""
    return "".join(character if character.isprintable() else "?" for character in text)


def reader_event(fields: Mapping[str, Any]) -> ReaderEvent:
    """The used part of READER_EVENT_NOTIFICATION."""
    data = _part(fields, "ReaderEventNotificationData")
    antenna, gpi = _part(data, "AntennaEvent"), _part(data, "GPIEvent")
    exception = data.get("ReaderExceptionEvent")
    words = _words(_part(data, "ReaderExceptionEvent").get("Message"))
    return ReaderEvent(
        utc_us=_part(data, "UTCTimestamp").get("Microseconds"),
        connection=_part(data, "ConnectionAttemptEvent").get("Status"),
        antenna=antenna.get("AntennaID"),
        antenna_up=antenna.get("EventType") == "Connected",
        gpi=gpi.get("GPIPortNumber"),
        gpi_on=bool(gpi.get("GPIEvent")),
        exception=None if exception is None else words or "the reader does not say which",
        buffer_percent=_part(data, "ReportBufferLevelWarning").get("ReportBufferPercentageFull"),
        overflow="ReportBufferOverflowErrorEvent" in data,
        closed="ConnectionCloseEvent" in data,
    )


def _part(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A parameter's fields; none if it is absent."""
    part = fields.get(name)
    return cast("Mapping[str, Any]", part) if isinstance(part, Mapping) else {}


def _parts(fields: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The fields of each of a parameter that comes any number of times."""
    parts = fields.get(name)
    every = cast("list[object]", parts) if isinstance(parts, list) else []
    return [cast("Mapping[str, Any]", part) for part in every if isinstance(part, Mapping)]


def capabilities(fields: Mapping[str, Any]) -> Capabilities:
    """The used part of GET_READER_CAPABILITIES_RESPONSE. Raises BadFrame where it is not as the standard says."""
    try:
        general = fields["GeneralDeviceCapabilities"]
        band = _part(_part(fields, "RegulatoryCapabilities"), "UHFBandCapabilities")
        frequency = _part(band, "FrequencyInformation")
        hop_tables = _parts(frequency, "FrequencyHopTable")
        modes = _parts(_part(band, "UHFC1G2RFModeTable"), "UHFC1G2RFModeTableEntry")
        return Capabilities(
            antennas=general["MaxNumberOfAntennaSupported"],
            utc_clock=general["HasUTCClockCapability"],
            firmware=_words(general["ReaderFirmwareVersion"]),
            powers={
                entry["Index"]: _signed(entry["TransmitPowerValue"]) / 100
                for entry in _parts(band, "TransmitPowerLevelTableEntry")
            },
            hop_table=hop_tables[0]["HopTableId"] if hop_tables else 0,
            hopping=bool(frequency.get("Hopping", False)),
            manufacturer=general["DeviceManufacturerName"],
            model=general["ModelName"],
            gpis=_part(general, "GPIOCapabilities").get("NumGPIs", 0),
            modes=tuple(mode["ModeIdentifier"] for mode in modes),
            filters=_part(fields, "C1G2LLRPCapabilities").get("MaxNumSelectFiltersPerQuery", 0),
        )
    except (KeyError, TypeError, AttributeError) as error:
        msg = f"GET_READER_CAPABILITIES_RESPONSE: {type(error).__name__}: {error}"
        raise BadFrame(msg) from error


def _signed(value: int) -> int:
    """The codec takes TransmitPowerValue, a signed short, for an unsigned one."""
    return value - 65_536 if value > _HIGHEST else value


def holds_reports(fields: Mapping[str, Any]) -> bool:
    """Whether GET_READER_CONFIG_RESPONSE says that nothing is sent before ENABLE_EVENTS_AND_REPORTS."""
    return bool(_part(fields, "EventsAndReports").get("HoldEventsAndReportsUponReconnect"))


def identification(fields: Mapping[str, Any]) -> str:
    """The reader's own name in GET_READER_CONFIG_RESPONSE: its MAC address or EPC in hex, "" if it tells none."""
    return _words(_part(fields, "Identification").get("ReaderID"))


def unplugged(fields: Mapping[str, Any]) -> tuple[int, ...]:
    """The antenna ports of which GET_READER_CONFIG_RESPONSE says that nothing is connected."""
    every = _parts(fields, "AntennaProperties")
    return tuple(each["AntennaID"] for each in every if not each.get("AntennaConnected") and "AntennaID" in each)


def gpi_states(fields: Mapping[str, Any]) -> dict[int, bool]:
    """Whether each input is on, after GET_READER_CONFIG_RESPONSE; one whose state is unknown is left out."""
    states = {each.get("GPIPortNum", 0): each.get("GPIState") for each in _parts(fields, "GPIPortCurrentState")}
    return {port: state == _ON for port, state in states.items() if state in {_ON, _OFF}}


def reader_config(keepalive_s: float, gpis: Sequence[int] = ()) -> dict[str, object]:
    """SET_READER_CONFIG: keepalives, the events that are published, and the inputs to watch."""
    config: dict[str, object] = {
        "ResetToFactoryDefaults": False,
        "ReaderEventNotificationSpec": {"EventNotificationState": _EVENTS | ({"GPIEvent": True} if gpis else {})},
        "KeepaliveSpec": {"KeepaliveTriggerType": _PERIODIC, "TimeInterval": round(keepalive_s * 1000)},
    }
    if gpis:
        config["GPIPortCurrentState"] = [{"GPIPortNum": port, "GPIConfig": True} for port in gpis]
    return config
