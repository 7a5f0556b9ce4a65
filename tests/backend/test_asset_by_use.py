"""Depreciation from measured use, on SQLite and on PostgreSQL: what ignition readings come to, posted to the cent."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from backend.book import asset_disposals, register
from backend.book.asset_disposals import Disposal
from backend.book.db import write
from backend.verify import verify
from models.declared import Device, Tracker
from models.months import parse_month
from models.reading import Input, Reading, from_micros
from tests.backend.asset_value_book import Park, when
from tests.backend.books import SECOND, Template

D = Decimal
ON_BOTH = True
TRUCK = "imei:356307042441013"
MINUTE = 60 * SECOND
BY_HOURS = {"method": "units", "salvage": D(25_000), "meter": "hours", "total_units": D(15_000)}


def shift(begin: str, minutes: int, lost: range = range(0)) -> list[Reading]:
    """The engine is on for so long, told every five minutes and at the end; some of these are never told."""
    told = [(k, True) for k in range(0, minutes, 5)] + [(minutes, False)]
    at = when(begin)
    return [Input(TRUCK, from_micros(at + k * MINUTE), "ignition", on=on) for k, on in told if k not in lost]


def parked(*days: str) -> list[Reading]:
    return [Input(TRUCK, from_micros(when(day)), "ignition", on=False) for day in days]


def test_by_use_to_the_cent_with_a_lost_stretch_and_a_late_one(template: Template, tmp_path: Path) -> None:
    """15 an hour. Of January 3 h are lost for ever; a shift of February comes after that was posted and closed."""
    park = Park.opened(template, tmp_path, "2026-04-10 08:00")
    park.declare("2026-01-01", "TRUCK-1", bought=("2026-01-01", "250000"), how=BY_HOURS, category="truck")
    with write(park.book) as tx:
        tracker = Device(TRUCK, tracker=Tracker("TRUCK-1", silent_off_s=864_000))
        register.put(tx, "devices", TRUCK, tracker, valid_from=when("2026-01-01"), actor="test", now=park.clock.now)
    january = [*shift("2026-01-05 06:00", 487), *shift("2026-01-06 06:00", 600, range(100, 280))]
    february = [*parked("2026-01-15", "2026-01-24", "2026-02-02"), *shift("2026-02-03 05:00", 251)]
    across = [*parked("2026-02-12", "2026-02-21"), *shift("2026-02-28 23:00", 150)]
    park.send([*january, *february, *across])
    park.settle()
    flows = park.flows("TRUCK-1")
    assert flows["2026-01"] == {"acquisition": "250000", "depreciation": "225.50"}, "902 min"
    assert [flows[month]["depreciation"] for month in ("2026-02", "2026-03")] == ["77.75", "22.50"], "311 and 90 min"
    told = [line for posting in park.posted("TRUCK-1") for line in posting.lines if line.flow == "depreciation"]
    assert (told[0].units, told[0].unobserved) == (D("15.033333"), D("3.083333")), "named, not posted"
    assert park.close("2026-02")
    before = park.posted("TRUCK-1")
    park.send(shift("2026-02-10 23:30", 97), epoch="1" * 12)
    park.settle()
    *same, delta = park.posted("TRUCK-1")
    assert same == before
    assert (delta.what, delta.period, delta.origin) == ("delta", parse_month("2026-03"), parse_month("2026-02"))
    assert [(line.flow, line.amount) for line in delta.lines] == [("depreciation", D("24.25"))]
    truth = Fraction(487 + 600 - 185 + 251 + 97 + 150, 60) * 15
    assert sum(D(month["depreciation"]) for month in park.flows("TRUCK-1").values()) == truth
    assert park.posted("TRUCK-1") == [*before, delta], "and once"
    with write(park.book) as tx:
        sold = Disposal(id="d-1", asset="TRUCK-1", date=date(2026, 4, 9), state="sold", proceeds=D(249_650))
        assert asset_disposals.dispose(tx, register.load(tx), sold, "ann", park.clock.now) == "created"
        assert asset_disposals.dispose(tx, register.load(tx), sold, "ann", park.clock.now) == "same"
    assert park.flows("TRUCK-1")["2026-04"] == {
        "disposal of book value": str(D(250_000) - D("350.00")),
        "disposal of depreciation": "350.00",
        "proceeds": "249650",
    }
    assert not [finding for finding in verify(park.book) if not finding.ok]
    park.book.dispose()
