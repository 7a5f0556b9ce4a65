"""The model that comes with the program: it opens with the libraries that are installed, and its card says what it is.

Made by `stockyard-sim run simulators/scenarios/fleet.toml --telemetry fleet.jsonl.gz` and then
`stockyard train --from fleet.jsonl.gz --out backend/predict/demo_model`; the same again makes the same bytes.
"""

from pathlib import Path

from backend.predict.registry import CARD_FILE, DEMO, MODEL_FILE, Registry, install

MEBIBYTE = 1024 * 1024


def test_it_serves(tmp_path: Path) -> None:
    assert install(tmp_path) is not None
    serving = Registry(tmp_path).serving()
    assert serving.refused is None
    assert serving.model is not None


def test_it_is_small() -> None:
    assert sum((DEMO / name).stat().st_size for name in (MODEL_FILE, CARD_FILE)) <= MEBIBYTE


def test_what_it_promises_on_machines_that_it_has_not_seen(tmp_path: Path) -> None:
    install(tmp_path)
    (card,) = Registry(tmp_path).cards()
    skill = card.skill
    assert (card.data.machines, skill.machines, len(card.held_back)) == (60, 20, 20)
    assert skill.failures >= 20
    assert skill.announced.value is not None
    assert skill.announced.value >= 0.5
    assert skill.false_per_machine_month.value is not None
    assert skill.false_per_machine_month.value <= 0.5
    assert skill.pr_auc.value is not None
    assert skill.base_rate is not None
    assert skill.pr_auc_hours_only.value is not None
    assert skill.pr_auc.low is not None
    assert skill.pr_auc.low > max(skill.base_rate, skill.pr_auc_hours_only.value)
