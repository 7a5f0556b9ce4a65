from random import Random

import msgspec

from models.dock.course import BINS, MOST_PORTS, MOST_SHIFT, Bin, Course, Read, copy, hear

IN, OUT = True, False


def course(*reads: Read) -> Course:
    made = Course()
    for each in reads:
        hear(made, each)
    return made


def test_reads_go_into_the_stretch_and_the_antenna_that_heard_them() -> None:
    made = course(Read(IN, 1, 250, -5000, 2), Read(IN, 0, 290, -4000, 1), Read(OUT, 0, 0, None, 3))
    assert made.inside.bins == [Bin(), Bin(), Bin(3, 2 * 3000 + 4000, 4000)]
    assert made.outside.bins == [Bin(3, 300, 100)]
    assert [(port.reads, port.strength, port.strength_ms, port.peak) for port in made.inside.ports] == [
        (1, 4000, 4000 * 290, 4000),
        (2, 6000, 6000 * 250, 3000),
    ]


def test_shifts_are_summed_where_they_are_told_and_bounded() -> None:
    reads = [Read(IN, 0, 0, -5000, 5, 700), Read(IN, 0, 150, -5000, 1), Read(IN, 0, 10_000, -5000, 1, -(10**9))]
    made = course(*reads, Read(OUT, 1, 0, None, 1, -300))
    assert made.width_ms == 200
    assert [(each.shift, each.shifts) for each in made.inside.bins if each.reads] == [(700, 1), (-MOST_SHIFT, 1)]
    assert [(each.shift, each.shifts) for each in made.inside.ports] == [(700 - MOST_SHIFT, 2)]
    assert [(each.shift, each.shifts) for each in made.outside.ports] == [(0, 0), (-300, 1)]
    assert copy(made) == made


def test_stretches_double_when_they_are_full_and_nothing_is_lost() -> None:
    made = course(*(Read(k % 2 == 0, k % 4, 100 * k, -5000 + k, 1) for k in range(300)))
    assert made.width_ms == 800
    assert len(made.inside.bins) <= BINS
    assert sum(each.reads for each in made.inside.bins) == 150
    assert sum(each.strength for each in made.outside.bins) == sum(3000 + k for k in range(1, 300, 2))
    assert max(each.peak for each in made.outside.bins) == 3299
    assert made.inside.bins[0].reads == 4


def test_doubling_early_or_late_gives_the_same() -> None:
    far = Read(IN, 0, 20_000, -6000, 1)
    near = [Read(IN, 0, k * 130, -5000, 1) for k in range(20)]
    late, early = course(*near, far), course(far, *near)
    assert late.inside.bins == early.inside.bins


def test_whatever_comes_the_state_is_bounded() -> None:
    chance = Random(1)
    made = Course()
    for _ in range(5000):
        rssi = chance.choice([None, -(2**31), 2**31, -5000])
        at_ms, shift = chance.randint(-(10**6), 3_600_000), chance.choice([None, 2**62, -5])
        hear(made, Read(chance.random() < 0.5, chance.randrange(100), at_ms, rssi, 2**31, shift))
    assert max(len(row.ports) for row in (made.inside, made.outside)) == MOST_PORTS
    assert len(msgspec.msgpack.encode(made)) < 4000


def test_a_copy_changes_by_itself() -> None:
    made = course(Read(IN, 0, 0, -5000, 1), Read(OUT, 0, 300, -5000, 1))
    before = msgspec.msgpack.encode(made)
    other = copy(made)
    hear(other, Read(IN, 0, 0, -4000, 1))
    hear(other, Read(OUT, 1, 10_000, -4000, 1))
    assert msgspec.msgpack.encode(made) == before != msgspec.msgpack.encode(other)
