"""The ROSpecs that a reader holds, and the disabled - inactive - active machine of each (section 10.1). No clock.

The AISpecs of an active ROSpec run one after another; after the last it ends, and one that starts immediately starts
again, as readers do: a client that ends AISpecs after a few tags pays for it with a radio that restarts.
"""

from enum import IntEnum

from simulators.devices.llrp_codec import Code, Fault
from simulators.devices.llrp_facts import MAX_ROSPECS
from simulators.devices.llrp_numbers import Message
from simulators.devices.llrp_rospec import FIELD_ID, RoSpec, Start, State


class Told(IntEnum):
    """What happens to a ROSpec that a client may be told of."""

    START = 0
    END = 1
    END_OF_AISPEC = 2


class RoSpecs:
    """All ROSpecs of one reader. `events` grows by (what, ROSpec, AISpec from 1) at each start and end."""

    def __init__(self) -> None:
        self._held: dict[int, RoSpec] = {}
        self.events: list[tuple[Told, int, int]] = []

    def held(self) -> list[RoSpec]:
        """All of them, in the order of their adding."""
        return list(self._held.values())

    def active(self) -> RoSpec | None:
        """The ROSpec whose reads are told now."""
        return next((spec for spec in self._held.values() if spec.state is State.ACTIVE), None)

    def add(self, spec: RoSpec) -> None:
        """Raises Fault when the number is taken or the reader is full."""
        if spec.number in self._held:
            raise Fault(Code.M_PARAMETER_ERROR, f"ROSpecID: {spec.number} exists", FIELD_ID)
        if len(self._held) >= MAX_ROSPECS:
            raise Fault(Code.M_OVERFLOW_PARAMETER, f"ROSpec: this reader holds {MAX_ROSPECS}")
        self._held[spec.number] = spec

    def command(self, kind: Message, number: int, now: float) -> None:
        """DELETE, ENABLE, DISABLE (0 = all), START or STOP; raises Fault when the ROSpec or its state is wrong."""
        one_only = kind in (Message.START_ROSPEC, Message.STOP_ROSPEC)
        chosen = [spec for spec in self._held.values() if number in (spec.number, 0)]
        if (number and not chosen) or (one_only and not number):
            raise Fault(Code.M_FIELD_ERROR, f"ROSpecID: {number} is not held", FIELD_ID)
        for spec in chosen:
            if one_only and spec.state is State.DISABLED:
                raise Fault(Code.M_FIELD_ERROR, f"ROSpecID: {number} is disabled", FIELD_ID)
            if kind is Message.ENABLE_ROSPEC:
                self._enable(spec, now)
            elif kind is Message.START_ROSPEC:
                self._move(spec, State.ACTIVE, now)
            elif kind is Message.STOP_ROSPEC:
                self._move(spec, State.INACTIVE, now)
            else:
                self._move(spec, State.DISABLED, now)
            if kind is Message.DELETE_ROSPEC:
                del self._held[spec.number]

    def tick(self, now: float) -> float | None:
        """Applies the triggers that are due; returns when the next one is."""
        for spec in self._held.values():
            if spec.stops_at is not None and spec.stops_at <= now:
                self._move(spec, State.INACTIVE, now)
            if spec.starts_at is not None and spec.starts_at <= now:
                period_s = spec.boundary.period_s
                spec.starts_at = now + period_s if period_s else None
                self._move(spec, State.ACTIVE, now)
            if any(at is not None and at <= now for at in (spec.aispec_ends_at, spec.silent_at)):
                self._end_aispec(spec, now)
        times = [
            at
            for spec in self._held.values()
            for at in (spec.starts_at, spec.stops_at, spec.aispec_ends_at, spec.silent_at)
        ]
        return min((at for at in times if at is not None), default=None)

    def gpi(self, port: int, now: float, *, on: bool) -> None:
        """An enabled input changed: starts and stops what waits for that."""
        for spec in self._held.values():
            start, stop = spec.boundary.start_gpi, spec.boundary.stop_gpi
            if spec.state is State.INACTIVE and start and start.fits(port, on=on):
                self._move(spec, State.ACTIVE, now)
            elif spec.state is State.ACTIVE and stop and stop.fits(port, on=on):
                self._move(spec, State.INACTIVE, now)
            elif spec.state is State.ACTIVE and spec.aispec.gpi and spec.aispec.gpi.fits(port, on=on):
                self._end_aispec(spec, now)

    def saw(self, spec: RoSpec, now: float) -> None:
        """One read of the active ROSpec's AISpec: may end it."""
        spec.seen += 1
        if spec.aispec.silence_s:
            spec.silent_at = now + spec.aispec.silence_s
        if spec.aispec.tags and spec.seen >= spec.aispec.tags:
            self._end_aispec(spec, now)

    def _enable(self, spec: RoSpec, now: float) -> None:
        if spec.state is State.DISABLED:
            self._move(spec, State.INACTIVE, now)
            if spec.boundary.start is Start.IMMEDIATE:
                self._move(spec, State.ACTIVE, now)
            elif spec.boundary.start is Start.PERIODIC:
                spec.starts_at = now + spec.boundary.offset_s

    def _move(self, spec: RoSpec, state: State, now: float) -> None:
        if (spec.state is State.ACTIVE) != (state is State.ACTIVE):
            starts = state is State.ACTIVE
            self.events.append((Told.START if starts else Told.END, spec.number, spec.running + 1))
            duration_s = spec.boundary.duration_s
            spec.stops_at = now + duration_s if starts and duration_s else None
            spec.aispec_ends_at = spec.silent_at = None
            spec.running = 0
            if starts:
                self._begin_aispec(spec, now)
        if state is State.DISABLED:
            spec.starts_at = None
        spec.state = state

    def _begin_aispec(self, spec: RoSpec, now: float) -> None:
        spec.seen = 0
        spec.aispec_ends_at = now + spec.aispec.timeout_s if spec.aispec.timeout_s else None
        spec.silent_at = now + spec.aispec.silence_s if spec.aispec.silence_s else None

    def _end_aispec(self, spec: RoSpec, now: float) -> None:
        self.events.append((Told.END_OF_AISPEC, spec.number, spec.running + 1))
        if spec.running + 1 < len(spec.inventories):
            spec.running += 1
            self._begin_aispec(spec, now)
            return
        self._move(spec, State.INACTIVE, now)
        if spec.boundary.start is Start.IMMEDIATE:
            self._move(spec, State.ACTIVE, now)
