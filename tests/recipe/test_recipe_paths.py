"""Reading, replacing and comparing by path."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.recipes import recipes

from workbench.errors import RecipeError
from workbench.recipe.paths import Change, get_at, join_path, set_at, split_path
from workbench.recipe.recipe import Recipe


@pytest.fixture
def recipe() -> Recipe:
    return Recipe.parse(
        {
            "data": {"sources": ["a.csv"]},
            "network": {
                "layers": [
                    {"kind": "conv2d", "filters": 8},
                    {"kind": "flatten"},
                    {"kind": "dense", "units": "classes", "name": "out"},
                ]
            },
        }
    )


@pytest.mark.parametrize("path", ["a.b[2].c", "a.b.2.c", "a[b][2].c", "a.b[2]c"])
def test_that_indices_may_stand_in_brackets_or_between_dots(path: str) -> None:
    assert split_path(path) == ("a", "b", "2", "c")


def test_that_paths_are_written_with_brackets() -> None:
    assert join_path(("network", "layers", 0, "units")) == "network.layers[0].units"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("training.optimizer.learning_rate", 0.001),
        ("training.optimizer.kind", "adam"),
        ("network.layers[0].filters", 8),
        ("network.layers.0.filters", 8),
        ("network.layers.conv_1.filters", 8),
        ("network.layers.out.units", "classes"),
        ("data.sources[0].path", "a.csv"),
        ("training.clip_norm", None),
        ("schema", 1),
    ],
)
def test_that_values_are_read_by_path_and_by_layer_name(recipe: Recipe, path: str, value: Any) -> None:
    assert recipe.get(path) == value


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("training.optimiser", "there is no field 'optimiser'; did you mean 'optimizer'?"),
        ("training.optimizer.momentum", "there is no field 'momentum'"),
        ("network.layers[7].units", "has no entry '7' (it has 3)"),
        ("network.layers.conv_2", "has no entry 'conv_2' (it has 3)"),
        ("training.epochs.more", "'more' asks for a field of a plain value"),
    ],
)
def test_that_a_path_to_nowhere_says_where_it_ends(recipe: Recipe, path: str, text: str) -> None:
    for attempt in (lambda: recipe.get(path), lambda: recipe.replace(f"{path}.x", 1)):
        with pytest.raises(RecipeError) as caught:
            attempt()
        assert text in str(caught.value)
        assert path in str(caught.value)


def test_that_replacing_makes_another_recipe_and_keeps_the_first(recipe: Recipe) -> None:
    other = recipe.replace("network.layers.conv_1.filters", 16)
    assert other.get("network.layers[0].filters") == 16
    assert recipe.get("network.layers[0].filters") == 8


def test_that_several_values_are_replaced_at_once(recipe: Recipe) -> None:
    shares = {"data.split.train": 0.8, "data.split.dev": 0.1, "data.split.test": 0.1}
    assert recipe.get("data.split") == "auto"
    split = recipe.replace(shares).get("data.split")
    assert (split["train"], split["dev"], split["test"]) == (0.8, 0.1, 0.1)


def test_that_a_field_of_a_part_that_is_off_turns_it_on(recipe: Recipe) -> None:
    other = recipe.replace("training.early_stopping.patience", 9)
    assert other.get("training.early_stopping") == {"patience": 9, "metric": "dev_error", "min_delta": 0.0}
    assert other.replace("training.early_stopping", None) == recipe


def test_that_a_part_may_be_replaced_by_a_part(recipe: Recipe) -> None:
    slower = recipe.replace("training.optimizer.learning_rate", 1e-4)
    assert recipe.replace("training.optimizer", slower.training.optimizer) == slower


def test_that_a_list_grows_by_one_at_its_end(recipe: Recipe) -> None:
    other = recipe.replace("network.layers[3]", {"kind": "activation", "function": "tanh"})
    assert [layer.name for layer in other.network.layers] == ["conv_1", "flat_1", "out", "tanh_1"]
    with pytest.raises(RecipeError, match="has no entry '5'"):
        recipe.replace("network.layers[5]", "flatten")


def test_that_a_kind_written_short_gets_its_defaults(recipe: Recipe) -> None:
    other = recipe.replace("training.optimizer", "momentum")
    assert other.get("training.optimizer.beta") == 0.9


def test_that_a_kind_written_short_in_a_file_gets_its_fields() -> None:
    tree: dict[str, Any] = {"training": {"optimizer": "sgd"}}
    set_at(tree, "training.optimizer.learning_rate", 0.5)
    assert tree == {"training": {"optimizer": {"kind": "sgd", "learning_rate": 0.5}}}


def test_that_what_is_put_in_is_validated(recipe: Recipe) -> None:
    with pytest.raises(RecipeError, match=r"training.optimizer.learning_rate: must be above 0, not -1"):
        recipe.replace("training.optimizer.learning_rate", -1)


def test_that_one_changed_value_is_one_change(recipe: Recipe) -> None:
    other = recipe.replace("training.optimizer.learning_rate", 0.01)
    assert recipe.diff(other) == (Change("training.optimizer.learning_rate", 0.001, 0.01),)
    assert other.diff(recipe) == (Change("training.optimizer.learning_rate", 0.01, 0.001),)


def test_that_a_change_of_kind_is_one_change(recipe: Recipe) -> None:
    (change,) = recipe.diff(recipe.replace("training.optimizer", "sgd"))
    assert change.path == "training.optimizer"
    after = {"kind": "sgd", "learning_rate": 0.01, "decoupled_weight_decay": 0.0}
    assert (change.before["kind"], change.after) == ("adam", after)


def test_that_a_change_in_a_layer_is_one_change(recipe: Recipe) -> None:
    (change,) = recipe.diff(recipe.replace("network.layers.conv_1.kernel", 5))
    assert change == Change("network.layers[0].kernel", 3, 5)


def test_that_an_added_layer_is_one_change_of_the_list(recipe: Recipe) -> None:
    (change,) = recipe.diff(recipe.replace("network.layers[3]", "dropout"))
    assert change.path == "network.layers"


def test_that_turning_a_part_on_is_one_change(recipe: Recipe) -> None:
    (change,) = recipe.diff(recipe.replace("training.early_stopping", {"patience": 3}))
    assert (change.path, change.before) == ("training.early_stopping", None)


def test_that_names_of_experiments_do_not_count_as_changes(recipe: Recipe) -> None:
    assert recipe.diff(recipe.replace("name", "another")) == ()


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(before=recipes, after=recipes)
def test_that_a_difference_put_in_gives_the_other_recipe(before: Recipe, after: Recipe) -> None:
    changes = before.diff(after)
    made = before.replace({change.path: change.after for change in changes})
    assert made.replace("name", after.name) == after
    for change in changes:
        assert before.get(change.path) == change.before or change.before is None


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(recipe=recipes)
def test_that_every_value_is_found_at_its_path(recipe: Recipe) -> None:
    def walk(node: Any, path: tuple[str | int, ...]) -> None:
        if path:
            assert get_at(recipe.tree(), join_path(path)) == node
        inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        for key, value in inner:
            walk(value, (*path, key))

    walk(recipe.tree(), ())


@given(steps=st.lists(st.text(max_size=6) | st.integers(0, 99), min_size=1, max_size=5))
def test_that_any_name_can_stand_in_a_path(steps: list[str | int]) -> None:
    assert split_path(join_path(tuple(steps))) == tuple(str(step) for step in steps)


@given(path=st.text(max_size=20))
def test_that_no_text_is_too_odd_to_be_split(path: str) -> None:
    assert all(isinstance(step, str) for step in split_path(path))


def test_that_columns_with_odd_names_are_replaced_in_quotes(recipe: Recipe) -> None:
    other = recipe.replace('data.weights.attributes."size [cm]"', 0.5)
    assert other.data.weights.attributes == {"size [cm]": 0.5}
    (change,) = other.diff(other.replace('data.weights.attributes."size [cm]"', 0.25))
    assert change == Change('data.weights.attributes."size [cm]"', 0.5, 0.25)
