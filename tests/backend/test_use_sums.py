"""Use of many assets by one query is what is asked one by one: within spans, over their edges, open, and by day."""

import random
from typing import Any

from sqlalchemy import insert

from backend import usage, use_sums
from backend.book import register, schema
from backend.book.db import read, write
from backend.use_sums import Ask
from models.declared import Asset, Device, Tracker
from models.motion.meter import Bounds
from models.reading import Input, from_micros
from tests.backend.books import DAY, SECOND, Yard

ON_BOTH = True
H, HOUR = 3_600_000, 3600 * SECOND
NOW = 20_100 * DAY


def run(n: int, asset: str, span: tuple[int, int], bounds: tuple[int, int]) -> dict[str, Any]:
    begin, end = span
    of = {"id": str(n), "device_id": 1, "subject": "", "asset": asset, "meter": "runtime", "evidence": "[]"}
    times = {"begin_at": begin, "end_at": end, "closed_at": end, "day": end // DAY}
    return of | times | {"least": bounds[0], "most": bounds[1]}


def rows(rng: random.Random, asset: str, first: int) -> list[dict[str, Any]]:
    """Stretches one after another: some ran, some were not observed, one of them for three days."""
    found, at = list[dict[str, Any]](), NOW - 60 * DAY
    while at < NOW - DAY:
        length = 3 * DAY if len(found) == 7 else rng.randrange(1, 20) * HOUR
        most = length // 1000
        found.append(run(first + len(found), asset, (at, at + length), rng.choice([(most, most), (0, most)])))
        at += length + rng.randrange(4) * HOUR
    return found


def test_it_is_what_is_asked_one_by_one(yard: Yard) -> None:
    rng, assets = random.Random(3), [f"M{k}" for k in range(4)]
    stamp = {"valid_from": DAY, "actor": "test", "now": NOW}
    with write(yard.book) as tx:
        for k, asset in enumerate(assets):
            register.put(tx, "assets", asset, Asset(asset, asset), **stamp)
            register.put(tx, "devices", f"imei:{k:015}", Device(f"imei:{k:015}", tracker=Tracker(asset)), **stamp)
            if k < 3:
                tx.execute(insert(schema.run).values(rows(rng, asset, k * 1000)))
        tx.execute(insert(schema.run).values(rows(rng, "M0", 5000)))  # a second thing counts it, too
    yard.clock.now = NOW
    yard.send([Input(f"imei:{1:015}", from_micros(NOW - 3 * HOUR), "ignition", on=True)])
    with read(yard.book) as tx:
        held = register.load(tx)
        stand = use_sums.stands(tx, held, assets)
        asks = [
            Ask(asset, "runtime", since, rng.choice([NOW, since + rng.randrange(40) * DAY // 3]))
            for asset in assets
            for since in (NOW - rng.randrange(70 * 24) * HOUR for _ in range(12))
        ]
        asks = [each._replace(until=min(each.until, NOW)) for each in asks]
        found = use_sums.sums(tx, held, stand, asks, NOW)
        for ask, each in zip(asks, found, strict=True):
            told = usage.used(tx, held, ask.asset, ask.meter, (ask.since, ask.until))
            assert each == (told or Bounds(0, 0)), ask
        heard = use_sums.first_heard(tx, held, stand, [(asset, "runtime") for asset in assets])
        assert sorted(heard) == [(asset, "runtime") for asset in assets[:3]]
        days = use_sums.daily(tx, held, stand, [("M0", "runtime", NOW - 60 * DAY)], NOW)["M0", "runtime"]
        assert len(days.use) == 59
        assert days.use.count(None) > 5, "most of some days was not observed"
        seen = [each for each in days.use if each is not None]
        assert 0 < sum(seen) <= 59 * 24 * H
