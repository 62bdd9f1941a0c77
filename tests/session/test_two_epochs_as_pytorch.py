"""Two epochs of a whole run give the weights that the exported model gets in PyTorch from the exported initial weights.

The files of a run are all that PyTorch is given: the initial weights as safetensors, the source of the module, and
the data as they lie on disk.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.exports import module_of
from support.finished_runs import finished_run, source_of
from support.labels import NAMES, labels_csv
from support.layer_rig import assert_close
from support.small_runs import write_pictures, write_table
from support.torch_twin import torch_optimizer

from workbench.export.formats.base import exporter
from workbench.recipe.kinds import OptimizerSpec
from workbench.recipe.recipe import Recipe
from workbench.recipe.tasks import TASKS

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.oracle

DENSE = [
    {"kind": "dense", "units": 16},
    "activation",
    {"kind": "dense", "units": 8},
    {"kind": "activation", "function": "tanh"},
    {"kind": "dense", "units": "classes"},
]
# No bias before a batch norm: its gradient is 0 but for rounding, which Adam would blow up to whole steps.
CNN = [
    {"kind": "conv2d", "filters": 4, "bias": False},
    "batch_norm",
    "activation",
    "max_pool2d",
    {"kind": "conv2d", "filters": 6, "bias": False},
    "batch_norm",
    "activation",
    "flatten",
    {"kind": "dense", "units": "classes"},
]
BATCH = 32


def _dense(folder: Path) -> tuple[Path, Any, Any]:
    path = write_table(folder, rows=150)  # the last batch has 22 rows
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    x = np.array([[float(row["left"]), float(row["right"])] for row in rows], np.float32)
    return path, x, np.array(["abc".index(row["kind"]) for row in rows])


def _cnn(folder: Path) -> tuple[Path, Any, Any]:
    path = write_pictures(folder, rows=110)  # the last batch has 14 rows
    with np.load(path) as file:
        return path, file["x"][:, None].astype(np.float32), file["y"]


def _labels(folder: Path) -> tuple[Path, Any, Any]:
    path = labels_csv(folder / "labels.csv", rows=150, unknown=0.2)
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    labels = np.array([[float(row[name] or "nan") for name in NAMES] for row in rows], np.float32)
    x = np.array([[float(row["a"]), float(row["b"])] for row in rows], np.float32)
    # Of what nothing is known nothing is learned.
    known = np.isfinite(labels).any(axis=1)
    return path, x[known], labels[known]


CASES = {"dense": (_dense, DENSE), "cnn": (_cnn, CNN), "labels": (_labels, DENSE)}
FIELDS: dict[str, dict[str, Any]] = {
    "dense": {"target": "kind"},
    "cnn": {},
    "labels": {"task": "multilabel", "targets": list(NAMES)},
}


def _loss(logits: Any, targets: Any) -> Any:
    """Cross-entropy, of labels that of those that are known."""
    if targets.ndim == 1:
        return torch.nn.functional.cross_entropy(logits, targets)
    known = torch.isfinite(targets)
    each = torch.nn.functional.binary_cross_entropy_with_logits(
        logits, torch.nan_to_num(targets), weight=known.float(), reduction="none"
    )
    return (each.sum(dim=1) / known.sum(dim=1)).mean()


def _recipe(name: str, path: Path, layers: list[Any], training: dict[str, Any]) -> Recipe:
    """All examples in the order of the file: nothing is shuffled, nothing is held back."""
    fields = FIELDS[name]
    split = {"train": 1.0, "dev": 0.0, "test": 0.0}
    return Recipe.parse(
        {
            "data": {"sources": [{"path": str(path)}], "split": split, **fields},
            "network": {"layers": layers},
            "training": {
                "loss": TASKS[fields.get("task", "classification")].loss,
                "shuffle": False,
                "batch_size": BATCH,
                "seed": 5,
                **training,
            },
        }
    )


def _exported(folder: Path, kind: str) -> bytes:
    with source_of(folder) as source:
        return exporter(kind).export(source).data


def _weights(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load

    return load(_exported(folder, "safetensors"))


def _trained_in_torch(start: Path, recipe: Recipe, x: Any, y: Any) -> dict[str, Any]:
    model = module_of(_exported(start, "pytorch").decode())["Model"]()
    model.load_state_dict(_weights(start), strict=True)
    model.train()
    optimizer = torch_optimizer(model, recipe.training.optimizer, recipe.training.l2)
    inputs, targets = torch.from_numpy(x), torch.from_numpy(y)
    for first in [*range(0, len(x), BATCH)] * 2:
        optimizer.zero_grad()
        logits = model(inputs[first : first + BATCH])
        _loss(logits, targets[first : first + BATCH]).backward()
        optimizer.step()
    return {name: t.detach() for name, t in model.state_dict().items() if "num_batches" not in name}


def _assert_same(name: str, training: dict[str, Any], tmp_path: Path) -> None:
    make, layers = CASES[name]
    path, x, y = make(tmp_path)
    recipe = _recipe(name, path, layers, training)
    start = finished_run(recipe.replace("training.epochs", 0), tmp_path / "start")
    ours = _weights(finished_run(recipe.replace("training.epochs", 2), tmp_path / "run"))
    theirs, before = _trained_in_torch(start, recipe, x, y), _weights(start)
    assert set(ours) == set(theirs)
    for key, tensor in theirs.items():
        assert_close(ours[key], tensor, 1e-4, key)
    # Equal because both learned, not because both stood still.
    moved = {key for key in ours if float((ours[key] - before[key]).abs().max()) > 1e-4}
    assert moved == {key for key in ours if not key.startswith("normalize.")}


@pytest.mark.parametrize("name", sorted(CASES))
@pytest.mark.parametrize("optimizer", sorted(OptimizerSpec.kinds()))
def test_that_a_run_of_two_epochs_ends_where_pytorch_does(name: str, optimizer: str, tmp_path: Path) -> None:
    _assert_same(name, {"optimizer": optimizer}, tmp_path)


@pytest.mark.parametrize("name", sorted(CASES))
@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "rmsprop", "momentum": 0.5},
        {"kind": "rmsprop", "centered": True, "epsilon": 1e-2},
        {"kind": "rmsprop", "centered": True, "momentum": 0.5, "epsilon": 1e-2},
        {"kind": "adam", "amsgrad": True, "beta2": 0.9},
        {"kind": "adamw", "amsgrad": True, "beta2": 0.9},
    ],
)
def test_that_what_an_optimizer_can_do_besides_ends_where_pytorch_does(
    name: str, fields: dict[str, Any], tmp_path: Path
) -> None:
    _assert_same(name, {"optimizer": fields}, tmp_path)


@pytest.mark.parametrize("name", sorted(CASES))
def test_that_a_run_with_l2_ends_where_pytorch_does(name: str, tmp_path: Path) -> None:
    _assert_same(name, {"optimizer": "momentum", "l2": 0.03}, tmp_path)


def test_that_all_nine_optimizers_are_compared() -> None:
    assert set(OptimizerSpec.kinds()) == {
        "adagrad", "adam", "adamw", "lion", "momentum", "nadam", "nesterov", "rmsprop", "sgd",
    }  # fmt: skip
