"""Edits of the list of layers: whatever is done, the chain stays closed and the recipe valid."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.engine.network import inspect_network
from workbench.gui.network import edits
from workbench.gui.network.blocks import BLOCKS, PRESETS, Place, by_key, fits
from workbench.gui.network.edits import Layers
from workbench.recipe.kinds import LayerSpec
from workbench.recipe.network import INPUT, NetworkRecipe


def _layers(*trees: dict[str, Any]) -> Layers:
    return NetworkRecipe.model_validate({"layers": list(trees)}).layers


def _relu(name: str = "", **fields: Any) -> dict[str, Any]:
    return {"kind": "activation", "name": name, **fields}


def _reads(layers: Layers) -> dict[str, tuple[str, ...]]:
    return {layer.name: edits.inputs_of(layers, place) for place, layer in enumerate(layers)}


_CHAIN = _layers(_relu("a"), _relu("b"), _relu("c"), _relu("d"))
_RESIDUAL = _layers(
    _relu("x"), _relu("p"), _relu("q"), {"kind": "add", "name": "sum", "inputs": ["q", "x"]}, _relu("y")
)


def test_that_a_removed_layer_leaves_no_gap() -> None:
    assert _reads(edits.remove(_CHAIN, [1])) == {"a": (INPUT,), "c": ("a",), "d": ("c",)}
    assert _reads(edits.remove(_CHAIN, [0, 1])) == {"c": (INPUT,), "d": ("c",)}
    assert edits.remove(_CHAIN, [1])[1].inputs == (), "what reads the layer before it need not name it"


def test_that_what_named_a_removed_layer_reads_what_that_one_had_read() -> None:
    without = edits.remove(_RESIDUAL, [2])
    assert _reads(without)["sum"] == ("p", "x")
    assert _reads(edits.remove(_RESIDUAL, [0]))["sum"] == ("q", INPUT)


def test_that_a_joining_layer_whose_branches_are_gone_reads_one_thing_once() -> None:
    assert _reads(edits.remove(_RESIDUAL, [1, 2]))["sum"] == ("x",)


def test_that_after_a_removed_joining_layer_the_chain_goes_on_with_its_first_branch() -> None:
    assert _reads(edits.remove(_RESIDUAL, [3]))["y"] == ("q",)


def test_that_the_layer_after_a_removed_one_keeps_reading_from_afar() -> None:
    layers = _layers(_relu("a"), _relu("b"), _relu("c", inputs=["a"]), _relu("d"))
    assert _reads(edits.remove(layers, [2]))["d"] == ("a",)


def test_that_new_layers_stand_between_their_neighbors() -> None:
    layers = edits.insert(_CHAIN, 1, [LayerSpec.model_validate(_relu()), LayerSpec.model_validate(_relu())])
    assert [layer.name for layer in layers] == ["a", "relu_1", "relu_2", "b", "c", "d"]
    assert _reads(layers)["b"] == ("relu_2",)


def test_that_a_layer_put_before_a_joining_one_is_joined_in() -> None:
    layers = edits.insert(_RESIDUAL, 3, [LayerSpec.model_validate(_relu("new"))])
    assert _reads(layers)["sum"] == ("new", "x")


def test_that_a_copy_follows_its_layer_under_a_name_of_its_own() -> None:
    layers = edits.duplicate(_CHAIN, 1)
    assert [layer.name for layer in layers] == ["a", "b", "relu_1", "c", "d"]
    assert _reads(layers)["c"] == ("relu_1",)


def test_that_a_moved_layer_leaves_and_finds_closed_ranks() -> None:
    assert _reads(edits.move(_CHAIN, 0, 2)) == {"b": (INPUT,), "c": ("b",), "a": ("c",), "d": ("a",)}
    assert [layer.name for layer in edits.move(_CHAIN, 3, 0)] == ["d", "a", "b", "c"]
    assert edits.move(_CHAIN, 2, 2) == _CHAIN


def test_that_moving_within_a_branch_keeps_the_branch_joined() -> None:
    moved = edits.move(_RESIDUAL, 2, 1)
    assert _reads(moved)["sum"] == ("p", "x")
    assert _reads(moved)["p"] == ("q",)


def test_that_a_layer_named_from_afar_is_still_named_after_a_move() -> None:
    moved = edits.move(_RESIDUAL, 0, 1)
    assert _reads(moved)["sum"] == ("q", "x")


def test_that_a_new_name_is_taken_over_by_those_who_use_it() -> None:
    assert _reads(edits.rename(_RESIDUAL, 0, "start"))["sum"] == ("q", "start")


@st.composite
def _graphs(draw: st.DrawFn) -> Layers:
    trees: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 8))):
        before = [INPUT, *(tree["name"] for tree in trees)]
        name = f"n{number}"
        if len(before) > 1 and draw(st.booleans()):
            inputs = draw(st.lists(st.sampled_from(before), min_size=2, max_size=3, unique=True))
            trees.append({"kind": "add", "name": name, "inputs": inputs})
        else:
            inputs = draw(st.one_of(st.just([]), st.sampled_from(before).map(lambda one: [one])))
            trees.append(_relu(name, inputs=inputs, enabled=draw(st.booleans())))
    return _layers(*trees)


def _check(layers: Layers) -> None:
    recipe = NetworkRecipe.model_validate({"layers": [layer.model_dump(mode="json") for layer in layers]})
    inspect_network(recipe, (4,), 4)


@settings(deadline=None)
@given(_graphs(), st.data())
def test_that_removing_inserting_and_copying_never_break_a_graph(layers: Layers, data: st.DataObject) -> None:
    _check(edits.remove(layers, data.draw(st.sets(st.integers(0, len(layers) - 1)))))
    place = data.draw(st.integers(0, len(layers) - 1))
    _check(edits.duplicate(layers, place))
    new = [LayerSpec.model_validate(_relu()) for _ in range(data.draw(st.integers(1, 3)))]
    _check(edits.insert(layers, place, new))
    _check(edits.rename(layers, place, "other"))


@settings(deadline=None)
@given(_graphs(), st.data())
def test_that_a_moved_layer_stands_where_it_was_moved_to(layers: Layers, data: st.DataObject) -> None:
    start, to = (data.draw(st.integers(0, len(layers) - 1)) for _ in range(2))
    moved = edits.move(layers, start, to)
    assert moved[to].name == layers[start].name
    assert sorted(layer.name for layer in moved) == sorted(layer.name for layer in layers)


@settings(deadline=None)
@given(st.integers(1, 8), st.data())
def test_that_a_plain_chain_stays_one_under_any_edit(length: int, data: st.DataObject) -> None:
    layers = _layers(*[_relu(f"n{number}") for number in range(length)])
    start, to = (data.draw(st.integers(0, length - 1)) for _ in range(2))
    for result in (
        edits.move(layers, start, to),
        edits.remove(layers, [start]),
        edits.duplicate(layers, start),
        edits.insert(layers, to, [LayerSpec.model_validate(_relu())]),
    ):
        assert all(layer.inputs == () for layer in result)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.key)
@pytest.mark.parametrize("shape", [(30,), (28, 28, 1), (8, 8, 1), (32, 32, 3), (224, 224, 3), (3, 3, 1), (1, 1, 1),
                                   (20, 3), (1, 1)])  # fmt: skip
def test_that_every_preset_fits_every_kind_of_data_that_it_is_offered_for(preset: Any, shape: tuple[int, ...]) -> None:
    if not fits(preset.ranks, shape):
        return
    layers = edits.named_apart(preset.layers(shape), set())
    recipe = NetworkRecipe.model_validate({"layers": [layer.model_dump(mode="json") for layer in layers]})
    network = inspect_network(recipe, shape, 10)
    assert network.problems() == []
    assert all("@" not in layer.name for layer in recipe.layers)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.key)
@pytest.mark.parametrize("shape", [(16,), (7,), (14, 14, 8), (9, 6), (5, 1)])
def test_that_every_block_fits_where_it_is_offered(block: Any, shape: tuple[int, ...]) -> None:
    if not fits(block.ranks, shape):
        return
    start = _layers(_relu("x"), _relu("y"))
    layers = edits.insert(start, 1, block.layers(Place("x", shape)))
    recipe = NetworkRecipe.model_validate({"layers": [layer.model_dump(mode="json") for layer in layers]})
    wrong = [node.error for node in inspect_network(recipe, shape, 0).nodes[:-1] if node.error]
    assert wrong == []


@pytest.mark.parametrize("shape", [(9, 4), (8, 8, 4)])
def test_that_convolutions_of_blocks_go_along_the_axes_of_the_data(shape: tuple[int, ...]) -> None:
    kinds = {key: [layer.kind for layer in by_key(BLOCKS, key).layers(Place("input", shape))] for key in (
        "conv", "conv-norm", "conv-norm-pool", "residual")}  # fmt: skip
    conv, pool = f"conv{len(shape) - 1}d", f"max_pool{len(shape) - 1}d"
    normed = [conv, "batch_norm", "activation"]
    assert kinds == {
        "conv": [conv, "activation"],
        "conv-norm": normed,
        "conv-norm-pool": [*normed, pool],
        "residual": [*normed, conv, "batch_norm", "add", "activation"],
    }


@pytest.mark.parametrize("shape", [(6,), (9, 4), (8, 8, 4)])
def test_that_plain_layers_read_all_of_an_example(shape: tuple[int, ...]) -> None:
    layers = edits.insert((), 0, by_key(BLOCKS, "mlp").layers(Place("input", shape)))
    network = inspect_network(NetworkRecipe(layers=layers), shape, 64)
    assert network.problems() == []
    assert [layer.kind for layer in layers] == [*["flatten"] * (len(shape) > 1), *["dense", "activation"] * 2]


@pytest.mark.parametrize("shape", [(6,), (9, 4), (8, 8, 4)])
def test_that_a_residual_block_fits_whatever_it_is_put_behind(shape: tuple[int, ...]) -> None:
    layers = edits.insert((), 0, by_key(BLOCKS, "residual").layers(Place("input", shape)))
    network = inspect_network(NetworkRecipe(layers=layers), shape, 3)
    assert network.problems(but_the_end=True) == []
    assert network.nodes[-1].shape == shape


def test_that_two_residual_blocks_in_a_row_have_names_of_their_own() -> None:
    layers = _layers(_relu("x"))
    for _ in range(2):
        before = layers[-1].name
        layers = edits.insert(layers, len(layers), by_key(BLOCKS, "residual").layers(Place(before, (8, 8, 4))))
    _check(layers)
    adds = [layer for layer in layers if layer.kind == "add"]
    assert [layer.inputs for layer in adds] == [("norm_2", "x"), ("norm_4", "relu_2")]
