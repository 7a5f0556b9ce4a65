"""What the backend does with one batch: the receiving half of contract.md section 1 "Delivery", as a pure function.

`models.delivery` is the sending half. The caller holds the stream's lock from reading the mark to the commit, writes
what `commit` says and the new mark in one transaction, and then sends the new mark as the receipt, whatever the
batch was: new, repeated, ahead or empty.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from models.reading import Gap


@dataclass(frozen=True, slots=True)
class Held:
    """What the backend holds of one stream (gateway, epoch)."""

    mark: int
    """Everything up to it is committed; 0 for a stream never heard of."""
    pruned_to: int
    """Everything up to it was pruned from the journal; 0 if nothing was."""
    same: Callable[[int, bytes], bool]
    """`same(seq, text)`: journal or quarantine holds exactly this text at seq, or a gap covers seq."""


@dataclass(frozen=True, slots=True)
class Commit:
    """What to write for one batch, and the stream's new mark."""

    mark: int
    """The new mark, which is the receipt."""
    journal: list[tuple[int, bytes]] = field(default_factory=list[tuple[int, bytes]])
    """Readings above the old mark, by rising seq: each into the journal, or into quarantine if it is invalid."""
    gap: tuple[int, int] | None = None
    """(from, to): the part of the gap that is above the old mark, to be journalled at `from`."""
    conflicts: list[tuple[int, bytes]] = field(default_factory=list[tuple[int, bytes]])
    """Readings at or below the old mark with a text that is not the one held: quarantine as `conflict`, and alert."""
    dropped: int = 0
    """Readings (or a gap) that are held already."""
    pruned: int = 0
    """Readings at or below `pruned_to`: nobody can say any more whether they are the same."""


def commit(held: Held, seq: int, readings: Sequence[bytes], gap: Gap | None) -> Commit:
    """What committing this batch means for this stream.

    A batch that is ahead (seq > mark + 1) commits nothing. `gap` is what `wire.decode_batch` returned: with a gap,
    `readings` is that gap alone.

    >>> commit(Held(mark=2, pruned_to=0, same=lambda seq, text: text == b"b"), 2, [b"b", b"c"], None)
    Commit(mark=3, journal=[(3, b'c')], gap=None, conflicts=[], dropped=1, pruned=0)
    """
    if seq > held.mark + 1:
        return Commit(held.mark)
    if gap is not None:
        first = max(gap.from_seq, held.mark + 1)
        return Commit(gap.to_seq, gap=(first, gap.to_seq)) if first <= gap.to_seq else Commit(held.mark, dropped=1)
    numbered = list(enumerate(readings, seq))
    known = [(number, text) for number, text in numbered if held.pruned_to < number <= held.mark]
    conflicts = [(number, text) for number, text in known if not held.same(number, text)]
    return Commit(
        max(held.mark, seq + len(numbered) - 1),
        journal=[(number, text) for number, text in numbered if number > held.mark],
        conflicts=conflicts,
        dropped=len(known) - len(conflicts),
        pruned=sum(number <= held.pruned_to for number, _ in numbered),
    )
