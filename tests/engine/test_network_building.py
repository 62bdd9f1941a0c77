"""From layers to shapes: widths, classes, dropout put in, and errors at the layer that causes them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from support.networks import network_of, networks

from workbench.engine.network import Network, build_network, inspect_network
from workbench.errors import RecipeError
from workbench.recipe.network import NetworkRecipe

PICTURE = (28, 28, 1)


def dense(units: Any = "classes", **fields: Any) -> dict[str, Any]:
    return {"kind": "dense", "units": units, **fields}


def _inspect(layers: list[dict[str, Any]], shape: tuple[int, ...], outputs: int = 10, **fields: Any) -> Network:
    dropout = fields.pop("dropout", 0.0)
    return inspect_network(NetworkRecipe.model_validate({"layers": layers, **fields}), shape, outputs, dropout)


def _errors(layers: list[dict[str, Any]], shape: tuple[int, ...], outputs: int = 10) -> dict[str, str]:
    return {node.name: node.error for node in _inspect(layers, shape, outputs).nodes if node.error}


def _sizes(network: Network) -> list[int]:
    return [getattr(node.layer, node.layer.width_field) for node in network.nodes if node.layer.width_field]


def test_that_shapes_and_counts_follow_the_layers() -> None:
    layers = [
        {"kind": "conv2d", "filters": 32},
        {"kind": "activation"},
        {"kind": "max_pool2d"},
        {"kind": "flatten"},
        dense(),
    ]
    network = network_of(layers, PICTURE, 10)
    assert [node.shape for node in network.nodes] == [(28, 28, 32), (28, 28, 32), (14, 14, 32), (6272,), (10,)]
    assert [node.parameter_count() for node in network.nodes] == [320, 0, 0, 0, 62730]
    assert network.parameter_count() == 63050
    assert network.nodes[0].multiply_adds() == 28 * 28 * 32 * 9
    assert network.multiply_adds() == 28 * 28 * 32 * 9 + 62720
    assert network.node("pool_1").inputs == ("relu_1",)


def test_that_width_multiplies_all_but_the_output() -> None:
    layers = [{"kind": "conv2d", "filters": 32}, {"kind": "flatten"}, dense(100), dense(10)]
    assert _sizes(network_of(layers, PICTURE, 10, width=0.5)) == [16, 50, 10]
    assert _sizes(network_of(layers, PICTURE, 10, width=2)) == [64, 200, 10]
    assert _sizes(network_of(layers, PICTURE, 10, width=0.001)) == [1, 1, 10]


def test_that_the_output_is_found_behind_layers_without_units() -> None:
    layers = [dense(8, name="a"), dense(4, name="b"), {"kind": "activation", "function": "tanh"}, {"kind": "dropout"}]
    assert _sizes(_inspect(layers, (5,), 4, width=3)) == [24, 4]


def test_that_all_layers_that_make_up_the_output_keep_their_size() -> None:
    layers = [
        dense(8, name="body"),
        dense(4, name="left"),
        dense(6, name="right", inputs=["body"]),
        {"kind": "concatenate", "inputs": ["left", "right"]},
    ]
    assert _sizes(_inspect(layers, (5,), 10, width=2)) == [16, 4, 6]


def test_that_classes_are_counted_wherever_they_are_asked_for() -> None:
    layers = [dense("classes", name="inner"), dense("classes")]
    assert _sizes(network_of(layers, (5,), 7, width=4)) == [7, 7]


def test_that_disabled_layers_are_stepped_over() -> None:
    layers = [
        dense(8, name="a"),
        {"kind": "batch_norm", "name": "n", "enabled": False},
        {"kind": "activation", "name": "r", "enabled": False},
        dense(name="end"),
    ]
    network = network_of(layers, (5,))
    assert [node.name for node in network.nodes] == ["a", "end"]
    assert network.node("end").inputs == ("a",)
    assert network.node("end").index == 3


def test_that_a_disabled_layer_stands_aside_where_it_is_named() -> None:
    layers = [
        dense(5, name="a"),
        {"kind": "dropout", "name": "d", "enabled": False},
        {"kind": "add", "inputs": ["d", "input"], "name": "sum"},
        dense(),
    ]
    assert network_of(layers, (5,)).node("sum").inputs == ("a", "input")


def test_that_a_disabled_first_layer_gives_the_input() -> None:
    assert network_of([dense(9, enabled=False), dense(name="end")], (5,)).node("end").inputs == ("input",)


def test_that_dropout_stands_before_each_dense_layer_but_the_first() -> None:
    layers = [dense(8, name="a"), {"kind": "activation"}, dense(8, name="b"), dense(name="c")]
    network = _inspect(layers, (5,), dropout=0.25)
    names = [node.name for node in network.nodes]
    assert names == ["a", "relu_1", "dropout_before_b", "b", "dropout_before_c", "c"]
    assert {node.layer.rate for node in network.nodes if node.layer.kind == "dropout"} == {0.25}
    assert [node.index for node in network.nodes] == [0, 1, None, 2, None, 3]
    assert network.node("b").inputs == ("dropout_before_b",)


def test_that_dropout_stands_before_the_first_dense_layer_after_convolutions() -> None:
    layers = [{"kind": "conv2d"}, {"kind": "flatten"}, dense(name="a")]
    assert [node.name for node in _inspect(layers, PICTURE, dropout=0.5).nodes][-2:] == ["dropout_before_a", "a"]


def test_that_no_dropout_means_no_layers_put_in() -> None:
    assert len(_inspect([dense(8), dense()], (5,)).nodes) == 2


def test_that_dropout_names_never_collide() -> None:
    long = "n" * 60
    layers = [dense(8), dense(8, name=f"{long}aaaa"), dense(8, name=f"{long}bbbb"), dense(name="end"),
              {"kind": "dropout", "name": "dropout_before_end"}]  # fmt: skip
    names = [node.name for node in _inspect(layers, (5,), dropout=0.5).nodes]
    assert len(set(names)) == len(names) == 8


@pytest.mark.parametrize(
    ("layers", "shape", "errors"),
    [
        (
            [{"kind": "conv2d", "name": "c", "kernel": 5, "padding": "valid"}, {"kind": "flatten"}, dense()],
            (3, 3, 1),
            {"c": "kernel 5×5 does not fit 3×3"},
        ),
        (
            [dense(name="a")],
            PICTURE,
            {"a": "the network ends with 28 × 28 × 10 values: dense reads each pixel by itself; put flatten or "
                  "global_average_pool2d before 'a'"},
        ),
        (
            [dense(8, name="a"), {"kind": "activation", "name": "f"}, dense(name="b")],
            (20, 3),
            {"b": "the network ends with 20 × 10 values: dense reads each step by itself; put flatten or "
                  "global_average_pool1d before 'a'"},
        ),
        (
            [{"kind": "gru", "name": "g", "units": 4, "sequences": True}],
            (20, 3),
            {"g": "the network ends with 20 × 4 values; add flatten or global_average_pool1d and a dense layer"},
        ),
        (
            [dense(4, name="a"), dense(5, name="b", inputs=["input"]),
             {"kind": "add", "name": "s", "inputs": ["a", "b"]}, dense()],
            (3,),
            {"s": "adds outputs of one shape, not 4 and 5"},
        ),
        (
            [{"kind": "conv2d", "name": "a"}, {"kind": "max_pool2d", "name": "p"},
             {"kind": "concatenate", "name": "c", "inputs": ["a", "p"]}, {"kind": "flatten"}, dense()],
            (4, 4, 1),
            {"c": "joins outputs that differ in their last number only, not 4 × 4 × 32 and 2 × 2 × 32"},
        ),
        (
            [dense(4, name="a"), {"kind": "add", "name": "s"}, dense()],
            (3,),
            {"s": "reads at least 2 inputs, not 1: name them in `inputs`"},
        ),
        ([dense(4, name="a"), dense(name="b", inputs=["a", "input"])], (3,), {"b": "reads 1 input, not 2"}),
        (
            [dense(4, name="a"), dense(name="b", inputs=["input"])],
            (3,),
            {"a": "nothing reads its output; remove it or name it in `inputs`"},
        ),
        (
            [dense(4, name="a")],
            (3,),
            {"a": 'the network ends with 4 outputs where 10 are needed; units = "classes" fits any data'},
        ),
        (
            [{"kind": "conv2d", "name": "c", "filters": 2}],
            (4, 4, 1),
            {"c": "the network ends with 4 × 4 × 2 values; add flatten or global_average_pool2d and a dense layer"},
        ),
        (
            [{"kind": "conv2d", "name": "c", "filters": 65536}, {"kind": "flatten"}, dense()],
            (1000, 1000, 1),
            {"c": "an output of 65,536,000,000 values for each example is too large"},
        ),
    ],
)  # fmt: skip
def test_that_what_does_not_fit_is_told_once_at_the_layer_that_causes_it(
    layers: list[dict[str, Any]], shape: tuple[int, ...], errors: dict[str, str]
) -> None:
    assert _errors(layers, shape) == errors


def test_that_building_names_all_layers_that_do_not_fit() -> None:
    layers = [
        {"kind": "conv2d", "name": "c", "kernel": 5, "padding": "valid", "inputs": ["input"]},
        dense(3, name="d", inputs=["input"]),
        {"kind": "flatten", "name": "f", "inputs": ["input"]},
        dense(4, name="end"),
    ]
    with pytest.raises(RecipeError) as caught:
        network_of(layers, (3, 3, 1), 10)
    places = [problem.where for problem in caught.value.problems]
    assert places == ["network.layers[0] (c)", "network.layers[1] (d)", "network.layers[3] (end)"]


@pytest.mark.parametrize("layers", [[], [dense(enabled=False)]])
def test_that_a_network_without_layers_says_so(layers: list[dict[str, Any]]) -> None:
    with pytest.raises(RecipeError, match="the network has no layers"):
        build_network(NetworkRecipe.model_validate({"layers": layers}), (3,), 2)


@settings(deadline=None, max_examples=50)
@given(network=networks())
def test_that_generated_networks_hold_together(network: Network) -> None:
    assert not network.problems()
    assert network.nodes[-1].shape == (network.outputs,)
    seen = {"input": network.input_shape}
    for node in network.nodes:
        assert node.input_shapes == tuple(seen[name] for name in node.inputs)
        seen[node.name] = node.shape
