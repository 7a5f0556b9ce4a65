"""The yard plan as a drawing: zones, a mark for each asset with its label beside it, tails, and a scale.

What is drawn is bounded: above MOST_MARKS assets each zone has one mark that counts them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from backend.api.queries.yard import Seen
from backend.web.plan_view import EDGE, WIDTH, Frame, Ground, around, is_at, way
from backend.web.standing import Standing

MOST_MARKS = 30
MOST_WORDS = 12
"""Above it a mark's label is its name only."""
MOST_OUTLINES = 100
MOST_ELSEWHERE = 8
RECTANGLE = 4
NAME_CHARS = 18
CHAR, SMALL_CHAR, LINE, MARK = 8.2, 6.8, 15.0, 11.0
"""Units of the drawing: width of a letter, height of a line, half the size of a mark."""
ROOM = 1.4
"""On a phone the drawing is small and its text is larger: labels keep so much more apart."""
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Area:
    """A zone as it is drawn."""

    id: str
    name: str
    points: str
    label: tuple[float, float]
    anchor: str
    is_ground: bool
    """It has others in it: it is drawn fainter."""

    @property
    def label_box(self) -> "Box":
        x, y = self.label
        wide = len(self.name) * SMALL_CHAR
        left = x if self.anchor == "start" else x - wide / 2
        return (left, y - LINE, left + wide, y)


@dataclass(slots=True)
class Mark:
    """An asset on the plan."""

    seen: Seen
    standing: Standing
    at: tuple[float, float]
    words: str | None
    label: tuple[float, float] = (0, 0)
    anchor: str = "start"
    tail: str = ""

    @property
    def name(self) -> str:
        return self.seen.id if len(self.seen.id) <= NAME_CHARS else self.seen.id[: NAME_CHARS - 1] + "…"

    @property
    def turn(self) -> int | None:
        """Degrees from north, while it moves."""
        course = self.seen.place.course_deg if self.seen.place is not None else None
        return None if course is None or self.standing.kind != "moving" else round(course)


@dataclass(frozen=True, slots=True)
class Crowd:
    """The assets of one zone together."""

    zone: str
    name: str
    at: tuple[float, float]
    count: int
    words: str


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """An asset that is not on the plan."""

    seen: Seen
    standing: Standing
    zone: str | None
    km: float
    towards: str


@dataclass(slots=True)
class Plan:
    """Everything that the drawing has."""

    frame: Frame
    areas: list[Area]
    marks: list[Mark] = field(default_factory=list[Mark])
    crowds: list[Crowd] = field(default_factory=list[Crowd])
    elsewhere: list[Elsewhere] = field(default_factory=list[Elsewhere])
    more_elsewhere: int = 0
    width: int = WIDTH

    @property
    def shown(self) -> int:
        return len(self.marks) + sum(crowd.count for crowd in self.crowds)


Standings = Sequence[tuple[Seen, Standing]]


def draw(frame: Frame, assets: Standings, names: Mapping[str, str]) -> Plan:
    """The plan of a place with these assets; `names` are those of the zones."""
    plan = Plan(frame, [_area(frame, k) for k in range(min(len(frame.ground.outlines), MOST_OUTLINES))])
    here: list[tuple[Seen, Standing]] = []
    away: list[Elsewhere] = []
    for seen, standing in assets:
        if seen.point is None:
            continue
        if is_at(frame.ground, seen.point):
            here.append((seen, standing))
        else:
            away.append(_elsewhere(frame.ground, seen, standing, names))
    if len(here) > MOST_MARKS:
        plan.crowds = _crowds(frame, here, names)
    else:
        plan.marks = _marks(frame, here, [area.label_box for area in plan.areas])
    plan.elsewhere, plan.more_elsewhere = away[:MOST_ELSEWHERE], max(0, len(away) - MOST_ELSEWHERE)
    return plan


def _area(frame: Frame, number: int) -> Area:
    """One zone; its name stands in its upper left corner, or in the middle of what has no such corner."""
    outline = frame.ground.outlines[number]
    corners = [frame.xy(corner) for corner in outline.corners]
    left, top = min(x for x, _ in corners), min(y for _, y in corners)
    box = around(outline.corners)
    is_ground = any(_inside(around(other.corners), box) for other in frame.ground.outlines[number + 1 :])
    label, anchor = (left + 6, top + LINE), "start"
    if len(corners) != RECTANGLE:
        label, anchor = frame.xy(box.centre), "middle"
    return Area(outline.id, outline.name, " ".join(f"{x},{y}" for x, y in corners), label, anchor, is_ground)


def _inside(inner: Ground, outer: Ground) -> bool:
    return all(outer.low[k] <= inner.low[k] and inner.high[k] <= outer.high[k] for k in (0, 1))


def _marks(frame: Frame, assets: Standings, written: Sequence[Box]) -> list[Mark]:
    marks: list[Mark] = []
    for seen, standing in assets:
        assert seen.point is not None  # noqa: S101 - only those with a place are drawn
        words = standing.words if len(assets) <= MOST_WORDS else None
        marks.append(Mark(seen, standing, frame.xy(seen.point), words))
    taken = [*written, *((x - MARK, y - MARK, x + MARK, y + MARK) for x, y in (mark.at for mark in marks))]
    for mark in marks:
        _label(mark, taken, frame.height)
    return marks


def _label(mark: Mark, taken: list[Box], height: int) -> None:
    """Put the label where it covers nothing, to the right if nowhere is free."""
    wide = max(len(mark.name) * CHAR, len(mark.words or "") * SMALL_CHAR) * ROOM
    tall = LINE * (2 if mark.words else 1)
    (x, y), gap = mark.at, MARK + 5
    places = [("start", x + gap, y - tall / 2), ("end", x - gap, y - tall / 2)]
    places += [("middle", x, y - gap - tall), ("middle", x, y + gap)]
    places += [("start", x + gap, y + MARK), ("start", x + gap, y - MARK - tall)]
    found = None
    for anchor, left, top in places:
        begin = left - {"start": 0, "middle": wide / 2, "end": wide}[anchor]
        box = (begin, top, begin + wide, top + tall)
        is_in = begin >= 0 and begin + wide <= WIDTH and top >= 0 and top + tall <= height
        if is_in and not any(_overlap(box, other) for other in taken):
            found = anchor, left, top, box
            break
    if found is None:
        anchor = "start" if x + gap + wide <= WIDTH else "end"
        left, top = (x + gap if anchor == "start" else x - gap), y - tall / 2
        found = anchor, left, top, (left, top, left + wide, top + tall)
    mark.anchor, mark.label = found[0], (round(found[1], 1), round(found[2] + LINE * 0.8, 1))
    taken.append(found[3])


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _crowds(frame: Frame, assets: Standings, names: Mapping[str, str]) -> list[Crowd]:
    """One for each innermost zone, in its middle; one for those outside of all zones, where they are on average."""
    members: dict[str, list[tuple[Seen, Standing]]] = {}
    for seen, standing in assets:
        members.setdefault(_zone(seen) or "", []).append((seen, standing))
    middles = {outline.id: around(outline.corners).centre for outline in frame.ground.outlines}
    crowds: list[Crowd] = []
    for zone, inside in members.items():
        points = [seen.point for seen, _ in inside if seen.point is not None]
        mean = sum(lat for lat, _ in points) / len(points), sum(lon for _, lon in points) / len(points)
        name = names.get(zone, zone) if zone else "outside the zones"
        at = frame.xy(middles.get(zone, mean))
        crowds.append(Crowd(zone, name, at, len(inside), summary(standing for _, standing in inside)))
    return crowds


def _zone(seen: Seen) -> str | None:
    """The innermost zone that it is in."""
    return seen.place.zones[0] if seen.place is not None and seen.place.zones else None


def zone_name(seen: Seen, names: Mapping[str, str]) -> str | None:
    """The name of the innermost zone that an asset is in."""
    zone = _zone(seen)
    return None if zone is None else names.get(zone, zone)


def summary(standings: Iterable[Standing]) -> str:
    """How many do what.

    >>> summary([Standing("off", "off", None), Standing("moving", "moving", None), Standing("off", "off", None)])
    '2 off, 1 moving'
    """
    return ", ".join(f"{count} {word}" for word, count in Counter(each.word for each in standings).most_common())


def _elsewhere(ground: Ground, seen: Seen, standing: Standing, names: Mapping[str, str]) -> Elsewhere:
    assert seen.point is not None  # noqa: S101 - only those with a place are drawn
    return Elsewhere(seen, standing, zone_name(seen, names), *way(ground.centre, seen.point))


def tail(frame: Frame, points: Sequence[tuple[float, float]]) -> str:
    """A way that was driven, as the points of a line; what lies outside of the drawing is left out."""
    spots = [frame.xy(point) for point in points]
    return " ".join(f"{x},{y}" for x, y in spots if -EDGE <= x <= WIDTH + EDGE and -EDGE <= y <= frame.height + EDGE)
