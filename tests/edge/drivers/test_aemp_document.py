"""How much of a page is looked at before it is one."""

import json

import pytest

from edge.driver import BadFrame
from edge.drivers import aemp_document
from edge.drivers.aemp_document import parse_document


@pytest.mark.parametrize(
    "page",
    [
        b"[" + b"{}," * 200 + b"{}]",
        b"[" + b"[]," * 200 + b"[]]",
        b"[" + b"[[[[]]]]," * 40 + b"[]]",
        b"[[[[[[[[[[" * 20,
        b'{"a":[' + b"1," * 200 + b"1]}",
        b"<Fleet>" + b'<a b=""/>' * 200 + b"</Fleet>",
        b"<Fleet " + b" ".join(b'a%d=""' % n for n in range(200)) + b"/>",
    ],
)
def test_too_many_members_are_refused_before_memory_is_taken_for_them(
    page: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aemp_document, "MAX_ELEMENTS", 100)
    monkeypatch.setattr(aemp_document, "_json", lambda _text: pytest.fail("parsed"))
    monkeypatch.setattr(aemp_document, "_Builder", lambda: pytest.fail("parsed"))
    with pytest.raises(BadFrame, match="page: at most 100 members expected"):
        parse_document(page)


def test_so_many_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aemp_document, "MAX_ELEMENTS", 100)
    assert len(parse_document(json.dumps({"a": list(range(99))}).encode())["a"]) == 99
    assert len(parse_document(b"<F>" + b"<a/>" * 99 + b"</F>")["f"][0]["a"]) == 99  # type: ignore[index]
    with pytest.raises(BadFrame, match="page: at most 100 elements"):
        parse_document(b"<F>" + b"<a/>" * 100 + b"</F>")
