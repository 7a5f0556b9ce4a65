"""What the Doppler shift says of a pass, in whole numbers: a tag that nears an antenna raises the frequency it answers.

Not every reader tells it. One that does tells much of a tag with few reads: between two rows it leaves the one and
nears the other, past a door it nears and leaves both, at rest it does neither. Hundredths of a hertz.
"""

from models.dock.course import Bin, Heard

SIDE = ("mean", "before", "after", "opens", "ends")
NAMES = (
    *(f"{row}_shift_{name}" for row in ("first", "then") for name in SIDE),
    *("shifts", "shift", "shift_gap", "shift_from", "shift_to"),
)


def shifts(heard: tuple[Heard, Heard]) -> tuple[int, ...]:
    """The figures of NAMES, all 0 where no read told a shift."""
    rows = [[(place, each) for place, each in enumerate(row.bins) if each.shifts] for row in heard]
    every = [each for row in rows for _, each in row]
    if not every:
        return (0,) * len(NAMES)
    weights = [(place, each.strength) for row in heard for place, each in enumerate(row.bins)]
    middle = sum(place * weight for place, weight in weights) // max(sum(weight for _, weight in weights), 1)
    first, then = (_side(row, middle) for row in rows)
    return *first, *then, sum(each.shifts for each in every), _mean(every), first[0] - then[0], *_along(heard)


def _side(row: list[tuple[int, Bin]], middle: int) -> tuple[int, ...]:
    found = [each for _, each in row]
    before = [each for place, each in row if place < middle]
    after = [each for place, each in row if place >= middle]
    return _mean(found), _mean(before), _mean(after), _mean(found[:1]), _mean(found[-1:])


def _along(heard: tuple[Heard, Heard]) -> tuple[int, int]:
    """The mean shift at the side of the door that heard it first, and at the other."""
    sides: list[tuple[int, int]] = []
    for place in range(max(len(row.ports) for row in heard)):
        ports = [row.ports[place] for row in heard if place < len(row.ports) and row.ports[place].reads]
        if told := sum(port.shifts for port in ports):
            centre = sum(port.strength_ms for port in ports) // sum(port.strength for port in ports)
            sides.append((centre, sum(port.shift for port in ports) // told))
    sides.sort()
    return sides[0][1] if sides else 0, sides[-1][1] if len(sides) > 1 else 0


def _mean(found: list[Bin]) -> int:
    told = sum(each.shifts for each in found)
    return sum(each.shift for each in found) // told if told else 0
