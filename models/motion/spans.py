"""Spans of time in microseconds, [begin, end): joined, cut, measured and taken from each other."""

from collections.abc import Iterable, Sequence

Span = tuple[int, int]


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time in spans that neither touch nor overlap, in order; empty ones are left out.

    >>> merged([(5, 9), (0, 2), (2, 3), (6, 7), (4, 4)])
    [(0, 3), (5, 9)]
    """
    found: list[Span] = []
    for begin, end in sorted(each for each in spans if each[0] < each[1]):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


def within(spans: Iterable[Span], window: Span) -> list[Span]:
    """What of each lies in a window."""
    cut = ((max(begin, window[0]), min(end, window[1])) for begin, end in spans)
    return [each for each in cut if each[0] < each[1]]


def without(spans: Sequence[Span], gone: Sequence[Span]) -> list[Span]:
    """The spans without others; both are `merged`.

    >>> without([(0, 10)], [(2, 3), (9, 12)])
    [(0, 2), (3, 9)]
    """
    found: list[Span] = []
    for begin, end in spans:
        at = begin
        for low, high in within(gone, (begin, end)):
            if at < low:
                found.append((at, low))
            at = high
        if at < end:
            found.append((at, end))
    return found


def common(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """The time that is in both; both are `merged`.

    >>> common([(0, 10), (20, 30)], [(5, 25)])
    [(5, 10), (20, 25)]
    """
    return without(one, without(one, other))


def length(spans: Iterable[Span]) -> int:
    """How long they are together, microseconds."""
    return sum(end - begin for begin, end in spans)
