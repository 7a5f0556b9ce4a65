"""Proofs: every record of an asset is in one chain, once, and what was altered afterwards is named."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from backend.book import proofs, register, services
from backend.book.db import read, write
from backend.prover import Prover
from backend.verify import verify
from models.assets.proof import Proof, digest, first_broken, link
from models.chain import GENESIS
from models.declared import Asset
from models.maintenance.done import Done
from tests.backend.books import DAY, SECOND, Yard

CHECK = "records of assets chained and unchanged"


def test_a_chain_is_broken_where_something_was_changed_left_out_or_put_in() -> None:
    before, links = GENESIS, list[tuple[Proof, bytes]]()
    for n in range(1, 6):
        proof = Proof(n, "CRANE-1", "work", n, digest({"n": n}))
        before = link(before, proof)
        links.append((proof, before))
    assert first_broken(links) is None
    assert first_broken([*links[:2], *links[3:]]) == 3
    other = Proof(3, "CRANE-1", "work", 3, digest({"n": 33}))
    assert first_broken([*links[:2], (other, links[2][1]), *links[3:]]) == 3


@pytest.fixture
def book(template: Path, tmp_path: Path) -> Engine:
    yard = Yard.copy(template, tmp_path / "book.db", DAY + 30 * SECOND)
    with write(yard.book) as tx:
        register.put(tx, "assets", "T1", Asset("truck", "1"), valid_from=0, actor="test", now=DAY)
        known = register.load(tx)
        done = Done(id="s1", asset="T1", kind="repair", component="pump", at=DAY)
        services.record(tx, known, done, ("mechanic", DAY + SECOND))
    return yard.book


def finding(book: Engine) -> str:
    (found,) = [each for each in verify(book) if each.name == CHECK]
    return found.detail if not found.ok else ""


def test_every_record_is_linked_once_and_what_changes_later_is_named(book: Engine) -> None:
    prover = Prover(book)
    count = prover.step()
    assert prover.step() == 0
    with read(book) as tx:
        links = list(proofs.links(tx))
    assert len(links) == count
    assert ("T1", "declared") in {(proof.asset, proof.kind) for proof, _ in links}
    assert [proof.kind for proof, _ in links if proof.asset == "T1"][-1] == "service"
    with write(book) as tx:
        services.withdraw(tx, "s1", "wrong machine", ("boss", DAY + 2 * SECOND))
    assert not finding(book), "what ends a record later is not the record"
    with write(book) as tx:
        tx.execute(text("UPDATE service_done SET at = at - 86400000000"))
    assert "service 1 of T1 is not what was recorded" in finding(book)
    with write(book) as tx:
        tx.execute(text("UPDATE service_done SET at = at + 86400000000"))
        tx.execute(text("DELETE FROM asset_proof WHERE n = 2"))
    assert "proof 2 does not follow" in finding(book)
