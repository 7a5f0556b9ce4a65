"""gpsd's JSON: what its reports mean, what is wrong with them, and one fix of all reports of one time."""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from edge.driver import BadFrame
from edge.drivers.gpsd_report import DRMS, Error, Reports, Satellite, Sky, Tpv, Version, decode
from edge.gps_week import ROLLOVER
from models.reading import Fix

HEARD = datetime(2026, 11, 26, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)
REAL = (
    b'{"class":"TPV","device":"/dev/ttyACM0","mode":3,"time":"2026-11-26T07:59:25.200Z","ept":0.005,"lat":51.060000000,'
    b'"lon":3.730000000,"altHAE":52.5000,"altMSL":8.0000,"alt":8.0000,"epv":34.500,"track":291.0000,"magtrack":292.1394,'
    b'"magvar":1.1,"speed":8.611,"climb":0.000,"epc":299.00,"geoidSep":44.500,"eph":28.500,"sep":28.500}\r'
)
SKY = (
    b'{"class":"SKY","device":"/dev/ttyACM0","time":"2026-11-26T07:59:25.200Z","xdop":0.57,"hdop":1.50,"nSat":2,"uSat":1,'
    b'"satellites":[{"PRN":1,"el":40.0,"az":83.0,"ss":46.0,"used":true},{"PRN":2,"used":false}]}'
)


def take(reports: Reports, *said: Tpv | Sky, at: datetime = HEARD) -> list[Fix]:
    """The fixes of these reports and a pause."""
    return [fix for fix in [*(reports.take(each, at) for each in said), reports.pause()] if fix is not None]


def test_what_gpsd_says() -> None:
    tpv, sky = decode(REAL), decode(SKY)
    assert isinstance(tpv, Tpv)
    assert isinstance(sky, Sky)
    [fix] = take(Reports("gps"), sky, tpv)
    assert fix == Fix(
        device="gps",
        at=datetime(2026, 11, 26, 7, 59, 25, 200_000, tzinfo=UTC),
        lat=51.06,
        lon=3.73,
        altitude_m=8.0,
        speed_mps=8.611,
        course_deg=291.0,
        hdop=1.5,
        accuracy_m=28.5 / DRMS,
        satellites=1,
        valid=True,
    )


@pytest.mark.parametrize(
    ("said", "report"),
    [
        ({"class": "VERSION", "release": "3.25", "proto_major": 3, "proto_minor": 15}, Version(3, "3.25")),
        ({"class": "ERROR", "message": "No such device"}, Error("No such device")),
        ({"class": "TPV", "mode": 1}, Tpv(mode=1)),
        ({"class": "TPV", "mode": 1, "new": [{"x": None}]}, Tpv(mode=1)),
        ({"class": "SKY", "satellites": [{"PRN": 1}]}, Sky(satellites=[Satellite()])),
        ({"class": "DEVICES", "devices": []}, None),
        ({"class": "WATCH", "mode": "?"}, None),
    ],
)
def test_reports(said: dict[str, Any], report: object) -> None:
    assert decode(json.dumps(said).encode()) == report


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"", "gpsd: "),
        (b"{", "gpsd: "),
        (b"\xff", "gpsd: "),
        (b"[" * 60_000, "gpsd: "),
        (b"[]", "Expected `object`"),
        (b'{"mode":3}', "missing required field `class`"),
        (b'{"class":3}', "class"),
        (b'{"class":"TPV","mode":4}', "mode"),
        (b'{"class":"TPV","mode":"3"}', "mode"),
        (b'{"class":"TPV","lat":90.5}', "lat"),
        (b'{"class":"TPV","lat":NaN}', "gpsd: "),
        (b'{"class":"TPV","lon":1e999}', "gpsd: "),
        (b'{"class":"TPV","lon":-181}', "lon"),
        (b'{"class":"TPV","speed":-1}', "speed"),
        (b'{"class":"TPV","track":361}', "track"),
        (b'{"class":"TPV","time":"2026-11-26T08:00:00"}', "time"),
        (b'{"class":"TPV","time":"2026-11-26T08:00:00+01:00"}', "time: UTC expected"),
        (b'{"class":"TPV","time":1764144000}', "time"),
        (b'{"class":"SKY","hdop":-1}', "hdop"),
        (b'{"class":"SKY","uSat":1001}', "uSat"),
        (b'{"class":"VERSION"}', "proto_major"),
    ],
)
def test_what_is_wrong_is_named(said: bytes, words: str) -> None:
    with pytest.raises(BadFrame) as error:
        decode(said)
    assert words in str(error.value)


def test_damaged_reports_are_bad_frames_or_reports() -> None:
    chance = random.Random(5)
    bad = 0
    for _ in range(20_000):
        said = bytearray(chance.choice((REAL, SKY)))
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(said))
            said[at : at + chance.randint(0, 4)] = chance.choice((b"", b'"', b"}", b"-", b"9", b"e9", b"\xff", b"null"))
        try:
            report = decode(bytes(said))
        except BadFrame:
            bad += 1
        else:
            reports = Reports("gps")
            if isinstance(report, Tpv | Sky):
                take(reports, report)
    assert 5_000 < bad < 20_000


def tpv(at: datetime | None = HEARD, **rest: Any) -> Tpv:
    return Tpv(**({"mode": 3, "device": "a", "lat": 51.0, "lon": 4.0} | rest), time=at)


def test_all_reports_of_a_time_are_one_fix() -> None:
    said = (tpv(mode=2), tpv(alt_msl=8.0, speed=0.5), tpv(speed=0.2, track=7.0), tpv(HEARD + SECOND))
    first, second = take(Reports("gps"), *said)
    assert (first.at, first.altitude_m, first.speed_mps, first.course_deg) == (HEARD, 8.0, 0.2, 7.0)
    assert second.at == HEARD + SECOND


def test_what_comes_after_the_pause_is_too_late() -> None:
    reports = Reports("gps")
    assert len(take(reports, tpv())) == 1
    assert take(reports, tpv(alt_msl=8.0)) == []
    assert len(take(reports, tpv(HEARD + SECOND))) == 1


def test_a_report_without_a_time_is_of_the_time_that_follows_it() -> None:
    reports = Reports("gps")
    assert [fix.at for fix in take(reports, tpv(None), tpv(None), tpv(HEARD - SECOND))] == [HEARD - SECOND]


def test_a_position_without_a_time_counts_only_when_none_ever_comes() -> None:
    reports = Reports("gps")
    for second in range(10):
        assert take(reports, tpv(None, lat=float(second)), at=HEARD + second * SECOND) == []
    later = HEARD + 10 * SECOND
    assert [fix.at for fix in take(reports, tpv(None), tpv(None, lat=52.0), at=later)] == [later, later]
    assert len(take(reports, tpv(later))) == 1
    assert take(reports, tpv(None), at=later + SECOND) == []


@pytest.mark.parametrize(("mode", "untold"), [(1, 0), (3, 50)])
def test_a_receiver_that_never_tells_a_time_does_not_pile_up(mode: int, untold: int) -> None:
    reports, told = Reports("gps"), []
    for number in range(500):
        fix = reports.take(tpv(None, mode=mode), HEARD + number * SECOND / 5)
        told += [fix] if fix is not None else []
        assert len(reports._open) <= 10
    assert (500 - untold) / 10 - 2 <= len(told) <= 250
    assert {fix.valid for fix in told} == {mode == 3}


def test_a_loss_is_told_while_reports_go_on() -> None:
    reports, lost = Reports("gps"), tpv(None, mode=1, lat=None, lon=None)
    said = [tpv(HEARD - SECOND), *[lost] * 20]
    told = [fix for n, each in enumerate(said) if (fix := reports.take(each, HEARD + n * SECOND / 5)) is not None]
    assert [(fix.at, fix.valid) for fix in told[:2]] == [(HEARD - SECOND, True), (HEARD + SECOND / 5, False)]


def test_no_fix_is_no_position() -> None:
    reports = Reports("gps")
    said = (tpv(None, mode=0), tpv(mode=1), tpv(HEARD + SECOND, mode=2, lat=None), tpv(HEARD - ROLLOVER * 1.5, mode=1))
    fixes = [fix for each in said for fix in take(reports, each)]
    assert [(fix.valid, fix.lat, fix.speed_mps) for fix in fixes] == [(False, None, None)] * 4
    assert [fix.at - HEARD for fix in fixes] == [timedelta(), timedelta(), SECOND, timedelta()]
    assert fixes[-1].device_at == HEARD - ROLLOVER * 1.5


def test_a_week_that_rolled_over_is_repaired_and_said() -> None:
    [fix] = take(Reports("gps"), tpv(HEARD - ROLLOVER))
    assert (fix.at, fix.device_at) == (HEARD, HEARD - ROLLOVER)


def test_satellites_are_those_of_the_same_time() -> None:
    reports = Reports("gps")
    assert take(reports, Sky(device="a", time=HEARD - SECOND, hdop=9.0), tpv())[0].hdop is None
    sky = Sky(device="a", time=HEARD + SECOND, hdop=2.0, satellites=[Satellite(used=True)] * 3)
    assert [fix.hdop for fix in take(reports, tpv(HEARD + SECOND / 2), sky, tpv(HEARD + SECOND))] == [None, 2.0]
    assert [fix.satellites for fix in take(reports, tpv(HEARD + 2 * SECOND), Sky(device="a", used=5))] == [5]
    assert take(reports, tpv(HEARD + 3 * SECOND))[0].satellites is None


def test_one_receiver_of_several() -> None:
    other = tpv(HEARD + SECOND, device="b", lat=1.0)
    assert [fix.lat for fix in take(Reports("gps"), tpv(), other, tpv(HEARD + 2 * SECOND, device=None))] == [51.0, 51.0]
    assert [fix.lat for fix in take(Reports("gps", "b"), tpv(), other)] == [1.0]
