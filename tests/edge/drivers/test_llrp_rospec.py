"""ROSpecs against bytes laid out by hand, and as sllurp's decoder and tshark read them."""

import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest
import sllurp.llrp_proto

from edge.drivers import llrp_control
from edge.drivers.llrp_rospec import Inventory, rospec
from edge.drivers.llrp_settings import GpiTrigger

FULL = Inventory(
    antennas=(1, 3),
    report_every_n=10,
    session=2,
    tag_population=300,
    powers={3: 81},
    hop_table=1,
    mode=1000,
    mask="3034a",
    impinj=True,
    start_on=GpiTrigger(1),
    stop_on=GpiTrigger(1, on=False, timeout_s=60),
)


def test_the_plain_one_runs_for_ever_and_reports_every_n_tags(llrp: Any) -> None:
    boundary = llrp.tlv(178, llrp.tlv(179, b"\0") + llrp.tlv(182, b"\0\0\0\0\0"))
    antennas = b"".join(
        llrp.tlv(222, struct.pack("!H", n) + llrp.tlv(330, b"\0" + llrp.tlv(336, struct.pack("!BHI", 2 << 6, 32, 0))))
        for n in (1, 3)
    )
    ai_spec = llrp.tlv(
        183, struct.pack("!HHH", 2, 1, 3) + llrp.tlv(184, b"\0\0\0\0\0") + llrp.tlv(186, b"\0\1\1" + antennas)
    )
    content = llrp.tlv(238, struct.pack("!H", 0b0001111110000000) + llrp.tlv(348, b"\0"))
    report = llrp.tlv(237, struct.pack("!BH", 1, 10) + content)
    body = llrp.tlv(177, struct.pack("!IBB", 1, 0, 0) + boundary + ai_spec + report)
    assert rospec(Inventory((1, 3), 10, 2, 32)) == body


@pytest.mark.parametrize(
    ("plan", "part"),
    [
        (Inventory(start_on=GpiTrigger(2)), "00b30010 03 00b5000b 0002 80 00000000"),
        (Inventory(stop_on=GpiTrigger(2, on=False, timeout_s=60)), "00b60014 02 00000000 00b5000b 0002 00 0000ea60"),
        (Inventory((4,), powers={4: 81}, hop_table=1), "00de0020 0004 00e0000a 0001 0000 0051 014a"),
        (Inventory(mode=1000), "014f0008 03e8 0000 0150"),
        (
            Inventory(mask="e2801"),
            "014a0026 00 014b0016 00 014c000c 40 0020 0014 e28010 014e0005 00 0150000b 40 0020 00000000",
        ),
        (Inventory(report_every_n=1000), "00ed0012 01 03e8 00ee"),
    ],
    ids=["start", "stop", "power", "mode", "filter", "n"],
)
def test_each_part_is_where_the_standard_has_it(plan: Inventory, part: str) -> None:
    assert bytes.fromhex(part) in rospec(plan)


def test_the_codec_reads_it_back() -> None:
    """Filters and GPI triggers apart, which it does not know or takes for something else."""
    plan = Inventory((1, 3), 10, 2, 300, {1: 10, 3: 81}, 1, mode=1000, impinj=True)
    decoded, _ = sllurp.llrp_proto.decode_all_parameters(rospec(plan))
    spec = decoded["ROSpec"]
    [inventory_spec] = spec["AISpec"][0]["InventoryParameterSpec"]
    assert spec["AISpec"][0]["AntennaID"] == [1, 3]
    for antenna, power in zip(inventory_spec["AntennaConfiguration"], (10, 81), strict=True):
        assert antenna["RFTransmitter"] == {"HopTableId": 1, "ChannelIndex": 0, "TransmitPower": power}
        [command] = antenna["C1G2InventoryCommand"]
        assert command["C1G2RFControl"] == {"ModeIndex": 1000, "Tari": 0}
        assert command["C1G2SingulationControl"] == {"Session": 2, "TagPopulation": 300, "TagTransitTime": 0}
    assert spec["ROReportSpec"]["N"] == 10
    assert spec["ROReportSpec"]["ImpinjTagReportContentSelector"] == {
        "ImpinjEnableRFPhaseAngle": {"RFPhaseAngleMode": 1},
        "ImpinjEnablePeakRSSI": {"PeakRSSIMode": 1},
        "ImpinjEnableRFDopplerFrequency": {"RFDopplerFrequencyMode": 1},
    }


def test_tshark_reads_every_part(tmp_path: Path) -> None:
    tshark, text2pcap = shutil.which("tshark"), shutil.which("text2pcap")
    if tshark is None or text2pcap is None:
        pytest.skip("tshark is not installed")
    frame = llrp_control.encode("ADD_ROSPEC", 7, {"ROSpec": rospec(FULL)})
    (tmp_path / "frame.txt").write_text(f"000000 {frame.hex(' ')}\n")
    capture = tmp_path / "frame.pcap"
    subprocess.run(
        [text2pcap, "-q", "-T", "40000,5084", tmp_path / "frame.txt", capture], check=True, capture_output=True
    )
    fields = {
        "llrp.type": "20",
        "llrp.gpi_port": "1,1",
        "llrp.param.gpi_event": "1,0",
        "llrp.param.transmit_power": "81",
        "llrp.param.mode_idx": "1000,1000",
        "llrp.param.session": "2,2",
        "llrp.param.tag_population": "300,300",
        "llrp.param.pointer": "32,32",
        "llrp.param.unaware_filter_action": "0,0",
        "llrp.param.impinj_rf_phase_mode": "1",
    }
    asked = [part for field in fields for part in ("-e", field)]
    command = [tshark, "-r", capture, "-d", "tcp.port==5084,llrp", "-T", "fields", "-E", "separator=|", *asked]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert dict(zip(fields, done.stdout.rstrip("\n").split("|"), strict=True)) == fields
    whole = subprocess.run([tshark, "-r", capture, "-V"], check=True, capture_output=True, text=True).stdout
    assert "Malformed" not in whole
