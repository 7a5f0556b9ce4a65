"""The chain of proofs: a digest of every record about an asset, each linked to the one before, so that none can change.

Whoever keeps the last link, or a dossier with it, can tell later whether any record before it was altered or left out.
"""

import hashlib
from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct

from models import chain


class Proof(Struct, frozen=True):
    """One link: the `n`th record of all assets, what it is (`kind`, its own number), and its digest."""

    n: int
    asset: str
    kind: str
    source_n: int
    digest: bytes


def digest(record: Mapping[str, object]) -> bytes:
    """SHA-256 of a record as JSON: keys sorted, no white space, bytes as hexadecimal digits.

    >>> digest({"b": 1, "a": None}).hex()[:16]
    'c0bf82ad036cb0a5'
    """
    plain = {name: value.hex() if isinstance(value, bytes) else value for name, value in record.items()}
    return hashlib.sha256(msgspec.json.encode(plain, order="sorted")).digest()


def link(before: bytes, proof: Proof) -> bytes:
    """SHA-256 of the link before and this one, as JSON."""
    return hashlib.sha256(before + msgspec.json.encode(proof, order="sorted")).digest()


def first_broken(links: Iterable[tuple[Proof, bytes]]) -> int | None:
    """The number of the first link that does not follow from the one before, or None if all do."""
    return chain.first_broken(links, link)[0]
