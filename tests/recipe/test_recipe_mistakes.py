"""All mistakes of a recipe at once, each once, each with its path and what would be right."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import Problem, RecipeError, WorkbenchError
from workbench.recipe.recipe import Recipe


def _mistakes(tree: dict[str, Any]) -> list[str]:
    with pytest.raises(RecipeError) as caught:
        Recipe.parse(tree)
    return [str(problem) for problem in caught.value.problems]


def _layer(**fields: Any) -> dict[str, Any]:
    return {"network": {"layers": [fields]}}


def test_that_three_mistakes_give_three_lines() -> None:
    tree = {
        "data": {"split": {"train": 2}},
        "network": {"layers": [{"kind": "dense", "units": "clases"}]},
        "training": {"optimizer": {"kind": "adm"}},
    }
    with pytest.raises(RecipeError) as caught:
        Recipe.parse(tree, "my.toml")
    heading, *lines = str(caught.value).splitlines()
    assert heading == "3 problems:"
    assert lines == [
        "  - my.toml: data.split.train: must be at most 1, not 2",
        "  - my.toml: network.layers[0].units: must be a whole number or 'classes', not \"clases\"",
        "  - my.toml: training.optimizer: 'adm' is no optimizer kind; did you mean 'adam'? "
        "(known: adagrad, adam, adamw, lion, momentum, nadam, nesterov, rmsprop, sgd)",
    ]


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        (_layer(kind="dense"), "recipe: network.layers[0].units: is missing"),
        (_layer(kind="dense", units=2.5),
         "recipe: network.layers[0].units: must be a whole number or 'classes', not 2.5"),
        (_layer(kind="dense", units=0),
         'recipe: network.layers[0].units: must be from 1 to 1,000,000 or "classes", not 0'),
        (_layer(kind="conv2d", kernel=[3, 0]), "recipe: network.layers[0].kernel[1]: must be at least 1, not 0"),
        (_layer(kind="conv2d", kernel=0), "recipe: network.layers[0].kernel: must be at least 1, not 0"),
        (_layer(kind="conv2d", kernel="x"),
         'recipe: network.layers[0].kernel: must be a whole number or a list in [ ], not "x"'),
        (_layer(kind="conv2d", padding=-1), "recipe: network.layers[0].padding: must be at least 0, not -1"),
        (_layer(kind="conv2d", padding="sam"),
         "recipe: network.layers[0].padding: must be 'same' or 'valid' or a whole number or a list in [ ], "
         'not "sam"'),
        (_layer(kind="conv2d", filter=3),
         "recipe: network.layers[0].filter: there is no such field; did you mean 'filters'?"),
        (_layer(kind="dense", unit=3),
         "recipe: network.layers[0].unit: there is no such field; did you mean 'units'?"),
        (_layer(kind="dropout", rate=1.0), "recipe: network.layers[0].rate: must be below 1, not 1.0"),
        (_layer(kind="dense", units=3, inputs="input"),
         'recipe: network.layers[0].inputs: must be a list in [ ], not "input"'),
        ({"data": {"split": "aut"}}, "recipe: data.split: must be a table in { } or 'auto', not \"aut\""),
        ({"data": {"split": {"train": 0.5, "dev": 0.1, "test": 0.1}}},
         "recipe: data.split: train + dev + test must be 1, they add up to 0.7"),
        ({"data": {"columns": {"int": "num"}}},
         "recipe: data.columns.int: must be 'number' or 'category', not \"num\""),
        ({"data": {"weights": {"attributes": {"a": 20}}}},
         "recipe: data.weights.attributes: strengths lie between 0 and 10: a"),
        ({"data": {"weights": {"rows": [{"rows": "first", "weight": 1}]}}},
         "recipe: data.weights.rows[0].rows: must be row numbers like '3, 10-20'"),
        ({"training": {"optimizer": {"kind": "adam", "learningrate": 1}}},
         "recipe: training.optimizer.learningrate: there is no such field; did you mean 'learning_rate'?"),
        # `beta` is a field of another optimizer: no hint to itself.
        ({"training": {"optimizer": {"kind": "adam", "beta": 1}}},
         "recipe: training.optimizer.beta: there is no such field; did you mean 'beta2'?"),
        ({"training": {"optimizer": {"kind": "sgd", "weight_decay": 1}}},
         "recipe: training.optimizer.weight_decay: there is no such field; sgd has decoupled_weight_decay, "
         "learning_rate"),
        # What others write into a layer is one of its own here.
        (_layer(kind="dense", units=3, activation="relu"),
         "recipe: network.layers[0].activation: there is no such field; activation is a kind of layer of its own"),
        (_layer(kind="dropout", p=0.3),
         "recipe: network.layers[0].p: there is no such field; dropout has rate, name, inputs, frozen, enabled"),
        (_layer(kind="activation", function="softmax"),
         "recipe: network.layers[0].function: has no softmax: the loss and what is predicted have theirs; let the "
         "network end before it"),
        ({"training": {"epochs": 1.5}}, "recipe: training.epochs: must be a whole number, not 1.5"),
        ({"training": {"epochs": "many"}}, 'recipe: training.epochs: must be a whole number, not "many"'),
        ({"training": {"l2": float("nan")}}, "recipe: training.l2: must be a finite number, not nan"),
        ({"training": {"shuffle": "perhaps"}}, 'recipe: training.shuffle: must be true or false, not "perhaps"'),
        ({"training": {"early_stopping": True}}, "recipe: training.early_stopping: must be a table in { }, not True"),
        ({"training": {"optimizer": 3}}, "recipe: training.optimizer: must be a table in { }, not 3"),
        ({"training": {"schedule": {"kind": "warmup", "then": "warmup"}}},
         "recipe: training.schedule.then: a warm-up cannot follow a warm-up"),
        ({"training": {"schedule": {"kind": "warmup", "then": {"kind": "cosine", "least": 3}}}},
         "recipe: training.schedule.then.least: must be at most 1, not 3"),
        ({"goals": {"human_error": 0.1, "bayes_error": 0.2}},
         "recipe: goals: bayes_error 0.2 is above human_error 0.1: nobody can do better than the Bayes error"),
        ({"name": 3}, "recipe: name: must be a text in quotes, not 3"),
        ({"trainig": {}}, "recipe: trainig: there is no such field; did you mean 'training'?"),
        ({"training": []}, "recipe: training: must be a table in { }, not []"),
    ],
)  # fmt: skip
def test_that_one_mistake_is_told_once_with_what_would_be_right(tree: dict[str, Any], text: str) -> None:
    assert _mistakes(tree) == [text]


@pytest.mark.parametrize(
    ("kind", "guess"),
    [("dens", "dense"), ("conv", "conv2d"), ("maxpool2d", "max_pool2d"), ("batchnorm", "batch_norm")],
)
def test_that_an_unknown_kind_gets_a_near_match(kind: str, guess: str) -> None:
    (text,) = _mistakes(_layer(kind=kind))
    assert f"{kind!r} is no layer kind; did you mean {guess!r}? (known: activation, add, " in text


def test_that_a_kind_like_nothing_gets_the_list_only() -> None:
    (text,) = _mistakes({"training": {"loss": "xyzzy"}})
    assert text == (
        "recipe: training.loss: 'xyzzy' is no loss kind "
        "(known: binary_cross_entropy, binary_hinge, cross_entropy, focal, hinge, huber, mean_absolute_error, "
        "mean_squared_error, normalized_logistic, sigmoid_cross_entropy)"
    )


@pytest.mark.parametrize("layer", [{}, {"units": 3}, {"kind": ""}])
def test_that_a_missing_kind_is_asked_for(layer: dict[str, Any]) -> None:
    (text,) = _mistakes({"network": {"layers": [layer]}})
    assert text.startswith("recipe: network.layers[0]: needs a kind: one of activation, add, ")


@pytest.mark.parametrize("layer", ["flatten", {"kind": "flatten"}])
def test_that_a_kind_without_needs_may_be_written_short(layer: Any) -> None:
    assert Recipe.parse({"network": {"layers": [layer]}}).get("network.layers[0].kind") == "flatten"


def test_that_a_short_kind_that_needs_fields_says_which() -> None:
    assert _mistakes({"network": {"layers": ["dense"]}}) == ["recipe: network.layers[0].units: is missing"]


def test_that_many_mistakes_come_in_the_order_of_the_recipe() -> None:
    tree = {
        "goals": {"human_error": 2},
        "training": {"seed": -1, "batch_size": 0, "dropout": 1},
        "data": {"normalize": "none", "task": "sorting"},
    }
    places = [text.split(": ")[1] for text in _mistakes(tree)]
    assert places == ["data.task", "training.batch_size", "training.dropout", "training.seed", "goals.human_error"]


def test_that_long_values_are_cut() -> None:
    (text,) = _mistakes({"training": {"epochs": "x" * 5000}})
    assert len(text) < 130


def test_that_errors_cross_process_borders_whole() -> None:
    with pytest.raises(RecipeError) as caught:
        Recipe.parse({"training": {"seed": -1, "epochs": -1}})
    again = pickle.loads(pickle.dumps(caught.value))
    assert isinstance(again, RecipeError)
    assert again.problems == caught.value.problems
    assert str(again) == str(caught.value)


def test_that_a_problem_reads_as_place_cause_and_mend() -> None:
    assert str(Problem("is empty", "a.csv", "Choose another file.")) == "a.csv: is empty. Choose another file."
    assert str(WorkbenchError("is empty.", mend="Try again.")) == "is empty. Try again."
    assert str(WorkbenchError.of([Problem("one", "a"), Problem("two")], "bad")) == "bad:\n  - a: one\n  - two"
    assert WorkbenchError.of([Problem("one", "a")]).problems == (Problem("one", "a"),)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
places = st.sampled_from(
    ["data", "data.split", "data.sources", "data.weights", "network", "network.layers", "training", "training.loss",
     "training.optimizer", "training.schedule", "training.early_stopping", "goals", "name", "schema", "data.augment"]
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(path=places, value=plain)
def test_that_any_value_anywhere_gives_a_recipe_or_its_mistakes(path: str, value: Any) -> None:
    tree: dict[str, Any] = {}
    node = tree
    *parents, last = path.split(".")
    for step in parents:
        node = node.setdefault(step, {})
    node[last] = value
    try:
        Recipe.parse(tree)
    except RecipeError as error:
        problems = error.problems
    else:
        problems = ()
    assert all(problem.where.startswith("recipe") and problem.what for problem in problems)


def test_that_wrong_joints_are_told_together_with_wrong_fields():
    layers = [
        {"kind": "dense", "units": 0},
        {"kind": "nonsense", "name": "a b"},
        {"kind": "dense", "units": 3, "inputs": ["nowhere"]},
    ]
    with pytest.raises(RecipeError) as caught:
        Recipe.parse({"network": {"layers": layers}})
    places = {problem.where.removeprefix("recipe: ") for problem in caught.value.problems}
    assert places == {
        "network.layers[0].units",
        "network.layers[1]",
        "network.layers[1].name",
        "network.layers[2].inputs",
    }
