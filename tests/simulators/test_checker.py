"""The checker passes a system that agrees with the truth, and names each single thing that does not."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from typer.testing import CliRunner

from simulators import answers
from simulators.answers import System, Unreachable
from simulators.checker import compare, wait
from simulators.checks import doors, streams
from simulators.cli import app
from simulators.truth import Pass
from tests.simulators.agreeing_system import WAY, Answers, Case, Direct, Json, make_day


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return make_day(tmp_path_factory.mktemp("day"))


@pytest.fixture
def case(day: Case) -> Case:
    """A copy to damage."""
    old = day.answers
    names = ("journal", "crossings", "movements", "stock", "scans", "packs", "tags")
    lists = {name: [dict(item) for item in getattr(old, name)] for name in names}
    return Case(day.truth, day.outbox, Answers(old.epoch, **lists))


SETS = "outbox = journal, each reading once"
SCANS = "each scan has its effect once"
PASSES = "each pass has one verdict"
MOVES = "each crossing has its movement once"
STOCK = "stock = truth after what was missed or misjudged"


def test_a_system_that_agrees_passes(case: Case) -> None:
    found = compare(Direct(case.answers), case.asked())
    assert [one.differences for one in found] == [[]] * 7
    figures = {one.check: one.figures for one in found}
    assert figures[SETS]["journal"] == len(case.answers.journal) > 5000
    assert figures["direction accuracy"]["right"] == 1.0
    assert figures[STOCK]["net movements"] == len(case.answers.movements) > 100


def of_kind(items: list[Json], **wanted: Any) -> Json:
    return next(item for item in items if all(item[name] == value for name, value in wanted.items()))


def lose_reading(one: Answers) -> None:
    del one.journal[100]


def double_reading(one: Answers) -> None:
    one.journal.insert(100, one.journal[100])


def alter_reading(one: Answers) -> None:
    text = bytes(one.journal[100]["reading"]).replace(b'"count":', b'"count":1')
    one.journal[100] = {**one.journal[100], "reading": msgspec.Raw(text)}


def invent_a_tail(one: Answers) -> None:
    sighting = next(entry for entry in reversed(one.journal) if entry["kind"] == "tag")
    one.journal.append({**sighting, "seq": one.journal[-1]["seq"] + 1})


def gap_over_a_reading(one: Answers) -> None:
    one.gaps.append({"gateway": "dock-a", "epoch": one.epoch, "from_seq": 7, "to_seq": 7, "reason": "outbox quota"})


def lose_scan_effect(one: Answers) -> None:
    one.movements.remove(next(entry for entry in one.movements if entry["evidence"][0].startswith("scan:")))
    one.count()


def double_scan_effect(one: Answers) -> None:
    entry = next(entry for entry in one.movements if entry["evidence"][0].startswith("scan:"))
    one.movements.append({**entry, "id": "again", "n": len(one.movements) + 1})
    one.count()


def wrong_lot(one: Answers) -> None:
    next(entry for entry in one.movements if entry["lot"])["lot"] = "L9999X"


def lose_crossing_movement(one: Answers) -> None:
    one.movements.remove(one.movements[0])
    one.count()


def double_crossing_movement(one: Answers) -> None:
    one.movements.append({**one.movements[0], "id": "again", "n": len(one.movements) + 1})
    one.count()


def wrong_units(one: Answers) -> None:
    one.movements[0]["quantity"] = "7777"
    one.count()


def lose_crossing(one: Answers) -> None:
    one.crossings.remove(of_kind(one.crossings, direction="none"))


def invent_crossing(one: Answers) -> None:
    late = one.crossings[0]["last_at"] + timedelta(hours=20)
    one.crossings.append({**one.crossings[0], "id": "cx", "first_at": late, "last_at": late, "direction": "none"})


def stock_off_by_one(one: Answers) -> None:
    one.stock[0]["on_hand"] = str(Decimal(one.stock[0]["on_hand"]) + 1)


def movement_from_nowhere(one: Answers) -> None:
    one.move("person:x", ("BOLT-M8", None, 1), ("supplier", "desk"))


@pytest.mark.parametrize(
    ("damage", "checks"),
    [
        (lose_reading, {SETS}),
        (double_reading, {SETS}),
        (alter_reading, {SETS}),
        (invent_a_tail, {SETS}),
        (gap_over_a_reading, {SETS}),
        (lose_scan_effect, {SCANS, STOCK}),
        (double_scan_effect, {SCANS, STOCK}),
        (wrong_lot, {SCANS}),
        (lose_crossing_movement, {MOVES, STOCK}),
        (double_crossing_movement, {MOVES, STOCK}),
        (wrong_units, {MOVES, STOCK}),
        (lose_crossing, {PASSES}),
        (invent_crossing, {PASSES}),
        (stock_off_by_one, {STOCK}),
        (movement_from_nowhere, {STOCK}),
    ],
)
def test_each_damage_is_named(case: Case, damage: Callable[[Answers], None], checks: set[str]) -> None:
    damage(case.answers)
    assert set(case.differing()) == checks


def test_a_misjudged_pass_is_listed_and_explains_its_stock(case: Case) -> None:
    crossing = next(one for one in case.answers.crossings if one["direction"] == "in" and one["sku"])
    entry = of_kind(case.answers.movements, evidence=[f"crossing:{crossing['id']}"])
    crossing["direction"], entry["source"], entry["target"] = "out", "warehouse", "customer"
    missed = next(
        one for one in case.answers.crossings if one["direction"] == "out" and one is not crossing and one["sku"]
    )
    missed["direction"] = "none"
    case.answers.movements.remove(of_kind(case.answers.movements, evidence=[f"crossing:{missed['id']}"]))
    case.answers.count()
    found = {one.check: one for one in compare(Direct(case.answers), case.asked())}
    assert all(one.ok for one in found.values())
    assert found[PASSES].figures["misjudged"] == found[PASSES].figures["missed"] == 1
    assert 0.99 < float(found["direction accuracy"].figures["right"]) < 1


def test_passes_of_what_stands_at_a_door_may_share_a_crossing() -> None:
    times = [datetime(2026, 11, 23, 19, 53, second, tzinfo=UTC) for second in range(60)]
    passes = [
        Pass(f"p{begin}", "door-1", "31d6", None, 0, "static", times[begin], times[end], "none")
        for begin, end in ((0, 8), (6, 13), (40, 45))
    ]
    seen, strangers = doors.match(passes, [answers.Crossing("c", "door-1", "31d6", times[0], times[13], "none")], {})
    assert [(len(one.crossings), one.joined) for one in seen] == [(1, False), (0, True), (0, False)]
    assert strangers == []


def test_too_many_misjudged_passes_fail(case: Case) -> None:
    for number, one in enumerate(case.answers.crossings):
        if one["direction"] == "none" or number % 3 == 0:
            one["direction"] = "none" if one["direction"] in WAY else "in"
    assert "direction accuracy" in case.differing()


def test_corrections_cancel(case: Case) -> None:
    entry = case.answers.movements[0]
    way, units = (entry["target"], entry["source"]), (entry["sku"], entry["lot"], int(entry["quantity"]))
    reversal = case.answers.move(entry["evidence"][0], units, way, reverses=entry["id"])
    case.answers.count()
    assert set(case.differing()) == {MOVES, STOCK}
    case.answers.move(entry["evidence"][0], units, way[::-1], reverses=reversal["id"])
    case.answers.count()
    assert case.differing() == {}


def test_a_lost_scan_fails_unless_the_edge_was_killed(case: Case) -> None:
    entry = next(one for one in case.answers.journal if one["kind"] == "scan" and one["seq"] > 50)
    entry["kind"] = "device"
    assert SCANS in case.differing()
    assert SCANS not in case.differing(killed=True)


def test_gaps_and_quarantine_count_as_what_they_stand_for(case: Case) -> None:
    del case.answers.journal[200:203]
    gap = {"gateway": "dock-a", "epoch": case.answers.epoch, "from_seq": 201, "to_seq": 202, "reason": "outbox quota"}
    case.answers.gaps.append(gap)
    held = {"gateway": "dock-a", "epoch": case.answers.epoch, "reason": "bad", "sort": "invalid"}
    case.answers.quarantine += [{**held, "seq": 203}, {**held, "seq": 5, "sort": "conflict"}]
    found = {one.check: one for one in compare(Direct(case.answers), case.asked())}
    assert found[SETS].differences == []
    assert len(found[SETS].listed) == 3


def test_an_unknown_epoch_is_a_loss(case: Case) -> None:
    case.answers.epoch = "0" * 12
    assert any("nothing in the journal" in line for line in case.differing()[SETS])
    assert wait(Direct(case.answers), case.asked(), lambda *_: None, 0) != []


def test_it_waits_for_marks_and_for_figures_to_be_complete(case: Case) -> None:
    case.answers.complete_to = datetime.now(UTC) - timedelta(minutes=1)
    seen: list[str] = []
    threading.Timer(0.5, lambda: setattr(case.answers, "complete_to", datetime.now(UTC))).start()
    assert wait(Direct(case.answers), case.asked(), lambda _done, _total, what: seen.append(what), 20) == []
    assert "figures rest on" in seen[0]
    assert seen[-1] == ""


def test_rows_that_the_quota_evicted_are_no_difference() -> None:
    entry = msgspec.json.Decoder(streams.Entry)
    entries = [
        entry.decode(json.dumps({"seq": n, "kind": "tag", "device": "d", "at": "2026-11-20T00:00:00Z", "reading": {}}))
        for n in (1, 2, 3)
    ]
    assert streams.compare("x", 3, [(3, b"{}")], entries, streams.Beside([], [])) == []
    assert len(streams.compare("x", 4, [(3, b"{}")], entries, streams.Beside([], []))) == 1


@pytest.fixture
def server(case: Case) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            body = msgspec.json.encode(case.answers.page(parts.path.rpartition("/")[2], query))
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_address[1]}"
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def run(case: Case, url: str, *more: str) -> Any:
    arguments = ["check", "--truth", str(case.truth), "--url", url, "--outbox", str(case.outbox), *more]
    return CliRunner().invoke(app, arguments)


def test_the_command_reads_every_page_and_says_how_it_went(case: Case, server: str) -> None:
    result = run(case, server, "--json")
    assert result.exit_code == 0, result.output
    facts = json.loads(result.stdout.splitlines()[-1])
    assert facts["ok"]
    assert [one["ok"] for one in facts["checks"]] == [True] * 7
    del case.answers.journal[3]
    result = run(case, server)
    assert result.exit_code == 1
    assert "lost: in neither journal" in result.output


def test_the_command_says_when_nothing_answers(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "RETRIES", 1)
    result = run(case, "http://127.0.0.1:9")
    assert result.exit_code == 4
    with pytest.raises(Unreachable):
        System("http://127.0.0.1:9").gateways()


def test_the_command_says_what_it_cannot_read(tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text('{"what": "nonsense"}\n')
    for wrong in ("none.jsonl", "bad.jsonl"):
        arguments = ["check", "--truth", str(tmp_path / wrong), "--url", "http://127.0.0.1:9"]
        assert CliRunner().invoke(app, arguments).exit_code == 3
