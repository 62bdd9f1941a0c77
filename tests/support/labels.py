"""Data with several labels an example."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from workbench.recipe.recipe import Recipe

NAMES = ("low", "high", "odd")


def labeled_table(rows: int = 300, seed: int = 0, unknown: float = 0.0) -> tuple[Any, Any]:
    """Two features in ``(N, 2)``, and labels ``(N, 3)`` of which the third is rare; NaN where unknown."""
    numbers = np.random.default_rng(seed)
    features = numbers.normal(size=(rows, 2))
    scores = features @ np.array([[2.0, -1.0, 1.0], [0.5, 2.0, -1.0]]) + [0.0, 0.3, -2.6]
    labels = (scores + numbers.logistic(scale=0.3, size=scores.shape) > 0).astype(float)
    labels[numbers.random(labels.shape) < unknown] = np.nan
    return features, labels


def labels_recipe(path: Path, **training: Any) -> Recipe:
    """A recipe for ``labels_csv``; keywords go into its training section."""
    return Recipe.parse(
        {
            "name": "labels",
            "data": {"sources": [{"path": str(path)}], "task": "multilabel", "targets": list(NAMES)},
            "network": {
                "layers": [{"kind": "dense", "units": 12}, "activation", {"kind": "dense", "units": "classes"}]
            },
            "training": {"loss": "sigmoid_cross_entropy", "epochs": 6, "batch_size": 32, **training},
        }
    )


def labels_csv(path: Path, rows: int = 300, seed: int = 0, unknown: float = 0.0) -> Path:
    """The same as a table with a column for each feature and label; unknown labels are empty."""
    features, labels = labeled_table(rows, seed, unknown)
    lines = [",".join(("a", "b", *NAMES))]
    for row, truth in zip(features.tolist(), labels.tolist(), strict=True):
        cells = ["" if np.isnan(label) else str(int(label)) for label in truth]
        lines.append(",".join([*(f"{value:.6f}" for value in row), *cells]))
    path.write_text("\n".join(lines) + "\n")
    return path
