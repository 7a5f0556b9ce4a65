"""What went through doors on pallets follows from their passes, the acts of PACK and the register, and nothing else."""

from sqlalchemy import select

from backend import contents
from backend.book import packs, sealed
from backend.book.journal import DAY_US
from backend.book.schema import crossing, dirty
from backend.book.schema_contents import content_move
from backend.verify.folds import Seen


def follow_pallets(seen: Seen) -> tuple[str, list[str]]:
    """Every pallet that crossed moved what was on it, each carton once; one that waits for the deriver may not yet."""
    tx = seen.tx
    since = sealed.boundary(tx) // DAY_US
    crossed = tx.execute(select(crossing.c.subject).where(crossing.c.subject.startswith(packs.SSCC_HEADER)).distinct())
    pallets = {pallet for row in crossed if (pallet := packs.pallet_of(row.subject)) is not None}
    pallets |= {*tx.scalars(select(content_move.c.pallet).where(content_move.c.day >= since).distinct())}
    late = tx.scalars(select(dirty.c.subject).where(dirty.c.step == "dock"))
    wanted = sorted(pallets - {packs.pallet_of(tag) for tag in late})
    wrong: list[str] = []
    count = 0
    for low in range(0, len(wanted), contents.PALLETS_A_QUERY):
        some = wanted[low : low + contents.PALLETS_A_QUERY]
        made, held = contents.moved(tx, seen.register, some), contents.held(tx, some)
        count += len(held)
        for key in sorted({*made, *held}):
            if (made[key][0] if key in made else None) != held.get(key):
                what = "is missing" if key not in held else "does not follow from what was packed"
                wrong.append(f"crossing {key[0]} with {key[1]} {what}")
    return f"{count} cartons of {len(wanted)} pallets", wrong
