"""Hash chains: records numbered 1, 2, ... without a hole, each with the hash of the one before and itself."""

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

GENESIS = bytes(32)
"""The hash before the first record."""


class Numbered(Protocol):
    """A record with its place in a chain."""

    @property
    def n(self) -> int: ...


T = TypeVar("T", bound=Numbered)


def first_broken(
    links: Iterable[tuple[T, bytes]], hash_of: Callable[[bytes, T], bytes]
) -> tuple[int | None, int, bytes]:
    """The number of the first record that does not follow from the one before, if any; the last number and hash.

    `links` are records with the hashes that are kept of them, 32 bytes each.
    """
    n, before = 0, GENESIS
    for record, kept in links:
        if record.n != n + 1 or hash_of(before, record) != kept:
            return n + 1, n, before
        n, before = record.n, kept
    return None, n, before
