"""Line protocol: no name can end a line, a tag or a literal, and floats come back to the bit."""

import math
import struct
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backend.telemetry import influx_lines as lp
from backend.telemetry import slots

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
contents = st.integers(-(2**63), 2**63 - 1)


@given(texts)
def test_any_text_comes_back(text: str) -> None:
    told = lp.encode(text)
    assert lp.decode(told) == text
    assert told
    assert told.isprintable()
    assert "\\" not in told


@given(texts, texts)
def test_two_texts_are_two_tags(one: str, other: str) -> None:
    assert (lp.encode(one) == lp.encode(other)) == (one == other)


@given(texts, texts)
def test_a_line_is_split_where_it_was_joined(device: str, unit: str) -> None:
    line = lp.line(lp.head("value", ("device", device), ("unit", unit)), {"value": "1.0"}, 5)
    bare = line.replace("\\,", "\x01").replace("\\=", "\x02").replace("\\ ", "\x03")
    start, fields, at = bare.split(" ")
    whole = [part.replace("\x01", ",").replace("\x02", "=").replace("\x03", " ") for part in start.split(",")]
    assert [part.partition("=")[2] for part in whole[1:]] == [lp.encode(device), lp.encode(unit)]
    assert (whole[0], fields, at) == ("value", "value=1.0", "5")


@given(texts)
def test_a_literal_ends_where_it_should(text: str) -> None:
    literal = lp.quoted(text)
    assert literal[0] == literal[-1] == "'"
    assert "'" not in literal[1:-1].replace("\\'", "")


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(lp.VOID)
def test_a_float_is_written_exactly_but_the_one_that_is_none(value: float) -> None:
    if value == lp.VOID:
        assert lp.number(value) == "-1.7976931348623155e+308"
        return
    assert struct.pack("d", float(lp.number(value))) == struct.pack("d", value + 0.0)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(lp.NotFinite):
        lp.number(value)


@given(st.lists(contents, min_size=2, unique=True), st.integers(0, 2**50))
def test_of_one_time_the_order_is_that_of_contents(some: list[int], at: int) -> None:
    own = [slots.slot(at, content) for content in sorted(some)]
    assert own == sorted(own)
    assert all(at * 1000 <= each < at * 1000 + 1000 for each in own)
    assert all(first < second for first, second in pairwise(sorted({slots.slot(at, k) for k in range(300)})))


@pytest.mark.parametrize("identifier", ['a"b', "a\\b", "a\nb"])
def test_no_name_ends_an_identifier(identifier: str) -> None:
    with pytest.raises(ValueError, match="not a name"):
        lp.name(identifier)
