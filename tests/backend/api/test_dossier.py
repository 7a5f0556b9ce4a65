"""The dossier: everything of an asset as of a date in one answer, proved, in a book that has no stock at all."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from backend.api.services import Services
from backend.book import proofs
from backend.book.db import read, write
from models.assets.proof import link
from models.chain import GENESIS
from tests.backend.asset_value_book import Park
from tests.backend.books import Template
from tests.shared_app import shared_app

CRANE: dict[str, Any] = {
    "name": "Crane",
    "serial": "C-7",
    "category": "crane",
    "acquired": {"at": "2026-01-01", "cost": "52000", "supplier": "Lift & Co"},
    "depreciation": {"life_months": 48, "salvage": "4000"},
}
DONE = {"asset": "CRANE-7", "kind": "service", "plan": "CRANE-7/oil"}
PLAN = {"asset": "CRANE-7", "name": "Oil", "every_days": 90}


@pytest.fixture
def client(template: Template, tmp_path: Path) -> Iterator[TestClient]:
    park = Park.opened(template, tmp_path, "2026-04-10 08:00")
    services = Services(park.book, park.clock, lambda *_: False, modules=("assets",))
    with TestClient(shared_app(services), "http://127.0.0.1:8000/api/v1/") as client:
        client.park = park  # type: ignore[attr-defined]
        for path, body in (
            ("assets/CRANE-7?valid_from=2026-01-01T00:00:00Z", CRANE),
            ("assets/CRANE-8?valid_from=2026-01-01T00:00:00Z", CRANE | {"serial": "C-8"}),
            ("plans/CRANE-7/oil?valid_from=2026-01-01T00:00:00Z", PLAN),
            (
                "services/s1",
                {"asset": "CRANE-7", "kind": "service", "plan": "CRANE-7/oil", "at": "2026-03-01T09:00:00Z"},
            ),
            ("custody/c1", {"asset": "CRANE-7", "what": "check_out", "holder": "ann", "at": "2026-03-10T08:00:00Z"}),
            ("custody/c2", {"asset": "CRANE-7", "what": "check_in", "at": "2026-04-01T08:00:00Z"}),
            ("work-orders/w1", {"asset": "CRANE-7", "kind": "corrective", "title": "Rope is worn"}),
            ("assets/CRANE-7/downtimes/d1", {"begin": "2026-03-15T08:00:00Z", "planned": False, "reason": "rope"}),
            (
                "assets/CRANE-7/meters/notes/n1",
                {"meter": "hours", "kind": "reading", "at": "2026-03-20T08:00:00Z", "value": "120", "reason": "round"},
            ),
        ):
            answer = client.put(path, json=body)
            assert answer.status_code == 201, (path, answer.text)
        park.valuer.settle_all()
        yield client
    park.book.dispose()


def dossier(client: TestClient, **ask: str) -> Any:
    answer = client.get("assets/CRANE-7/dossier", params=ask)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_all_of_an_asset_as_of_a_date(client: TestClient) -> None:
    found = dossier(client, at="2026-03-31T12:00:00Z")
    assert found["custody"]["holder"]["holder"] == "ann"
    assert [each["id"] for each in found["custody"]["entries"]] == ["c1"]
    assert [each["id"] for each in found["services"]] == ["s1"]
    assert [each["id"] for each in found["downtimes"]] == ["d1"]
    assert [each["id"] for each in found["notes"]] == ["n1"]
    assert found["value"]["book_value"] == "49000.00"
    assert [each["origin"] for each in found["entries"]] == ["2026-01", "2026-02", "2026-03"]
    assert [each["plan"] for each in found["due"]] == ["CRANE-7/oil"]
    assert found["work_orders"] == [], "it was asked for in April"
    now = dossier(client)
    assert now["custody"]["holder"] is None
    assert [each["title"] for each in now["work_orders"]] == ["Rope is worn"]
    assert client.get("assets/CRANE-7/dossier", params={"at": "2025-01-01T00:00:00Z"}).status_code == 404


def test_it_is_proved_by_a_chain_that_anybody_can_compute_again(client: TestClient) -> None:
    kept = dossier(client)["proofs"]
    kinds = {each["kind"] for each in kept["records"]}
    assert {"declared", "custody", "service", "work", "downtime", "meter", "value"} <= kinds
    with read(client.park.book) as tx:  # type: ignore[attr-defined]
        links = list(proofs.links(tx))
    before = GENESIS
    for proof, held in links:
        before = link(before, proof)
        assert before == held
    assert (kept["head"], kept["hash"]) == (len(links), before.hex())
    mine = {(proof.n, held.hex()) for proof, held in links if proof.asset == "CRANE-7"}
    assert {(each["n"], each["hash"]) for each in kept["records"]} == mine
    with write(client.park.book) as tx:  # type: ignore[attr-defined]
        tx.execute(text("UPDATE asset_proof SET hash = digest WHERE n = (SELECT max(n) FROM asset_proof)"))
    assert dossier(client)["proofs"]["hash"] != kept["hash"]
