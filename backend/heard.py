"""How far time has come by what was heard: it ends what nothing more was heard of."""

from collections.abc import Sequence
from dataclasses import dataclass

from backend.book.journal import Arrival

OTHER_DEVICE_US = 300_000


@dataclass(slots=True)
class Heard:
    """How far time has come: per device by its own readings, for the others by those of the same stream."""

    devices: dict[int, int]
    others: int

    def of(self, device_id: int) -> int:
        """The time up to which this device's keys end."""
        return self.devices.get(device_id, self.others)


def heard(arrivals: Sequence[Arrival]) -> dict[int, Heard]:
    """How far time has come for the keys of each stream, by its id."""
    last: dict[tuple[int, int], int] = {}
    for arrival in arrivals:
        key = (arrival.stream_id, arrival.device_id)
        if arrival.at > last.get(key, -1):
            last[key] = arrival.at
    found: dict[int, Heard] = {}
    for (stream_id, device_id), at in last.items():
        stream = found.setdefault(stream_id, Heard({}, at - OTHER_DEVICE_US))
        stream.devices[device_id] = at
        stream.others = max(stream.others, at - OTHER_DEVICE_US)
    return found
