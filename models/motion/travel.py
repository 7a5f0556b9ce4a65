"""What the motion of an asset comes to: stretches between two moments, each with what it rests on."""

from typing import Literal

from msgspec import Struct

from models.ids import derived_id

RULE = "motion-3"
What = Literal["visit", "distance", "trip", "stop", "transported"]


class Span(Struct):
    """From one fix to another, while it grows: how far, by how many fixes, and the content hashes of the two."""

    begin_at: int
    end_at: int
    first: bytes
    last: bytes
    mm: int = 0
    fixes: int = 1


class Travel(Struct, frozen=True):
    """One stretch: times in microseconds since 1970 UTC, places in degrees WGS 84.

    It rests on the fixes of its asset's tracker from the first to the last of `evidence`. `closed_at` is when it was
    known to be over: None if nothing of this asset came after it.
    """

    id: str
    asset: str
    what: What
    zone: str | None
    begin_at: int
    end_at: int
    closed_at: int | None
    distance_mm: int
    fixes: int
    """So many good fixes are behind it."""
    version: int
    """From when what decided it held, in microseconds: the zone's entry for a visit, else the tracker's."""
    evidence: list[str]
    """Content hashes (hex) of its first and its last fix."""
    lat: float | None = None
    """Of a stop: where it stood. Of a trip: where it ended. Of what was transported: where it was put down."""
    lon: float | None = None
    method: Literal["fix", "segment"] | None = None
    """How a visit is known: a fix was in the zone, or the straight way between two fixes went through it."""


def row(of: tuple[str, int], what: What, span: Span, closed_at: int | None, zone: str | None = None) -> Travel:
    """A stretch of (asset, version), without a place.

    Its id rests on where it begins: one that is found to have gone on for longer is the same one.
    """
    asset, version = of
    return Travel(
        id=derived_id(RULE, asset, what, zone or "", str(span.begin_at), span.first.hex()),
        asset=asset,
        what=what,
        zone=zone,
        begin_at=span.begin_at,
        end_at=span.end_at,
        closed_at=closed_at,
        distance_mm=span.mm,
        fixes=span.fixes,
        version=version,
        evidence=list(dict.fromkeys((span.first.hex(), span.last.hex()))),
    )
