"""Parameters that are out of bounds or that nobody knows are named, whatever the path."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy.exc import DataError

from backend.book import ledger, register
from backend.book.db import write
from backend.book.ledger import entries_of

TIMES = [
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00+14:00",
    "1969-12-31T23:59:59Z",
    "2200-01-01T00:00:00Z",
    "2026-11-23T09:00:00",
    "2026",
    "",
]
MOVE = {
    "at": "2026-11-23T08:59:00Z",
    "sku": "BOLT-M8",
    "quantity": "12",
    "source": "desk",
    "target": "customer",
    "reason": "sold at the counter",
}


def named(response: Any) -> str:
    """The field that a 400 names."""
    (field,) = all_named(response)
    return field


def all_named(response: Any) -> list[str]:
    """The fields that a 400 names."""
    assert response.status_code == 400, response.text
    return [str(fault["field"]) for fault in response.json()["errors"]]


@pytest.mark.parametrize("when", TIMES)
@pytest.mark.parametrize("path", ["stock", "items", "items/PUMP-40", "locations"])
def test_a_time_that_no_register_has_is_named(path: str, when: str, site: Any) -> None:
    assert named(site.client.get(f"/api/v1/{path}", params={"as_of": when})) == "as_of"


@pytest.mark.parametrize("when", TIMES)
def test_nothing_holds_from_such_a_time(when: str, site: Any) -> None:
    answer = site.client.put("/api/v1/items/NUT-M8", json={"name": "Nut M8"}, params={"valid_from": when})
    assert named(answer) == "valid_from"


def test_a_time_with_any_offset_is_taken(site: Any) -> None:
    url = f"/api/v1/items/NUT-M8?valid_from={quote('1970-01-01T14:00:00+14:00')}"
    assert site.client.put(url, json={"name": "Nut M8"}).status_code == 201
    assert site.client.get("/api/v1/items/NUT-M8").json()["valid_from"] == "1970-01-01T00:00:00Z"
    last = site.client.get("/api/v1/items/NUT-M8", params={"as_of": "2199-12-31T23:59:59.999999Z"})
    assert last.status_code == 200


def test_a_parameter_that_nobody_knows_is_named_everywhere(site: Any) -> None:
    described = site.client.get("/api/openapi.json").json()["paths"]
    lists = [path for path, methods in described.items() if path.startswith("/api/v1") and "get" in methods]
    asked = [path.replace("{ident}", "PUMP-40") for path in lists if not path.endswith("/events")]
    assert {"/api/v1/alerts", "/api/v1/gateways", "/api/v1/items/PUMP-40"} <= {*asked}
    for path in asked:
        assert "foo" in all_named(site.client.get(path, params={"foo": "1"})), path
    assert named(site.client.put("/api/v1/items/X", json={"name": "X"}, params={"validfrom": "2026"})) == "validfrom"


def test_the_id_of_a_reversal_is_taken(site: Any) -> None:
    assert site.client.put("/api/v1/movements/m-1", json=MOVE).status_code == 201
    with write(site.book) as tx:
        ledger.post(tx, [], ["m-1"], "test", site.services.clock())
        (taken,) = [entry.movement.id for entry in entries_of(tx) if entry.movement.reverses == "m-1"]
    answer = site.client.put(f"/api/v1/movements/{taken}", json=MOVE)
    assert answer.status_code == 409, answer.text
    assert answer.json()["type"] == "urn:stockyard:problem:clash"


def test_the_id_of_a_scan_has_at_most_64_characters(site: Any) -> None:
    text = json.dumps({"kind": "scan", "device": "hand", "at": "2026-11-23T08:59:00Z", "data": "SY:RECEIVE"})
    assert site.client.put(f"/api/v1/scans/{'s' * 64}", content=text).status_code == 201
    assert site.client.put(f"/api/v1/scans/{'s' * 65}", content=text).status_code == 400
    assert [*site.scans] == ["s" * 64]


def test_a_value_that_the_database_refuses_is_answered_and_logged(
    site: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise DataError("INSERT ...", {}, ValueError("a NUL"))

    monkeypatch.setattr(register, "put", refuse)
    assert site.client.put("/api/v1/items/NUT-M8", json={"name": "Nut M8"}).status_code == 400
    assert "PUT /api/v1/items/NUT-M8: the database takes no such value: a NUL" in caplog.text
