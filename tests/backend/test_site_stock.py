"""What a site file may say of stock: the example says all of it, and what is wrong is told where."""

import re
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Engine

from backend import site
from backend.book.db import read
from backend.book.register import load
from backend.config import ConfigError
from backend.identities import identities, workflow_of
from models.declared import Item
from models.declared_stock import Answers, ItemUnit, Location, Lot, Supplier, Supply
from tests.backend.test_site import EXAMPLE, NOW, apply, engine

assert engine, "the fixture of an empty book"
STRUCTS = (Location, Item, ItemUnit, Supply, Answers, Lot, Supplier)
TEXT = EXAMPLE.read_text(encoding="utf-8")


def test_the_example_mentions_every_field() -> None:
    named = {name for struct in STRUCTS for name in msgspec.structs.fields(struct) for name in [name.name]}
    assert {name for name in named if not re.search(rf"\b{name} =|\.{name}\b", TEXT)} == {"reorder"} & named


def test_every_default_that_the_example_shows_is_true() -> None:
    defaults = {field.name: field.default for struct in STRUCTS for field in msgspec.structs.fields(struct)}
    shown = re.findall(r"^(?:# )?(\w+) = .*# .*default ([\w.]+)\s*(?:;.*)?$", TEXT, re.MULTILINE)
    stock = [(name, said) for name, said in shown if name in defaults]
    assert len(stock) >= 7
    for name, said in stock:
        value = defaults[name]
        assert said == (str(value).lower() if isinstance(value, bool) else str(value)), name


def test_a_trade_number_is_of_its_variant(engine: Engine) -> None:
    site.apply(engine, EXAMPLE, NOW, "test")
    with read(engine) as tx:
        register = load(tx)
    assert identities(register, NOW, "e2").gtins["09521321500044"][0] == "GOGGLES-CLEAR"
    flow = workflow_of(register, "dock-a/scanner-1", NOW)
    assert flow.items["09521321500044"].sku == "GOGGLES-CLEAR"
    assert {"scrap", "adjustment", "capitalised", "supplier"}.isdisjoint(flow.locations), "nobody scans goods to there"
    assert "shelf-a" in flow.locations


BIN = '[locations.b]\nname = "B"\nkind = "bin"\n'
PARENT = '[items.P]\nname = "P"\n'
VARIANT = '[items.{0}]\nname = "V"\nvariant_of = "P"\nvariant = {{ size = "{1}" }}\n'
ITEM = '[items.Y]\nname = "Y"\n'
SPARE = ITEM + "[items.Y.classified.answers]\nsold_or_used_up = false\nplaced_singly = true\nserviced = false\n"
WRONG = {
    "no parent": (BIN + 'parent = "z"\n', "locations.b: parent: one of the locations expected, got 'z'"),
    "larger": (BIN + 'parent = "c"\n[locations.c]\nname = "C"\nkind = "bin"\n', "a larger kind of place than bin"),
    "virtual parent": (
        BIN + 'parent = "supplier"\n[locations.supplier]\nname = "S"\nkind = "supplier"\n',
        "real places",
    ),
    "cycle": (
        '[locations.b]\nname = "B"\nparent = "c"\n[locations.c]\nname = "C"\nparent = "b"\n',
        "locations.b: parent: a place that is not within 'b' expected, got 'c'",
    ),
    "kind": ('[locations.b]\nname = "B"\nkind = "shelf"\n', "Invalid enum value 'shelf'"),
    "variant of nothing": (VARIANT.format("V", "L"), "items.V: variant_of: an item that is no variant itself"),
    "of a variant": (
        PARENT + VARIANT.format("V", "L") + VARIANT.format("W", "M").replace('"P"', '"V"'),
        "items.W: variant_of: an item that is no variant itself expected, got 'V'",
    ),
    "twice": (PARENT + VARIANT.format("V", "L") + VARIANT.format("W", "L"), "another than that of 'V' expected"),
    "nothing varies": (PARENT + '[items.V]\nname = "V"\nvariant_of = "P"\n', "variant: what makes it one expected"),
    "varies from nothing": (ITEM + 'variant = { size = "L" }\n', "items.Y: variant_of: expected"),
    "number of the parent": (
        PARENT + 'gtins = [{ gtin = "09521321500013" }]\n' + VARIANT.format("V", "L"),
        "an item without gtins of its own, and not tagged, expected, got 'P'",
    ),
    "tag of the parent": (
        PARENT + VARIANT.format("V", "L") + '[tags.30aa]\nthing = "stock"\nsku = "P"\nquantity = 1\n',
        "tags.30aa: sku: a variant of 'P' expected",
    ),
    "unit twice": (ITEM + 'units = [{ unit = "each", numerator = 2 }]\n', "units: 'each' once expected"),
    "no factor": (ITEM + 'units = [{ unit = "box", numerator = 0 }]\n', "Expected `int` >= 1"),
    "half a pack": (ITEM + "whole = true\npack_size = 0.5\n", "pack_size: a whole number expected, got 0.5"),
    "no supplier": (ITEM + 'supplies = [{ supplier = "s" }]\n', "supplies.supplier: one of the suppliers expected"),
    "price": (ITEM + 'supplies = [{ supplier = "s", price = -1 }]\n', "price: a positive number expected"),
    "expiry without lot": (ITEM + "expiry_required = true\n", "lot_required: expected, as an expiry is required"),
    "lot of nothing": ('[lots."Z/1"]\n', "lots.Z/1: id: ITEM/LOT with one of the items expected, got 'Z'"),
    "lot's id": ('[lots."X"]\n', "lots.X: id:"),
    "lot came late": ('[lots."X/1"]\nexpires = 2026-01-01\nreceived = 2026-01-02\n', "not before it was received"),
    "lot's supplier": ('[lots."X/1"]\nsupplier = "s"\n', "supplier: one of the suppliers expected, got 's'"),
    "status": ('[lots."X/1"]\nstatus = "blocked"\n', "Invalid enum value 'blocked'"),
    "answers": (SPARE + "capitalised = false\nstops_work = false\n", "the answers say asset"),
    "an answer less": (SPARE + "capitalised = false\n", "missing required field `stops_work`"),
}
BEFORE = '[items.X]\nname = "X"\n'


@pytest.mark.parametrize(("text", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_where(engine: Engine, tmp_path: Path, text: str, said: str) -> None:
    apply(engine, tmp_path, BEFORE)
    with pytest.raises(ConfigError) as refused:
        apply(engine, tmp_path, text)
    assert said in str(refused.value)


def test_any_lot_number_that_a_gs1_code_has_is_an_id(engine: Engine, tmp_path: Path) -> None:
    apply(engine, tmp_path, BEFORE + "[lots.'X/A+1/2%\"']\nexpires = 2026-01-01\n")
