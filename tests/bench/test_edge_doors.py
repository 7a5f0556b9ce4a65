"""Dock doors: how many tags are judged rightly, by the model, the vote, the rule and what others do, per layout.

Every pass is new to the model, by its seed. A tag pass counts once, however many crossings it became; unread tags are
reported apart, since nothing can judge them.
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
MOST_MS = 2.0
UNSEEN, PASSES = 990_001, 1200
TO_TRAIN, TRAIN_SEED = 2500, 77
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


def test_the_reference_layout(measure: Any) -> None:
    found = judged("reference", dock_models.find("two-rows"))
    _note_kinds(measure, found)
    row = {"group": "edge", "unit": "share of tag passes"}
    say = f"rows 2.4 m apart, {len(found.tags):,} tag passes, {found.unread} more unread"
    crowded = found.right("learned", lambda tag: tag.sharing > CROWD)
    measure(row | {"check": f"direction, {CROWD} other tags or more: learned", "value": crowded}, ok=True)
    for peer in ("time centroid", "first and last antenna", "EdgeX mobility"):
        measure(row | {"check": f"direction, as others do: {peer}", "value": found.right(peer)}, ok=True)
    rule, learned, voted = (found.right(method) for method in ("rule", "learned", "voted"))
    against = {"peer": "time centroid", "peer_value": found.right("time centroid")}
    bounds = ((rule, "rule", RULE), (learned, "learned", LEARNED), (voted, "learned, voted", VOTED))
    for value, method, bound in bounds:
        check = {"check": f"direction, {say}: {method}", "value": value, "bound": f">= {bound}"}
        measure(row | check | against, ok=value >= bound)


def _note_kinds(measure: Any, found: Found) -> None:
    for kind in passes.MIX:
        value = found.right("learned", lambda tag, kind=kind: tag.kind == kind)
        check = {"check": f"direction, {kind}: learned", "unit": "share of tag passes", "value": value}
        measure({"group": "edge"} | check, ok=True)


@pytest.mark.parametrize(("layout", "name"), [("close", "rows 0.8 m apart"), ("one-row", "one row only")])
@pytest.mark.timeout(900)
def test_other_layouts(measure: Any, tmp_path: Path, layout: str, name: str) -> None:
    """No bound: what a door is worth that hangs otherwise, with a model of its own."""
    path = tmp_path / "passes.jsonl"
    passes.write(passes.head(layout, TRAIN_SEED, TO_TRAIN), path, lambda _done, _total: None, Event())
    read = pass_file.read(path, pass_file.TIMEOUT_S, _silent)
    found = judged(layout, decode_model(direction.train(read, "bench", 0, _silent)[0]))
    for method in ("rule", "learned", "voted"):
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


def judged(layout: str, model: PassModel) -> Found:
    """Every tag of PASSES new passes."""
    of = passes.head(layout, UNSEEN, PASSES)
    door, tags, unread = _door(of), [], 0
    for number in range(PASSES):
        one = passes.one(of, number)
        by_tag = _by_tag(one)
        unread += one.tags - len(by_tag)
        truth: Direction = {"in": "in", "out": "out"}.get(one.kind, "none")  # type: ignore[assignment]
        learned = {tag: _crossings(door, model, sightings) for tag, sightings in by_tag.items()}
        voted = _votes(learned)
        for tag, sightings in by_tag.items():
            said = {
                "rule": tag_verdict([each.direction for each in _crossings(door, None, sightings)]),
                "learned": tag_verdict([each.direction for each in learned[tag]]),
                "voted": tag_verdict(voted[tag]),
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
    for tag, at, first_at, antenna, rssi, count in one.sightings:
        found[tag].append(Sighting(at, first_at, str(tag), antenna, rssi, count, f"{tag}/{at}/{antenna}"))
    return found


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
