"""The edge half, rule by rule, on a clock of its own."""

from datetime import UTC, datetime

import msgspec
import pytest

from models.delivery import Effect, NewEpoch, RaiseAlert, SaveMark, Send, SendEmpty, Sender, fill
from models.draining import EpochLine
from models.reading import Gap

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
OLD, MID, NEW = "000000000001", "000000000002", "000000000003"


def drive(sender: Sender, now: float, rows: int = 10) -> list[tuple[str, int, int]]:
    """Poll until nothing more is to be sent; (epoch, first, last) of each batch, last = first - 1 if it is empty."""
    out: list[tuple[str, int, int]] = []
    while step := sender.poll(now):
        last = step.seq - 1
        if isinstance(step, Send):
            last = min(step.seq + min(step.limit, rows), sender.line(step.epoch).next_seq) - 1
            sender.sent(step, last, now)
        out.append((step.epoch, step.seq, last))
    return out


def online(*lines: EpochLine, now: float = 0.0) -> Sender:
    """A sender that is connected and has its answers: each epoch's mark as it was."""
    sender = Sender(lines)
    sender.connected(now)
    for line in lines:
        sender.receipt(line.epoch, line.mark, now)
    while isinstance(sender.poll(now), SendEmpty):
        pass
    return sender


def test_nothing_is_sent_while_offline() -> None:
    sender = Sender([EpochLine(OLD, 5)])
    assert drive(sender, 0) == []
    sender.connected(0)
    sender.disconnected()
    assert drive(sender, 60) == []


def test_on_connecting_every_epoch_is_asked_and_batches_wait_two_seconds_for_the_answers() -> None:
    sender = Sender([EpochLine(OLD, 5), EpochLine(NEW, 7, mark=6)])
    sender.connected(10)
    assert drive(sender, 10) == [(NEW, 7, 6), (OLD, 5, 4)]
    assert drive(sender, 11.9) == []
    assert drive(sender, 12) == [(OLD, 1, 4)]


def test_batches_start_as_soon_as_all_epochs_have_answered() -> None:
    sender = Sender([EpochLine(OLD, 5), EpochLine(NEW, 7)])
    sender.connected(10)
    drive(sender, 10)
    sender.receipt(OLD, 2, 10.1)
    assert drive(sender, 10.1) == []
    sender.receipt(NEW, 0, 10.2)
    assert drive(sender, 10.2) == [(NEW, 1, 6), (OLD, 3, 4)]


def test_a_receipt_for_an_unknown_epoch_is_ignored() -> None:
    assert online(EpochLine(OLD, 5)).receipt(NEW, 3, 1) == []


def test_after_going_back_one_batch_is_in_flight_until_the_mark_rises_then_eight() -> None:
    sender = online(EpochLine(OLD, 201))
    assert drive(sender, 0) == [(OLD, 1, 10)]
    assert sender.receipt(OLD, 10, 0.1) == [SaveMark(OLD, 10, 10)]
    assert [first for _, first, _ in drive(sender, 0.1)] == [11, 21, 31, 41, 51, 61, 71, 81]


def test_the_newest_epoch_has_all_eight_when_no_older_one_waits() -> None:
    sender = online(EpochLine(OLD, 5, mark=4))
    sender.committed(NEW, 201, 1)
    assert len(drive(sender, 1)) == 8


def test_the_newest_goes_first_and_one_of_the_eight_is_left_to_the_oldest_that_waits() -> None:
    sender = online(EpochLine(OLD, 100), EpochLine(MID, 100))
    sender.committed(NEW, 201, 1)
    assert [epoch for epoch, _, _ in drive(sender, 1)] == [NEW] * 7 + [OLD]


def test_older_epochs_leave_one_of_the_eight_to_live_rows() -> None:
    sender = online(EpochLine(OLD, 200), EpochLine(MID, 200, mark=199))
    drive(sender, 0)
    sender.receipt(OLD, 1, 0.1)
    drive(sender, 0.1)
    sender.committed(NEW, 2, 0.2)
    assert drive(sender, 0.2) == [(NEW, 1, 1)]


def test_silence_goes_back_after_2_s_then_a_quarter_of_the_outage_and_2_s_again_after_a_rise() -> None:
    sender = online(EpochLine(OLD, 21))
    drive(sender, 0)
    resends = [now for now in range(1, 201) for _ in drive(sender, now, rows=1)]
    assert resends == [2, 4, 6, 8, 10, 13, 17, 22, 28, 35, 44, 55, 69, 87, 109, 137, 167, 197]
    sender.receipt(OLD, 1, 201)
    drive(sender, 201)
    assert drive(sender, 202.5) == []
    assert drive(sender, 203)[0] == (OLD, 2, 11)


def test_a_new_connection_in_a_long_outage_begins_with_2_s_and_doubles() -> None:
    sender = online(EpochLine(OLD, 21))
    drive(sender, 0)
    sender.connected(100)
    resends = [now for now in range(100, 121) for _, first, last in drive(sender, now, rows=1) if last >= first]
    assert resends == [102, 104, 108, 116]


def test_a_receipt_never_moves_the_position_back_and_its_fall_asks_every_epoch() -> None:
    sender = online(EpochLine(OLD, 21), EpochLine(NEW, 3, mark=2))
    drive(sender, 0, rows=20)
    sender.receipt(OLD, 20, 0.1)
    assert sender.receipt(OLD, 5, 1) == [SaveMark(OLD, 5, 20)]
    assert drive(sender, 1) == [(NEW, 3, 2), (OLD, 21, 20)]
    assert drive(sender, 2.9) == []
    assert drive(sender, 3) == [(OLD, 6, 15)]


def test_backends_that_contradict_each_other_are_asked_once_a_second() -> None:
    sender = online(EpochLine(OLD, 21))
    drive(sender, 0, rows=20)
    asked = 0
    for tick in range(1, 100):
        sender.receipt(OLD, 20 if tick % 2 else 5, tick / 10)
        asked += len([last for _, first, last in drive(sender, tick / 10) if last < first])
    assert asked == 9


def test_eight_silent_resends_cut_what_was_in_flight_to_single_readings_and_nothing_is_skipped() -> None:
    sender = online(EpochLine(OLD, 31))
    sent = [drive(sender, now) for now in (0, 2, 4, 6, 8, 10, 12.5, 16, 20, 26)]
    assert sent == [[(OLD, 1, 10)]] * 9 + [[(OLD, 1, 1)]]
    sender.receipt(OLD, 1, 31)
    assert drive(sender, 31)[:3] == [(OLD, 2, 2), (OLD, 3, 3), (OLD, 4, 4)]
    sender.receipt(OLD, 8, 32)
    assert drive(sender, 32) == [(OLD, 10, 10), (OLD, 11, 20), (OLD, 21, 30)]


def test_a_receipt_above_what_was_sent_is_cut_and_says_that_another_process_numbers_here() -> None:
    sender = online()
    sender.committed(NEW, 11, 0)
    drive(sender, 0)
    effects: list[Effect] = sender.receipt(NEW, 15, 1)
    assert isinstance(effects[0], RaiseAlert)
    assert effects[1:] == [NewEpoch("shared"), SaveMark(NEW, 10, 10)]
    assert sender.receipt(NEW, 15, 2) == []


def test_an_older_epoch_that_is_cut_alerts_once_and_needs_no_new_epoch() -> None:
    sender = online(EpochLine(OLD, 11))
    effects = sender.receipt(OLD, 15, 1)
    assert [type(effect) for effect in effects] == [RaiseAlert, SaveMark]
    assert sender.receipt(OLD, 16, 2) == []


@pytest.mark.parametrize(("down_s", "expected"), [(59.0, []), (60.0, [NewEpoch("outage")])])
def test_after_an_outage_the_first_receipt_that_raises_the_mark_opens_a_new_epoch(
    down_s: float, expected: list[Effect]
) -> None:
    sender = online()
    sender.committed(NEW, 3, 0)
    drive(sender, 0)
    sender.disconnected()
    sender.connected(down_s)
    assert sender.receipt(NEW, 0, down_s) == []
    assert sender.receipt(NEW, 2, down_s) == [*expected, SaveMark(NEW, 2, 2)]


def test_quiet_is_no_outage() -> None:
    sender = online()
    sender.committed(NEW, 3, 0)
    drive(sender, 0)
    sender.receipt(NEW, 2, 1)
    sender.committed(NEW, 4, 100)
    drive(sender, 100)
    assert sender.receipt(NEW, 3, 101) == [SaveMark(NEW, 3, 3)]


def test_an_hour_of_quiet_asks_every_epoch_and_each_minute_those_receipted_last() -> None:
    sender = online(EpochLine(OLD, 2, mark=1), EpochLine(MID, 2), now=0)
    drive(sender, 0)
    sender.receipt(MID, 1, 30)
    asked = {now: [epoch for epoch, _, _ in drive(sender, now)] for now in range(60, 3601, 30)}
    assert asked[60] == asked[120] == [MID]
    assert asked[90] == []
    assert asked[3600] == [MID, OLD]


def test_the_status_lists_the_newest_epoch_and_those_with_unreceipted_rows() -> None:
    sender = online(EpochLine(OLD, 9, mark=8), EpochLine(MID, 9, mark=3), EpochLine(NEW, 9, mark=8))
    assert [line.epoch for line in sender.listed()] == [MID, NEW]


ROWS = [(seq, b"%d" % seq) for seq in range(1, 10)]


@pytest.mark.parametrize(
    ("rows", "seq", "receipted", "expected"),
    [
        pytest.param(ROWS, 1, 0, ([b"1", b"2", b"3"], 3), id="as many as the limit"),
        pytest.param(ROWS[:2] + ROWS[4:], 1, 0, ([b"1", b"2"], 2), id="up to the first missing row"),
        pytest.param(ROWS[4:], 2, 0, ((2, 4, "outbox quota"), 4), id="gap to the next row"),
        pytest.param(ROWS[4:], 2, 3, ((2, 4, "outbox quota"), 4), id="some never receipted"),
        pytest.param(ROWS[4:], 2, 4, ((2, 4, "receipted rows evicted"), 4), id="all receipted once"),
        pytest.param([], 2, 0, ((2, 7, "outbox quota"), 7), id="gap to the epoch's last"),
        pytest.param(ROWS[6:], 7, 0, ([b"7"], 7), id="rows above next_seq are left for later"),
        pytest.param(ROWS[8:], 7, 0, ((7, 7, "outbox quota"), 7), id="a gap ends at the epoch's last"),
    ],
)
def test_fill(
    rows: list[tuple[int, bytes]], seq: int, receipted: int, expected: tuple[list[bytes] | tuple[int, int, str], int]
) -> None:
    texts, last = fill(Send(OLD, seq, 3), rows, EpochLine(OLD, 8, receipted=receipted), AT)
    what: list[bytes] | tuple[int, int, str] = texts
    if texts[0].startswith(b"{"):
        gap = msgspec.json.decode(texts[0], type=Gap)
        what = (gap.from_seq, gap.to_seq, gap.reason)
    assert (what, last) == expected


def test_a_batch_keeps_to_the_byte_limit() -> None:
    texts, last = fill(Send(OLD, 1, 500), [(seq, b"x" * 16384) for seq in range(1, 20)], EpochLine(OLD, 20), AT)
    assert (len(texts), last) == (11, 11)
