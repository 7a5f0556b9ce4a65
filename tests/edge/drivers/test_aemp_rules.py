"""What the AEMP driver decides without a socket: where links may lead, how long it waits, what it remembers."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from edge.config import BadConfig, parse
from edge.driver import BadFrame, DeviceLost
from edge.drivers import aemp_fetch
from edge.drivers.aemp import AempDriver, AempSettings
from edge.drivers.aemp_fetch import beside
from edge.drivers.aemp_poll import Busy, Told
from models.reading import Meter
from tests.edge.drivers.aemp_endpoint import STAMP


def test_how_long_a_server_may_ask_to_be_left_alone() -> None:
    def retry_s(text: str) -> float | None:
        return aemp_fetch._retry_s(text)

    assert [retry_s(text) for text in ("0", "30", "86400", "", "soon", "-5", "9" * 40)] == [
        1.0,
        30.0,
        3600.0,
        None,
        None,
        None,
        None,
    ]
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert retry_s(soon) == pytest.approx(60, abs=5)
    driver = AempDriver("feed", AempSettings("http://127.0.0.1/"))
    waits = [driver._retry_s(error) for error in (DeviceLost(""), DeviceLost(""), Busy("", 7.0), Busy("", None))]
    assert waits == [15.0, 30.0, 7.0, 120.0]
    assert [driver._retry_s(DeviceLost("")) for _ in range(5)][-1] == 300.0, "never later than the next poll"


def test_what_was_told_is_remembered_within_a_bound() -> None:
    at = datetime.fromisoformat(STAMP)
    told = Told(2)
    first, second, third = (Meter("id:a", at, "engine_hours", float(n), "h") for n in range(3))
    told.remember(told.news([first, second]))
    assert not told.news([first])
    told.remember(told.news([third]))
    assert list(told.news([first, second, third, second]).values()) == [second], "not seen for the longest time"


@pytest.mark.parametrize(
    ("link", "to"),
    [
        ("https://oem.example/aemp/Fleet/2", "https://oem.example/aemp/Fleet/2"),
        ("https://OEM.example:443/x", "https://OEM.example:443/x"),
        ("2#here", "https://oem.example/aemp/Fleet/2"),
        ("2", "https://oem.example/aemp/Fleet/2"),
        ("?page=2", "https://oem.example/aemp/Fleet/1?page=2"),
        ("http://oem.example/x", None),
        ("https://oem.example:444/x", None),
        ("https://oem.example@evil.example/x", None),
        ("https://user@oem.example/x", None),
        ("https://oem.example.evil.example/x", None),
        ("javascript:x", None),
    ],
)
def test_a_link_leads_to_the_same_server_only(link: str, to: str | None) -> None:
    if to is None:
        with pytest.raises(BadFrame, match="Links: "):
            beside("https://oem.example/aemp/Fleet/1", link)
    else:
        assert beside("https://oem.example/aemp/Fleet/1", link) == to


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ('url = "ftp://x"', "url: http:// or https:// with a host"),
        ('url = "https://u:p@x"', "url: http:// or https:// with a host and no user"),
        ('url = "https://x"\nusername = "u"', "username, password_file: both or neither"),
        ('url = "https://x"\nusername = "u"\npassword_file = "p"\ntoken_file = "t"', "token_file: none beside"),
        ('url = "http://oem.example"\ntoken_file = "t"', "url: https:// expected: a password or token"),
        ('url = "http://oem.example"\nca_file = "t"', "ca_file: needs an https:// url"),
        ('url = "https://x"\npoll_s = 1', "poll_s"),
    ],
)
def test_settings_that_do_not_fit_are_named(settings: str, words: str) -> None:
    with pytest.raises(BadConfig, match=words):
        parse(f'[gateway]\nname = "a"\n[[device]]\nname = "f"\ndriver = "aemp"\n{settings}\n')
