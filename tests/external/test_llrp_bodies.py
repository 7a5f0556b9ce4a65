"""Message bodies of a real Impinj reader: decoded to the values that came with them, and encoded from these again.

STOCKYARD_TEST_DATA names a folder with llrp/*.bytes (bodies without the 10-byte header) and the *.json beside them.
"""

import base64
import json
import os
import struct
from pathlib import Path
from typing import Any

import pytest

from edge.drivers import llrp_control
from edge.drivers.llrp_frame import HEADER_BYTES, parameters
from edge.drivers.llrp_report import TagRead, compiled_reads, tag_reads, walk_reads
from simulators.devices.llrp_codec import Param, SeenTag, Selector, event, tlv

FOLDER = os.environ.get("STOCKYARD_TEST_DATA")
if FOLDER is None:
    pytest.skip("STOCKYARD_TEST_DATA is not set: no foreign test data here", allow_module_level=True)
LLRP = Path(FOLDER) / "llrp"


def frame(name: str, kind: int) -> bytes:
    body = (LLRP / f"{name}.bytes").read_bytes()
    return struct.pack("!HII", 1 << 10 | kind, 10 + len(body), 1) + body


def values(name: str) -> Any:
    return json.loads((LLRP / f"{name}.json").read_text())


SELECTED = {"AntennaID": 12, "PeakRSSI": 10, "FirstSeenUTC": 9, "LastSeenUTC": 8, "TagSeenCount": 7, "ChannelIndex": 11}
"""Field: its bit of TagReportContentSelector."""


def epc(tag: dict[str, Any]) -> bytes:
    return base64.b64decode(tag["EPC96"]["EPC"] or tag["EPCData"]["EPC"])


def expected(tag: dict[str, Any]) -> TagRead:
    return TagRead(
        epc=epc(tag),
        antenna=tag["AntennaID"],
        peak_dbm=tag["PeakRSSI"],
        channel=tag["ChannelIndex"],
        count=tag["TagSeenCount"],
        first_utc=tag["FirstSeenUTC"],
        last_utc=tag["LastSeenUTC"],
        first_uptime=tag["FirstSeenUptime"],
        last_uptime=tag["LastSeenUptime"],
    )


def simulated(tag: dict[str, Any]) -> bytes:
    """The tag as the simulator's reader tells it, of the fields that are there."""
    told = {name: tag[name] for name in SELECTED if tag[name] is not None}
    assert [name for name, value in tag.items() if value is not None and name not in {"EPC96", "EPCData", *told}] == []
    selector = Selector(sum(1 << SELECTED[name] for name in told))
    times = told.get("FirstSeenUTC", 0), told.get("LastSeenUTC", 0), told.get("TagSeenCount", 1)
    seen = SeenTag(epc(tag), told["AntennaID"], told["PeakRSSI"], told.get("ChannelIndex", 0), *times)
    return seen.encode(1, selector)


@pytest.mark.parametrize("path", sorted(LLRP.glob("ROAccessReport-*.bytes")), ids=lambda path: path.stem)
def test_tag_reports(path: Path) -> None:
    told = values(path.stem)["TagReportData"]
    report, reads = frame(path.stem, 61), [expected(tag) for tag in told]
    assert tag_reads(report) == walk_reads(report) == compiled_reads(report) == reads
    assert b"".join(map(simulated, told)) == path.read_bytes()


def test_there_are_reports() -> None:
    assert list(LLRP.glob("ROAccessReport-*.bytes"))


def test_capabilities() -> None:
    name, fields = llrp_control.decode(frame("GetReaderCapabilitiesResponse-000", 11))
    reader, told = llrp_control.capabilities(fields), values("GetReaderCapabilitiesResponse-000")
    general, band = told["GeneralDeviceCapabilities"], told["RegulatoryCapabilities"]["UHFBandCapabilities"]
    assert name == "GET_READER_CAPABILITIES_RESPONSE"
    assert (reader.antennas, reader.utc_clock) == (general["MaxSupportedAntennas"], general["HasUTCClock"])
    assert reader.firmware == general["FirmwareVersion"]
    assert (reader.manufacturer, reader.model) == (general["DeviceManufacturer"], general["Model"])
    assert reader.gpis == general["GPIOCapabilities"]["NumGPIs"]
    assert list(reader.modes) == [mode["ModeID"] for mode in band["C1G2RFModes"]["UHFC1G2RFModeTableEntries"]]
    frequencies = band["FrequencyInformation"]
    assert reader.hopping == frequencies["Hopping"]
    assert reader.hop_table == frequencies["FrequencyHopTables"][0]["HopTableID"]
    assert reader.filters == told["C1G2LLRPCapabilities"]["MaxSelectFiltersPerQuery"]
    assert reader.powers == {entry["Index"]: entry["TransmitPowerValue"] / 100 for entry in band["TransmitPowerLevels"]}


def test_configuration() -> None:
    _, fields = llrp_control.decode(frame("GetReaderConfigResponse-000", 12))
    llrp_control.check_status("GET_READER_CONFIG", fields)
    assert not llrp_control.holds_reports(fields)


def test_event() -> None:
    _, fields = llrp_control.decode(frame("ReaderEventNotification-000", 63))
    heard, told = (
        llrp_control.reader_event(fields),
        values("ReaderEventNotification-000")["ReaderEventNotificationData"],
    )
    assert (heard.utc_us, heard.closed) == (told["UTCTimestamp"], told["ConnectionCloseEvent"] is not None)
    assert (heard.connection, heard.antenna, heard.gpi, heard.exception) == (None, None, None, None)
    again = event(told["UTCTimestamp"], tlv(Param.CONNECTION_CLOSE))
    assert again == (LLRP / "ReaderEventNotification-000.bytes").read_bytes()


def test_every_body_fits_together() -> None:
    kinds = {"GetReaderCapabilitiesResponse": 11, "GetReaderConfigResponse": 12, "GetROSpecsResponse": 36}
    kinds |= {"ROAccessReport": 61, "ReaderEventNotification": 63}
    bodies = sorted(path.stem for path in LLRP.glob("*.bytes"))
    assert {name.rsplit("-", 1)[0] for name in bodies} == set(kinds)
    for name in bodies:
        whole = frame(name, kinds[name.rsplit("-", 1)[0]])
        assert list(parameters(whole, HEADER_BYTES, len(whole)))[-1][2] == len(whole)
