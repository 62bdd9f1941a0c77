"""Embeddings in whole runs: what keeps them from the numbers of the data is told; what they learn is exported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.finished_runs import finished_run

from workbench.errors import RecipeError
from workbench.evaluation.predictor import Model, Predictor
from workbench.export.formats.onnx import checked_onnx
from workbench.export.onnx_graph import export_onnx
from workbench.recipe.recipe import Recipe
from workbench.session.prepare import prepare

EMBED = {"kind": "embedding", "vocabulary": 10, "dimension": 4, "name": "embed"}
END = [{"kind": "flatten"}, {"kind": "dense", "units": "classes"}]


@pytest.fixture
def words(tmp_path: Path) -> Path:
    """Three numbers of ten; which of two classes it is depends on the first one in a way that no line tells."""
    numbers = np.random.default_rng(3).integers(0, 10, (240, 3))
    kinds = np.isin(numbers[:, 0], [1, 4, 5, 8])
    path = tmp_path / "words.csv"
    rows = [f"{a},{b},{c},{'yes' if kind else 'no'}" for (a, b, c), kind in zip(numbers, kinds, strict=True)]
    path.write_text("\n".join(["a,b,c,kind", *rows]) + "\n")
    return path


def _recipe(path: Path, layers: list[dict[str, Any]], **data: Any) -> Recipe:
    return Recipe.parse(
        {
            "data": {
                "sources": [{"path": str(path)}], "target": "kind", "normalize": "none",
                "split": {"train": 0.6, "dev": 0.2, "test": 0.2}, **data,
            },
            "network": {"layers": layers},
            "training": {"epochs": 40, "batch_size": 16, "optimizer": {"kind": "adam", "learning_rate": 0.02}},
        }
    )  # fmt: skip


@pytest.mark.parametrize("normalize", ["standard", "minmax"])
def test_that_numbers_to_look_up_may_not_be_normalized(words: Path, normalize: str) -> None:
    with pytest.raises(RecipeError) as caught:
        prepare(_recipe(words, [EMBED, *END], normalize=normalize), device="cpu")
    (problem,) = caught.value.problems
    assert problem.where == "network.layers[0] (embed)"
    assert f'data.normalize = "{normalize}" makes other numbers of them; set it to "none"' in problem.what


def test_that_numbers_to_look_up_may_not_be_strengthened(words: Path) -> None:
    weights = {"attributes": {"a": 1.0, "b": 0.5}}
    with pytest.raises(RecipeError, match=r"data\.weights\.attributes, 'b', makes other numbers of them; set it to 1"):
        prepare(_recipe(words, [EMBED, *END], weights=weights), device="cpu")
    assert prepare(_recipe(words, [EMBED, *END], weights={"attributes": {"b": 0.0}}), device="cpu").network


def test_that_nothing_before_a_lookup_may_have_to_learn(words: Path) -> None:
    layers = [{"kind": "dense", "units": 3, "name": "first"}, {"kind": "activation"}, EMBED, *END]
    with pytest.raises(RecipeError, match="so first before it cannot learn; let it read the network's input"):
        prepare(_recipe(words, layers), device="cpu")
    # What only sorts the numbers may stand before it.
    reshaped = [{"kind": "reshape", "shape": [3, 1]}, {"kind": "reshape", "shape": [3]}, EMBED, *END]
    assert prepare(_recipe(words, reshaped), device="cpu").network


def test_that_all_that_does_not_fit_is_told_at_once(words: Path) -> None:
    layers = [EMBED, {"kind": "conv2d", "filters": 5, "name": "wide"}, *END]
    with pytest.raises(RecipeError) as caught:
        prepare(_recipe(words, layers, normalize="standard"), device="cpu")
    assert [problem.where for problem in caught.value.problems] == [
        "network.layers[0] (embed)",
        "network.layers[1] (wide)",
    ]


def test_that_a_run_learns_from_numbers_and_its_model_leaves_as_onnx(words: Path, tmp_path: Path) -> None:
    finished_run(_recipe(words, [EMBED, *END]), tmp_path / "run")
    model = Model.open(tmp_path / "run")
    inputs = np.random.default_rng(9).integers(0, 10, (200, 3)).astype(np.float32)
    with Predictor(model) as predictor:
        says = predictor.predict(inputs).argmax(axis=1)
    expected = np.isin(inputs[:, 0], [1, 4, 5, 8])
    assert (says == [model.encoder.classes.index("yes" if kind else "no") for kind in expected]).mean() > 0.9
    data = export_onnx(model.network, model.tensors, model.encoder, model.loss, {})
    assert "gives the same for" in checked_onnx(data, model)
