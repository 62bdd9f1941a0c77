"""The train page on the real engine, opened, trained and waited for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from shots import settle

from workbench.events import EpochDone, RunStarted
from workbench.gui.pages.train_page import TrainPage
from workbench.gui.workspace import Workspace
from workbench.recipe.recipe import Recipe
from workbench.session.curves import RunCurves
from workbench.store.project import RunEntry

LONG = 60_000


def shown_page(workspace: Workspace, qtbot: Any) -> Iterator[TrainPage]:
    """The page around a workspace whose runs compute in this process; for a fixture."""
    made = TrainPage(workspace)
    qtbot.addWidget(made)
    made.resize(1440, 808)
    made.show()
    settle()
    yield made
    made.hide()


def open_recipe(page: TrainPage, qtbot: Any, recipe: Recipe) -> None:
    workspace = page._workspace
    workspace.open_recipe(recipe, "small")
    qtbot.waitUntil(lambda: workspace.data.dataset is not None, timeout=LONG)


def wait(qtbot: Any, done: Callable[[], bool]) -> None:
    qtbot.waitUntil(done, timeout=LONG)
    settle()


def finish(page: TrainPage, qtbot: Any, **changes: Any) -> int:
    """Train to the end, and let the results be read."""
    workspace = page._workspace
    workspace.document.set_many({key.replace("__", "."): value for key, value in changes.items()})
    number = workspace.train()
    wait(qtbot, lambda: workspace.runs.result(number) is not None and page.results.view() is not None)
    page.board.redraw()
    return number


def begin(page: TrainPage, qtbot: Any, epochs: int = 2) -> int:
    """Start a run without an end and wait for its first epochs."""
    runs = page._workspace.runs
    page._workspace.document.set("training.epochs", 100_000)
    number = page._workspace.train()
    wait(qtbot, lambda: len(runs.curves(number).epochs) > epochs)
    page.board.redraw()
    return number


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def entry() -> RunEntry:
    return RunEntry(1, Path("run-1"), None, 0.0, (), "running", "", {})


def curves_of(epochs: int, **changes: Any) -> RunCurves:
    curves = RunCurves()
    started: dict[str, Any] = {"layers": ("one", "two"), "epochs": 10, "steps_per_epoch": 4, "first_epoch": 0}
    curves.take(RunStarted("run-1", 0.0, "CPU", 1, 5, examples={"train": 8}, train_sample=8, **{**started, **changes}))
    for epoch in range(epochs):
        rest = (1.0, 0.5 / (1 + epoch), 2.0, 0.6 / (1 + epoch), 1.0, 0.1, 1.0, 8.0, True)
        curves.take(EpochDone("run-1", float(epoch), epoch, 4 * epoch, *rest))
    return curves
