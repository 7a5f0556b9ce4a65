"""What is asked of a reader: in its own numbers, or refused by the key's name."""

from typing import Any

import pytest
from msgspec.structs import replace

from edge.driver import SettingRefused
from edge.drivers.llrp_control import Capabilities
from edge.drivers.llrp_inventory import inventory
from edge.drivers.llrp_rospec import IMPINJ
from edge.drivers.llrp_settings import GpiTrigger, LlrpSettings

READER = Capabilities(
    antennas=4,
    utc_clock=True,
    firmware="1",
    powers={1: 10.0, 61: 25.0, 81: 30.0},
    hop_table=3,
    hopping=True,
    gpis=2,
    modes=(0, 2, 1000),
    filters=2,
)
ON, OFF = GpiTrigger(2), GpiTrigger(2, on=False, timeout_s=60)


def settings(**keys: Any) -> LlrpSettings:
    return LlrpSettings(address="192.0.2.10", **keys)


@pytest.mark.parametrize(
    ("keys", "asked"),
    [
        ({}, {"antennas": (0,), "powers": {}, "mode": None, "mask": "", "impinj": False, "start_on": None}),
        ({"antennas": (3, 1)}, {"antennas": (3, 1)}),
        ({"tx_power_dbm": 29.9}, {"antennas": (0,), "powers": {0: 61}, "hop_table": 3, "channel": 0}),
        ({"tx_power_dbm": 30.0, "antennas": (1, 2)}, {"powers": {1: 81, 2: 81}}),
        ({"tx_power_dbm": {"1": 10.0, "3": 27.0}}, {"antennas": (1, 2, 3, 4), "powers": {1: 1, 3: 61}}),
        ({"tx_power_dbm": {"2": 25.0}, "antennas": (1, 2)}, {"antennas": (1, 2), "powers": {2: 61}}),
        ({"mode": 1000}, {"mode": 1000}),
        ({"mode": 0}, {"mode": 0}),
        ({"session": 2, "tag_population": 300, "report_every_n": 7}, {"session": 2, "tag_population": 300}),
        ({"include": ("3034A", "3034aB")}, {"mask": "3034a"}),
        ({"include": ("30", "E2")}, {"mask": ""}),
        ({"exclude": ("30",)}, {"mask": ""}),
        ({"start_on": ON, "stop_on": OFF}, {"start_on": ON, "stop_on": OFF}),
    ],
)
def test_settings_in_the_readers_numbers(keys: dict[str, Any], asked: dict[str, Any]) -> None:
    plan = inventory(settings(**keys), READER)
    assert {name: getattr(plan, name) for name in asked} == asked


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"antennas": (1, 5)}, "antennas: antennas 1 ... 4 expected for this reader, got 5"),
        ({"tx_power_dbm": {"5": 20.0}}, "tx_power_dbm: antennas 1 ... 4 expected for this reader, got 5"),
        ({"tx_power_dbm": 9.9}, "tx_power_dbm: 10.0 ... 30.0 expected for this reader, got 9.9"),
        ({"tx_power_dbm": 30.5}, "tx_power_dbm: 10.0 ... 30.0 expected for this reader, got 30.5"),
        ({"tx_power_dbm": {"2": 31.0}}, "tx_power_dbm of antenna 2: 10.0 ... 30.0 expected for this reader, got 31.0"),
        ({"mode": 1}, "mode: one of 0, 2, 1000 expected for this reader, got 1"),
        ({"gpi": {"3": "photo_eye"}}, "gpi.3: inputs 1 ... 2 expected for this reader, got 3"),
        ({"start_on": GpiTrigger(7), "stop_on": OFF}, "start_on.gpi: inputs 1 ... 2 expected for this reader, got 7"),
        ({"start_on": ON, "stop_on": GpiTrigger(3)}, "stop_on.gpi: inputs 1 ... 2 expected for this reader, got 3"),
    ],
)
def test_what_the_reader_cannot_do_is_refused_by_name(keys: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingRefused) as refused:
        inventory(settings(**keys), READER)
    assert str(refused.value) == words


@pytest.mark.parametrize(
    ("lacks", "keys", "words"),
    [
        ({"powers": {}}, {"tx_power_dbm": 20.0}, "tx_power_dbm: no power expected"),
        ({"modes": ()}, {"mode": 1}, 'mode: "auto" expected'),
        ({"gpis": 0}, {"gpi": {"1": "photo_eye"}}, "gpi.1: no inputs expected"),
    ],
)
def test_a_reader_that_tells_nothing_is_refused_only_what_was_asked(
    lacks: dict[str, Any], keys: dict[str, Any], words: str
) -> None:
    poor = replace(READER, **lacks)
    assert inventory(settings(), poor).antennas == (0,)
    with pytest.raises(SettingRefused, match=words):
        inventory(settings(**keys), poor)


@pytest.mark.parametrize(
    ("maker", "wanted", "asked"), [(IMPINJ, True, True), (IMPINJ, False, False), (161, True, False)]
)
def test_only_an_impinj_reader_is_asked_for_impinj_content(maker: int, wanted: bool, asked: bool) -> None:  # noqa: FBT001
    assert inventory(settings(impinj=wanted), replace(READER, manufacturer=maker)).impinj is asked


def test_without_hopping_the_first_channel_is_named() -> None:
    plan = inventory(settings(tx_power_dbm=20.0), replace(READER, hopping=False))
    assert (plan.hop_table, plan.channel) == (0, 1)


def test_a_reader_without_filters_is_sent_none() -> None:
    assert inventory(settings(include=("3034",)), replace(READER, filters=0)).mask == ""
