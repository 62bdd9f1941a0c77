"""The weights that a run begins with: found, read, and matched with its network before anything is trained."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from workbench.engine.network import Network
from workbench.errors import InputError, Problem, RecipeError
from workbench.evaluation.predictor import Model
from workbench.events import WeightsLoaded
from workbench.recipe.data import DataRecipe
from workbench.recipe.training import StartFrom
from workbench.store.run_folder import RunFolder
from workbench.store.weight_files import WeightFile, in_float32, read_weights
from workbench.training.transfer import Transfer, transfer


@dataclass(frozen=True, eq=False)
class Start:
    """Weights to begin with.

    Attributes:
        path: the file or run folder.
        source: the same for people: ``run-3, epoch 12``, ``encoder.onnx``.
        sha256: of the file or the checkpoint.
        transfer: what is taken of them.
        notes: what was done to the numbers.
    """

    path: str
    source: str
    sha256: str
    transfer: Transfer
    notes: tuple[str, ...]

    def event(self, run: str) -> WeightsLoaded:
        """The record of it."""
        done = self.transfer
        differs = {name: [list(here), list(there)] for name, (here, there) in done.differs.items()}
        return WeightsLoaded(
            run, time.time(), self.path, self.source, self.sha256, tuple(done.tensors), differs, done.absent,
            done.unused, done.left_out, self.notes,
        )  # fmt: skip


def read_start(spec: StartFrom, network: Network, data: DataRecipe) -> Start:
    """Read the weights that a recipe begins with, and match them with its network.

    Args:
        spec: with an absolute path.
        network: of the recipe.
        data: of the recipe, to see whether a run has learned this one's dev and test examples.

    Raises:
        RecipeError: the recipe names no file, or layers that the network does not have.
        InputError: the file or the run cannot be read, or nothing of it matches.
    """
    if not spec.path:
        raise RecipeError("names no file or run", where="training.start_from.path", mend="Give one, or set it to none.")
    path = Path(spec.path)
    held, source = _of_run(path, spec.checkpoint, data) if path.is_dir() else (read_weights(path), path.name)
    try:
        found = transfer(network, held.tensors, spec)
    except RecipeError:
        raise
    except InputError as error:
        raise InputError.of([Problem(each.what, str(path), each.mend) for each in error.problems]) from None
    return Start(str(path), source, held.sha256, found, held.notes)


def _of_run(path: Path, which: str, data: DataRecipe) -> tuple[WeightFile, str]:
    with RunFolder.open(path) as folder:
        row = folder.checkpoint(which)
        model = Model.of_folder(folder, str(row.number))
    notes = (_OTHER_SPLIT,) if _are_split_otherwise(data, model.recipe.data) else ()
    return WeightFile(in_float32(model.tensors), row.sha256, notes), f"{path.name}, epoch {row.epoch}"


_OTHER_SPLIT = (
    "It learned from another split of these data: examples of the dev and test set here may be among those, and the"
    " errors measured on them too low."
)


def _are_split_otherwise(data: DataRecipe, other: DataRecipe) -> bool:
    """Whether two recipes read some of the same files, and may not divide them into the same sets."""
    shared = {source.path for source in data.sources} & {source.path for source in other.sources}
    return bool(shared) and _what_divides(data) != _what_divides(other)


def _what_divides(data: DataRecipe) -> object:
    return data.sources, data.split, data.task, data.target, data.targets
