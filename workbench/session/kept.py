"""Which of a run's checkpoints is its model."""

from __future__ import annotations

from workbench.errors import InputError, StoreError
from workbench.recipe.recipe import Recipe
from workbench.store.run_folder import CheckpointRow, RunFolder


def kept_checkpoint(recipe: Recipe) -> str:
    """Which checkpoint is the run's model: the best with early stopping, which goes back to it, else the last."""
    return "best" if recipe.training.early_stopping else "last"


def checkpoint_row(folder: RunFolder, which: str) -> CheckpointRow:
    """The checkpoint that a model is taken from: ``kept``, ``best``, ``last``, or a number.

    Raises:
        InputError: the run has no such checkpoint.
        StoreError: it has none yet.
    """
    rows = folder.checkpoints()
    if not rows:
        raise StoreError("has no checkpoint", where=str(folder.path), mend="Train it first.")
    if which == "kept":
        which = kept_checkpoint(folder.recipe)
    if which == "best":
        return next((row for row in rows if row.best), rows[-1])
    found = [row for row in rows if which in ("last", str(row.number))]
    if not found:
        numbers = "".join(f", {row.number} (epoch {row.epoch})" for row in rows)
        mend = f"Name kept, best, last{numbers}."
        raise InputError(f"has no checkpoint {which!r}", where=str(folder.path), mend=mend)
    return found[-1]
