"""What is allowed in a network and seldom meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.small_runs import finished, table_recipe, train, write_numbers, write_table

from workbench.events import EpochDone
from workbench.recipe.recipe import Recipe
from workbench.session.prepare import prepare
from workbench.store.run_folder import RunFolder

DENSE = {"kind": "dense", "units": 4, "name": "hidden"}
END = {"kind": "dense", "units": "classes", "name": "end"}


def _recipe(folder: Path, *layers: Any, **training: Any) -> Recipe:
    made = table_recipe(write_table(folder), epochs=2, **training)
    return made.replace("network.layers", list(layers))


def _told(recipe: Recipe) -> list[str]:
    return [text for text in prepare(recipe, device="cpu", threads=1).notices if "network" in text]


def test_that_an_activation_of_the_last_scores_is_told_of(tmp_path: Path) -> None:
    bent = _recipe(tmp_path, DENSE, END, {"kind": "activation", "function": "sigmoid", "name": "bend"})
    assert _told(bent) == [
        "bend bends the network's last scores, and cross_entropy makes probabilities of them by itself:"
        " without it the network learns better."
    ]
    assert not _told(bent.replace("network.layers.bend.function", "linear"))
    assert not _told(bent.replace("network.layers.bend.enabled", False))


def test_that_a_regression_may_end_with_an_activation(tmp_path: Path) -> None:
    layers = [DENSE, END, {"kind": "activation", "function": "softplus"}]
    tree = {
        "data": {"sources": [{"path": str(write_numbers(tmp_path))}], "task": "regression", "target": "price"},
        "network": {"layers": layers},
        "training": {"loss": "mean_squared_error"},
    }
    assert not _told(Recipe.parse(tree))


@pytest.mark.parametrize("threads", [1, 2])
def test_that_a_network_whose_layers_are_all_frozen_is_told_of_and_stays_as_it_is(tmp_path: Path, threads: int) -> None:
    recipe = _recipe(tmp_path, {**DENSE, "frozen": True}, {"kind": "activation"}, {**END, "frozen": True}, l2=0.1)
    assert _told(recipe) == ["Nothing in this network learns: every layer that has weights is frozen."]
    assert not _told(recipe.replace("training.epochs", 0))
    assert not _told(recipe.replace("network.layers.end.frozen", False))
    with RunFolder.create(tmp_path / "run", recipe) as run:
        training, events = train(prepare(recipe, device="cpu", threads=threads), run)
        before = training.parameters.export()
        assert len([event for event in events if isinstance(event, EpochDone)]) == 3
    for name, array in training.parameters.export().items():
        np.testing.assert_array_equal(array, before[name])


def test_that_a_network_without_weights_is_told_of_and_measured(tmp_path: Path) -> None:
    layers = [{"kind": "reshape", "shape": [2, 1]}, {"kind": "zero_padding1d", "padding": [0, 1]}, "flatten"]
    recipe = _recipe(tmp_path, *layers)
    assert _told(recipe) == ["Nothing in this network learns: no layer has weights."]
    finished(recipe, tmp_path / "run")
    with RunFolder.open(tmp_path / "run") as run:
        epochs = [event for event in run.events() if isinstance(event, EpochDone)]
    assert len({event.dev_loss for event in epochs}) == 1
    assert np.isfinite(epochs[0].dev_loss)
