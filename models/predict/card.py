"""A model's card: what it was made of, how good it is, when it alerts, and what its file must be.

The version is made of the card's own text, the model file's hash included: whatever is changed in either shows.
"""

from hashlib import sha256

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from models.errors import Refused

MODEL = "gearbox/failure"
MOST_BYTES, MOST_MODEL_BYTES = 64 * 1024, 1024 * 1024 - 64 * 1024
"""Of a card and of a model's file: together at most a mebibyte."""


class ModelRefused(Refused):
    """A stored model that must not be used; the message says what is wrong with it and what was expected."""


class Costs(Struct, frozen=True, forbid_unknown_fields=True):
    """What a failure that nobody was told of, an alert for nothing, and a planned repair cost, in any one unit."""

    miss: float = 10.0
    false: float = 1.0
    planned: float = 2.0
    budget: float = 0.3
    """False alerts per machine-month at most, whatever they cost."""


class Figure(Struct, frozen=True, forbid_unknown_fields=True):
    """A figure with its 90 % interval; null where there is nothing to count."""

    value: float | None
    low: float | None = None
    high: float | None = None


class Skill(Struct, frozen=True, forbid_unknown_fields=True):
    """What was announced, what for nothing, and how well rows are put in order of their risk."""

    machines: int
    machine_months: float
    failures: int
    alerts: int
    announced: Figure
    """Share of the failures with an alert at least a day, and at most two weeks, before."""
    false_per_machine_month: Figure
    notice_h: float | None
    """The median time from an alert to the failure that it announced."""
    pr_auc: Figure
    """Area under precision over recall of the rows (average precision)."""
    base_rate: float | None
    """Of the rows, those that a failure follows: the PR-AUC of a guess."""
    pr_auc_hours_only: Figure
    """The same with the hours since the last overhaul as the risk."""


class Data(Struct, frozen=True, forbid_unknown_fields=True):
    """What the model learnt from."""

    digest: str
    """SHA-256 over the digests of the machines, sorted."""
    machines: int
    months: float
    failures: int
    rows: int
    """That have an answer, of machines that were not held back."""
    yes: int
    """Rows that a failure follows."""
    first: str
    last: str


class Tried(Struct, frozen=True, forbid_unknown_fields=True):
    """A learner, judged on machines of the training half that it had not seen."""

    learner: str
    cost: float
    pr_auc: float | None
    threshold: float
    bytes: int


class Point(Struct, frozen=True, forbid_unknown_fields=True):
    """What one threshold would have cost."""

    threshold: float
    cost: float
    announced: int
    failures: int
    false_per_machine_month: float


class Card(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that is known of a model besides the model."""

    model: str
    version: str
    """The first 12 digits of the SHA-256 of this card with an empty version."""
    component: str
    horizon_h: int
    learner: str
    seed: int
    features: list[str]
    """In order."""
    spreads: list[float]
    """Of the means of days of each sensor, typical of the class."""
    usual: list[float]
    """The median of each feature where no failure followed."""
    libraries: dict[str, str]
    """Major.minor of what wrote the file and must read it."""
    types: list[str]
    """What the file consists of; a reader has a list of its own."""
    sha256: str
    """Of the model's file."""
    data: Data
    held_back: list[str]
    """Machines that the figures of `skill` are of, and nothing else ever used."""
    skill: Skill
    out_of_fold: Skill
    """The same on the training machines, each judged by a model that had not seen it: here the threshold was chosen."""
    threshold: float
    costs: Costs
    curve: list[Point]
    tried: list[Tried]


def encode(card: Card) -> bytes:
    """The card as JSON for people and programs; sets its version."""
    return msgspec.json.format(msgspec.json.encode(stamped(card)), indent=1) + b"\n"


def stamped(card: Card) -> Card:
    """The card with the version that its text has."""
    text = msgspec.json.encode(replace(card, version=""), order="sorted")
    return replace(card, version=sha256(text).hexdigest()[:12])


def decode(text: bytes) -> Card:
    """A card that says of itself what is true. Raises ModelRefused."""
    if len(text) > MOST_BYTES:
        msg = f"card: at most {MOST_BYTES} bytes expected, got {len(text)}"
        raise ModelRefused(msg)
    try:
        card = msgspec.json.decode(text, type=Card)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        msg = f"card: {error}"
        raise ModelRefused(msg) from error
    if card.model != MODEL:
        msg = f"card: model: {MODEL!r} expected, got {card.model[:40]!r}"
        raise ModelRefused(msg)
    if card.version != (expected := stamped(card).version):
        msg = f"card: version: {expected} expected of this text, got {card.version[:40]!r}: it was changed"
        raise ModelRefused(msg)
    return card
