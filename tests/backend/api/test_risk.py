"""Risks and models over HTTP."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from backend.api import create_app
from backend.book import risks
from backend.book.db import write
from backend.book.risks import Risk
from backend.predict.registry import CURRENT, Registry
from models.predict.alarm import Reason
from models.predict.learners import TREES
from tests.models.predict import fleet

HOUR_US = 3_600_000_000
NOW = 1_795_424_400_000_000
WHY = Reason("oil_pressure", 3.1, 3.9, 0.1, "bar", None, 0.4, "oil pressure 3.1 bar")
Get = Callable[..., dict[str, Any]]


@pytest.fixture
def said(site: Any) -> None:
    """Two assets, of which one was scored twice."""
    scored = {"model": "gearbox/failure/0123456789ab", "state": "scored", "threshold": 0.4}
    rows = [
        Risk(asset="A", at=NOW - HOUR_US, risk=0.1, complete_to=NOW - HOUR_US, **scored),
        Risk(asset="A", at=NOW, risk=0.2, reasons=(WHY,), complete_to=NOW - 5, **scored),
        Risk(
            asset="B",
            model="gearbox/failure/0123456789ab",
            at=NOW,
            state="not_enough_data",
            missing="normal not known: 2 of 5 days",
            complete_to=NOW,
        ),
    ]
    with write(site.book) as tx:
        risks.save(tx, rows)


@pytest.mark.usefixtures("said")
def test_the_newest_of_each_asset(get: Get) -> None:
    first, second = get("risk")["items"]
    assert (first["asset"], first["risk"], first["threshold"], first["state"]) == ("A", 0.2, 0.4, "scored")
    assert first["complete_to"] < first["at"]
    assert first["reasons"] == [
        {
            "signal": "oil_pressure",
            "value": 3.1,
            "normal": 3.9,
            "spread": 0.1,
            "unit": "bar",
            "since": None,
            "share": 0.4,
            "text": "oil pressure 3.1 bar",
        }
    ]
    assert (second["state"], second["risk"], second["missing"]) == (
        "not_enough_data",
        None,
        "normal not known: 2 of 5 days",
    )


@pytest.mark.usefixtures("said")
def test_of_one_asset_and_over_time(get: Get) -> None:
    assert [one["risk"] for one in get("risk", asset="A")["items"]] == [0.2]
    assert get("risk", asset="Z")["items"] == []
    since = get("risk", asset="A")["items"][0]["at"].replace("T", " ").replace(" ", "T")
    assert [one["risk"] for one in get("risk", asset="A", since="2020-01-01T00:00:00Z")["items"]] == [0.1, 0.2]
    assert [one["risk"] for one in get("risk", asset="A", since=since)["items"]] == [0.2]


@pytest.mark.usefixtures("said")
def test_by_pages(get: Get) -> None:
    page = get("risk", limit=1)
    assert (page["items"][0]["asset"], page["next"]) == ("A", "1")
    page = get("risk", limit=1, after=page["next"])
    assert (page["items"][0]["asset"], page["next"]) == ("B", "2")
    assert get("risk", limit=1, after=2) == {"items": [], "next": None}


def test_since_is_of_an_asset(site: Any) -> None:
    assert site.client.get("/api/v1/risk", params={"since": "2026-01-01T00:00:00Z"}).status_code == 400


def test_models_and_their_cards(site: Any, tmp_path: Path) -> None:
    assert site.client.get("/api/v1/models").json()["items"] == []
    registry = Registry(tmp_path)
    registry.save(*fleet.trained(TREES))
    registry.save(*fleet.trained())
    object.__setattr__(site.services, "models", registry)
    with TestClient(create_app(site.services), "http://127.0.0.1:8000") as client:
        found = client.get("/api/v1/models").json()["items"]
        assert {one["card"]["learner"]: one["is_current"] for one in found} == {
            TREES: False,
            "logistic regression": True,
        }
        assert found[0]["card"]["skill"]["announced"]["value"] is not None
        (registry.folder / CURRENT).write_text("../..")
        assert [one["is_current"] for one in client.get("/api/v1/models").json()["items"]] == [False, False]
        assert "Card" in client.get("/api/openapi.json").json()["components"]["schemas"]
