"""The outbox on a real disk: what a resolved future means, the quota, two processes, a disk that fails and heals."""

import time
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread, current_thread

import msgspec
import pytest

from edge import outbox as outbox_module
from edge import outbox_file
from edge.outbox import Outbox, OutboxBusy, OutboxClosed, text_of
from edge.outbox_file import OutboxInUse, new_epoch
from models.draining import EpochLine
from models.reading import DeviceEvent, Scan, Signal, Tag
from models.wire import Epoch, decode

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def signals(first: int, count: int, name: str = "load") -> list[Signal]:
    return [Signal("crane-2", AT, name, float(number), "kg") for number in range(first, first + count)]


def values(outbox: Outbox, epoch: str) -> list[float]:
    seq, found = 1, list[float]()
    while rows := outbox.rows(epoch, seq, 500):
        found += [msgspec.json.decode(text)["value"] for _, text in rows]
        seq = rows[-1][0] + 1
    return found


def epochs(outbox: Outbox) -> list[str]:
    return [line.epoch for line in outbox.lines()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the outbox lives; its folder is made on opening."""
    return tmp_path / "state" / "outbox.db"


def test_each_run_is_an_epoch_begun_at_its_first_commit_with_seq_from_1(path: Path) -> None:
    outbox = Outbox(path)
    assert outbox.lines() == []
    outbox.put(signals(0, 3)).result(5)
    outbox.put(signals(3, 2)).result(5)
    outbox.close()
    outbox = Outbox(path)
    assert len(outbox.lines()) == 1
    outbox.put(signals(9, 1)).result(5)
    first, second = epochs(outbox)
    assert [seq for seq, _ in outbox.rows(first, 1, 500)] == [1, 2, 3, 4, 5]
    assert (values(outbox, first), values(outbox, second)) == ([0, 1, 2, 3, 4], [9])
    outbox.begin_epoch()
    outbox.put(signals(10, 1)).result(5)
    assert [line.next_seq for line in outbox.lines()] == [6, 2, 2]
    outbox.close()


def test_a_new_epoch_asked_for_while_a_group_is_taken_is_not_forgotten(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Thread] = []

    def fresh(outbox: Outbox) -> bool:
        before = bool(vars(outbox).get("_fresh"))
        if not asked and current_thread().name == "outbox":
            asked.append(Thread(target=outbox.begin_epoch))
            asked[0].start()
            asked[0].join(0.2)
        return before

    outbox = Outbox(path)
    monkeypatch.setattr(
        Outbox, "_fresh", property(fresh, lambda me, value: vars(me).update(_fresh=value)), raising=False
    )
    outbox.put(signals(0, 1)).result(5)
    asked[0].join(5)
    outbox.put(signals(1, 1)).result(5)
    assert [line.next_seq for line in outbox.lines()] == [2, 2]
    outbox.close()


def test_an_epoch_is_60_random_bits() -> None:
    made = [new_epoch() for _ in range(200)]
    assert len(set(made)) == 200
    assert [msgspec.convert(epoch, Epoch) for epoch in made] == made
    assert len(set("".join(made))) == 32


def test_commits_are_grouped_and_each_is_announced(path: Path) -> None:
    outbox = Outbox(path)
    heard: list[tuple[str, int]] = []
    outbox.on_commit = lambda epoch, next_seq: heard.append((epoch, next_seq))
    futures = [outbox.put(signals(number, 1)) for number in range(100)]
    for future in futures:
        future.result(5)
    outbox.put([]).result(0)
    outbox.close()
    assert 1 <= len(heard) <= 5
    assert heard[-1][1] == 101


def test_a_full_group_does_not_wait_for_its_time(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "GROUP_S", 60)
    outbox = Outbox(path)
    puts = [outbox.put(signals(number, 1)) for number in range(outbox_module.GROUP_READINGS)]
    for put in puts:
        put.result(10)
    last = outbox.put(signals(999, 1))
    with pytest.raises(TimeoutError):
        last.result(0.2)
    outbox.close()
    assert last.done()


def test_a_reading_put_alone_is_durable_within_the_group_time(path: Path) -> None:
    outbox = Outbox(path)
    took: list[float] = []
    for number in range(3):
        outbox.save_mark("000000000000", number + 1, 1)
        started = time.monotonic()
        outbox.put(signals(number, 1)).result(5)
        took.append(time.monotonic() - started)
    assert sorted(took)[1] < 0.8, "waits for 50 ms, not for the second that marks may wait"
    outbox.close()


def test_marks_are_kept(path: Path) -> None:
    outbox = Outbox(path)
    outbox.put(signals(0, 9)).result(5)
    (epoch,) = epochs(outbox)
    outbox.save_mark(epoch, 7, 8)
    outbox.close()
    outbox = Outbox(path)
    line = outbox.lines()[0]
    assert (line.next_seq, line.mark, line.receipted) == (10, 7, 8)
    assert outbox.oldest_at(line) == AT
    outbox.put([Signal("crane-2", AT.replace(hour=hour), "load", 1.0, "kg") for hour in (12, 3, 8)]).result(5)
    last = outbox.lines()[-1]
    assert outbox.oldest_at(last) == AT.replace(hour=3)
    assert outbox.oldest_at(EpochLine(last.epoch, 4, mark=3)) is None
    outbox.close()


@pytest.mark.parametrize(
    ("reading", "device"),
    [
        pytest.param(Scan("scanner-1", AT, "x" * 4097), "scanner-1", id="field too long"),
        pytest.param(Scan("scanner-1", AT, "\u20ac" * 4096 + "\x01" * 700), "scanner-1", id="longer than allowed"),
        pytest.param(Signal("crane-2", AT, "load", float("nan"), "kg"), "crane-2", id="not a number"),
        pytest.param(Signal("crane-2", datetime(2026, 1, 1), "load", 1.0, "kg"), "crane-2", id="naive time"),  # noqa: DTZ001
        pytest.param(Signal("crane-2", AT.replace(year=1969), "load", 1.0, "kg"), "crane-2", id="before 1970"),
        pytest.param(Tag("door\n1", AT, "30", 1), "", id="device with a line end"),
        pytest.param(Tag("door-1", AT, "30", 0), "door-1", id="antenna 0"),
        pytest.param(Scan("scanner-1", AT, "\ud800"), "scanner-1", id="not UTF-8"),
        pytest.param(Scan("scanner-\udc80", AT, "A"), "", id="device not UTF-8"),
        pytest.param(Scan("s" * 129, AT, "A"), "", id="device too long"),
        pytest.param(Scan(b"\xff", AT, ""), "", id="device no text"),  # type: ignore[arg-type]
        pytest.param(object(), "", id="no reading at all"),
    ],
)
def test_what_would_not_read_back_is_replaced_by_a_bad_reading(reading: Tag | Scan | Signal, device: str) -> None:
    event = decode(text_of(reading))
    assert isinstance(event, DeviceEvent)
    assert (event.name, event.device) == ("bad_reading", device)
    assert event.detail


def test_a_good_reading_travels_as_it_is() -> None:
    scan = Scan("scanner-1", AT, "0109506000134352\x1d10LOT7", "]C1")
    assert decode(text_of(scan)) == scan


def test_the_quota_takes_receipted_rows_first_oldest_first_and_commits_never_fail(path: Path) -> None:
    outbox = Outbox(path, 1)
    outbox.put(signals(0, 1500)).result(5)
    outbox.begin_epoch()
    outbox.put(signals(1500, 1500)).result(5)
    old, new = epochs(outbox)
    outbox.save_mark(new, 1000, 1000)
    time.sleep(1.1)
    outbox.begin_epoch()
    for first in range(3000, 9000, 500):
        outbox.put(signals(first, 500)).result(5)
        if len(values(outbox, old)) < 1500:
            left = outbox.rows(new, 1, 1)
            assert not left or left[0][0] > 1000, "unreceipted rows went while receipted ones were left"
    last = epochs(outbox)[2]
    assert values(outbox, old) == []
    kept = values(outbox, last)
    assert kept[-1] == 8999
    assert kept == [float(number) for number in range(int(kept[0]), 9000)]
    assert path.stat().st_size <= 2**20
    assert [line.next_seq for line in outbox.lines()] == [1501, 1501, 6001]
    outbox.close()


def test_rows_of_16_kib_fit_a_quota_of_1_mib(path: Path) -> None:
    outbox = Outbox(path, 1)
    for _ in range(30):
        outbox.put([DeviceEvent("d", AT, "lost", "x" * 1024), *[Scan("s", AT, "\x1d" * 2600)] * 3]).result(5)
    (epoch,) = epochs(outbox)
    rows = outbox.rows(epoch, 1, 500)
    assert rows[0][0] > 1
    assert outbox.lines()[0].next_seq == 121
    outbox.close()


def test_a_smaller_quota_after_a_restart_evicts_and_goes_on(path: Path) -> None:
    outbox = Outbox(path, 8)
    outbox.put(signals(0, 20000)).result(20)
    outbox.close()
    outbox = Outbox(path, 1)
    outbox.put(signals(20000, 10)).result(20)
    assert len(values(outbox, epochs(outbox)[0])) < 10000
    outbox.close()


def test_a_line_outlives_its_rows_by_400_days(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outbox = Outbox(path, 1)
    outbox.put(signals(0, 10)).result(5)
    outbox.begin_epoch()
    outbox.put(signals(10, 20000)).result(20)
    first = epochs(outbox)[0]
    assert values(outbox, first) == []
    outbox.close()
    now = time.time_ns()
    for days, there in ((399, True), (401, False)):
        monkeypatch.setattr(outbox_file.time, "time_ns", lambda days=days: now + days * 86400 * 10**9)
        outbox = Outbox(path, 1)
        assert (first in epochs(outbox)) is there
        outbox.close()


def test_a_second_process_is_refused(path: Path) -> None:
    outbox = Outbox(path)
    with pytest.raises(OutboxInUse, match="another process"):
        Outbox(path)
    outbox.close()
    Outbox(path).close()


def test_after_close_and_when_too_much_waits_the_future_says_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.outbox.MAX_WAITING", 10)
    outbox = Outbox(path)
    assert isinstance(outbox.put(signals(0, 11)).exception(5), OutboxBusy)
    outbox.put(signals(0, 10)).result(5)
    outbox.close()
    outbox.close()
    assert isinstance(outbox.put(signals(0, 1)).exception(5), OutboxClosed)
