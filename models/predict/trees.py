"""Whether the trees of a stored learner can be followed: every node leads on to later nodes of the same tree.

scikit-learn follows the indices in a tree without a look at their bounds, so a file that was made to harm could read
or write anywhere. Children come after their parents in every tree that it grows, so no walk can go round either.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from models.predict.history import Bools, Ints


def follow_wrong(estimator: Any, features: int) -> str | None:  # noqa: ANN401 - scikit-learn has no types
    """What is wrong with one of the trees; None if nothing is, or if there are none."""
    for number, (left, right, feature, is_leaf) in enumerate(_trees(estimator)):
        count = len(left)
        here = np.arange(count)
        good = is_leaf | (
            (here < left) & (left < count) & (here < right) & (right < count) & (feature >= 0) & (feature < features)
        )
        if not count or not good.all():
            return f"tree {number} leads out of itself"
    return None


def _trees(estimator: Any) -> Iterator[tuple[Ints, Ints, Ints, Bools]]:  # noqa: ANN401 - likewise
    """Left and right children, features and leaves of each tree."""
    for iteration in getattr(estimator, "_predictors", ()):
        for predictor in iteration:
            nodes = predictor.nodes
            if nodes["is_categorical"].any():
                raise ValueError("a tree of numbers expected, got one of categories")
            yield (
                nodes["left"].astype(np.int64),
                nodes["right"].astype(np.int64),
                nodes["feature_idx"].astype(np.int64),
                nodes["is_leaf"].astype(np.bool_),
            )
    for each in getattr(estimator, "estimators_", ()):
        tree = each.tree_
        left, right = tree.children_left.astype(np.int64), tree.children_right.astype(np.int64)
        yield left, right, tree.feature.astype(np.int64), (left == -1) & (right == -1)
