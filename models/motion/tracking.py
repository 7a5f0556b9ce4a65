"""What is known of a tracker's asset while its motion is folded: the parameters, and the state."""

from msgspec import Struct, field

from models.motion.anchor import Rest, middle
from models.motion.classes import Pace
from models.motion.fences import Fences
from models.motion.fix import Spot
from models.motion.journey import Log
from models.motion.travel import Span
from models.motion.visits import Visit


class Tracking(Struct, frozen=True):
    """What a tracker is mounted on, how that moves, how long a silence is observed, and the zones."""

    asset: str
    max_speed_mps: float
    silent_on_us: int
    silent_off_us: int
    fences: Fences
    runs_by: str
    """The input that says that the engine runs."""
    pace: Pace
    version: int
    """From when the tracker's entry in the register holds."""


class Engine(Struct, frozen=True):
    """Whether it runs, since when, and when that was last heard.

    `off` is, while it runs, since when it was off before and when that was last heard: what moved then was carried.
    """

    on: bool
    since: int
    at: int
    off: tuple[int, int] | None = None


class Track(Struct, omit_defaults=True):
    """The state: everything of one asset that is not over. As small as the zones that it is in are few.

    `place` is the last good fix. Distance is measured from `anchor` (lat, lon), where its last leg ended, or from the
    fixes of its `rest`; `near` is the last of them while the newest is away, which one more has to confirm.
    """

    asset: str
    last_at: int
    version: int = 0
    fix_at: int = 0
    """When its last fix was, good or not."""
    place: Spot | None = None
    anchor: tuple[float, float] | None = None
    rest: Rest | None = None
    near: Spot | None = None
    drives: bool = False
    suspects: tuple[Spot, ...] = ()
    segment: Span | None = None
    log: Log = field(default_factory=Log)
    visits: dict[str, Visit] = {}
    engine: Engine | None = None
    flaws: dict[str, int] = {}
    """How many fixes of the UTC day of `last_at` were no good, by why."""

    @property
    def of(self) -> tuple[str, int]:
        return self.asset, self.version

    @property
    def known(self) -> tuple[str, int, int]:
        return self.asset, self.version, self.last_at

    @property
    def stands_at(self) -> tuple[float, float]:
        """The middle of where it stands, once it does for a while; until then where its last leg ended."""
        assert self.anchor is not None  # noqa: S101 - asked once there is a place
        return self.anchor if self.rest is None or not self.rest.settled else middle(self.rest)
