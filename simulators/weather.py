"""The air at the site: season, day, and spells of hot days that heat every machine and wear none out."""

from math import cos, pi

from simulators.world import Chance

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
NODE_DAYS = 3
BLOCK_DAYS = 30
SPELL_SHARE = 0.5
WARMEST_DAY, WARMEST_HOUR = 200, 15


class Weather:
    """Air temperature as a function of time, one per seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._nodes: dict[int, float] = {}
        self._spells: dict[int, tuple[float, float] | None] = {}
        self._hours: dict[int, float] = {}

    def air_c(self, at_ms: int) -> float:
        """Degrees Celsius, the same for a whole hour."""
        hour = at_ms // HOUR_MS
        if hour not in self._hours:
            self._hours[hour] = self._air_c(hour * HOUR_MS)
        return self._hours[hour]

    def _air_c(self, at_ms: int) -> float:
        day = at_ms / DAY_MS
        season = 10.5 + 8.5 * cos(2 * pi * (day - WARMEST_DAY) / 365.2425)
        hour = 3.5 * cos(2 * pi * (at_ms % DAY_MS / HOUR_MS - WARMEST_HOUR) / 24)
        node = int(day // NODE_DAYS)
        share = day / NODE_DAYS - node
        slow = (1 - share) * self._node(node) + share * self._node(node + 1)
        return season + hour + slow + self._spell_c(day)

    def _node(self, number: int) -> float:
        if number not in self._nodes:
            self._nodes[number] = Chance(f"{self._seed}/weather/{number}").gauss(0, 2.0)
        return self._nodes[number]

    def _spell_c(self, day: float) -> float:
        """Up to ten degrees more, in over half a day and out over half a day."""
        block = int(day // BLOCK_DAYS)
        if block not in self._spells:
            chance = Chance(f"{self._seed}/hot/{block}")
            begin, days = block * BLOCK_DAYS + chance.uniform(1, 22), chance.uniform(3, 6)
            self._spells[block] = (begin, begin + days) if chance.happens(SPELL_SHARE) else None
        spell = self._spells[block]
        if spell is None:
            return 0.0
        return 10.0 * min(1.0, max(0.0, 2 * (day - spell[0])), max(0.0, 2 * (spell[1] - day)))
