"""Levels from the command line's texts and from predictions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.diagnosis.diagnose import diagnose
from workbench.diagnosis.sources import levels_of_predictions, levels_of_text
from workbench.errors import InputError
from workbench.evaluation.intervals import Estimate, proportion, rate_of
from workbench.evaluation.metrics import measure
from workbench.evaluation.predictions import Predictions
from workbench.recipe.training import Goals


def test_that_texts_give_levels():
    levels = levels_of_text("bayes=0.005, human=0.007,train=3.5%,dev=7.8 %,test=0", "train=60000,dev=5_000")
    assert levels.bayes == Estimate(0.005)
    assert levels.train == rate_of(0.035, 60_000)
    assert levels.dev.value == pytest.approx(0.078)
    assert levels.dev.n == 5000
    assert levels.test == Estimate(0.0)


def test_that_a_distribution_stands_behind_a_dot():
    levels = levels_of_text("train=0.1,dev=0.2,dev.phone=0.3,validation.shop=0.1", "dev.phone=100")
    assert levels.by_distribution == {"phone": {"dev": rate_of(0.3, 100)}, "shop": {"dev": Estimate(0.1)}}


def test_that_all_mistakes_are_named_at_once():
    with pytest.raises(InputError) as caught:
        levels_of_text(
            "bayes=0.005,humen=0.01,train=3.5,dev=x,test,dev=0.1,dev=0.2", "train=1.5,dev=-3,bayes=10,test=5"
        )
    message = str(caught.value)
    for part in (
        "'humen' is no level (known: bayes, human, train, dev, test)",
        "train=3.5: is no error between 0 and 1; for per cent write 3.5%",
        "dev=x: is no number",
        "'test' is no NAME=VALUE",
        "dev is given twice",
        "train=1.5: is no whole number",
        "dev=-3: is no whole number",
        "a size is given for test, but no error",
    ):
        assert part in message


@pytest.mark.parametrize(
    ("errors", "sizes", "said"),
    [
        ("", "", "no errors are given"),
        ("bayes=0.1,human=0.05,train=0.2", "", "above human"),
        ("train=nan", "", "no error between"),
        ("train=0.1", "train=inf", "no whole number"),
        ("train.=0.1", "", "is no level"),
        ("human.a=0.1", "", "known: train, dev, test"),
        ("bayes=0.01", "bayes=100", "no size"),
    ],
)
def test_that_what_cannot_be_is_refused(errors, sizes, said):
    with pytest.raises(InputError, match=said):
        levels_of_text(errors, sizes)


@given(
    st.text(alphabet="bayeshumntrdv=.,%0123456789- ", max_size=40),
    st.text(alphabet="traindev=,0123456789", max_size=30),
)
def test_that_any_text_gives_levels_or_a_clear_error(errors, sizes):
    message, levels = "", None
    try:
        levels = levels_of_text(errors, sizes)
    except InputError as error:
        message = str(error)
    assert (levels is None) == bool(message)


def _predictions(**facts):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 900)
    said = np.where(rng.uniform(size=900) < 0.1, (y + 1) % 3, y)
    split = np.array(["train", "dev", "test"], dtype=object)[rng.integers(0, 3, 900)]
    return Predictions.of(y, said, ["a", "b", "c"], split=split, **facts)


def test_that_predictions_give_the_errors_of_their_sets():
    predictions = _predictions()
    levels = levels_of_predictions(predictions, Goals(human_error=0.02, bayes_error=0.01))
    for name in ("train", "dev", "test"):
        part = predictions.of_split(name)
        assert levels.get(name) == proportion(int(part.wrong.sum()), part.n)
    assert (levels.human, levels.bayes) == (Estimate(0.02), Estimate(0.01))


def test_that_levels_and_metrics_agree_on_the_errors():
    weight = np.random.default_rng(1).uniform(0.5, 2, 900)
    where = np.array(["shop", "phone"], dtype=object)[np.arange(900) % 2]
    predictions = _predictions(weight=weight, distribution=where)
    levels, metrics = levels_of_predictions(predictions), measure(predictions)
    assert levels.dev == metrics.splits["dev"].error
    assert levels.by_distribution["phone"]["test"] == metrics.distributions["phone"]["test"].error


def test_that_numbers_give_relative_errors_against_the_training_mean():
    y = np.array([1.0, 2.0, 6.0, 2.0, 5.0, 4.0])
    predictions = Predictions.of(y, y + 0.5, split=["train"] * 3 + ["dev"] * 3)
    levels = levels_of_predictions(predictions)
    assert levels.task == "regression"
    assert levels.dev.value == pytest.approx(3 * 0.25 / 6)
    assert levels.train.value == pytest.approx(3 * 0.25 / 14)


def test_that_examples_of_no_set_are_taken_for_dev_and_said_so():
    predictions = Predictions.of([0, 1, -1], [0, 0, 1], ["a", "b"])
    diagnosis = diagnose(levels_of_predictions(predictions))
    assert diagnosis.levels.dev == proportion(1, 2)
    assert {"taken_for_dev", "unknown_truth"} <= {f.id for f in diagnosis.findings}


def test_that_a_set_whose_weights_are_all_0_has_no_error():
    predictions = Predictions.of([0, 1], [0, 0], ["a", "b"], split=["train", "dev"], weight=[1.0, 0.0])
    assert levels_of_predictions(predictions).dev is None
