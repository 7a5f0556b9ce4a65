"""A cycle count from request to adjustment, by its API: blind, netted, counted again, approved by another."""

from decimal import Decimal

import pytest

from backend.book import count_decisions
from backend.book.db import write
from backend.book.work_log import Stamp
from backend.verify import verify
from models.errors import Refused
from models.reading import Scan, from_micros
from models.stock.count import Counted, Key
from tests.backend.books import SECOND
from tests.backend.warehouse.floors import Floor

ON_BOTH = True


def stock_two_bins(floor: Floor) -> None:
    floor.move("BOLT-M8", 100, ("supplier", "bin-1"))
    floor.move("BOLT-M8", 100, ("supplier", "bin-2"))


def whole(floor: Floor) -> None:
    assert not [f"{each.name}: {each.detail}" for each in verify(floor.yard.book) if not each.ok]


def test_a_blind_count_tells_nothing_and_posts_what_another_approves(floor: Floor) -> None:
    stock_two_bins(floor)
    asked = {"locations": ["bin-1", "bin-2"], "by": "ann", "classes": {"BOLT-M8": "C"}}
    assert floor.put("counts/c1", **asked)["outcome"] == "created"
    assert floor.put("counts/c1", 200, **asked)["outcome"] == "same"
    floor.put("counts/c1", 409, **asked | {"blind": False})
    floor.move("BOLT-M8", 10, ("bin-1", "customer"))
    first = floor.get("counts/c1")["lines"]
    assert [(one["line"], one["location"], one["book"], one["snapshot"]) for one in first] == [
        (1, "bin-1", None, None),
        (2, "bin-2", None, None),
    ]
    floor.put("counts/c1/lines/1", quantity="85", by="ann")
    floor.put("counts/c1/lines/1", 200, quantity="85", by="ann")
    floor.put("counts/c1/lines/1", 409, quantity="90", by="ann")
    floor.put("counts/c1/lines/2", quantity="105", by="ann")
    assert floor.get("counts/c1")["accuracy"] is None
    floor.post("counts/c1/approve", 409, by="bob")
    assert floor.post("counts/c1/submit", 400, by="ann")["detail"] == "lines: [1] are to be recounted"
    floor.post("counts/c1/recount", by="bob")
    floor.put("counts/c1/lines/1", quantity="85", by="ann")
    seen = floor.post("counts/c1/submit", by="ann")
    assert [(one["snapshot"], one["book"], one["variance"]) for one in seen["lines"]] == [
        ("100", "90", "-5"),
        ("100", "100", "5"),
    ]
    assert floor.post("counts/c1/approve", 400, by="ann")["detail"].startswith("by: another than who counted")
    assert floor.held("BOLT-M8") == {"bin-1": "90", "bin-2": "100"}
    done = floor.post("counts/c1/approve", by="bob", reason="seen")
    assert floor.post("counts/c1/approve", by="bob") == done
    assert done["accuracy"] == "0.947368"
    assert floor.held("BOLT-M8") == {"bin-1": "85", "bin-2": "105"}
    assert [step["what"] for step in done["steps"]] == ["opened", "recounted", "submitted", "approved"]
    posted = [one for one in floor.get("movements")["items"] if one["reason"] == "count"]
    assert [(one["source"], one["target"], one["quantity"], one["evidence"]) for one in posted] == [
        ("adjustment", "bin-2", "5", ["count:c1"]),
        ("bin-1", "adjustment", "5", ["count:c1"]),
    ], "bin-1 was counted last"
    assert floor.get("counts/accuracy") == {
        "accuracy": "0.947368",
        "lines": 2,
        "classes": [{"name": "C", "within": 0, "counted": 1}],
    }
    whole(floor)


def test_what_becomes_known_late_corrects_the_adjustment_and_not_the_count(floor: Floor) -> None:
    floor.move("BOLT-M8", 100, ("supplier", "bin-1"))
    before = floor.yard.clock.now
    floor.put("counts/c1", skus=["BOLT-M8"], locations=["bin-1"], by="ann")
    floor.put("counts/c1/lines/1", quantity="97", by="ann")
    floor.post("counts/c1/submit", by="ann")
    floor.post("counts/c1/approve", by="bob")
    floor.move("BOLT-M8", 7, ("bin-1", "customer"))
    assert floor.held("BOLT-M8") == {"bin-1": "90"}
    floor.move("BOLT-M8", 3, ("bin-1", "customer"), at=before + 1)
    assert floor.held("BOLT-M8") == {"bin-1": "90"}, "the count had seen that they were gone"
    line = floor.get("counts/c1")["lines"][0]
    assert (line["book"], line["variance"], line["adjustment"], line["movement"]) == ("97", "0", "0", None)
    assert floor.get("counts/accuracy")["accuracy"] == "1"
    whole(floor)


def test_a_place_is_counted_once_at_a_time_and_a_new_line_is_what_the_book_has_not(floor: Floor) -> None:
    floor.put("counts/c1", skus=["BOLT-M8"], locations=["bin-1"], by="ann")
    refused = floor.put("counts/c2", 400, locations=["bin-1"], by="ann")
    assert refused["detail"].endswith("by count c1")
    (line,) = floor.get("counts/c1")["lines"]
    assert (line["sku"], line["location"], line["state"]) == ("BOLT-M8", "bin-1", "to_count")
    floor.put("counts/c1/lines/2", 400, quantity="1", by="ann")
    floor.put("counts/c1/lines/2", 400, quantity="1", sku="GLOVE-L", location="bin-1", by="ann")
    floor.put("counts/c1/lines/2", quantity="4", sku="BOLT-M8", location="bin-1", lot="L7", by="ann")
    floor.post("counts/c1/recount", by="bob")
    floor.put("counts/c1/lines/2", quantity="4", by="ann")
    floor.post("counts/c1/submit", 400, by="ann")
    floor.post("counts/c1/submit", by="ann", reason="the shelf is blocked")
    floor.post("counts/c1/approve", by="bob")
    assert floor.held("BOLT-M8") == {"bin-1/L7": "4"}
    floor.put("counts/c2", locations=["bin-1"], by="ann")
    floor.post("counts/c2/cancel", by="ann", reason="no time")
    floor.post("counts/c2/cancel", by="ann", reason="no time")
    floor.post("counts/c2/reject", 409, by="ann", reason="no time")


def test_count_scans_of_one_place_add_up_and_undo_takes_one_back(floor: Floor) -> None:
    floor.move("BOLT-M8", 12, ("supplier", "desk"))
    floor.put("counts/c1", skus=["BOLT-M8"], locations=["desk"], by="ann")
    at = floor.yard.clock.now
    bolt = "0109521321500013"
    texts = ["SY:COUNT", "SY:LOC:desk", bolt, "SY:QTY:5", bolt, "SY:QTY:7", bolt, "SY:QTY:9", "SY:UNDO"]
    floor.yard.send([Scan("scanner-1", from_micros(at + k * SECOND), text, "]C1") for k, text in enumerate(texts)])
    floor.yard.settle(60 * SECOND)
    (line,) = floor.get("counts/c1")["lines"]
    assert (line["counted"], line["counted_by"], line["state"]) == ("12", "scan:dock-a/scanner-1", "counted")
    assert [text[:5] for text in line["evidence"]] == ["scan:", "scan:"]
    floor.post("counts/c1/submit", by="ann")
    floor.post("counts/c1/approve", by="bob")
    assert floor.held("BOLT-M8") == {"desk": "12"}
    whole(floor)


def test_what_is_late_never_makes_an_adjustment_too_large_to_post(floor: Floor) -> None:
    """A number of another kind was entered: it is taken back, not counted away."""
    floor.move("BOLT-M8", 999_999_999_999, ("supplier", "desk"))
    found = Counted("c/1", Key("BOLT-M8", "desk"), floor.yard.clock.now, Decimal(0), ["count:c"])
    with write(floor.yard.book) as tx, pytest.raises(Refused, match="take back what made it so"):
        count_decisions.hold(tx, [found], Stamp("bob", floor.yard.clock.now))
