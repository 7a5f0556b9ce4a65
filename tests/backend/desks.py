"""Scenes of stories: whole workflows of a scanner, which are told to pieces, late, and between other scans."""

import random

from models import epc
from models.reading import Reading, Scan, from_micros

SECOND = 1_000_000
BOLT, GLOVE = "09521321500013", "09521321500020"
BOUND = [epc.encode("urn:epc:id:sgtin:9521321.100010.7"), "e280110000000000000000aa", "e280110000000000000000bb"]
SSCCS = ["00095213210000000421", "00095213210000000438"]
WORKFLOWS = [
    ["SY:MOVE", "SY:LOC:desk", f"01{BOLT}", "SY:QTY:3", "SY:LOC:warehouse"],
    ["SY:MOVE", f"01{BOLT}", "SY:LOC:desk", "SY:LOC:shelf"],
    ["SY:BADGE:anna", "SY:RETURN", f"01{BOLT}", "SY:+2", "SY:LOC:desk"],
    ["SY:COUNT", "SY:LOC:desk", f"01{GLOVE}3040"],
    ["SY:RECEIVE", "SY:LOC:desk", f"01{GLOVE}305"],
    ["SY:ASSIGN", "SY:EPC:{tag}", f"01{BOLT}3003"],
    ["SY:ASSIGN", f"01{GLOVE}", "SY:QTY:4", "SY:EPC:{tag}"],
    ["SY:ASSIGN", "SY:EPC:{tag}", "SY:ASSET:forklift-1"],
    ["SY:PACK", "{pallet}", "SY:EPC:{tag}", "SY:CONFIRM"],
    ["SY:PACK", "{pallet}", "01195213210001072199", "SY:EPC:{tag}"],
]


def workflow(chance: random.Random, begin: int) -> list[tuple[str, Reading]]:
    """One workflow, now and then one scan short of it or taken back, all within a minute or slower than it waits."""
    codes = list(chance.choice(WORKFLOWS))
    if chance.random() < 0.15:
        codes.pop(chance.randrange(len(codes)))
    codes += ["SY:UNDO"] * chance.choice((0, 0, 1, 1, 2))
    device = chance.choice(("scanner-1", "scanner-1", "id:hand"))
    at, told = begin, list[tuple[str, Reading]]()
    for code in codes:
        at += chance.choice((1, 2, 5, 5, 30, 60, 290)) * SECOND
        data = code.format(tag=chance.choice(BOUND), pallet=chance.choice(SSCCS))
        told.append(("dock-a", Scan(device, from_micros(at), data, "]C1")))
    return told
