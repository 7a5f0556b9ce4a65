"""What a tracker keeps: a record is held, acknowledged or lost by a full buffer, and one of these only."""

from collections import Counter
from copy import deepcopy
from itertools import count
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from simulators.devices.teltonika_pending import Pending
from simulators.record import Record

steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(1, 12)),
        st.tuples(st.just("send"), st.integers(1, 3)),
        st.tuples(st.just("repeat"), st.just(0)),
        st.tuples(st.just("outage"), st.just(0)),
    ),
    max_size=60,
)


def numbers(records: tuple[Record, ...]) -> list[int]:
    return [record.at_us // 1_000_000 for record in records]


def sent(pending: Pending) -> list[int]:
    """All that it holds, in the order in which it is sent when each is acknowledged at once."""
    found: list[int] = []
    while packets := pending.packets(1):
        pending.acknowledge(packets[0])
        found += [] if packets[0].repeat else numbers(packets[0].records)
    return found


@given(steps, st.integers(1, 4), st.integers(1, 20))
def test_no_record_is_forgotten_or_acknowledged_twice(
    todo: list[tuple[str, int]], records_per_packet: int, limit: int
) -> None:
    pending, fresh = Pending(records_per_packet, limit), count()
    added, acknowledged = 0, Counter[int]()
    for step, number in todo:
        if step == "add":
            for _ in range(number):
                pending.add(Record(next(fresh) * 1_000_000, 0.0, 0.0, 0, 0, 0, 0, ()))
            added += number
        elif step == "outage":
            held = sent(deepcopy(pending))
            pending.put_newest_first()
            assert Counter(sent(deepcopy(pending))) == Counter(held)
            assert not held or numbers(pending.packets(1)[0].records) == [max(held)]
        elif packets := pending.packets(max(1, number)):
            assert all(1 <= len(each.records) <= records_per_packet for each in packets)
            pending.acknowledge(packets[-1])
            if not packets[-1].repeat:
                acknowledged.update(numbers(packets[-1].records))
                if step == "repeat":
                    pending.repeat(packets[-1])
        assert len(pending) + acknowledged.total() + pending.dropped == added
    acknowledged.update(sent(pending))
    assert acknowledged.total() == len(acknowledged) == added - pending.dropped


@given(st.integers(1, 9), st.integers(1, 12), st.integers(0, 1000))
def test_disorder_takes_neighbours_and_leaves_the_rest_in_order(size: int, held: int, seed: int) -> None:
    pending = Pending(size, 100)
    for number in range(held):
        pending.add(Record(number * 1_000_000, 0.0, 0.0, 0, 0, 0, 0, ()))
    skipped = Random(seed).randrange(held)
    [taken] = pending.packets(1, Random(seed))
    assert numbers(taken.records) == [*range(held)][skipped : skipped + size]
    pending.acknowledge(taken)
    left = []
    while pending:
        [packet] = pending.packets(1)
        left += numbers(packet.records)
        pending.acknowledge(packet)
    assert left == [number for number in range(held) if number not in numbers(taken.records)]
