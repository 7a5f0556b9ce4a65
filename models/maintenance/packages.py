"""What a service includes: packages that come with every so-manieth one, the bigger in place of the smaller."""

from collections.abc import Sequence

from models.declared_plans import Package


def due(packages: Sequence[Package], numbers: range) -> list[str]:
    """The packages of one service that answers for several which fell due, the biggest first.

    >>> small, big = Package("B", 2), Package("C", 4)
    >>> [due([small, big], range(n, n + 1)) for n in (1, 2, 4)], due([small, big], range(3, 6))
    ([[], ['B'], ['C', 'B']], ['C', 'B'])
    >>> due([small, Package("C", 4, replaces=True)], range(4, 5))
    ['C']
    """
    found = [each for each in packages if _is_in(each.every, numbers)]
    found.sort(key=lambda each: -each.every)
    least = max((each.every for each in found if each.replaces), default=0)
    return [each.name for each in found if each.every >= least]


def _is_in(every: int, numbers: range) -> bool:
    return bool(numbers) and numbers[-1] // every > (numbers[0] - 1) // every
