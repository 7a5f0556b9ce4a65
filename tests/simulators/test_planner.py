"""Services are done in time, between two runs, and told to the system as people would; one plan is left to run over."""

import io
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from threading import Event

import pytest

from simulators import planner, works
from simulators.planner import Clock, Service
from simulators.scenario import BadScenario, Plan, load
from simulators.shifts import MINUTE_MS
from simulators.weather import DAY_MS, HOUR_MS
from simulators.world import World
from tests.simulators.machine_lines import DEMO, demo, lines, pasts


def used(plan: Plan, clock: Clock, begin_ms: int, end_ms: int) -> float:
    hours = (clock.engine_ms(end_ms) - clock.engine_ms(begin_ms)) / HOUR_MS
    days = (end_ms - begin_ms) / DAY_MS
    return max(hours / (plan.every_hours or 1e9), days / (plan.every_days or 1e9))


def by_plan(days: int, seed: int) -> Iterator[tuple[Plan, Clock, list[Service]]]:
    scenario = demo(days, seed)
    for past in pasts(days, seed):
        done = planner.services(past, scenario.plan)
        for plan in scenario.plan:
            if plan.asset == past.machine.asset:
                yield plan, Clock(past), [service for service in done if service.plan == plan.id]


@pytest.mark.parametrize(("days", "seed"), [(30, 7), (30, 8), (30, 2), (20, 7), (12, 7), (3, 7)])
def test_nothing_is_overrun_but_the_plan_that_the_demo_neglects(days: int, seed: int) -> None:
    for plan, clock, done in by_plan(days, seed):
        assert all(used(plan, clock, one.at_ms, later.at_ms) < 1 for one, later in pairwise(done))
        left = used(plan, clock, done[-1].at_ms, clock.end_ms)
        if plan.id == "TRUCK-1/oil" and days >= 20:
            assert 1 < left < 1.1
        else:
            assert left < 0.9
        assert done[0].at_ms - clock.begin_ms < 4 * HOUR_MS


def test_services_are_early_by_hours_not_days() -> None:
    for plan, clock, done in by_plan(30, 7):
        if plan.asset == "CRANE-1":
            gaps = [used(plan, clock, one.at_ms, later.at_ms) for one, later in pairwise(done)]
            assert gaps
            assert min(gaps) > 0.85


def test_a_service_is_done_with_the_engine_off_and_knows_its_hours() -> None:
    for past in pasts():
        done = planner.services(past, demo().plan)
        assert [one.at_ms for one in done] == sorted(one.at_ms for one in done)
        for one in done:
            assert not [run for run in past.runs if run[0] - MINUTE_MS < one.at_ms < run[1] + MINUTE_MS]
            ran = sum(min(end, one.at_ms) - begin for begin, end in past.runs if begin < one.at_ms)
            assert one.engine_ms == past.machine.engine_ms + ran
            assert float(one.hours) == pytest.approx(one.engine_ms / HOUR_MS, abs=0.005)
    assert planner.services(pasts()[0], ()) == []


def test_plans_need_their_machine(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    for old, new, word in (
        ('asset = "TRUCK-1"\nevery_days', 'asset = "X"\nevery_days', "plan.asset: X"),
        ('imei = "356307042441021"', 'imei = "356307042441013"', "machine.imei"),
        ('kind = "crane"', 'kind = "boat"', "kind"),
        ('"TRUCK-1/inspection"', '"TRUCK-1/oil"', "plan.id"),
        ('imei = "356307042441021"', 'imei = "35630704244102"', "imei"),
    ):
        assert old in DEMO.read_text()
        path.write_text(DEMO.read_text().replace(old, new))
        with pytest.raises(BadScenario, match=word):
            load(path)


@dataclass
class Api:
    """Takes services as the backend does; the first `failing` requests are cut off or refused."""

    failing: list[int] = field(default_factory=list)
    taken: dict[str, dict[str, object]] = field(default_factory=dict)
    asked: int = 0


@pytest.fixture
def api() -> Iterator[tuple[Api, str]]:
    heard = Api()

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            heard.asked += 1
            if heard.failing:
                status = heard.failing.pop(0)
                if status:
                    self.send_error(status, "no")
                else:
                    self.close_connection = True
                return
            heard.taken[self.path] = json.loads(body)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the server's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,)).start()
    yield heard, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_what_was_done_is_told_to_the_api_and_again_when_a_connection_breaks(
    api: tuple[Api, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(works, "WAIT_S", 0.01)
    heard, url = api
    heard.failing = [0, 503]
    truth = io.StringIO()
    world = World(7, demo().start, truth)
    done = list(works.told(world, demo().plan, pasts()))
    assert works.record(url, done, Event()) == len(done) == len(heard.taken) == heard.asked - 2
    repair = heard.taken["/api/v1/services/sim-TRUCK-1-repair-1"]
    assert (repair["kind"], repair["component"], repair["plan"]) == ("repair", "gearbox", None)
    assert repair["failed_at"] is not None
    oil = heard.taken["/api/v1/services/sim-TRUCK-1-oil-1"]
    assert (oil["kind"], oil["plan"], oil["failed_at"], oil["hours"]) == ("service", "TRUCK-1/oil", None, "4810.00")
    written = lines(truth)
    assert [line["id"] for line in written if line["what"] == "plan"] == [plan.id for plan in demo().plan]
    written = [line for line in written if line["what"] != "plan"]
    assert [line["what"] for line in written[:2]] == ["failure", "repair"]
    assert {line["id"] for line in written if "id" in line} == {path.rpartition("/")[2] for path in heard.taken}
    for line in written:
        if line["what"] == "service":
            told = heard.taken[f"/api/v1/services/{line['id']}"]
            assert (told["at"], told["asset"], told["plan"]) == (line["at"], line["asset"], line["plan"])
            assert float(str(told["hours"])) == line["hours"]


def test_a_refusal_is_an_error_that_says_why(api: tuple[Api, str], monkeypatch: pytest.MonkeyPatch) -> None:
    heard, url = api
    heard.failing = [409]
    with pytest.raises(works.NotRecorded, match=r"(?s)services/a%2Fb: 409 .*no"):
        works.record(url, [("a/b", {})], Event())
    monkeypatch.setattr(works, "PATIENCE_S", 0.0)
    with pytest.raises(works.NotRecorded, match="services/x"):
        works.record("http://127.0.0.1:1", [("x", {})], Event())
    with pytest.raises(ValueError, match="--api"):
        works.record("ftp://x", [], Event())
