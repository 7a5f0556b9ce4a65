"""The learners that training tries, smallest first, and the types that a stored one may consist of.

All are deterministic: one seed, one thread. Risks only rise with what points to wear (the boosted trees are told so):
few failures say little about the shape of a risk, and a reason that works the wrong way round would convince nobody.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, cast

import numpy as np

from models.predict.features import NAMES
from models.predict.history import SENSORS, Floats

Labels = np.ndarray[tuple[int], np.dtype[np.int64]]

BOOSTED, TREES, LOGISTIC = "boosted trees", "random trees", "logistic regression"
FALLS = ("oil_pressure",)
"""Sensors that fall with wear; the others rise."""
INDIFFERENT = ("load_72h", "share_running")


class Estimator(Protocol):
    """What training and scoring need of scikit-learn."""

    def fit(self, rows: Floats, labels: Labels) -> object:
        """Learn."""
        ...

    def predict_proba(self, rows: Floats) -> Floats:
        """Two columns, the second of them the risk."""
        ...


def signs() -> list[int]:
    """For each of NAMES: 1 if the risk rises with it, -1 if it falls, 0 if it may do either."""
    return [_sign(name) for name in NAMES]


def _sign(name: str) -> int:
    if name in INDIFFERENT:
        return 0
    return -1 if any(name.startswith(sensor) for sensor in FALLS if sensor in SENSORS) else 1


def _boosted(seed: int) -> Estimator:
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - the backend starts without it

    settings: dict[str, Any] = {
        "max_iter": 120,
        "learning_rate": 0.06,
        "max_leaf_nodes": 8,
        "min_samples_leaf": 60,
        "l2_regularization": 5.0,
        "early_stopping": False,
        "monotonic_cst": signs(),
        "random_state": seed,
    }
    return cast("Estimator", HistGradientBoostingClassifier(**settings))


def _trees(seed: int) -> Estimator:
    from sklearn.ensemble import ExtraTreesClassifier  # noqa: PLC0415 - likewise

    settings: dict[str, Any] = {
        "n_estimators": 80,
        "max_leaf_nodes": 64,
        "min_samples_leaf": 20,
        "max_features": 0.5,
        "random_state": seed,
        "n_jobs": 1,
    }
    return cast("Estimator", ExtraTreesClassifier(**settings))


def _logistic(seed: int) -> Estimator:
    from sklearn.impute import SimpleImputer  # noqa: PLC0415 - likewise
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - likewise
    from sklearn.pipeline import Pipeline  # noqa: PLC0415 - likewise
    from sklearn.preprocessing import QuantileTransformer  # noqa: PLC0415 - likewise

    steps: Any = [
        ("fill", SimpleImputer(strategy="median")),
        ("rank", QuantileTransformer(n_quantiles=50, output_distribution="normal", random_state=seed)),
        ("fit", LogisticRegression(C=0.3, max_iter=500, random_state=seed)),
    ]
    return cast("Estimator", Pipeline(steps))


LEARNERS: Mapping[str, Callable[[int], Estimator]] = {LOGISTIC: _logistic, BOOSTED: _boosted, TREES: _trees}
"""By name: a fresh one of a seed."""
