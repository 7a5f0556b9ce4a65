"""Dock doors: how many tags are judged rightly, by the model, the vote, the rule and what others do, per layout.

Every pass is new to the model, by its seed. A tag pass counts once, however many crossings it became; unread tags are
reported apart, since nothing can judge them. Bounds hold where a tag shares the reader with 13 to 28 others: a pallet
of 9 tags with 5 to 20 more around it, as in the tests of the read model itself. What the model learns from, 5 to 60
others, is shown beside it without a bound: in such a crowd a tag is read a few times only, which tells too little. The
reader tells Doppler shifts, as the simulated one does; what a single tag is worth at one that does not has no bound.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from threading import Event
from time import thread_time
from typing import Any, NamedTuple

import numpy as np
import pytest
from msgspec.structs import replace

from backend import dock_models
from backend.predict import pass_file
from models.dock import portal, presence
from models.dock.direction import Direction
from models.dock.learned import PassModel, decode_model
from models.dock.portal import Crossing, Portal, Sighting
from models.dock.vote import Ballot, elect_all
from models.predict import direction
from models.predict.direction import tag_verdict
from simulators import passes

S = 1_000_000
LEARNED, VOTED, RULE = 0.96, 0.98, 0.80
BOUNDS: dict[str, float | None] = {
    "rule": RULE,
    "learned": LEARNED,
    "learned, voted": VOTED,
    "learned, no Doppler": None,
    "learned, no Doppler, voted": VOTED,
}
MOST_MS = 2.0
BOUND, WIDE = (13, 28), passes.SHARING
UNSEEN, PASSES, FEWER = 990_001, 1000, 400
TO_TRAIN, TRAIN_SEED = 1200, 77
CROWD = 30
CENTRES_APART_S = 0.6
"""Of the rule of the field: what is closer together is no way through."""
PLACES = {("door", port): "inside" if port <= 2 else "outside" for port in range(1, 5)}


class Judged(NamedTuple):
    """One tag pass and what each method said of it."""

    kind: str
    truth: Direction
    sharing: int
    said: dict[str, Direction | None]


class Found(NamedTuple):
    tags: list[Judged]
    unread: int

    def right(self, method: str, which: Callable[[Judged], bool] = lambda _tag: True) -> float:
        mine = [tag for tag in self.tags if which(tag)]
        return sum(tag.said[method] == tag.truth for tag in mine) / max(len(mine), 1)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("sharing", [BOUND, WIDE], ids=["bound", "wide"])
def test_the_reference_layout(measure: Any, sharing: tuple[int, int]) -> None:
    found = judged("reference", dock_models.find("two-rows"), PASSES, sharing)
    among = f"direction, {sharing[0]} to {sharing[1]} others"
    row = {"group": "edge", "unit": "share of tag passes"}
    for what, value in _noted(found):
        measure(row | {"check": f"{among}, {what}", "value": value}, ok=True)
    against = {"peer": "time centroid", "peer_value": found.right("time centroid")}
    say = f"{among}, rows 2.4 m apart, {len(found.tags):,} tag passes, {found.unread} more unread"
    for method, bound in BOUNDS.items():
        value = found.right(method)
        check = {"check": f"{say}: {method}", "value": value} | against
        if bound is None or sharing != BOUND:
            measure(row | check, ok=True)
        else:
            measure(row | check | {"bound": f">= {bound}"}, ok=value >= bound)


def _is(kind: str) -> Callable[[Judged], bool]:
    return lambda tag: tag.kind == kind


def _noted(found: Found) -> list[tuple[str, float]]:
    """What is told without a bound."""
    of_kinds = [(f"{kind}: learned", found.right("learned", _is(kind))) for kind in passes.MIX]
    if any(tag.sharing > CROWD for tag in found.tags):
        of_kinds.append((f"more than {CROWD}: learned", found.right("learned", lambda tag: tag.sharing > CROWD)))
    peers = ("time centroid", "first and last antenna", "EdgeX mobility")
    return [*of_kinds, *((f"as others do: {peer}", found.right(peer)) for peer in peers)]


@pytest.mark.parametrize(("layout", "name"), [("close", "rows 0.8 m apart"), ("one-row", "one row only")])
@pytest.mark.timeout(900)
def test_other_layouts(measure: Any, tmp_path: Path, layout: str, name: str) -> None:
    """No bound: what a door is worth that hangs otherwise, with a model of its own."""
    path = tmp_path / "passes.jsonl"
    passes.write(passes.head(layout, TRAIN_SEED, TO_TRAIN), path, lambda _done, _total: None, Event())
    read = pass_file.read(path, pass_file.TIMEOUT_S, _silent)
    found = judged(layout, decode_model(direction.train(read, "bench", 0, _silent)[0]), FEWER, WIDE)
    for method in BOUNDS:
        check = f"direction, {name}, {len(found.tags):,} tag passes, {found.unread} more unread: {method}"
        row = {"group": "edge", "check": check, "unit": "share of tag passes", "value": found.right(method)}
        measure(row, ok=True)


def test_how_long_a_decision_takes(measure: Any) -> None:
    model = dock_models.find("two-rows")
    of = passes.head("reference", UNSEEN, 40)
    door = _door(of)
    states = [
        state
        for number in range(40)
        for sightings in _by_tag(passes.one(of, number)).values()
        for state in portal.passes(door, sightings)
    ]
    times: list[float] = []
    for state in states:
        begin = thread_time()
        model.judge(portal.figures(state))
        times.append((thread_time() - begin) * 1000)
    row = {"group": "edge", "check": "a learned decision with its reasons", "unit": "ms", "value": median(times)}
    measure(row | {"bound": f"< {MOST_MS}"}, ok=median(times) < MOST_MS)


def judged(layout: str, model: PassModel, count: int, sharing: tuple[int, int]) -> Found:
    """Every tag of so many new passes; `quiet` is a reader that tells no Doppler shift."""
    of = passes.head(layout, UNSEEN, count)
    door, tags, unread = _door(of), [], 0
    for number in range(count):
        one = passes.one(of, number, sharing)
        by_tag = _by_tag(one)
        unread += one.tags - len(by_tag)
        truth: Direction = {"in": "in", "out": "out"}.get(one.kind, "none")  # type: ignore[assignment]
        learned = {tag: _crossings(door, model, sightings) for tag, sightings in by_tag.items()}
        quiet = {tag: _crossings(door, model, _quiet(sightings)) for tag, sightings in by_tag.items()}
        voted, quiet_voted = _votes(learned), _votes(quiet)
        for tag, sightings in by_tag.items():
            said = {
                "rule": tag_verdict([each.direction for each in _crossings(door, None, sightings)]),
                "learned": tag_verdict([each.direction for each in learned[tag]]),
                "learned, voted": tag_verdict(voted[tag]),
                "learned, no Doppler": tag_verdict([each.direction for each in quiet[tag]]),
                "learned, no Doppler, voted": tag_verdict(quiet_voted[tag]),
                **_as_others_do(sightings),
            }
            tags.append(Judged(one.kind, truth, one.tags + one.others - 1, said))
    return Found(tags, unread)


def _silent(_what: str, _done: int, _total: int) -> None:
    """Nobody is told."""


def _door(of: passes.Head) -> Portal:
    return Portal("door", (*of.inside,), (*of.outside,), round(pass_file.TIMEOUT_S * S))


def _by_tag(one: passes.Pass) -> dict[int, list[Sighting]]:
    found: dict[int, list[Sighting]] = defaultdict(list)
    for seen in one.sightings:
        found[seen[0]].append(pass_file.sighting(pass_file.Seen(*seen)))
    return found


def _quiet(sightings: Sequence[Sighting]) -> list[Sighting]:
    return [replace(each, shift_chz=None) for each in sightings]


def _crossings(door: Portal, model: PassModel | None, sightings: Sequence[Sighting]) -> list[Crossing]:
    """As a door would; one with one row is judged by a model here, to show what that is worth."""
    state, ended = portal.fold(door, None, sightings)
    crossings = ended + portal.expire(door, state, 1 << 60)[1]
    if model is None:
        return crossings
    verdicts = [model.judge(portal.figures(each)) for each in portal.passes(door, sightings)]
    return [_with(each, *verdict) for each, verdict in zip(crossings, verdicts, strict=True)]


def _with(crossing: Crossing, way: Direction, score: float, reasons: list[str], chances: Any) -> Crossing:
    changes: dict[str, Any] = {"direction": way, "score": score, "reasons": reasons, "chances": chances}
    return Crossing(**{name: changes.get(name, getattr(crossing, name)) for name in Crossing.__struct_fields__})


def _votes(of: dict[int, list[Crossing]]) -> dict[int, list[Direction]]:
    places = [(tag, each) for tag, crossings in of.items() for each in crossings]
    ballots = [Ballot(**{name: getattr(each, name) for name in Ballot.__struct_fields__}) for _, each in places]
    found: dict[int, list[Direction]] = {tag: [] for tag in of}
    for (tag, _), verdict in zip(places, elect_all(ballots), strict=True):
        found[tag].append(verdict.direction)
    return found


def _as_others_do(sightings: Sequence[Sighting]) -> dict[str, Direction | None]:
    first, last = (_row(each.antenna) for each in (sightings[0], sightings[-1]))
    return {
        "time centroid": _centroid(sightings),
        "first and last antenna": _way(first, last),
        "EdgeX mobility": _mobility(sightings),
    }


def _row(antenna: int) -> str:
    return PLACES["door", antenna]


def _way(first: str, last: str) -> Direction:
    if first == last:
        return "none"
    return "in" if last == "inside" else "out"


def _centroid(sightings: Sequence[Sighting]) -> Direction:
    """Which row's centre of time, weighted by field strength, is later, and by more than CENTRES_APART_S."""
    inside = np.array([_row(each.antenna) == "inside" for each in sightings])
    if inside.all() or not inside.any():
        return "none"
    at_s = np.array([(each.at + each.first_at) / 2 / S for each in sightings])
    weight = np.array([each.count * 10 ** ((each.rssi_cdbm or -8000) / 2000) for each in sightings])
    lead = np.average(at_s[inside], weights=weight[inside]) - np.average(at_s[~inside], weights=weight[~inside])
    return "in" if lead > CENTRES_APART_S else "out" if lead < -CENTRES_APART_S else "none"


def _mobility(sightings: Sequence[Sighting]) -> Direction:
    """EdgeX's rule of the place that a tag is at, every read of a sighting as one: where it was first, and last."""
    reads = [
        presence.Read(each.at, each.epc, "door", each.antenna, each.rssi_cdbm, each.evidence)
        for each in sightings
        for _ in range(each.count)
    ]
    state, seen = presence.fold(presence.Points(PLACES), None, reads)
    return "none" if state is None else _way(seen[0].place, state.place)
