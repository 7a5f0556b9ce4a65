"""A learner as bytes: the same for the same learner, and refused if it has anything that is not one of ours."""

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import ExtraTreesClassifier, IsolationForest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from models.predict import stored
from models.predict.card import ModelRefused
from models.predict.features import NAMES
from models.predict.folds import one_thread
from models.predict.learners import BOOSTED, LEARNERS, TREES

CHANCE = np.random.default_rng(0)
ROWS = CHANCE.normal(size=(800, len(NAMES)))
ROWS[CHANCE.random(ROWS.shape) < 0.01] = np.nan
ANSWERS = (np.nan_to_num(ROWS[:, 0] + ROWS[:, 5]) > 1.5).astype(np.int64)


SMALLER = {BOOSTED: {"max_iter": 20}, TREES: {"n_estimators": 10}}


def fitted(name: str) -> Any:
    learner: Any = LEARNERS[name](3)
    if name in SMALLER:
        learner.set_params(**SMALLER[name])
    with one_thread():
        learner.fit(ROWS, ANSWERS)
    return learner


def changed(file: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """A file with one part of it changed."""
    written = BytesIO()
    with ZipFile(BytesIO(file)) as old, ZipFile(written, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == part else old.read(name))
    return written.getvalue()


@pytest.mark.parametrize("name", LEARNERS)
def test_it_comes_back_as_it_was_and_always_as_the_same_bytes(name: str) -> None:
    first, second = fitted(name), fitted(name)
    file = stored.encode(first)
    assert file == stored.encode(second)
    with one_thread():
        assert np.array_equal(stored.decode(file).predict_proba(ROWS), first.predict_proba(ROWS))
    assert set(stored.types_in(file)) <= stored.TYPES
    assert len(file) < 100_000


@pytest.mark.parametrize(
    "strange",
    [
        SVC(),  # skops trusts every estimator of scikit-learn
        IsolationForest(n_estimators=2),
        Pipeline([("call", FunctionTransformer(np.exp)), ("fit", LogisticRegression())]),
        {"a": 1},
        [fitted],
    ],
    ids=["SVC", "IsolationForest", "a function", "a dict", "no learner"],
)
def test_an_unlisted_type_is_refused_before_anything_is_built(strange: Any) -> None:
    if hasattr(strange, "fit"):
        strange.fit(np.nan_to_num(ROWS), ANSWERS)
    with pytest.raises(ModelRefused, match=r"model\.skops: (type|loader|a learner expected)"):
        stored.decode(skops.io.dumps(strange))


def test_a_type_that_the_file_only_claims_is_refused() -> None:
    def claim(schema: bytes) -> bytes:
        node = json.loads(schema)
        node["__module__"], node["__class__"] = "os", "system"
        return json.dumps(node).encode()

    with pytest.raises(ModelRefused, match=r"type 'os\.system' is not one"):
        stored.decode(changed(stored.encode(fitted(BOOSTED)), stored.SCHEMA, claim))


def test_a_loader_that_calls_what_the_file_names_is_refused() -> None:
    def call(schema: bytes) -> bytes:
        return schema.replace(b'"__loader__":"JsonNode"', b'"__loader__":"OperatorFuncNode"', 1)

    with pytest.raises(ModelRefused, match="loader 'OperatorFuncNode' is not one"):
        stored.decode(changed(stored.encode(fitted(BOOSTED)), stored.SCHEMA, call))


@pytest.mark.parametrize("file", [b"", b"no archive", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_stored_learner_is_refused(file: bytes) -> None:
    with pytest.raises(ModelRefused, match=r"model\.skops"):
        stored.decode(file)
    with pytest.raises(ModelRefused, match=r"model\.skops"):
        stored.types_in(file)


def test_a_file_that_unpacks_to_too_much_is_refused() -> None:
    written = BytesIO()
    with ZipFile(written, "w", 8) as file:
        file.writestr(stored.SCHEMA, bytes(stored.MOST_UNPACKED + 1))
    assert len(written.getvalue()) < 100_000
    with pytest.raises(ModelRefused, match="bytes unpacked"):
        stored.decode(written.getvalue())


def test_a_learner_of_other_features_or_classes_is_refused() -> None:
    narrow = ExtraTreesClassifier(2).fit(ROWS[:, :3], ANSWERS)
    with pytest.raises(ModelRefused, match=f"{len(NAMES)} features expected, got 3"):
        stored.decode(skops.io.dumps(narrow))
    more = ExtraTreesClassifier(2).fit(ROWS, ANSWERS + 1)
    with pytest.raises(ModelRefused, match="classes 0 and 1"):
        stored.decode(skops.io.dumps(more))


@pytest.mark.parametrize("name", [BOOSTED, TREES])
@pytest.mark.parametrize("field", ["left", "right", "feature"])
def test_a_tree_that_leads_out_of_itself_is_refused(name: str, field: str) -> None:
    """scikit-learn would follow it: the process reads memory that is not its own, or dies."""
    learner = fitted(name)
    if name == BOOSTED:
        nodes = learner._predictors[0][0].nodes
        nodes[0]["feature_idx" if field == "feature" else field] = 2**20
        file = stored.encode(learner)
    else:
        array = learner.estimators_[0].tree_.__getstate__()["nodes"]
        name_in_state = {"left": "left_child", "right": "right_child", "feature": "feature"}[field]
        file = stored.encode(learner)
        with ZipFile(BytesIO(file)) as parts:
            part = next(each for each in parts.namelist() if each != stored.SCHEMA and same(parts.read(each), array))

        def lead_out(text: bytes) -> bytes:
            found = np.load(BytesIO(text))
            found[0][name_in_state] = 2**20
            written = BytesIO()
            np.save(written, found)
            return written.getvalue()

        file = changed(file, part, lead_out)
    with pytest.raises(ModelRefused, match="tree 0 leads out of itself"):
        stored.decode(file)


def same(text: bytes, array: np.ndarray) -> bool:
    found = np.load(BytesIO(text))
    return found.dtype.names == array.dtype.names and np.array_equal(found["left_child"], array["left_child"])
