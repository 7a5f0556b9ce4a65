"""The API on reports: which there are, and each of them in every form."""

from typing import Any

import pytest

from backend.reports import REPORTS

WINDOW = {"from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z"}


def test_which_there_are(get: Any) -> None:
    listed = get("reports")["items"]
    assert [each["name"] for each in listed] == [report.name for report in REPORTS]
    assert all(each["says"] and each["columns"] for each in listed)


@pytest.mark.parametrize("name", [report.name for report in REPORTS])
def test_each_in_every_form(site: Any, get: Any, name: str) -> None:
    made = get(f"reports/{name}", **WINDOW)
    assert all(len(row) == len(made["columns"]) for row in made["rows"])
    text = site.client.get(f"/api/v1/reports/{name}", params=WINDOW | {"format": "csv"})
    assert text.headers["content-disposition"] == f'attachment; filename="{name}-20261101-20261201.csv"'
    assert len(text.text.splitlines()) >= len(made["rows"]) + 1
    sheet = site.client.get(f"/api/v1/reports/{name}", params=WINDOW | {"format": "xlsx"})
    assert sheet.content.startswith(b"PK")


def test_movements_with_their_evidence(get: Any) -> None:
    made = get("reports/movements", **WINDOW)
    names = [column["name"] for column in made["columns"]]
    rows = [dict(zip(names, row, strict=True)) for row in made["rows"]]
    entries = get("movements")["items"]
    assert {row["id"] for row in rows} == {each["id"] for each in entries}
    assert all(row["evidence"] for row in rows)
    some = rows[0]
    of_item = get("reports/movements", **WINDOW, sku=some["sku"])["rows"]
    assert len(of_item) == sum(row["sku"] == some["sku"] for row in rows)
    at_place = get("reports/movements", **WINDOW, location=some["target"])["rows"]
    assert len(at_place) == sum(some["target"] in (row["source"], row["target"]) for row in rows)


@pytest.mark.parametrize(
    ("path", "params", "status", "said"),
    [
        ("reports/nothing", {}, 404, "movements"),
        ("reports/movements", {"from": "2026-11-02T00:00:00Z", "to": "2026-11-01T00:00:00Z"}, 400, "to: a time after"),
        ("reports/movements", {"format": "pdf"}, 400, "format"),
        ("reports/movements", {"form": "csv"}, 400, "form"),
    ],
)
def test_what_is_wrong_is_named(site: Any, path: str, params: dict[str, str], status: int, said: str) -> None:
    answer = site.client.get(f"/api/v1/{path}", params=params)
    assert (answer.status_code, said in answer.text) == (status, True), answer.text
