"""Several labels an example: error analysis, the ladder, rules, and comparing runs."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.diagnosis.compare import compare
from workbench.diagnosis.context import RunFacts
from workbench.diagnosis.diagnose import Diagnosis, diagnose
from workbench.diagnosis.gaps import gaps_of
from workbench.diagnosis.label_mistakes import mistakes_by_label, surest_label_mistakes
from workbench.diagnosis.levels import Levels
from workbench.diagnosis.settle import scaled, what_would_settle
from workbench.diagnosis.sources import levels_of_predictions
from workbench.errors import InputError
from workbench.evaluation.intervals import Estimate
from workbench.evaluation.labels import wrong_shares
from workbench.evaluation.predictions import Predictions
from workbench.recipe.recipe import Recipe
from workbench.recipe.training import Goals

LABELS = ("a", "b", "c")


def case_of(rates: Any = (0.02, 0.05, 0.2), n: int = 600, seed: int = 0, missing: float = 0.5) -> Predictions:
    """Labels of which some are wrong, at a rate for each; ``missing`` of the wrong ones are missed."""
    numbers = np.random.default_rng(seed)
    wrong = numbers.random((n, 3)) < rates
    truth = np.where(wrong, numbers.random((n, 3)) < missing, numbers.random((n, 3)) < 0.3).astype(int)
    said = np.where(wrong, 1 - truth, truth)
    chances = np.where(said > 0, 0.9, 0.1)
    split = np.array(["train", "dev", "test"], dtype=object)[np.arange(n) % 3]
    return Predictions.of(truth, said, LABELS, probabilities=chances, split=split)


def recipe_of(**training: Any) -> Recipe:
    return Recipe.parse(
        {
            "data": {"task": "multilabel", "targets": list(LABELS)},
            "network": {"layers": [{"kind": "dense", "units": "classes"}]},
            "training": {"loss": "sigmoid_cross_entropy", **training},
        }
    )


def diagnosed(case: Predictions, recipe: Recipe | None = None) -> Diagnosis:
    return diagnose(levels_of_predictions(case), Goals(), RunFacts(recipe, predictions=case))


def told(diagnosis: Diagnosis, rule: str) -> str:
    return " ".join(one.text for one in diagnosis.findings if one.id == rule)


def test_that_the_ladder_is_made_of_shares_of_wrong_labels() -> None:
    case = case_of()
    levels = levels_of_predictions(case)
    assert levels.task == "multilabel"
    for name in ("train", "dev", "test"):
        level, part = levels.get(name), case.of_split(name)
        assert level is not None
        assert level.value == pytest.approx((part.y_true != part.y_pred).mean())
        assert level.n == part.n
        assert level.lower < level.value < level.upper


def test_that_an_error_above_1_is_refused() -> None:
    with pytest.raises(InputError, match=r"dev = 1\.2 is no error between 0 and 1"):
        Levels(dev=Estimate(1.2), task="multilabel").check()


def test_that_mistakes_are_counted_by_label() -> None:
    truth = np.array([[1, 0, -1], [1, 1, 0], [0, 0, 1], [0, -1, 0]])
    said = np.array([[0, 0, 1], [1, 0, 0], [1, 0, 1], [0, 1, 0]])
    found = mistakes_by_label(Predictions.of(truth, said, LABELS))
    assert [(one.name, one.known, one.there, one.missed, one.named_wrongly) for one in found] == [
        ("a", 4, 2, 1, 1),
        ("b", 3, 1, 1, 0),
        ("c", 3, 1, 0, 0),
    ]
    assert found[0].share == pytest.approx(2 / 3)
    assert found[0].ceiling == pytest.approx((1 / 2 + 1 / 3) / 4)
    json.dumps([one.to_json() for one in found])


@given(st.integers(1, 60), st.integers(0, 99))
def test_that_ceilings_add_up_to_the_error(n: int, seed: int) -> None:
    numbers = np.random.default_rng(seed)
    truth, said = numbers.integers(-1, 2, (n, 3)), numbers.integers(0, 2, (n, 3))
    case = Predictions.of(truth, said, LABELS).labeled()
    found = mistakes_by_label(case)
    assert sum(one.ceiling for one in found) == pytest.approx(wrong_shares(case).mean() if case.n else 0.0)
    assert sum(one.mistakes for one in found) == case.wrong_labels.sum()


def test_that_the_surest_wrong_labels_come_first() -> None:
    truth = np.array([[1, 0], [0, 1]])
    chances = np.array([[0.05, 0.7], [0.2, 0.4]])
    found = surest_label_mistakes(Predictions.of_outputs(truth, chances, ("a", "b"), id=["x", "y"]))
    assert [(one.id, one.label, one.there) for one in found] == [("x", "a", True), ("x", "b", False), ("y", "b", True)]
    assert [one.confidence for one in found] == pytest.approx([0.95, 0.7, 0.6])
    assert surest_label_mistakes(Predictions.of(truth, truth, ("a", "b"))) == ()
    json.dumps([one.to_json() for one in found])


def test_that_a_label_in_which_mistakes_prevail_is_found() -> None:
    text = told(diagnosed(case_of((0.01, 0.01, 0.2))), "prevailing_label")
    assert "of all wrong dev labels are c" in text.replace("“", "").replace("”", "").replace("'", "")
    assert "the most that work on this label can give" in text
    assert not told(diagnosed(case_of((0.1, 0.1, 0.1))), "prevailing_label")
    assert not told(diagnosed(case_of()), "prevailing_class")


def test_that_a_model_no_better_than_never_naming_a_label_is_told_so() -> None:
    numbers = np.random.default_rng(2)
    truth = (numbers.random((300, 3)) < 0.04).astype(int)
    rare = Predictions.of(truth, numbers.random((300, 3)) < 0.05, LABELS, split="dev")
    text = told(diagnosed(rare), "no_better_than_no")
    assert "Saying that no example has any label would give a dev error of" in text
    assert not told(diagnosed(case_of((0.01, 0.01, 0.01))), "no_better_than_no")


def test_that_missed_labels_bring_a_weight_for_those_that_are_there() -> None:
    offered = {knob.id: knob for knob in diagnosed(case_of(missing=0.95), recipe_of()).knobs}
    assert offered["find_more_labels"].patch == {"training.loss.positive_weight": 2.0}
    assert "labels are missed" in offered["find_more_labels"].why
    again = {knob.id: knob for knob in diagnosed(case_of(missing=0.95), recipe_of(loss={
        "kind": "sigmoid_cross_entropy", "positive_weight": 3.0})).knobs}  # fmt: skip
    assert again["find_more_labels"].patch == {"training.loss.positive_weight": 6.0}
    even = {knob.id for knob in diagnosed(case_of(missing=0.5), recipe_of()).knobs}
    assert "find_more_labels" not in even
    assert "balance_classes" not in even


def test_that_a_diagnosis_of_labels_is_plain_json() -> None:
    tree = diagnosed(case_of(), recipe_of()).to_json()
    assert tree["task"] == "multilabel"
    json.dumps(tree, allow_nan=False)


def test_that_more_examples_would_settle_what_intervals_leave_open() -> None:
    train, dev = Estimate(0.02, 900, 0.016, 0.025), levels_of_predictions(case_of((0.03, 0.04, 0.05), n=240)).dev
    assert dev is not None
    open_gaps = gaps_of(Levels(train=train, dev=dev), 0.015)
    (settle,) = (one for one in what_would_settle(open_gaps) if one.gap == "variance")
    count = settle.needs["dev"]
    assert count > 80
    enough = scaled(dev, count / 80, "multilabel")
    assert enough.upper - enough.lower < dev.upper - dev.lower
    assert gaps_of(Levels(train=train, dev=enough), 0.015).variance_state != "undecided"


def test_that_runs_of_labels_are_compared_on_the_same_examples() -> None:
    before = case_of((0.1, 0.1, 0.3))
    mended = np.where(np.arange(before.n)[:, None] % 2 == 0, before.y_true, before.y_pred)
    after = Predictions.of(before.y_true, mended, LABELS, split=before.split)
    sides = levels_of_predictions(before), levels_of_predictions(after)
    effect = compare(gaps_of(sides[0], 0.015), gaps_of(sides[1], 0.015), (before, after))
    assert effect.paired
    assert effect.direction("dev") == "better"
    change = next(move.change for move in effect.moves if move.name == "dev")
    assert sides[0].dev is not None
    assert sides[1].dev is not None
    assert change.value == pytest.approx(sides[1].dev.value - sides[0].dev.value)
