"""What is to go wrong, with what, when and for how long: all of it drawn from a seed before anything begins.

Kills lie mostly on the moments that matter: just before or after a commit, a receipt, a broker's acknowledgement.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

PARTS = ("edge", "broker", "backend")
MQTT_LINKS = ("edge-broker", "backend-broker")
DEVICE_LINKS = ("door-1-edge", "door-2-edge", "trackers-edge", "scanner-edge")
DISKS = ("edge", "backend")
LINK_FAULTS = ("delay", "hole", "cut", "half-open", "slice", "double")
KINDS = ("kill", "stop", "disk", *LINK_FAULTS)
GROUPS = {"proxy": LINK_FAULTS}
POINTS = {
    "edge": ("edge.before-commit", "edge.after-commit", "edge.after-publish", "edge.after-receipt"),
    "broker": ("broker.after-puback",),
    "backend": ("backend.before-commit", "backend.after-commit", "backend.after-receipt"),
}
AT_A_POINT = 0.7
OTHERS_A_SECOND = 0.4
FIRST_S, LEAST_S = 0.5, 0.1
LENGTHS_S = {"kill": (LEAST_S, 1.5), "disk": (4.0, 9.0), "cut": (LEAST_S, LEAST_S), "delay": (LEAST_S, 4.0)}
"""A disk is full for longer: what SQLite's log has room for goes on being committed for a while."""
OTHERS_S = (LEAST_S, 3.0)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong."""

    at_s: float
    """Since the begin."""
    kind: str
    target: str
    """A part, a link, or the part whose disk it is."""
    length_s: float
    """How long it lasts; of a kill, until the part is started again."""
    point: str = ""
    """Where the part ends; empty: wherever it is at that time."""

    def __str__(self) -> str:
        """As it is told: when, what, where."""
        return f"{self.at_s:6.2f} s  {self.kind} {self.point or self.target} for {self.length_s:.2f} s"


def kinds_of(names: Iterable[str]) -> tuple[str, ...]:
    """The kinds that these names mean; "proxy" is all that a network does. Raises ValueError.

    >>> kinds_of(["kill", "proxy"])
    ('kill', 'delay', 'hole', 'cut', 'half-open', 'slice', 'double')
    """
    found: list[str] = []
    for name in names:
        if name not in GROUPS and name not in KINDS:
            msg = f"{name}: expected of {', '.join((*KINDS, *GROUPS))}"
            raise ValueError(msg)
        found += (kind for kind in GROUPS.get(name, (name,)) if kind not in found)
    return tuple(found)


def draw(seed: int, seconds: float, kills: int, kinds: Sequence[str]) -> list[Fault]:
    """The faults of one run, by time; each ends within `seconds`, and none meets another of its kind and target.

    Every kind asked for comes in turn; `kills` of them are kills if those are asked for.
    """
    chance = Random(f"torture/{seed}")
    others = [kind for kind in kinds if kind != "kill"]
    order = [kind for _ in range(round(seconds * OTHERS_A_SECOND / max(1, len(others))) or 1) for kind in others]
    order += ["kill"] * kills if "kill" in kinds else []
    chance.shuffle(order)
    room = (seconds - FIRST_S) / max(1, len(order))
    busy_until: dict[str, float] = {}
    faults: list[Fault] = []
    for n, kind in enumerate(order):
        at_s = FIRST_S + (n + chance.uniform(0, 0.5)) * room
        target = _target(kind, at_s, busy_until, chance)
        at_s = min(max(at_s, busy_until.get(_resource(kind, target), 0)), seconds)
        length_s = min(chance.uniform(*LENGTHS_S.get(kind, OTHERS_S)), seconds - at_s)
        at_point = kind == "kill" and chance.random() < AT_A_POINT
        busy_until[_resource(kind, target)] = at_s + length_s
        faults.append(Fault(at_s, kind, target, length_s, chance.choice(POINTS[target]) if at_point else ""))
    return sorted(faults, key=lambda fault: fault.at_s)


def _target(kind: str, at_s: float, busy_until: dict[str, float], chance: Random) -> str:
    """One that is free then, else the one that is free next."""
    known = targets(kind)
    free = [each for each in known if busy_until.get(_resource(kind, each), 0) <= at_s]
    return chance.choice(free) if free else min(known, key=lambda each: busy_until[_resource(kind, each)])


def targets(kind: str) -> tuple[str, ...]:
    """What can be hurt so."""
    if kind in {"kill", "stop"}:
        return PARTS
    if kind == "disk":
        return DISKS
    return MQTT_LINKS if kind == "double" else MQTT_LINKS + DEVICE_LINKS


def _resource(kind: str, target: str) -> str:
    return f"disk of {target}" if kind == "disk" else target
