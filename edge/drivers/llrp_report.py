"""RO_ACCESS_REPORT to tag reads, quickly: a reader repeats one layout of parameters for every tag.

The layout of the first tag is compiled, for as many tags as the frame has: all bytes that say what follows, types,
lengths and counts, are compared at once, as one big number under a mask, and all values are one unpack. A frame that
fits no layout seen before is walked (`llrp_walk`), and its layout remembered. Only BadFrame comes out of bad bytes.
"""

from collections.abc import Callable
from operator import itemgetter
from struct import Struct, calcsize
from typing import Any

import msgspec

from edge.drivers.llrp_frame import HEADER_BYTES, TLV
from edge.drivers.llrp_walk import EPC, MAX_TAGS, TAG_REPORT, TV, TV_BIT, UNUSED, TagRead, refuse_tv, tlv, walk_reads

__all__ = ["TagRead", "compiled_reads", "tag_reads", "walk_reads"]
BLOCK_TAGS = 32
"""A longer report is several blocks."""
MAX_TAG_BYTES, MAX_BLOCKS, MAX_LIKE = 256, 128, 4
"""So all that is remembered is a few megabytes, whatever was sent."""


class _Block(msgspec.Struct, frozen=True, gc=False):
    """A number of tags of one layout: which bytes are as in `want`, and how to pick each field's values.

    One tag's are picked as they are, those of several as a column for each field.
    """

    mask: int
    want: int
    unpack: Callable[[bytes, int], tuple[Any, ...]]
    absent: tuple[bytes | None, ...]
    pick: Callable[[tuple[Any, ...]], tuple[Any, ...]]


# By bytes of one tag and number of tags, for all readers. Threads share it: lists in it are replaced, not changed.
_blocks: dict[tuple[int, int], list[_Block]] = {}


def tag_reads(frame: bytes) -> list[TagRead]:
    """The reads of one RO_ACCESS_REPORT frame. Raises BadFrame. Parameters that are not known are skipped.

    >>> report = bytes.fromhex("043d 00000020 00000001 00f0 0016 8d 3034257bf7194e4000001a85 810002 86c6")
    >>> tag_reads(report) == walk_reads(report) == compiled_reads(report)
    True
    """
    reads = compiled_reads(frame)
    if reads is None:
        reads = walk_reads(frame)
        _learn(frame, len(reads))
    return reads


def compiled_reads(frame: bytes) -> list[TagRead] | None:
    """The same of a frame all of whose tags have one length, in layouts seen before; None of any other."""
    size = int.from_bytes(frame[12:14])
    body = len(frame) - HEADER_BYTES
    if not size or body % size or body > size * MAX_TAGS:
        return None
    if body <= size * BLOCK_TAGS:
        return _block_reads(frame, size, body // size)
    reads: list[TagRead] = []
    step = size * BLOCK_TAGS
    for at in range(HEADER_BYTES, len(frame), step):
        block = frame[at - HEADER_BYTES : at + step]
        some = _block_reads(block, size, (len(block) - HEADER_BYTES) // size)
        if some is None:
            return None
        reads += some
    return reads


def _block_reads(frame: bytes, size: int, tags: int) -> list[TagRead] | None:
    number = int.from_bytes(frame)
    for block in _blocks.get((size, tags), ()):
        if number & block.mask == block.want:
            values = block.pick(block.unpack(frame, HEADER_BYTES) + block.absent)
            return [TagRead(*values)] if tags == 1 else list(map(TagRead, *values))
    return None


def _learn(frame: bytes, tags: int) -> None:
    """Remember the layouts of a frame that was walked, if its tags are alike."""
    if not tags:
        return
    kind, size = TLV.unpack_from(frame, HEADER_BYTES)
    if kind != TAG_REPORT or size > MAX_TAG_BYTES or tags * size != len(frame) - HEADER_BYTES:
        return
    for count in {min(tags, BLOCK_TAGS), tags % BLOCK_TAGS or BLOCK_TAGS}:
        block = _block(frame, size, count)
        if block is None:
            return
        if int.from_bytes(frame[: HEADER_BYTES + size * count]) & block.mask == block.want:
            if len(_blocks) >= MAX_BLOCKS:
                _blocks.clear()
            like = [old for old in _blocks.get((size, count), ()) if (old.mask, old.want) != (block.mask, block.want)]
            _blocks[size, count] = [block, *like[: MAX_LIKE - 1]]


def _block(frame: bytes, size: int, tags: int) -> _Block | None:
    """`tags` tags laid out like the first of a frame that was walked; None if it tells a field twice, as none does."""
    mask, formats = bytearray(b"\xff" * TLV.size), [f"{TLV.size}x"]
    slots: list[int] = []
    at, end = HEADER_BYTES + TLV.size, HEADER_BYTES + size
    while at < end:
        slot, begin, code, stop = _parameter(frame, at, end)
        mask += b"\xff" * (begin - at) + bytes(stop - begin)
        taken = f"{begin - at}x{code}"
        formats.append(f"{taken}{stop - at - calcsize(f'!{taken}')}x")
        if code:
            slots.append(slot)
        at = stop
    if len(slots) > len(set(slots)):
        return None
    whole = int.from_bytes(bytes(mask) * tags)
    want = int.from_bytes(frame[HEADER_BYTES:end] * tags) & whole
    unpack = Struct("!" + "".join(formats) * tags).unpack_from
    absent = (None,) * tags + (b"",) * tags
    return _Block(whole, want, unpack, absent, _pick(slots, tags))


def _pick(slots: list[int], tags: int) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """From the values of `tags` tags and `absent` after them to those of each field of TagRead."""
    told = len(slots) * tags
    first = {**dict.fromkeys(range(UNUSED), told), EPC: told + tags} | {slot: at for at, slot in enumerate(slots)}
    if tags == 1:
        return itemgetter(*(first[slot] for slot in range(UNUSED)))
    return itemgetter(
        *(
            slice(at, told, len(slots)) if at < told else slice(at, at + tags)
            for at in (first[slot] for slot in range(UNUSED))
        )
    )


def _parameter(frame: bytes, at: int, end: int) -> tuple[int, int, str, int]:
    """(field, where its value begins, the value's format, end) of the parameter at `at`."""
    if not frame[at] & TV_BIT:
        return tlv(frame, at, end)
    slot, code, size = TV.get(frame[at]) or refuse_tv(frame[at], at)
    return slot, at + 1, "" if slot == UNUSED else code, at + size
