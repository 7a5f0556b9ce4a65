"""The lists of what was scanned: acts, and what lies on which pallet at which time."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from backend.api.services import Services
from models.epc import encode
from models.reading import Scan, from_micros
from tests.backend.books import SECOND, Yard
from tests.backend.stories import MIDNIGHT, TAGS
from tests.shared_app import shared_app

P1, P2 = "095213210000000421", "095213210000000438"
C1, C2 = "(01)19521321000107(21)S1", "(01)19521321000107(21)7"
L1, E2 = "011952132100010721S1", f"SY:EPC:{TAGS[0]}"
CODES = [
    "SY:BADGE:anna", "SY:PACK", f"00{P1}", L1, E2, "SY:CONFIRM", f"00{P2}", E2, "SY:UNDO", E2, "SY:LOC:roof"
]  # fmt: skip
Get = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def get(yard: Yard) -> Iterator[Get]:
    """The items of a list, of a book in which two pallets were packed, ten seconds a scan."""
    told = [Scan("scanner-1", from_micros(MIDNIGHT + 10 * k * SECOND), code, "]C1") for k, code in enumerate(CODES)]
    yard.send(told)
    services = Services(yard.book, yard.clock, lambda *_: True)
    with TestClient(shared_app(services), "http://127.0.0.1:8000") as client:

        def fetch(path: str, **params: object) -> list[dict[str, Any]]:
            answer = client.get(f"/api/v1/{path}", params=params)  # type: ignore[arg-type]
            assert answer.status_code == 200, answer.text
            found: list[dict[str, Any]] = answer.json()["items"]
            return found

        yield fetch


def children(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(item["child"], item["parent"][4:]) for item in found]


def test_acts_are_listed_by_n_with_what_they_say(get: Get) -> None:
    acts = get("scans")
    assert [act["action"] for act in acts] == ["pack", "pack", "pack", "undo", "pack", "refused"]
    assert (acts[3]["undoes"], acts[3]["child"], acts[3]["badge"]) == (acts[2]["id"], C2, "anna")
    assert get("scans", after=acts[4]["n"]) == acts[5:]
    assert get("scans", device="scanner-1", action="undo", limit=1) == [acts[3]]
    assert get("scans", device="dock-a/scanner-1") == acts
    assert get("scans", device="scanner-2") == []


def test_the_newest_pallet_holds_and_an_undo_takes_out(get: Get) -> None:
    assert children(get("packs")) == [(C1, P1), (C2, P2)]
    when = [(from_micros(MIDNIGHT) + timedelta(seconds=after)).isoformat() for after in (29, 30, 45, 75, 85, 95)]
    assert [children(get("packs", as_of=at)) for at in when] == [
        [],
        [(C1, P1)],
        [(C1, P1), (C2, P1)],
        [(C1, P1), (C2, P2)],
        [(C1, P1), (C2, P1)],
        [(C1, P1), (C2, P2)],
    ]


@pytest.mark.parametrize("pallet", [P1, f"00{P1}", f"(00){P1}", encode("urn:epc:id:sscc:9521321.0000000042")])
def test_a_pallet_is_asked_for_as_it_is_at_hand(pallet: str, get: Get) -> None:
    (item,) = get("packs", pallet=pallet)
    assert (item["child"], item["sku"], item["badge"]) == (C1, "PUMP-40", "anna")
    assert item["since"] == "2024-10-04T00:00:30Z"
    assert len(item["evidence"]) == 4


def test_a_carton_is_found_on_its_pallet(get: Get) -> None:
    assert children(get("packs", child=TAGS[0])) == children(get("packs", child=C2)) == [(C2, P2)]
    assert children(get("packs", after=1)) == [(C2, P2)]
    assert children(get("packs", limit=1)) == [(C1, P1)]
