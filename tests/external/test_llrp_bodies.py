"""Message bodies of a real Impinj reader, decoded to the values that came with them.

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
from edge.drivers.llrp_report import TagRead, tag_reads

FOLDER = os.environ.get("STOCKYARD_TEST_DATA")
if FOLDER is None:
    pytest.skip("STOCKYARD_TEST_DATA is not set: no foreign test data here", allow_module_level=True)
LLRP = Path(FOLDER) / "llrp"


def frame(name: str, kind: int) -> bytes:
    body = (LLRP / f"{name}.bytes").read_bytes()
    return struct.pack("!HII", 1 << 10 | kind, 10 + len(body), 1) + body


def values(name: str) -> Any:
    return json.loads((LLRP / f"{name}.json").read_text())


def expected(tag: dict[str, Any]) -> TagRead:
    code = tag["EPC96"]["EPC"] or tag["EPCData"]["EPC"]
    return TagRead(
        epc=base64.b64decode(code).hex(),
        antenna=tag["AntennaID"],
        rssi_dbm=tag["PeakRSSI"],
        channel=tag["ChannelIndex"],
        count=tag["TagSeenCount"],
        first_utc=tag["FirstSeenUTC"],
        last_utc=tag["LastSeenUTC"],
        first_uptime=tag["FirstSeenUptime"],
        last_uptime=tag["LastSeenUptime"],
    )


@pytest.mark.parametrize("path", sorted(LLRP.glob("ROAccessReport-*.bytes")), ids=lambda path: path.stem)
def test_tag_reports(path: Path) -> None:
    assert tag_reads(frame(path.stem, 61)) == [expected(tag) for tag in values(path.stem)["TagReportData"]]


def test_there_are_reports() -> None:
    assert list(LLRP.glob("ROAccessReport-*.bytes"))


def test_capabilities() -> None:
    name, fields = llrp_control.decode(frame("GetReaderCapabilitiesResponse-000", 11))
    reader, told = llrp_control.capabilities(fields), values("GetReaderCapabilitiesResponse-000")
    general, band = told["GeneralDeviceCapabilities"], told["RegulatoryCapabilities"]["UHFBandCapabilities"]
    assert name == "GET_READER_CAPABILITIES_RESPONSE"
    assert (reader.antennas, reader.utc_clock) == (general["MaxSupportedAntennas"], general["HasUTCClock"])
    assert reader.firmware == general["FirmwareVersion"]
    assert reader.powers == {entry["Index"]: entry["TransmitPowerValue"] / 100 for entry in band["TransmitPowerLevels"]}


def test_configuration_and_event() -> None:
    _, fields = llrp_control.decode(frame("GetReaderConfigResponse-000", 12))
    llrp_control.check_status("GET_READER_CONFIG", fields)
    assert not llrp_control.holds_reports(fields)
    _, fields = llrp_control.decode(frame("ReaderEventNotification-000", 63))
    event = llrp_control.reader_event(fields)
    told = values("ReaderEventNotification-000")["ReaderEventNotificationData"]
    assert (event.utc_us, event.closed) == (told["UTCTimestamp"], told["ConnectionCloseEvent"] is not None)
