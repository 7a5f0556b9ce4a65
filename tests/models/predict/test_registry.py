"""A model is used only if card, file and program agree."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace
from sklearn.svm import SVC
from skops.io import dumps

from models.predict.card import MOST_BYTES, Card, ModelRefused, decode, encode, stamped
from models.predict.registry import libraries, open_model
from tests.models.predict import fleet

HERE = libraries()


def test_an_honest_model_opens_and_says_what_it_said() -> None:
    model = fleet.model()
    machine = fleet.machines()[0]
    found = model.risks(model.features(machine.raw))
    assert np.isnan(found).tolist() == (~machine.raw.is_enough).tolist()
    assert np.nanmax(found) > model.card.threshold
    assert decode(encode(model.card)) == model.card
    assert stamped(model.card) == model.card


@pytest.mark.parametrize("place", [0.02, 0.3, 0.5, 0.97])
def test_a_bit_that_flips_in_either_file_is_seen(place: float) -> None:
    file, card = fleet.trained()
    for text, which in ((file, "model"), (encode(card), "card")):
        flipped = bytearray(text)
        flipped[int(place * len(text))] ^= 4
        with pytest.raises(ModelRefused, match=r"^(card|model\.skops): "):
            open_model(*((encode(card), bytes(flipped)) if which == "model" else (bytes(flipped), file)), HERE)


def changed(**changes: Any) -> Callable[[Card], Card]:
    return lambda card: stamped(replace(card, **changes))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda card: replace(card, threshold=0.99), "version: .* it was changed"),
        (changed(model="pump/failure"), "model: 'gearbox/failure' expected, got 'pump/failure'"),
        (changed(features=["rpm"]), "features: those of this program expected, got 'rpm'"),
        (changed(features=fleet.trained()[1].features[::-1]), "features: .*another order"),
        (changed(horizon_h=24), "horizon_h: 168 expected, got 24"),
        (changed(libraries={**HERE, "scikit-learn": "1.2"}), "scikit-learn 1.2 expected, .* is installed"),
        (changed(libraries={}), "numpy None expected"),
        (changed(sha256="0" * 64), "the file was changed"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(change: Callable[[Card], Card], why: str) -> None:
    file, card = fleet.trained()
    text = msgspec.json.encode(change(card))
    with pytest.raises(ModelRefused, match=why):
        open_model(text, file, HERE)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff", b'{"model": 1}', b" " * (MOST_BYTES + 1), b"[" * 5000])
def test_what_is_no_card_is_refused(text: bytes) -> None:
    with pytest.raises(ModelRefused, match="card: "):
        decode(text)


def test_a_truncated_file_is_refused() -> None:
    file, card = fleet.trained()
    with pytest.raises(ModelRefused, match="the file was changed"):
        open_model(encode(card), file[:-1], HERE)


def test_a_card_cannot_vouch_for_a_type() -> None:
    """Whoever changes both files consistently gets no further than the types that this program knows."""
    rows = np.random.default_rng(0).normal(size=(50, len(fleet.trained()[1].features)))
    file = dumps(SVC().fit(rows, np.arange(50) % 2))
    card = replace(fleet.trained()[1], sha256=sha256(file).hexdigest(), types=["sklearn.svm._classes.SVC"])
    with pytest.raises(ModelRefused, match="is not one that a model of ours has"):
        open_model(encode(card), file, HERE)
