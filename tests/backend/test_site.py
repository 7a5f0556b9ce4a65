"""A site file to the register: the example as it is, and what a wrong one is told."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine

from backend import site
from backend.book import references, register, schema
from backend.book.db import open_engine, read
from backend.config import ConfigError
from models.declared import KINDS, Door, Item

EXAMPLE = Path(__file__).parents[2] / "deploy" / "site.example.toml"
NOW = 1_763_000_000_000_000
GOOD = """
[locations.a]
name = "A"
[items.X]
name = "X"
gtins = [{ gtin = "19521321000107", units = 2.50 }]
"""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine("sqlite", tmp_path / "book.db")
    schema.metadata.create_all(engine)
    yield engine
    engine.dispose()


def apply(engine: Engine, tmp_path: Path, text: str) -> list[site.Change]:
    path = tmp_path / "site.toml"
    path.write_text(text, encoding="utf-8")
    return site.apply(engine, path, NOW, "test")


def test_the_example_twice(engine: Engine) -> None:
    first = site.apply(engine, EXAMPLE, NOW, "test")
    assert {change.outcome for change in first} == {"created"}
    assert {change.kind for change in first} == {*KINDS} - {"bins", "faces"}, "those are comments: nobody puts away"
    second = site.apply(engine, EXAMPLE, NOW + 1, "test")
    assert {change.outcome for change in second} == {"same"}
    assert len(second) == len(first)
    with read(engine) as tx:
        loaded = register.load(tx)
    assert references.problems(loaded, NOW) == []
    pump, door = loaded.get("items", "PUMP-40", NOW), loaded.get("devices", "dock-a/door-1", NOW)
    assert isinstance(pump, Item)
    assert pump.reorder_min == Decimal(20)
    assert isinstance(getattr(door, "door", None), Door)


def test_numbers_are_exact_and_a_change_says_so(engine: Engine, tmp_path: Path) -> None:
    apply(engine, tmp_path, GOOD)
    later = '[items.X]\nname = "X"\ngtins = [{ gtin = "19521321000107", units = 0.1 }]\nvalid_from = 2025-01-01\n'
    assert str(apply(engine, tmp_path, later)[0]) == "items.X: changed, from 2025-01-01 00:00"
    assert str(apply(engine, tmp_path, GOOD)[1]) == "items.X: same, from 2020-01-01 00:00 until 2025-01-01 00:00"
    with read(engine) as tx:
        item = register.load(tx).get("items", "X", NOW)
    assert isinstance(item, Item)
    assert str(item.gtins[0].units) == "0.1"


DEVICE = '[devices.d]\nname = "d"\ngateway = "g"\n'
DOOR = DEVICE + '[devices.d.door]\ninside_antennas = [1]\noutside_antennas = [{}]\ninside = "{}"\n'
SIDES = 'outside_in = "a"\noutside_out = "a"\n'
DESK = '[devices.d.desk]\nlocation = "a"\nsupplier = "a"\ncustomer = "a"\n'
TRUCK = '[assets.T]\nname = "T"\nserial = "1"\n'
TRACKER = '[devices."imei:{0}"]\nname = "imei:{0}"\n[devices."imei:{0}".tracker]\nasset = "{1}"\n'
ZONE = '[zones.z]\nname = "z"\n'
WRONG = {
    "zone": (ZONE, "zones.z: polygon, circle, corridor: one of them expected, got none"),
    "two shapes": (
        ZONE + "circle = { lat = 1, lon = 1, radius_m = 5 }\ncorridor = { line = [[1, 1], [1, 2]], width_m = 9 }\n",
        "one of them expected, got circle and corridor",
    ),
    "road": (ZONE + "corridor = { line = [[1, 1], [1, 1]], width_m = 9 }\n", "corridor.line: two different points"),
    "road off earth": (ZONE + "corridor = { line = [[1, 1], [1, 200]], width_m = 9 }\n", "corridor.line[1]: latitude"),
    "road's key": (ZONE + "corridor = { line = [[1, 1], [1, 2]], width = 9 }\n", "did you mean 'width_m'?"),
    "alert": (ZONE + 'circle = { lat = 1, lon = 1, radius_m = 5 }\nalert = "all"\n', "Invalid enum value 'all'"),
    "class": ("[classes.truck]\nstop_s = 0\n", "classes.truck: Expected `float` > 0.0 - at `$.stop_s`"),
    "class's key": ("[classes.truck]\nstop = 60\n", "did you mean 'stop_s'?"),
    "tracker": (TRUCK + TRACKER.format("1", "T"), None),
    "tracker of nothing": (TRACKER.format("1", "T"), "tracker.asset: one of the assets expected, got 'T'"),
    "two trackers": (TRUCK + TRACKER.format("1", "T") + TRACKER.format("2", "T"), "'T' already has the tracker"),
    "hours": (TRUCK + TRACKER.format("1", "T") + "hours_at_start = -1\n", "hours_at_start: a positive number expected"),
    "plan of nothing": ('[plans.p]\nasset = "T"\nname = "p"\nevery_days = 3\n', "asset: one of the assets expected"),
    "plan without": (TRUCK + '[plans.p]\nasset = "T"\nname = "p"\n', "at least one of them expected, or another meter"),
    "plan": (TRUCK + '[plans.p]\nasset = "T"\nname = "p"\nevery_hours = 0\n', "every_hours: a positive number"),
    "state": (TRUCK + 'state = "lost"\n', "Invalid enum value 'lost'"),
    "not TOML": ("[items", "Expected"),
    "table": ('[item.Y]\nname = "Y"\n', "unknown table 'item'; did you mean 'items'?"),
    "key": ('[items.Y]\nnam = "Y"\n', "items.Y: unknown key 'nam'; did you mean 'name'?"),
    "inner key": (DEVICE + "[devices.d.door]\ninsid = 1\n", "unknown key 'door.insid'; did you mean 'inside'?"),
    "listed key": ('[items.Y]\nname = "Y"\ngtins = [{ gtn = "1" }]\n', "'gtins.gtn'; did you mean 'gtin'?"),
    "not a table": ("items = 3\n", 'items: tables [items."ID"] expected'),
    "no table": ("[items]\nY = 3\n", "items.Y: a table expected"),
    "missing": ("[items.Y]\n", "missing required field `name`"),
    "bound": ('[items.Y]\nname = "Y"\npack_size = 0\n', "pack_size: a positive number expected"),
    "decimals": ('[items.Y]\nname = "Y"\npack_size = 1e-7\n', "pack_size: a positive number expected, of at most 12"),
    "local time": ('[items.Y]\nname = "Y"\nvalid_from = 2020-01-01T00:00:00\n', "items.Y: valid_from: a date, or"),
    "id": ('[items."Y Z"]\nname = "Y"\n', "items.Y Z: id"),
    "check digit": ('[items.Y]\nname = "Y"\ngtins = [{ gtin = "19521321000206"}, { gtin = "19521321000305"}]\n', None),
    "bad digit": ('[items.Y]\nname = "Y"\ngtins = [{ gtin = "19521321000207"}]\n', "check digit 7, expected 6"),
    "taken": ('[items.Y]\nname = "Y"\ngtins = [{ gtin = "19521321000107"}]\n', "already a number of 'X'"),
    "site": ('[locations.b]\nname = "B"\nsite = "s"\n', "locations.b: site: one of the sites expected, got 's'"),
    "door": (DOOR.format(2, "zz") + SIDES, "devices.d: door.inside: one of the locations expected, got 'zz'"),
    "model": (
        DOOR.format(2, "a") + SIDES + 'model = "best"\n',
        "devices.d: door.model: one of the models two-rows@",
    ),
    "points": (
        DEVICE + "[devices.d.points]\nplaces = [{ place = 'a', antennas = [1, 2] }, { place = 'b', antennas = [2] }]\n",
        "devices.d: points.places: antenna 2 at one place expected, got 2",
    ),
    "antennas": (DOOR.format(1, "a") + SIDES, "two rows of different antennas"),
    "both": (DOOR.format(2, "a") + SIDES + DESK, "door and desk: one of them expected"),
    "gateway": ('[devices.d]\nname = "d"\ngateway = "api"\n', "a gateway's name"),
    "misnamed": (DEVICE, "devices.d: id: 'g/d' expected"),
    "same device": (
        DEVICE + DEVICE.replace("devices.d", "devices.e"),
        "devices.e: id: 'g/d' expected, its gateway and name, got 'e'",
    ),
    "sku": ('[tags.30aa]\nthing = "stock"\nsku = "Z"\nquantity = 1\n', "sku: one of the items expected, got 'Z'"),
    "asset": ('[tags.30aa]\nthing = "asset"\nasset = "Z"\n', "asset: one of the assets expected, got 'Z'"),
    "binding": ('[tags.30aa]\nthing = "none"\nsku = "X"\n', 'thing = "none": nothing expected with it, got sku'),
    "reorder": ('[items.Y]\nname = "Y"\nreorder_min = 5\nreorder_max = 5\n', "more than reorder_min 5 expected"),
}


@pytest.mark.parametrize(("text", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_file_changes_nothing_and_is_told_where(
    engine: Engine, tmp_path: Path, text: str, said: str | None
) -> None:
    apply(engine, tmp_path, GOOD)
    if said is None:
        apply(engine, tmp_path, text)
        return
    with pytest.raises(ConfigError) as refused:
        apply(engine, tmp_path, text)
    assert said in str(refused.value)
    with read(engine) as tx:
        assert register.version(tx) == 2
