"""A fitted learner as bytes (skops), the same for the same learner, and back if it has nothing but what is ours.

skops builds no type that it was not told to trust, but trusts every estimator of scikit-learn by itself, and warns that
the nodes of stored trees are followed without a look at their bounds. So types and loaders are checked here against
lists of our own before anything is built, and the nodes of trees before anything is asked of them.
"""

import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any, cast
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile, ZipInfo

import numpy as np

from models.predict.card import ModelRefused
from models.predict.features import NAMES
from models.predict.learners import Estimator
from models.predict.trees import follow_wrong

MOST_UNPACKED = 32 * 1024 * 1024
SCHEMA = "schema.json"
LEARNERS = (
    "sklearn.ensemble._forest.ExtraTreesClassifier",
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier",
    "sklearn.pipeline.Pipeline",
)
TREES = ("sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor", "sklearn.tree._tree.Tree")
TYPES = frozenset(
    {
        *LEARNERS,
        *TREES,
        "builtins.dict",
        "builtins.list",
        "builtins.str",
        "builtins.tuple",
        "numpy.dtype",
        "numpy.int64",
        "numpy.ndarray",
        "numpy.random._generator.Generator",
        "numpy.uint64",
        "sklearn._loss._loss.CyHalfBinomialLoss",
        "sklearn._loss.link.Interval",
        "sklearn._loss.link.LogitLink",
        "sklearn._loss.loss.HalfBinomialLoss",
        "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
        "sklearn.impute._base.SimpleImputer",
        "sklearn.linear_model._logistic.LogisticRegression",
        "sklearn.preprocessing._data.QuantileTransformer",
        "sklearn.preprocessing._label.LabelEncoder",
        "sklearn.tree._classes.ExtraTreeClassifier",
    }
)
"""Every type that a stored learner may have."""
LOADERS = frozenset(
    f"{kind}Node"
    for kind in (
        *("DType", "Dict", "Json", "List", "Loss", "NdArray", "Object", "RandomGenerator", "Tree", "Tuple", "Type"),
    )
)
"""Every way in which skops may make them; none of these calls a function that the file names."""


def encode(estimator: Estimator) -> bytes:
    """A fitted learner. What skops names after places in memory is numbered, and no time is written."""
    from skops.io import dumps  # noqa: PLC0415 - the backend starts without it

    with ZipFile(BytesIO(dumps(estimator))) as file:
        schema = json.loads(file.read(SCHEMA))
        parts = {name: file.read(name) for name in file.namelist() if name != SCHEMA}
    numbers: dict[Any, int] = {}
    names: dict[str, str] = {}
    for node in _nodes(schema):
        if "__id__" in node:  # numbers and texts are shared or not as Python likes
            key = node["__id__"] if node["__loader__"] != "JsonNode" else object()
            node["__id__"] = numbers.setdefault(key, len(numbers) + 1)
        if isinstance(node.get("file"), str):
            node["file"] = names.setdefault(node["file"], f"{len(names)}.npy")
    written = BytesIO()
    with ZipFile(written, "w") as file:
        _write(file, SCHEMA, json.dumps(schema, separators=(",", ":")).encode())
        for old, new in names.items():
            _write(file, new, parts[old])
    return written.getvalue()


def _write(file: ZipFile, name: str, text: bytes) -> None:
    file.writestr(ZipInfo(name), text, ZIP_DEFLATED, 9)


def types_in(stored: bytes) -> list[str]:
    """Every type that the file names, whether skops would trust it or not. Raises ModelRefused if it cannot be read."""
    return sorted({f"{node.get('__module__')}.{node.get('__class__')}" for node in _nodes(_schema(stored))})


def decode(stored: bytes) -> Estimator:
    """The learner. Raises ModelRefused, before anything is built, if it has a type that is not in TYPES."""
    from skops.io import loads  # noqa: PLC0415 - likewise

    schema = _schema(stored)
    nodes = [*_nodes(schema)]
    for what, found, ours in (
        ("type", {f"{node.get('__module__')}.{node.get('__class__')}" for node in nodes}, TYPES),
        ("loader", {str(node.get("__loader__")) for node in nodes}, LOADERS),
    ):
        if strange := sorted(found - ours):
            msg = f"model.skops: {what} {strange[0][:100]!r} is not one that a model of ours has"
            raise ModelRefused(msg)
    try:
        estimator: Any = loads(stored, trusted=sorted(TYPES))
        wrong = _wrong(estimator)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, ImportError, OSError, BadZipFile) as error:
        msg = f"model.skops: {type(error).__name__}: {error}"
        raise ModelRefused(msg) from error
    if wrong:
        msg = f"model.skops: {wrong}"
        raise ModelRefused(msg)
    return cast("Estimator", estimator)


def _schema(stored: bytes) -> Any:  # noqa: ANN401 - JSON
    try:
        with ZipFile(BytesIO(stored)) as file:
            unpacked = sum(part.file_size for part in file.infolist())
            if unpacked > MOST_UNPACKED:
                msg = f"model.skops: at most {MOST_UNPACKED} bytes unpacked expected, got {unpacked}"
                raise ModelRefused(msg)
            return json.loads(file.read(SCHEMA))
    except (BadZipFile, KeyError, ValueError, RecursionError, OSError, NotImplementedError, EOFError) as error:
        msg = f"model.skops: {type(error).__name__}: {error}"
        raise ModelRefused(msg) from error


def _nodes(part: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - JSON
    """Every node of the tree, each before what is under it."""
    waiting = [part]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            found = cast("dict[str, Any]", each)
            if "__loader__" in found or "__class__" in found:
                yield found
            waiting += reversed([*found.values()])
        elif isinstance(each, list):
            waiting += reversed(cast("list[Any]", each))  # type: ignore[redundant-cast]


def _wrong(estimator: Any) -> str | None:  # noqa: ANN401 - whatever was in the file
    kind = f"{type(estimator).__module__}.{type(estimator).__name__}"
    if kind not in LEARNERS:
        return f"a learner expected, got {kind}"
    if estimator.n_features_in_ != len(NAMES):
        return f"{len(NAMES)} features expected, got {estimator.n_features_in_}"
    if not np.array_equal(estimator.classes_, [0, 1]):
        return "classes 0 and 1 expected"
    return follow_wrong(estimator, len(NAMES))
