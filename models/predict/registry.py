"""What a model needs before it may be used: card, file and this program must agree in everything that is said of them.

A card says of itself and of its file what is true, or is refused; that shows damage and mistakes, and whoever changes
one without the other. It is no signature: who may write both files is kept out by the rights of the folder.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from models.predict import card as cards
from models.predict import stored
from models.predict.card import MOST_MODEL_BYTES, Card, ModelRefused
from models.predict.features import NAMES, Raw, Spreads, features
from models.predict.history import HOUR_US, Floats
from models.predict.labels import HORIZON_US
from models.predict.learners import Estimator


@dataclass(frozen=True, slots=True)
class Model:
    """A model that may be used."""

    card: Card
    estimator: Estimator

    def features(self, found: Raw) -> Floats:
        """One row of features for each time."""
        return features(found, Spreads(self.card.spreads))

    def risks(self, rows: Floats) -> Floats:
        """The risk of a failure within the horizon, for each row of features; NaN where nothing is known."""
        return risks(self.estimator, rows)


def risks(estimator: Estimator, rows: Floats) -> Floats:
    """As `Model.risks`."""
    found = np.full(len(rows), np.nan)
    known = ~np.isnan(rows).all(axis=1)
    if known.any():
        found[known] = estimator.predict_proba(rows[known])[:, 1]
    return found


def libraries() -> dict[str, str]:
    """Major.minor of what reads and runs a stored model here. Raises ImportError if something is not installed."""
    import skops  # noqa: PLC0415 - the backend starts without it
    from sklearn import __version__ as sklearn_version  # noqa: PLC0415 - likewise

    found = {"numpy": np.__version__, "scikit-learn": sklearn_version, "skops": skops.__version__}
    return {name: ".".join(version.split(".")[:2]) for name, version in found.items()}


def open_model(card_text: bytes, file: bytes, here: Mapping[str, str]) -> Model:
    """The model of a card and a file. `here` is `libraries()`. Raises ModelRefused saying what is wrong."""
    card = cards.decode(card_text)
    if card.features != [*NAMES]:
        strange = next((name for name in card.features if name not in NAMES), "another order or number")
        msg = f"card: features: those of this program expected, got {strange!r}"
        raise ModelRefused(msg)
    if card.horizon_h * HOUR_US != HORIZON_US:
        msg = f"card: horizon_h: {HORIZON_US // HOUR_US} expected, got {card.horizon_h}"
        raise ModelRefused(msg)
    for name, version in here.items():
        if card.libraries.get(name) != version:
            msg = f"card: libraries: {name} {card.libraries.get(name)} expected, {version} is installed; train anew"
            raise ModelRefused(msg)
    if len(file) > MOST_MODEL_BYTES:
        msg = f"model.skops: at most {MOST_MODEL_BYTES} bytes expected, got {len(file)}"
        raise ModelRefused(msg)
    if (found := sha256(file).hexdigest()) != card.sha256:
        msg = f"model.skops: SHA-256 {card.sha256[:16]}… expected, got {found[:16]}…: the file was changed"
        raise ModelRefused(msg)
    return Model(card, stored.decode(file))
