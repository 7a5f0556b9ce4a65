"""The final verdicts of crossings, settled in the transaction that changes what they rest on, in any order of arrival.

A crossing's own verdict is a fold of one tag's readings. The final one, which moves goods, rests also on the crossings
near it at the same door and on the door's photo-eye (models.dock.vote). So whenever rows or breaks of the beam near a
crossing come, go or change, its final verdict is made again from what is then in the book, and replaced if it differs.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, bindparam, select, update

from backend.book.journal import Arrival
from backend.book.schema import crossing, journal
from backend.registers import register_id, register_name
from backend.step import DAY_US, Change, Derived, Old
from models import wire
from models.declared import Device, Door
from models.dock import vote
from models.dock.direction import Verdict
from models.dock.vote import REACH_US, WINDOW_US, Ballot
from models.identity import Identity
from models.reading import Input, micros
from models.register import Register
from models.stock.ledger import Movement
from models.stock.posting import Places, Went, movement_of_crossing

STEP = "dock"
NEAR_US = 60_000_000
"""Stretches of time no further apart than that are asked for together."""
IDS_A_QUERY = 5000
Row = Mapping[str, Any]
Span = tuple[int, int]
Breaks = Sequence[tuple[str, int]]
"""(photo-eye, when it was broken)."""
VOTING = ("first_at", "last_at", "middle_at", "own_direction", "own_score", "own_reasons", "chances")
_GOODS = ("id", "kind", "sku", "asset", "quantity", "why")
_DECISIVE = ("direction", "movement")
_FINAL = (*_DECISIVE, "score", "reasons")
_ANEW = (
    update(crossing)
    .where(crossing.c.id == bindparam("ident"))
    .values(score=bindparam("sure"), reasons=bindparam("why_so"))
)
_STORED: tuple[str, ...] = (*VOTING, *_GOODS, *_FINAL)
_BETWEEN = select(*(crossing.c[name] for name in _STORED)).where(
    crossing.c.device_id == bindparam("device"), crossing.c.middle_at.between(bindparam("low"), bindparam("high"))
)
_INPUTS = select(journal.c.body).where(
    journal.c.device_id == bindparam("device"),
    journal.c.at.between(bindparam("low"), bindparam("high")),
    journal.c.kind == "input",
)
_chances = msgspec.json.Decoder(tuple[float, float, float])


class Final(NamedTuple):
    """What a crossing comes to in the end, as its row has it, and what it moves."""

    columns: dict[str, Any]
    movement: Movement | None


class _Door(NamedTuple):
    """One device as a door: its ids here and in the register."""

    tx: Connection
    register: Register
    device_id: int
    name: str

    def at(self, at: int) -> Door | None:
        device = self.register.get("devices", self.name, at)
        return device.door if isinstance(device, Device) else None


def breaks(register: Register, arrivals: Iterable[Arrival]) -> dict[int, list[tuple[str, int]]]:
    """When photo-eyes of doors were broken, by device; it may be about crossings that were decided long ago."""
    eyes = _eyes(register)
    found: defaultdict[int, list[tuple[str, int]]] = defaultdict(list)
    for arrival in arrivals if eyes else ():
        told = arrival.reading
        if isinstance(told, Input) and told.on and (register_id(arrival.gateway, told.device), told.name) in eyes:
            found[arrival.device_id].append((told.name, arrival.at))
    return dict(found)


def is_broken(tx: Connection, eye: tuple[int, str], span: Span) -> bool:
    """Whether a photo-eye (device, name) was broken about when something was at the door, as the journal has it."""
    device_id, name = eye
    around = {"device": device_id, "low": span[0] - vote.SLACK_US, "high": span[1] + vote.SLACK_US}
    told = (wire.decode(body) for body in tx.scalars(_INPUTS, around))
    return any(isinstance(each, Input) and each.on and each.name == name for each in told)


def settle(tx: Connection, register: Register, change: Change) -> Change:
    """The change with final verdicts, and with the neighbours that it makes go another way.

    What their verdicts only give as reasons is written here.
    """
    rows = [each for each in change.new if each.step == STEP]
    gone = [each for each in change.old if each.table is crossing]
    devices = {row["device_id"] for row in (*(each.row for each in rows), *(each.row for each in gone))}
    new = [each for each in change.new if each.step != STEP]
    old = [each for each in change.old if each.table is not crossing]
    for device_id in sorted(devices | change.broken.keys()):
        door = _Door(tx, register, device_id, register_name(tx, device_id))
        mine = Change(
            [each for each in rows if each.row["device_id"] == device_id],
            [each for each in gone if each.row["device_id"] == device_id],
            {device_id: change.broken.get(device_id, ())},
        )
        settled = _settle_door(door, mine)
        new += settled.new
        old += settled.old
    return Change(new, old, change.broken)


def finals(
    tx: Connection, register: Register, device_id: int, field: Mapping[str, Row], of: Iterable[str]
) -> dict[str, Final]:
    """The final verdicts of the crossings `of` among all of a device's, by id; its photo-eye is in the journal."""
    return _finals(_Door(tx, register, device_id, register_name(tx, device_id)), field, of, ())


def _settle_door(door: _Door, change: Change) -> Change:
    new = {each.id: each for each in change.new}
    broken = change.broken[door.device_id]
    asked = _merged([*_moved(change), *((at - REACH_US, at + REACH_US) for _, at in broken)], 0)
    middles = [(each.row["middle_at"], each.row["middle_at"]) for each in change.new]
    mine = {*new, *(each.id for each in change.old)}
    stored = {row["id"]: row for row in _stored(door, [*asked, *middles]) if row["id"] not in mine}
    near = sorted(ident for ident, row in stored.items() if _within(asked, row["middle_at"]))
    found = _finals(door, {**stored, **{ident: each.row for ident, each in new.items()}}, [*new, *near], broken)
    differ = [ident for ident in near if _differs(stored[ident], found[ident], _DECISIVE)]
    _say_anew(door.tx, [(i, found[i]) for i in near if i not in differ and _differs(stored[i], found[i], _FINAL)])
    before = _whole(door.tx, differ)
    settled = [_with(each, found[ident]) for ident, each in new.items()]
    settled += [_with(_again(before[ident]), found[ident]) for ident in differ]
    return Change(
        settled, [*change.old, *(Old(crossing, i, before[i]["movement"], before[i]) for i in differ)], change.broken
    )


def _differs(row: Row, final: Final, columns: Sequence[str]) -> bool:
    return any(row[name] != final.columns[name] for name in columns)


def _say_anew(tx: Connection, found: Sequence[tuple[str, Final]]) -> None:
    """Only how sure and why is another: that is no news, and the row stays where cursors have seen it."""
    if found:
        rows = [{"ident": i, "sure": each.columns["score"], "why_so": each.columns["reasons"]} for i, each in found]
        tx.execute(_ANEW, rows)


def _moved(change: Change) -> list[Span]:
    """When a vote may come out differently: around every crossing that comes, goes or says something else."""
    after = {each.id: each.row for each in change.new}
    before = {each.id: each.row for each in change.old}
    spans: list[Span] = []
    for ident in {*after, *before}:
        pair = [rows[ident] for rows in (before, after) if ident in rows]
        if len(pair) == 1 or any(pair[0][name] != pair[1][name] for name in VOTING):
            spans += [(row["middle_at"] - WINDOW_US, row["middle_at"] + WINDOW_US) for row in pair]
    return spans


def _stored(door: _Door, asked: Sequence[Span]) -> list[Row]:
    """Every stored crossing that may vote on one within these spans."""
    found: list[Row] = []
    for low, high in _merged([(low - WINDOW_US, high + WINDOW_US) for low, high in asked], NEAR_US):
        rows = door.tx.execute(_BETWEEN, {"device": door.device_id, "low": low, "high": high})
        found += [dict(zip(_STORED, row, strict=True)) for row in rows.all()]
    return found


def _whole(tx: Connection, idents: Sequence[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for low in range(0, len(idents), IDS_A_QUERY):
        query = select(crossing).where(crossing.c.id.in_(idents[low : low + IDS_A_QUERY]))
        for row in tx.execute(query).mappings():
            found[row["id"]] = {name: row[name] for name in row if name != "n"}
    return found


def _again(row: Mapping[str, Any]) -> Derived:
    """A stored crossing as it was derived; it stays with its day."""
    derived = {name: value for name, value in row.items() if name != "day"}
    return Derived(STEP, crossing, row["id"], row["closed_at"], row["day"] * DAY_US, derived, None)


def _with(derived: Derived, final: Final) -> Derived:
    return replace(derived, row=derived.row | final.columns, movement=final.movement)


def _finals(door: _Door, field: Mapping[str, Row], of: Iterable[str], broken: Breaks) -> dict[str, Final]:
    ballots = {ident: _ballot(row) for ident, row in field.items()}
    places = {ident: place for place, ident in enumerate(ballots)}
    wanted = {places[ident]: ident for ident in of}
    elected = vote.elect([*ballots.values()], wanted)
    found = {ident: elected[place] for place, ident in wanted.items()}
    _watch(door, ballots, found, broken)
    return {ident: _final(door, field[ident], verdict) for ident, verdict in found.items()}


def _ballot(row: Row) -> Ballot:
    """Without its own reasons: there may be hundreds near a crossing, and they follow the others' as they are."""
    return Ballot(
        first_at=row["first_at"],
        last_at=row["last_at"],
        middle_at=row["middle_at"],
        direction=row["own_direction"],
        score=row["own_score"],
        reasons=[],
        chances=_chances.decode(row["chances"]),
    )


def _watch(door: _Door, ballots: Mapping[str, Ballot], found: dict[str, Verdict], broken: Breaks) -> None:
    """Ask the photo-eye about every way through, where the door has one at that time."""
    asked: dict[str, str] = {}
    for ident, verdict in found.items():
        at_door = door.at(ballots[ident].last_at) if verdict.direction != "none" else None
        if at_door is not None and at_door.photo_eye is not None:
            asked[ident] = at_door.photo_eye
    if not asked:
        return
    times: defaultdict[str, set[int]] = defaultdict(set)
    for eye, at in (*broken, *_journalled(door, [ballots[ident].eye_span for ident in asked])):
        times[eye].add(at)
    broken_at = {eye: sorted(found_at) for eye, found_at in times.items()}
    for ident, eye in asked.items():
        found[ident] = vote.watched(found[ident], ballots[ident], broken_at.get(eye, []), eye)


def _journalled(door: _Door, spans: Sequence[Span]) -> Iterable[tuple[str, int]]:
    for low, high in _merged(spans, NEAR_US):
        for body in door.tx.scalars(_INPUTS, {"device": door.device_id, "low": low, "high": high}):
            told = wire.decode(body)
            if isinstance(told, Input) and told.on:
                yield told.name, micros(told.at)


def _final(door: _Door, row: Row, verdict: Verdict) -> Final:
    at_door = door.at(row["last_at"])
    movement = None
    if at_door is not None:
        quantity = None if row["quantity"] is None else Decimal(row["quantity"])
        what = Identity(row["kind"], row["sku"], row["asset"], quantity, row["why"])
        places = Places(at_door.inside, at_door.outside_in, at_door.outside_out)
        movement = movement_of_crossing(Went(row["id"], verdict.direction, row["last_at"]), what, places)
    columns = {
        "direction": verdict.direction,
        "score": verdict.score,
        "reasons": _joined(verdict.reasons, row["own_reasons"]),
        "movement": None if movement is None else movement.id,
    }
    return Final(columns, movement)


def _joined(said: list[str], own: str) -> str:
    """What vote and photo-eye say, then the crossing's own reasons, which are JSON already."""
    if not said:
        return own
    text = msgspec.json.encode(said).decode()
    return text if own == "[]" else f"{text[:-1]},{own[1:]}"


@lru_cache(maxsize=8)
def _eyes(register: Register) -> frozenset[tuple[str, str]]:
    """Every photo-eye that a door has or had: (device, its input)."""
    return frozenset(
        (ident, entry.body.door.photo_eye)
        for (kind, ident), dated in register.entries.items()
        if kind == "devices"
        for entry in dated
        if isinstance(entry.body, Device) and entry.body.door is not None and entry.body.door.photo_eye is not None
    )


def _merged(spans: Iterable[Span], gap_us: int) -> list[Span]:
    """The same times in few spans, those no more than `gap_us` apart joined; in order."""
    joined: list[Span] = []
    for low, high in sorted(spans):
        if joined and low <= joined[-1][1] + gap_us:
            joined[-1] = (joined[-1][0], max(joined[-1][1], high))
        else:
            joined.append((low, high))
    return joined


def _within(spans: Sequence[Span], at: int) -> bool:
    found = bisect_right(spans, (at, 1 << 62))
    return found > 0 and spans[found - 1][1] >= at
