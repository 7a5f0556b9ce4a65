"""Sentences of one time become one fix, whatever their order, and never two."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from edge.drivers.nmea_epoch import Epochs
from edge.drivers.nmea_sentence import KNOT_MPS, parse
from edge.gps_week import ROLLOVER
from models.reading import Fix
from tests.edge.drivers.nmea_lines import line

HEARD = datetime(2026, 11, 26, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def rmc(clock: str, day: str = "261126", status: str = "A") -> str:
    return f"GPRMC,{clock},{status},5103.6,N,00343.8,E,10,90,{day},,,A"


def gga(clock: str, quality: int = 1, minutes: str = "03.6") -> str:
    return f"GPGGA,{clock},51{minutes},N,00343.8,E,{quality},8,0.9,12,M,,M,,"


class Feed:
    """Sentences in, fixes out."""

    def __init__(self) -> None:
        self.epochs = Epochs("gps")
        self.fixes: list[Fix] = []

    def say(self, *bodies: str, at: datetime = HEARD) -> list[Fix]:
        """Says them and rests; what has come since the last time."""
        self.flow(*bodies, at=at)
        self.keep(self.epochs.pause())
        told, self.fixes = self.fixes, []
        return told

    def flow(self, *bodies: str, at: datetime = HEARD) -> None:
        for body in bodies:
            said = parse(line(body))
            assert said is not None
            self.keep(self.epochs.take(said, at))

    def keep(self, fix: Fix | None) -> None:
        self.fixes += [] if fix is None else [fix]


@pytest.fixture
def feed() -> Feed:
    return Feed()


WHOLE = (
    rmc("080000.0"),
    gga("080000.00"),
    "GPGSA,A,3,,,,,,,,,,,,,3,2,1",
    "GPVTG,80,T,,M,5,N,,K,A",
    "GPGST,080000,,,,,3,4,5",
)


def test_all_of_one_time_is_one_fix(feed: Feed) -> None:
    [fix] = feed.say(*WHOLE, "GPZDA,080000,26,11,2026,00,00")
    assert fix == Fix(
        device="gps",
        at=HEARD,
        lat=51.06,
        lon=3.73,
        altitude_m=12.0,
        speed_mps=10 * KNOT_MPS,
        course_deg=90.0,
        hdop=0.9,
        accuracy_m=5.0,
        satellites=8,
        valid=True,
    )


def test_speed_and_hdop_come_from_their_own_sentences_if_no_other_says_them(feed: Feed) -> None:
    [fix] = feed.say("GPGGA,080000,5103.6,N,00343.8,E,1,,,,M", *WHOLE[2:4])
    assert (fix.speed_mps, fix.course_deg, fix.hdop) == (5 * KNOT_MPS, 80.0, 2.0)


def test_a_fix_leaves_when_another_time_begins(feed: Feed) -> None:
    feed.flow(rmc("080000"), gga("080000"))
    assert feed.fixes == []
    feed.flow(rmc("080001"))
    assert [fix.at for fix in feed.fixes] == [HEARD]
    assert [fix.at for fix in feed.say()] == [HEARD, HEARD + SECOND]


def test_what_comes_after_the_pause_is_too_late_until_another_day(feed: Feed) -> None:
    assert len(feed.say(rmc("080000"))) == 1
    assert feed.say(gga("080000"), at=HEARD + SECOND) == []
    assert len(feed.say(gga("080001"), at=HEARD + SECOND)) == 1
    [fix] = feed.say(gga("080001"), at=HEARD + timedelta(days=1))
    assert fix.at == HEARD + timedelta(days=1, seconds=1)


def test_times_cut_to_other_digits_are_one(feed: Feed) -> None:
    [fix] = feed.say("GPGLL,5103.6,N,00343.8,E,080000.758,A", gga("080000.76"), rmc("080000.76"))
    assert fix.at == HEARD + timedelta(milliseconds=760)
    assert len(feed.say(gga("080001.00"), gga("080001.05"), gga("080001.10"))) == 3


@pytest.mark.parametrize(
    ("clock", "received", "at"),
    [
        ("080000", HEARD, HEARD),
        ("235959", HEARD.replace(hour=0), HEARD.replace(hour=0) - SECOND),
        ("000001", HEARD.replace(hour=23), HEARD.replace(hour=0) + timedelta(days=1, seconds=1)),
        ("240000", HEARD.replace(hour=0), HEARD.replace(hour=0)),
        ("235960", HEARD.replace(hour=0), HEARD.replace(hour=0)),
    ],
)
def test_without_any_date_it_is_the_day_nearest_to_the_receipt(
    feed: Feed, clock: str, received: datetime, at: datetime
) -> None:
    assert [fix.at for fix in feed.say(gga(clock), at=received)] == [at]


def test_a_date_once_said_goes_on_over_midnight(feed: Feed) -> None:
    """Also of an old log that is fed to us: the date comes from its last dated sentence, not from today."""
    assert [fix.at.isoformat() for fix in feed.say(rmc("235958", "311220"), gga("235959"), gga("000000"))] == [
        "2020-12-31T23:59:58+00:00",
        "2020-12-31T23:59:59+00:00",
        "2021-01-01T00:00:00+00:00",
    ]
    [later] = feed.say(gga("070000"), at=HEARD + timedelta(hours=31))
    assert later.at.isoformat() == "2021-01-02T07:00:00+00:00"


@pytest.mark.parametrize(("clock", "day"), [("235960.5", "311226"), ("000000.5", "010127"), ("240000.5", "311226")])
def test_a_leap_second_is_the_first_of_the_next_day(feed: Feed, clock: str, day: str) -> None:
    assert [fix.at.isoformat() for fix in feed.say(rmc(clock, day))] == ["2027-01-01T00:00:00.500000+00:00"]


def test_a_week_that_rolled_over_is_repaired_and_said(feed: Feed) -> None:
    [fix] = feed.say(rmc("075958", f"{HEARD - ROLLOVER:%d%m%y}"))
    assert (fix.at, fix.device_at) == (HEARD - 2 * SECOND, HEARD - 2 * SECOND - ROLLOVER)


@pytest.mark.parametrize(
    "bodies",
    [
        ("GPRMC,080000,V,5103.6,N,00343.8,E,1,1,261126,,,N", gga("080000", 0)),
        (rmc("080000", status="V"), gga("080000", 8)),
        (gga("080000", 7),),
        ("GPRMC,080000,A,,,,,,,261126,,,A",),
        ("GPRMC,080000,A,5103.6,N,00343.8,E,1,1,261126,,,S", "GPVTG,1,T,,M,1,N,1,K"),
    ],
)
def test_no_fix_is_no_position(feed: Feed, bodies: tuple[str, ...]) -> None:
    [fix] = feed.say(*bodies)
    assert fix == Fix(device="gps", at=HEARD, valid=False, satellites=fix.satellites)


@pytest.mark.parametrize("clock", ["", "000102.03"])
def test_without_a_fix_and_a_clock_it_is_the_time_of_receipt(feed: Feed, clock: str) -> None:
    [fix] = feed.say(f"GPRMC,{clock},V,,,,,,,060180,,,N", f"GPGGA,{clock},,,,,0,,,,M,,M,,")
    assert (fix.at, fix.valid) == (HEARD, False)
    assert fix.device_at == (datetime(1980, 1, 6, 0, 1, 2, 30_000, tzinfo=UTC) if clock else None)


def test_bursts_without_a_time_are_told_apart_by_their_kinds(feed: Feed) -> None:
    burst = ("GPRMC,,V,,,,,,,,,,N", "GPVTG,,,,,,,,,N", "GPGGA,,,,,,0,,,,M,,M,,", "GPGSA,A,1,,,,,,,,,,,,,,,")
    assert [fix.valid for fix in feed.say(*burst, *burst, *burst)] == [False] * 3
    assert [fix.valid for fix in feed.say("GPGLL,,,,,,V,N", rmc("080000"))] == [True]


def test_of_two_systems_that_with_a_fix_counts(feed: Feed) -> None:
    [fix] = feed.say("GLGGA,080000,,,,,0,0,,,M,,M,,", gga("080000"), rmc("080000"))
    assert (fix.lat, fix.satellites) == (51.06, 8)
    [other] = feed.say(gga("080001", minutes="03.60001"), rmc("080001"))
    assert other.lat == pytest.approx(51 + 3.60001 / 60)


def test_sentences_that_say_nothing_of_a_fix_make_none(feed: Feed) -> None:
    assert feed.say("GPZDA,080000,26,11,2026,00,00", "GPVTG,1,T,,M,1,N,1,K", "GPGST,080000,,,,,1,1,1") == []
    assert [fix.at for fix in feed.say(gga("080001"), at=HEARD + timedelta(days=40))] == [
        HEARD + timedelta(days=40, seconds=1)
    ]


@pytest.mark.parametrize("seed", range(20))
def test_any_order_within_a_burst_gives_every_fix_once(feed: Feed, seed: int) -> None:
    chance = random.Random(seed)
    told, true = [], []
    for number in range(200):
        at = HEARD + timedelta(milliseconds=200 * number * chance.choice((1, 1, 1, 3)) + 86_000_000 * (number // 50))
        if true and at <= true[-1]:
            continue
        clock = f"{at:%H%M%S}.{at.microsecond // 1000:03}"
        bodies = [rmc(clock, f"{at:%d%m%y}"), gga(clock), *WHOLE[2:4], f"GPZDA,{clock},{at:%d,%m,%Y},00,00"]
        chance.shuffle(bodies)
        true.append(at)
        told += feed.say(*bodies, at=at)
        told += feed.say(*chance.sample(bodies, 2), at=at)
    assert [fix.at for fix in told] == true
    assert all(fix.valid and fix.speed_mps and fix.altitude_m and fix.hdop == 0.9 for fix in told)
