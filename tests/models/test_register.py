"""Register bodies: quantities that no movement can hold are refused where they are declared, naming the field."""

import pytest

from models.declared import Device, Item, TagBinding, decode_body
from models.errors import Refused
from models.register import Entry, Register

ABSURD = ["0", "-1", "NaN", "sNaN", "Infinity", "0.0000001", "1E-7", "1234567890123", "1E+40", "1E-999999999999"]
BODIES = {
    "quantity": ("tags", '{"thing":"stock","sku":"X","quantity":"%s"}'),
    "units": ("items", '{"name":"X","gtins":[{"gtin":"19521321000107","units":"%s"}]}'),
    "pack_size": ("items", '{"name":"X","pack_size":"%s"}'),
    "reorder_max": ("items", '{"name":"X","reorder_max":"%s"}'),
    "reorder_min": ("items", '{"name":"X","reorder_min":"%s"}'),
}


@pytest.mark.parametrize("field", BODIES)
@pytest.mark.parametrize("figure", ABSURD)
def test_a_figure_out_of_bounds_is_refused_and_named(field: str, figure: str) -> None:
    kind, body = BODIES[field]
    if (field, figure) == ("reorder_min", "0"):
        return
    with pytest.raises(Refused, match=f"{field}: a positive number expected, of at most 12 digits and 6 decimals"):
        decode_body(kind, (body % figure).encode())


@pytest.mark.parametrize("figure", ["1", "0.000001", "999999999999.999999", "1E+3", "2.50000000"])
def test_figures_at_the_bounds_are_taken(figure: str) -> None:
    for kind, body in BODIES.values():
        assert isinstance(decode_body(kind, (body % figure).encode()), Item | TagBinding)


def test_a_minimum_may_be_nothing() -> None:
    body = BODIES["reorder_min"][1]
    for nothing in ("0", "0.00"):
        assert decode_body("items", (body % nothing).encode())
    with pytest.raises(Refused, match="reorder_min"):
        decode_body("items", (body % "0E-999999999999").encode())


def test_the_id_of_a_device_is_what_its_readings_are_looked_up_by() -> None:
    assert Device(gateway="dock-a", name="door-1").register_id == "dock-a/door-1"
    assert Device("imei:1").register_id == "imei:1"


def test_a_moment_whose_last_entry_is_withdrawn_is_as_if_nothing_were_said_of_it() -> None:
    fork, crane, before = TagBinding("asset", asset="FORK"), TagBinding("asset", asset="CRANE"), TagBinding("before")
    said = [(10, fork), (20, crane), (20, before), (30, before), (30, crane), (5, before)]
    register = Register.of(Entry("tags", "e280", at, n, body) for n, (at, body) in enumerate(said))
    assert [register.get("tags", "e280", at) for at in (5, 10, 20, 30)] == [None, fork, fork, crane]
    assert register.changes("tags", "e280") == [10, 30]
    assert register.period(40) == 0, "tags are asked for one by one"
    assert register.all("tags", 20) == {"e280": fork}
