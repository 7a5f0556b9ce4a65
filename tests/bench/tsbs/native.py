"""The peer: InfluxDB as TSBS itself uses it. Its layout (two measurements, what is known of a truck as tags, its
ratings as fields of every row), its InfluxQL where that means what is asked.

Where it does not, or where less InfluxQL and more client was faster (tried: 8 to 13, up to ten times), that is taken.
"""
# ruff: noqa: S608 - the statements are ours and so are their arguments

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from http.client import HTTPConnection
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from tests.bench.tsbs.reference import TEN_MINUTES, Answer, Span
from tests.bench.tsbs.trucks import MODELS, Day, Drive, Engine

DB = "benchmark"
ROWS_A_WRITE = 10_000
DAY_US = 86_400_000_000
READINGS = ("latitude", "longitude", "elevation", "velocity", "heading", "fuel_consumption")
DIAGNOSTICS = ("fuel_state", "current_load", "status")
MEANS = 'SELECT mean("velocity") AS mv FROM readings WHERE {where} GROUP BY time(10m), "name"'
BY_TRUCK = 'time(10m), "name" fill(none)'
Rows = list[tuple[dict[str, str], list[Any]]]


class Native:
    """Loads a day into a server and answers the thirteen questions."""

    def __init__(self, port: int, day: Day) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=120)
        self.day = day
        self._trucks = {truck.name: truck for truck in day.trucks}

    def load(self) -> int:
        """Write all rows in the order of their arrival; how many."""
        self._post("/query", urlencode({"q": f"CREATE DATABASE {DB}"}).encode())
        lines, total = self._lines(), 0
        while block := [*islice(lines, ROWS_A_WRITE)]:
            self._post(f"/write?db={DB}&precision=u", "\n".join(block).encode())
            total += len(block)
        return total

    def _lines(self) -> Iterator[str]:
        tags = [f",name={t.name},fleet={t.fleet},driver={t.driver},model={t.model} " for t in self.day.trucks]
        rated = [
            "load_capacity={},fuel_capacity={},nominal_fuel_consumption={}".format(*MODELS[t.model])
            for t in self.day.trucks
        ]
        for row in self.day.arrivals:
            if isinstance(row, Engine):
                yield f"engine{tags[row.truck]}running={int(row.on)}i {row.at}"
                continue
            table, names = ("readings", READINGS) if isinstance(row, Drive) else ("diagnostics", DIAGNOSTICS)
            said = [f",{name}={value}" for name, value in zip(names, row[2:], strict=True) if value is not None]
            yield f"{table}{tags[row.truck]}{rated[row.truck]}{''.join(said)} {row.at}"

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def last_loc(self, fleet: str) -> Answer:
        return self._places(f"fleet = '{fleet}'")

    def single_last_loc(self, names: Iterable[str]) -> Answer:
        return self._places(" OR ".join(f""""name" = '{name}'""" for name in names))

    def _places(self, where: str) -> Answer:
        rows = self._ask(f'SELECT last("latitude"), "longitude" FROM readings WHERE {where} GROUP BY "name"')
        return _sorted({tags["name"]: tuple(values) for tags, values in rows})

    def low_fuel(self, fleet: str) -> Answer:
        last = f"""SELECT last("fuel_state") AS f FROM "diagnostics" WHERE fleet = '{fleet}' GROUP BY "name" """
        rows = self._ask(f'SELECT f FROM ({last}) WHERE f < 10 GROUP BY "name"')
        return _sorted({tags["name"]: values[1] for tags, values in rows})

    def high_load(self, fleet: str) -> Answer:
        last = (
            'SELECT last("current_load") AS c, "load_capacity" AS l FROM "diagnostics" '
            f"""WHERE fleet = '{fleet}' GROUP BY "name" """
        )
        rows = self._ask(f'SELECT c FROM ({last}) WHERE c >= 0.9 * l GROUP BY "name"')
        return _sorted({tags["name"]: values[1] for tags, values in rows})

    def stationary(self, fleet: str, window: Span) -> Answer:
        where = f"fleet = '{fleet}' AND {_in(window)}"
        mean = f'SELECT mean("velocity") AS mv FROM readings WHERE {where} GROUP BY "name"'
        rows = self._ask(f'SELECT mv FROM ({mean}) WHERE mv < 1 GROUP BY "name"')
        return _sorted({tags["name"]: values[1] for tags, values in rows})

    def long_driving(self, fleet: str, window: Span, more_than: int) -> Answer:
        means = MEANS.format(where=f"fleet = '{fleet}' AND {_in(window)}")
        driven = f'SELECT count(mv) AS n FROM ({means}) WHERE mv > 1 GROUP BY "name"'
        rows = self._ask(f'SELECT n FROM ({driven}) WHERE n > {more_than} GROUP BY "name"')
        return _sorted({tags["name"]: values[1] for tags, values in rows})

    def fuel_while_driving(self) -> Answer:
        rows = self._ask(
            'SELECT sum("fuel_consumption"), count("fuel_consumption") FROM readings WHERE "velocity" > 1 '
            'GROUP BY "name"'
        )
        sums: defaultdict[str, list[tuple[float, float, int]]] = defaultdict(list)
        for tags, (_, total, n) in rows:
            truck = self._trucks[tags["name"]]
            sums[truck.fleet].append((total, truck.nominal_lph * n, n))
        totals = {fleet: [*map(sum, zip(*each, strict=True))] for fleet, each in sums.items()}
        return _sorted({fleet: (total / n, nominal / n) for fleet, (total, nominal, n) in totals.items()})

    def daily_driving(self, window: Span) -> Answer:
        found: Answer = {}
        for (name, day), driven in self._driven(window).items():
            truck = self._trucks[name]
            found[truck.fleet, truck.driver, name, day] = len(driven) / 6
        return _sorted(found)

    def daily_sessions(self, window: Span) -> Answer:
        driven = self._driven(window)
        return _sorted(
            {key: len(ats) / 6 / sum(at + TEN_MINUTES not in ats for at in ats) for key, ats in driven.items()}
        )

    def _driven(self, window: Span) -> dict[tuple[str, int], set[int]]:
        means = MEANS.format(where=_in(window))
        driven: defaultdict[tuple[str, int], set[int]] = defaultdict(set)
        for tags, values in self._ask(f'SELECT mv FROM ({means} fill(none)) WHERE mv > 1 GROUP BY "name"'):
            driven[tags["name"], values[0] // DAY_US].add(values[0])
        return driven

    def average_load(self) -> Answer:
        rows = self._ask('SELECT mean("current_load") / last("load_capacity") FROM "diagnostics" GROUP BY "name"')
        shares: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        for tags, (_, share) in rows:
            truck = self._trucks[tags["name"]]
            shares[truck.fleet, truck.model].append(share)
        return _sorted({key: sum(each) / len(each) for key, each in shares.items()})

    def daily_activity(self, window: Span) -> Answer:
        means = f'SELECT mean("status") FROM "diagnostics" WHERE {_in(window)} GROUP BY {BY_TRUCK}'
        found: defaultdict[tuple[int, str, str], int] = defaultdict(int)
        for tags, (at, mean) in self._ask(means):
            if mean < 1:
                truck = self._trucks[tags["name"]]
                found[at // DAY_US, truck.fleet, truck.model] += 1
        return _sorted({key: n / 144 for key, n in found.items()})

    def breakdowns(self, window: Span) -> Answer:
        count = f'SELECT count("status") FROM "diagnostics" WHERE {_in(window)}'
        statements = f'{count} GROUP BY {BY_TRUCK}; {count} AND "status" = 0 GROUP BY {BY_TRUCK}'
        every, zeros = ({(t["name"], v[0]): v[1] for t, v in rows} for rows in self.ask_all(statements))
        found: defaultdict[str, int] = defaultdict(int)
        was: dict[str, bool] = {}
        for name, at in sorted(every):
            is_down = zeros.get((name, at), 0) / every[name, at] >= 0.5
            found[self._trucks[name].model] += is_down and not was.get(name, True)
            was[name] = is_down
        return _sorted({model: n for model, n in found.items() if n})

    def _ask(self, statement: str) -> Rows:
        (rows,) = self.ask_all(statement)
        return rows

    def ask_all(self, statements: str) -> Iterator[Rows]:
        """For each statement (tags, [time, values ...]) of every row."""
        query = urlencode({"q": statements, "db": DB, "epoch": "u"}).encode()
        for result in json.loads(self._post("/query", query))["results"]:
            assert "error" not in result, (statements, result)
            yield [(each.get("tags", {}), values) for each in result.get("series", []) for values in each["values"]]

    def _post(self, path: str, body: bytes) -> bytes:
        form = {"Content-Type": "application/x-www-form-urlencoded"} if path == "/query" else {}
        self._connection.request("POST", path, body, form)
        answer = self._connection.getresponse()
        said = answer.read()
        assert answer.status in (200, 204), (path, said[:500])
        return said


def _in(window: Span) -> str:
    return f"time >= {window[0]}u AND time < {window[1]}u"


def _sorted(found: Answer) -> Answer:
    return {key: found[key] for key in sorted(found)}
