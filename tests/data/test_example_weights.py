"""The strengths of examples, class balance against scikit-learn's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_sample_weight
from support.data_rig import numbers, texts

from workbench.data.content import Content
from workbench.data.weights import balanced, strengths_of
from workbench.recipe.data import Weights

CONTENT = Content((numbers("w", [1, 2, 0, 4]), texts("t", ["a", "b", "a", "b"])))


def strengths(
    weights: dict[str, Any], content: Content = CONTENT, classes: Any = (0, 1, 1, 1)
) -> tuple[Any, list[str]]:
    numbers_of = None if classes is None else np.array(classes)
    found, problems = strengths_of(Weights.model_validate(weights), content, numbers_of, np.arange(content.rows))
    assert found.dtype == np.float32
    return found.tolist(), [str(problem) for problem in problems]


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.data())
def test_that_class_balance_is_scikit_learns(classes: list[int], data: Any) -> None:
    numbers_of = np.array(classes)
    train = np.array(sorted(data.draw(st.sets(st.integers(0, len(classes) - 1), min_size=1))))
    found = balanced(numbers_of, train)
    np.testing.assert_allclose(found[train], compute_sample_weight("balanced", numbers_of[train]), rtol=1e-12)
    sums = np.bincount(numbers_of[train], found[train])
    np.testing.assert_allclose(sums[sums > 0], len(train) / (sums > 0).sum())
    absent = ~np.isin(numbers_of, numbers_of[train])
    assert (found[absent] == 1).all()


def test_that_unknown_classes_keep_the_strength_1() -> None:
    assert balanced(np.array([0, 0, 1, -1]), np.arange(3)).tolist() == [0.75, 0.75, 1.5, 1.0]


def test_that_without_weights_all_are_1() -> None:
    assert strengths({}) == ([1, 1, 1, 1], [])


def test_that_class_column_and_rows_are_multiplied() -> None:
    weights = {
        "class_balance": "inverse_frequency",
        "column": "w",
        "rows": [{"rows": "2, 3-4", "weight": 0.5}, {"rows": "4", "weight": 10}],
    }
    share = 4 / (2 * 3)
    expected = [2.0, share * 2 * 0.5, 0.0, share * 4 * 5]
    assert strengths(weights)[0] == pytest.approx(expected, rel=1e-6)


def test_that_every_problem_is_told_with_its_rows() -> None:
    content = Content((numbers("w", [1, -2, None, -4]),))
    weights = {"class_balance": "inverse_frequency", "column": "w",
               "rows": [{"rows": "0", "weight": 1}, {"rows": "2-9, 3-2", "weight": 1}]}  # fmt: skip
    problems = "\n".join(strengths(weights, content, classes=None)[1])
    assert "data.weights.class_balance: balances classes, but the task is regression" in problems
    assert "column 'w' is empty in row 3" in problems
    assert "column 'w' is negative in rows 2, 4" in problems
    assert "data.weights.rows[0]: rows 0 are not among the rows 1-4" in problems
    assert "data.weights.rows[1]: rows 2-9 are" in problems
    assert "data.weights.rows[1]: rows 3-2 are" in problems


def test_that_texts_are_no_strengths_and_all_0_trains_nothing() -> None:
    assert "column 't' holds texts" in strengths({"column": "t"})[1][0]
    assert "every training example has the strength 0" in strengths({"rows": [{"rows": "1-4", "weight": 0}]})[1][0]
