"""The demo's files say what the example files say: plans, machines, the trackers' elements."""

import tomllib
from decimal import Decimal
from pathlib import Path

from backend import demo_files

DEPLOY = Path(__file__).parents[2] / "deploy"


def test_plans_and_machines_are_those_of_the_example_site() -> None:
    site = tomllib.loads((DEPLOY / "site.example.toml").read_text(encoding="utf-8"), parse_float=Decimal)
    plans = {(ident, body.get("every_hours"), body.get("every_days")) for ident, body in site["plans"].items()}
    assert {*demo_files.PLANS} == plans
    mounted = {body["tracker"]["asset"]: ident for ident, body in site["devices"].items() if "tracker" in body}
    assert {asset: f"imei:{imei}" for asset, _, imei in demo_files.MACHINES} == mounted


def test_the_elements_are_those_of_the_example_gateway() -> None:
    edge = tomllib.loads((DEPLOY / "edge.example.toml").read_text(encoding="utf-8"))
    (trackers,) = [device for device in edge["device"] if device["driver"] == "teltonika"]
    assert tomllib.loads(demo_files.IO)["device"]["io"] == trackers["io"]
