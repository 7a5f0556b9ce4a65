"""Whatever is scanned: any split into batches and any expiry between gives the same acts, and nothing acts twice."""

from random import Random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from models.scan import MAX_TEXT, ScanAct, Scanned, Session, expire, fold
from tests.models.scan.scanning import BOLT, CARTON, DESK, E_BOLT, E_GLOVE, PUMP, SSCC, TAG, S, scan

CODES = [
    "SY:RECEIVE",
    "SY:ISSUE",
    "SY:RETURN",
    "SY:MOVE",
    "SY:COUNT",
    "SY:ASSIGN",
    "SY:PACK",
    "SY:CONFIRM",
    "SY:CANCEL",
]
CODES += ["SY:UNDO", "SY:UNDO", "SY:QTY:3", "SY:QTY:x", "SY:+2", "SY:BADGE:anna", "SY:LOC:roof", E_BOLT, E_GLOVE, "bad"]
CODES += ["SY:LOC:desk", "SY:LOC:shelf", f"01{BOLT}305", f"01{PUMP}21S1", SSCC, f"SY:EPC:{TAG}", f"SY:EPC:{CARTON}"]
CODES += ["SY:ASSET:crane-1", "80049521321CRANE1"]
WHOLE = [
    ["SY:MOVE", "SY:LOC:desk", E_BOLT, "SY:LOC:shelf", "SY:UNDO"],
    ["SY:RECEIVE", E_BOLT, E_GLOVE, "SY:LOC:desk"],
    ["SY:ASSIGN", f"SY:EPC:{TAG}", f"01{BOLT}305", "SY:UNDO"],
    ["SY:PACK", SSCC, f"SY:EPC:{CARTON}", "SY:UNDO"],
]
RUNS = st.one_of(st.sampled_from(CODES).map(lambda code: [code]), st.sampled_from(WHOLE))
PAUSES = st.sampled_from([1, 2, 30, 59, 60, 61, 299, 300, 599, 600, 601])
SCANS = st.lists(st.tuples(RUNS, PAUSES), max_size=12)


def timed(runs: list[tuple[list[str], int]]) -> list[Scanned]:
    at, made = 0, []
    for codes, pause in runs:
        at += pause * S
        for code in codes:
            at += S
            made.append(scan(code, at))
    return made


def stored(state: Session | None) -> Session | None:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=Session | None)


def encoded(state: object) -> bytes:
    return msgspec.msgpack.encode(state, order="deterministic")


@given(SCANS, st.randoms(use_true_random=False))
def test_any_split_and_any_expiry_between_gives_the_same(runs: list[tuple[list[str], int]], chance: Random) -> None:
    made = timed(runs)
    at_once, done = fold(DESK, None, made)
    state: Session | None = None
    bit_by_bit: list[ScanAct] = []
    while made:
        cut = chance.randint(1, len(made))
        state, some = fold(DESK, stored(state), made[:cut])
        bit_by_bit += some
        made = made[cut:]
        if made:
            state, some = expire(DESK, stored(state), chance.randint(0, made[0].at))
            bit_by_bit += some
    assert bit_by_bit == done
    assert encoded(expire(DESK, state, 1 << 60)) == encoded(expire(DESK, at_once, 1 << 60))


@given(SCANS)
def test_nothing_acts_twice_and_every_undo_takes_one_act_back(runs: list[tuple[list[str], int]]) -> None:
    made = timed(runs)
    state, done = fold(DESK, None, made)
    state, last = expire(DESK, state, 1 << 60)
    done += last
    assert state is None
    assert len({act.id for act in done}) == len(done)
    firsts = [act.evidence[0] for act in done]
    assert len({*firsts}) == len(firsts), "each scan begins one act at most"
    taken = [act.undoes for act in done if act.action == "undo"]
    assert len({*taken}) == len(taken)
    assert {*taken} <= {act.id for act in done if act.ok and act.action not in ("undo", "match")}
    assert all(0 < len(act.text) <= MAX_TEXT for act in done)


@given(SCANS)
def test_every_item_acts_or_is_told_why_not(runs: list[tuple[list[str], int]]) -> None:
    made = timed(runs)
    state, done = fold(DESK, None, made)
    done += expire(DESK, state, 1 << 60)[1]
    items = [each.evidence for each in made if each.data in (E_BOLT, E_GLOVE, f"01{BOLT}305", "bad")]
    acted = {content for act in done for content in act.evidence}
    cancels = sum(each.data == "SY:CANCEL" for each in made)
    assert cancels or not {*items} - acted
