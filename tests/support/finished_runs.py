"""Runs trained to their end with everything that a finished run holds, and names that try to break out."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from support.labels import labels_csv, labels_recipe
from support.small_runs import SPLIT, picture_recipe, table_recipe, write_numbers, write_pictures, write_table

from workbench.events import RunEnded
from workbench.export.source import ExportSource
from workbench.recipe.recipe import Recipe
from workbench.session.runner import RunRequest, run_request
from workbench.store.run_folder import RunFolder
from workbench.training.control import Control

HOSTILE = (
    "<script>alert(1)</script>",
    "javascript:alert(1)",
    "\u202egnp.exe",
    '#read("/etc/passwd")',
    "\"quotes' & $x$ *b* _i_ `r` @ref <lbl>",
    "=cmd()|x",
    "</svg></pre></style><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }} {% raw %}",
    "y" * 230,
)
"""Class names that mean something to HTML, Jinja, Typst, spreadsheets or a text's direction."""

HOSTILE_COLUMNS = ("<b>size</b>", '#eval("1")', "\u2066isolate", "kind")


def finished_run(recipe: Recipe, folder: Path) -> Path:
    """Train a recipe to the end; returns the run folder."""
    *_, ended = run_request(RunRequest("run", folder, recipe, "cpu", 1), Control())
    assert isinstance(ended, RunEnded)
    assert ended.reason in ("finished", "early_stopping"), ended.message
    return folder


def regression_recipe(path: Path, **training: Any) -> Recipe:
    """A recipe for ``write_numbers``."""
    return Recipe.parse(
        {
            "name": "prices",
            "data": {"sources": [{"path": str(path)}], "target": "price", "task": "regression", "split": SPLIT,
                     "normalize_target": "standard"},
            "network": {"layers": [{"kind": "dense", "units": 8}, "activation", {"kind": "dense", "units": 1}]},
            "training": {"loss": "mean_squared_error", "epochs": 6, "batch_size": 16, **training},
        }
    )  # fmt: skip


def write_hostile(folder: Path, rows: int = 360) -> tuple[Path, Path]:
    """Two tables, one for each distribution, whose names mean something to whoever shows them unescaped."""
    random = np.random.default_rng(8)
    paths = []
    for name in ("a <i>table<i>.csv", 'b"; drop.csv'):
        kind = random.integers(0, len(HOSTILE), rows)
        x = random.normal(size=(rows, 2)) + kind[:, None] / 2
        with open(folder / name, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(HOSTILE_COLUMNS)
            writer.writerows(
                [*(f"{v:.3f}" for v in pair), HOSTILE[k % 4], HOSTILE[k]] for pair, k in zip(x, kind, strict=True)
            )
        paths.append(folder / name)
    return paths[0], paths[1]


def hostile_recipe(folder: Path) -> Recipe:
    """A recipe for ``write_hostile``, with a hostile name of its own."""
    first, second = write_hostile(folder)
    sources = [{"path": str(first), "distribution": "<u>shop</u>"}, {"path": str(second), "distribution": "#phone"}]
    return Recipe.parse(
        {
            "name": "<h1>#strong[x]</h1>\u202e",
            "data": {"sources": sources, "target": "kind", "split": SPLIT,
                     "weights": {"attributes": {"<b>size</b>": 0.5}}},
            "network": {"layers": [{"kind": "dense", "units": 8}, "activation", {"kind": "dense", "units": "classes"}]},
            "training": {"epochs": 3},
            "goals": {"human_error": 0.1, "human_examples": 200, "bayes_error": 0.05},
        }
    )  # fmt: skip


def many_classes_recipe(folder: Path, classes: int, rows: int) -> Recipe:
    """A table with more classes than can be told apart."""
    random = np.random.default_rng(9)
    kind = np.arange(rows) % classes
    x = kind[:, None] / classes + random.normal(0, 0.2, (rows, 2))
    lines = ["a,b,kind", *(f"{a:.3f},{b:.3f},class {k}" for (a, b), k in zip(x, kind, strict=True))]
    path = folder / "many.csv"
    path.write_text("\n".join(lines) + "\n")
    return table_recipe(path, epochs=2)


def all_runs(folder: Path) -> dict[str, Path]:
    """A finished run of each shape: a table of classes, pictures, a regression, labels; made once for many tests."""
    table = table_recipe(write_table(folder), schedule={"kind": "exponential", "decay_rate": 1.2}, epochs=5)
    recipes = {
        "table": table.replace({"goals.human_error": 0.05, "goals.bayes_error": 0.02, "name": "angles"}),
        "pictures": picture_recipe(write_pictures(folder), early_stopping={"patience": 5}),
        "regression": regression_recipe(write_numbers(folder)),
        "labels": labels_recipe(labels_csv(folder / "labels.csv", unknown=0.1)),
    }
    return {name: finished_run(recipe, folder / name) for name, recipe in recipes.items()}


@contextmanager
def source_of(folder: Path, which: str = "kept", date: str = "2026-01-31") -> Iterator[ExportSource]:
    """What exporters read of a run folder."""
    with RunFolder.open(folder) as run:
        yield ExportSource(run, which, date)
