"""Which odometer is an asset's own, and what the register says of how counters roll over."""

from decimal import Decimal
from pathlib import Path

import pytest

from backend import usage
from backend.book import register
from backend.book.db import read
from backend.hours_step import metering
from models.declared import RollsOver, Tracker, decode_body
from models.errors import Refused
from models.motion.meter import Bounds
from models.reading import Input, Meter, Reading, from_micros
from tests.backend.books import DAY, SECOND, Yard

TRUCK = "imei:356307042441013"
START = 20_000 * DAY
HOUR = 3600 * SECOND


def said(name: str, *values: float) -> list[Reading]:
    """A counter's kilometres by the hour."""
    return [Meter(TRUCK, from_micros(START + k * HOUR), name, value, "km") for k, value in enumerate(values)]


ODOMETERS = {
    "none": ([], {}, None),
    "the tracker's alone": (said("tracker_odometer", 5, 7), {"tracker_odometer": 2}, "tracker_odometer"),
    "the machine's before the tracker's": (
        [*said("tracker_odometer", 5, 7), *said("odometer", 900, 903)],
        {"odometer": 3, "tracker_odometer": 2},
        "odometer",
    ),
    "the machine's that stands": ([*said("tracker_odometer", 5, 7), *said("odometer", 900)], None, "odometer"),
}


@pytest.mark.parametrize("name", ODOMETERS)
def test_the_best_odometer_is_the_assets_own(name: str, template: Path, tmp_path: Path) -> None:
    readings, expected, own = ODOMETERS[name]
    yard = Yard.copy(template, tmp_path / "book.db", START + DAY)
    yard.send(readings)
    yard.settle()
    with read(yard.book) as tx:
        loaded, span = register.load(tx), (START, START + DAY)
        found = usage.odometers(tx, loaded, "TRUCK-1", span)
    if expected is not None:
        assert found == {meter: Bounds(km * 1_000_000, km * 1_000_000) for meter, km in expected.items()}
        assert [*found] == [*expected]
    assert next(iter(found), None) == own
    yard.book.dispose()


def test_work_that_was_heard_and_did_nothing_is_none_and_not_unknown(template: Path, tmp_path: Path) -> None:
    yard = Yard.copy(template, tmp_path / "book.db", START + DAY)
    yard.send([Input(TRUCK, from_micros(START), "pto", on=False)])
    yard.settle()
    with read(yard.book) as tx:
        loaded, span = register.load(tx), (START, START + HOUR)
        found = {meter: usage.used(tx, loaded, "TRUCK-1", meter, span) for meter in ("pto", "hoist")}
    assert found == {"pto": Bounds(0, 0), "hoist": None}
    yard.book.dispose()


def test_where_a_counter_rolls_over_is_told_in_its_own_unit() -> None:
    rolls = RollsOver(engine_hours=Decimal("99999.9"), tracker_odometer=Decimal("65.536"))
    assert metering(Tracker("A", rolls_over_at=rolls)).rolls_over_at == {
        "engine_hours": 359_999_640_000,
        "tracker_odometer": 65_536_000,
    }
    assert metering(Tracker("A")).rolls_over_at == {}


@pytest.mark.parametrize(
    "rolls", ['{"odometer": "0"}', '{"odometer": "-1"}', '{"hours": "1"}', "5", '{"odometer": 1e99}']
)
def test_a_counter_cannot_roll_over_so(rolls: str) -> None:
    body = f'{{"name": "{TRUCK}", "tracker": {{"asset": "A", "rolls_over_at": {rolls}}}}}'
    with pytest.raises(Refused, match="rolls_over_at"):
        decode_body("devices", body.encode())
