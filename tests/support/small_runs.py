"""Small data and recipes that train in a fraction of a second, for tests of whole runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from workbench.engine.device import one_blas_thread
from workbench.engine.shards import ShardPool
from workbench.events import Event
from workbench.recipe.recipe import Recipe
from workbench.session.prepare import Prepared, prepare
from workbench.store.run_folder import Checkpoint, RunFolder
from workbench.training.control import Control
from workbench.training.loop import Job, Training

SPLIT = {"train": 0.6, "dev": 0.2, "test": 0.2}


def write_table(folder: Path, rows: int = 240, name: str = "table.csv") -> Path:
    """A table of two measurements and three classes that a small network tells apart with some mistakes."""
    random = np.random.default_rng(3)
    x = random.normal(size=(rows, 2))
    angle = np.arctan2(x[:, 1], x[:, 0]) + random.normal(0, 0.3, rows)
    kind = np.digitize(angle, [-1.0, 1.0])
    lines = ["left,right,kind", *(f"{a:.4f},{b:.4f},{'abc'[k]}" for (a, b), k in zip(x, kind, strict=True))]
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


def write_numbers(folder: Path, rows: int = 200) -> Path:
    """A table whose target is a number."""
    random = np.random.default_rng(4)
    x = random.normal(size=(rows, 3))
    y = 40 + 7 * x[:, 0] - 3 * x[:, 1] ** 2 + random.normal(0, 0.5, rows)
    lines = [
        "a,b,c,price",
        *(",".join(f"{v:.4f}" for v in (*values, price)) for values, price in zip(x, y, strict=True)),
    ]
    path = folder / "numbers.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def write_pictures(folder: Path, rows: int = 120) -> Path:
    """Small pictures in three classes, as .npz: a bright spot in one of three places."""
    random = np.random.default_rng(5)
    y = random.integers(0, 3, rows)
    x = random.integers(0, 90, (rows, 8, 8), dtype=np.uint8)
    for picture, kind in zip(x, y, strict=True):
        picture[2 * kind : 2 * kind + 3, 2:5] += 90
    path = folder / "pictures.npz"
    np.savez(path, x=x, y=y)
    return path


def write_sequences(folder: Path, rows: int = 150, steps: int = 24, name: str = "waves.npz") -> Path:
    """Sequences of three features in three classes, as .npz: a wave of one of three speeds, and noise."""
    random = np.random.default_rng(6)
    y = random.integers(0, 3, rows)
    time, start = np.arange(steps) / steps, random.uniform(0, 2 * np.pi, (rows, 1))
    angle = 2 * np.pi * (1 + y[:, None]) * time + start
    x = np.stack([np.sin(angle), 40 + 9 * np.cos(angle), random.normal(size=angle.shape)], axis=2)
    np.savez(folder / name, x=x.astype(np.float32), y=y)
    return folder / name


def table_recipe(path: Path, **training: Any) -> Recipe:
    """A recipe for ``write_table``; keywords go into its training section."""
    return Recipe.parse(
        {
            "data": {"sources": [{"path": str(path)}], "target": "kind", "split": SPLIT},
            "network": {
                "layers": [{"kind": "dense", "units": 12}, "activation", {"kind": "dense", "units": "classes"}]
            },
            "training": {"epochs": 4, "batch_size": 32, **training},
        }
    )


def picture_recipe(path: Path, **training: Any) -> Recipe:
    """A recipe for ``write_pictures`` with a convolution, batch norm and dropout."""
    layers = [
        {"kind": "conv2d", "filters": 4},
        "batch_norm",
        "activation",
        "max_pool2d",
        "flatten",
        {"kind": "dropout", "rate": 0.3},
        {"kind": "dense", "units": "classes"},
    ]
    return Recipe.parse(
        {
            "data": {"sources": [{"path": str(path)}], "split": SPLIT},
            "network": {"layers": layers},
            "training": {"epochs": 3, "batch_size": 16, **training},
        }
    )


def train(
    prepared: Prepared, folder: RunFolder, control: Control | None = None, resume_from: Checkpoint | None = None
) -> tuple[Training, Iterator[Event]]:
    """A training and its events, which run it as they are read."""
    pool = ShardPool(prepared.threads)
    job = Job("test", prepared.recipe, prepared.dataset, prepared.network, prepared.backend, prepared.threads)
    training = Training(job, folder, control or Control(), pool)

    def events() -> Iterator[Event]:
        try:
            with one_blas_thread():
                yield from training.events(resume_from)
        finally:
            pool.close()

    return training, events()


def finished(recipe: Recipe, folder: Path) -> Training:
    """Train to the end."""
    prepared = prepare(recipe, device="cpu", threads=1)
    with RunFolder.create(folder, recipe) as run:
        training, events = train(prepared, run)
        for _ in events:
            pass
    return training
