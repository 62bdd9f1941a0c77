"""Names of layers, and what reads what."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from support.recipes import layers as drawn_layers

from workbench.errors import RecipeError
from workbench.recipe.network import NetworkRecipe, fresh_name
from workbench.recipe.recipe import Recipe


def _network(*layers: dict[str, Any] | str) -> NetworkRecipe:
    return Recipe.parse({"network": {"layers": list(layers)}}).network


def _mistakes(*layers: dict[str, Any] | str) -> list[str]:
    with pytest.raises(RecipeError) as caught:
        _network(*layers)
    return [str(problem).removeprefix("recipe: network.layers") for problem in caught.value.problems]


def test_that_names_are_made_from_kind_and_function() -> None:
    made = _network(
        "conv2d", "activation", "batch_norm", {"kind": "activation", "function": "gelu"}, "max_pool2d",
        "average_pool2d", "global_average_pool2d", "dropout", "flatten", {"kind": "dense", "units": 3}, "conv2d",
        "activation",
    )  # fmt: skip
    assert [layer.name for layer in made.layers] == [
        "conv_1", "relu_1", "norm_1", "gelu_1", "pool_1", "pool_2", "pool_3", "drop_1", "flat_1", "dense_1",
        "conv_2", "relu_2",
    ]  # fmt: skip


def test_that_made_names_leave_given_ones_alone() -> None:
    made = _network("flatten", {"kind": "flatten", "name": "flat_1"}, "flatten")
    assert [layer.name for layer in made.layers] == ["flat_2", "flat_1", "flat_3"]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(layers=drawn_layers())
def test_that_every_layer_has_a_name_of_its_own_that_stays(layers: list[dict[str, Any]]) -> None:
    made = _network(*layers)
    names = [layer.name for layer in made.layers]
    assert all(names)
    assert len(set(names)) == len(names)
    assert NetworkRecipe.model_validate(made.model_dump(mode="json")) == made


def test_that_a_fresh_name_is_the_first_that_is_free() -> None:
    assert fresh_name("a", {"a_1", "a_3"}) == "a_2"


def test_that_a_layer_reads_the_one_before_unless_told() -> None:
    made = _network("flatten", {"kind": "dense", "units": 3, "inputs": ["input"]}, "dropout")
    assert [made.inputs_of(index) for index in range(3)] == [("input",), ("input",), ("dense_1",)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("2x", "'2x' is no layer name: letters, digits and _, not starting with a digit"),
        ("a.b", "'a.b' is no layer name: letters, digits and _, not starting with a digit"),
        ("a b", "'a b' is no layer name: letters, digits and _, not starting with a digit"),
        ("é", "'é' is no layer name: letters, digits and _, not starting with a digit"),
        ("a" * 65, f"'{'a' * 65}' is no layer name: letters, digits and _, not starting with a digit"),
        ("input", "'input' is the name of the network's input"),
    ],
)
def test_that_a_bad_name_is_told_at_the_layer(name: str, text: str) -> None:
    assert _mistakes("flatten", {"kind": "flatten", "name": name}) == [f"[1].name: {text}"]


def test_that_a_name_that_ends_with_a_line_feed_is_refused() -> None:
    assert len(_mistakes({"kind": "flatten", "name": "a\n"})) == 1


def test_that_all_mistakes_of_a_graph_come_at_once() -> None:
    mistakes = _mistakes(
        {"kind": "flatten", "name": "a"},
        {"kind": "flatten", "name": "a"},
        {"kind": "add", "name": "s", "inputs": ["a", "nobody", "later", "s"]},
        {"kind": "flatten", "name": "later"},
    )
    assert mistakes == [
        "[1].name: two layers are called 'a'",
        "[2].inputs: s reads 'nobody', which is no layer and s reads 'later', which comes later "
        "and s reads 's', which comes later",
    ]


def test_that_a_disabled_layer_may_still_be_read_by_name() -> None:
    made = _network({"kind": "flatten", "name": "f", "enabled": False}, {"kind": "dropout", "inputs": ["f"]})
    assert made.inputs_of(1) == ("f",)
