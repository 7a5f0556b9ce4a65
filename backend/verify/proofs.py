"""Proofs: the chain of what was recorded of assets is whole, and every record is still what its digest says."""

from collections import defaultdict

from backend.book import proofs
from backend.verify.folds import Seen
from models.assets.proof import Proof, first_broken


def hold(seen: Seen) -> tuple[str, list[str]]:
    """Each link follows from the one before; each record is there and unchanged."""
    links = list(proofs.links(seen.tx))
    broken = first_broken(links)
    wrong = [] if broken is None else [f"proof {broken} does not follow from the one before"]
    said: defaultdict[str, dict[int, Proof]] = defaultdict(dict)
    for proof, _ in links:
        said[proof.kind][proof.source_n] = proof
    for kind, by_n in said.items():
        held = {row["n"]: proofs.digest_of(row) for row in proofs.records(seen.tx, kind)}
        wrong += [
            f"proof {proof.n}: {kind} {n} of {proof.asset} is {'gone' if n not in held else 'not what was recorded'}"
            for n, proof in by_n.items()
            if held.get(n) != proof.digest
        ]
    return f"{len(links)} records", wrong
