"""What real receivers said, decoded to what gpsd's own regression tests say it means; and sentences of trackers.

STOCKYARD_TEST_DATA names a folder with gps/gpsd_nmea_logs.json (`logs`, each with `sentences` and the `expected_tpv` of
gpsd) and gps/tracker_frames.json. gpsd reports one time several times while it learns more of it; the last of them is
compared whole, the earlier ones as far as the receiver had spoken. Whatever differs is named here, with its number and
reason.
"""

import json
import os
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from edge.driver import BadFrame
from edge.drivers.nmea_epoch import Epochs
from edge.drivers.nmea_sentence import KNOT_MPS, Said, parse
from edge.drivers.nmea_source import Lines
from models.reading import Fix

FOLDER = os.environ.get("STOCKYARD_TEST_DATA")
if FOLDER is None:
    pytest.skip("STOCKYARD_TEST_DATA is not set: no foreign test data here", allow_module_level=True)
LOGS = json.loads((Path(FOLDER) / "gps" / "gpsd_nmea_logs.json").read_text())["logs"]
ITEMS = json.loads((Path(FOLDER) / "gps" / "tracker_frames.json").read_text())["items"]
FRAMES = [item for item in ITEMS if item["protocol"] in {"t55_nmea", "gps_gate_nmea"}]

NO_TIME, CUT = timedelta(), timedelta(milliseconds=10)
"""Between one time in two sentences, of which one has fewer digits."""
OWN_SPEED = {
    "beidou-gb.log": 4,
    "haicom-305N.log": 113,
    "magellan315.log": 4,
    "myguide-3100.log": 8,
    "quectel-eg25-g.log": 26,
    "rst39.log": 6,
}
"""gpsd's difference of two positions, in reports from before the receiver said its own speed of that time."""
DIFFERENT: dict[str, tuple[Counter[str], str]] = {
    "GPSmap-76S.log": (Counter({"no fix": 2}), "a receiver in simulator mode: quality 8, status V, mode S"),
    "garmin-geko201.log": (Counter({"no fix": 2}), "a receiver in simulator mode: quality 8, status V, mode S"),
    "myguide-3100.log": (Counter({"no fix": 2}), "no quality in GGA, status V in RMC, 1 in GSA: the receiver has none"),
    "garmin38.log": (Counter({"altMSL": 5}), "$PGRMZ, Garmin's pressure height in whole feet, over GGA's metres"),
    "rst39.log": (Counter({"no speed": 37}), "times with GGA alone: gpsd's difference of two positions"),
}
UNREPORTED = ("rst39.log", "20:41:32.100000")
"""The only fix, but for the cut ends of logs, that gpsd does not report: of its second sentence at all."""


def name(log: dict[str, Any]) -> str:
    return str(log["log"])


def heard(log: dict[str, Any], received_at: datetime) -> list[Fix]:
    """Every fix of a log that arrives at that time."""
    epochs, fixes = Epochs("receiver"), []
    for line in Lines().feed("".join(f"{each}\r\n" for each in log["sentences"]).encode("latin-1")):
        try:
            said = None if isinstance(line, BadFrame) else parse(line)
        except BadFrame:
            continue
        fixes += [epochs.take(said, received_at)] if said is not None else []
    return [fix for fix in [*fixes, epochs.pause()] if fix is not None]


def when(tpv: dict[str, Any]) -> datetime | None:
    return datetime.fromisoformat(tpv["time"]) if "time" in tpv else None


def received(log: dict[str, Any]) -> datetime:
    return next((at for tpv in log["expected_tpv"] if (at := when(tpv)) is not None), datetime(2012, 1, 1, tzinfo=UTC))


def is_there(fix: Fix, tpv: dict[str, Any]) -> bool:
    return abs((fix.lat or 0) - tpv["lat"]) <= 1e-6 and abs((fix.lon or 0) - tpv["lon"]) <= 1e-6


def differences(fix: Fix, tpv: dict[str, Any]) -> Counter[str]:
    """The fields that differ by more than the last digit of gpsd's."""
    ours = {"speed": fix.speed_mps, "track": fix.course_deg, "altMSL": fix.altitude_m}
    found: Counter[str] = Counter()
    for field in ours.keys() & tpv.keys():
        value = ours[field]
        if value is None:
            found[f"no {field}"] += 1
        elif abs(value - tpv[field]) > 0.00051:
            found[field] += 1
    return found


@pytest.mark.parametrize("log", LOGS, ids=name)
def test_fixes_are_those_of_gpsd(log: dict[str, Any]) -> None:
    fixes = {fix.at: fix for fix in heard(log, received(log)) if fix.valid}
    reports = [tpv for tpv in log["expected_tpv"] if "lat" in tpv]
    found: Counter[str] = Counter()
    own_speed = 0
    for tpv, following in zip(reports, [*reports[1:], {}], strict=False):
        at, then = when(tpv), when(following)
        if at is None:
            found["no fix"] += not any(is_there(fix, tpv) for fix in fixes.values())
            continue
        is_last = then is None or then - at > CUT
        near = [fix for fix in fixes.values() if abs(fix.at - at) <= (NO_TIME if is_last else CUT)]
        assert near, (at, "no fix of that time")
        assert is_there(near[0], tpv), (tpv, near[0])
        differ = differences(near[0], tpv)
        if not is_last and differ == Counter(["speed"]) and "track" not in tpv:
            own_speed += 1
        else:
            found += differ
    assert found == DIFFERENT.get(name(log), (Counter(), ""))[0]
    assert own_speed == OWN_SPEED.get(name(log), 0)


@pytest.mark.parametrize("log", LOGS, ids=name)
def test_there_are_no_others(log: dict[str, Any]) -> None:
    """Each fix once, and at its time and place in a report of gpsd; but gpsd does not report the cut end of a log."""
    fixes = [fix for fix in heard(log, received(log)) if fix.valid]
    assert len({fix.at for fix in fixes}) == len(fixes)
    reports = [tpv for tpv in log["expected_tpv"] if "lat" in tpv]
    for fix in fixes[:-1]:
        assert (name(log), f"{fix.at:%T.%f}") == UNREPORTED or any(
            is_there(fix, tpv) for tpv in reports if when(tpv) in {fix.at, None}
        ), fix
    for fix in heard(log, received(log)):
        assert fix.valid or (fix.lat, fix.lon, fix.speed_mps) == (None, None, None)


def test_there_are_many() -> None:
    fixes = [fix for log in LOGS for fix in heard(log, received(log))]
    assert Counter(fix.valid for fix in fixes) == Counter({True: 669, False: 139})


def test_a_week_that_gpsd_rolled_is_right_at_the_time_of_the_log() -> None:
    """In rst39 gpsd adds 1024 weeks to 2014, by the date that it was built; received in 2014, nothing is added."""
    [log] = [log for log in LOGS if name(log) == "rst39.log"]
    assert {fix.at.date().isoformat() for fix in heard(log, datetime(2014, 2, 19, 21, tzinfo=UTC))} == {"2014-02-19"}
    later = heard(log, datetime(2033, 10, 6, tzinfo=UTC))
    assert {fix.at - fix.device_at for fix in later if fix.device_at is not None} == {timedelta(weeks=1024)}


def sentences(item: dict[str, Any], *, checksum: bool) -> list[Said]:
    """What the sentence in a tracker's frame says, whatever the tracker has put before it."""
    lines = Lines()
    lines.feed(b"\r\n")
    said: list[Said] = []
    for line in lines.feed(item["frame"].encode("ascii") + b"\r\n"):
        try:
            one = None if isinstance(line, BadFrame) else parse(line, checksum=checksum)
        except BadFrame:
            continue
        said += [] if one is None else [one]
    return said


@pytest.mark.parametrize("item", [item for item in FRAMES if "derived" in item], ids=lambda item: f"{item['seq']}")
def test_sentences_in_frames_of_trackers(item: dict[str, Any]) -> None:
    [derived] = item["derived"]["sentences"]
    has_checksum = derived.get("checksum_ok", False)
    [said] = sentences(item, checksum=has_checksum)
    assert sentences(item, checksum=True) == ([said] if has_checksum else [])
    assert said.lat == pytest.approx(derived["lat"], abs=1e-7)
    assert said.lon == pytest.approx(derived["lon"], abs=1e-7)
    if derived["type"] == "RMC":
        assert said.valid == derived["valid"]
        assert said.course_deg == derived["course"]
        knots = derived["speed_knots"]
        assert said.speed_mps == (None if knots is None else pytest.approx(knots * KNOT_MPS))
        assert said.day is not None
        assert said.time_us is not None
        at = datetime.combine(said.day, datetime.min.time()) + timedelta(microseconds=said.time_us)
        assert at == datetime.fromisoformat(derived["time_utc"])


@pytest.mark.parametrize("item", [item for item in FRAMES if "derived" not in item], ids=lambda item: f"{item['seq']}")
def test_frames_without_a_sentence_give_nothing(item: dict[str, Any]) -> None:
    assert sentences(item, checksum=False) == []


def test_there_are_frames_of_both_kinds() -> None:
    assert Counter("derived" in item for item in FRAMES) == Counter({True: 10, False: 9})
