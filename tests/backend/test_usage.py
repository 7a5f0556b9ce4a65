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
from tests.backend.books import DAY, SECOND, Template, Yard

TRUCK = "imei:356307042441013"
START = 20_000 * DAY
HOUR = 3600 * SECOND
ON_BOTH = True


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
def test_the_best_odometer_is_the_assets_own(name: str, template: Template, tmp_path: Path) -> None:
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


def test_what_is_counted_is_cut_exactly_and_in_whole_numbers(template: Template, tmp_path: Path) -> None:
    yard = Yard.copy(template, tmp_path / "book.db", START + 2 * DAY)
    yard.send([Input(TRUCK, from_micros(START + k * HOUR // 12), "ignition", on=k // 2 % 2 == 0) for k in range(49)])
    yard.settle()
    spans = [(0, 240), (0, 10), (5, 25), (10, 20), (12, 13), (20, 40), (230, 240)]
    ran = [sum(any(k <= at < k + 10 for k in range(0, 240, 20)) for at in range(*span)) for span in spans]
    with read(yard.book) as tx:
        loaded = register.load(tx)
        minutes = [tuple(START + at * HOUR // 60 for at in span) for span in spans]
        found = [usage.used(tx, loaded, "TRUCK-1", "runtime", (since, until)) for since, until in minutes]
    assert found == [Bounds(each * 60_000, each * 60_000) for each in ran]
    assert all(type(each.least) is type(each.most) is int for each in found if each is not None)
    yard.book.dispose()


def test_work_that_was_heard_and_did_nothing_is_none_and_not_unknown(template: Template, tmp_path: Path) -> None:
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
