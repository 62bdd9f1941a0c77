"""From a recipe to what a training needs, with everything that is wrong said before anything is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from workbench.data.dataset import Dataset, load_dataset
from workbench.data.reading import with_heading
from workbench.engine.backend import Backend
from workbench.engine.device import cores, open_backend
from workbench.engine.layer import Loss, ShapeError
from workbench.engine.network import Network, inspect_network, no_layers
from workbench.errors import DeviceError, InputError, Problem, RecipeError
from workbench.recipe.recipe import Recipe
from workbench.session.lookups import lookups_checked
from workbench.session.mistakes import data_problems, problems_of_changes
from workbench.session.oddities import network_notices
from workbench.session.start import Start, read_start
from workbench.training.schedules.base import Schedule

ProgressCallback = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Prepared:
    """A recipe that can be run.

    Attributes:
        recipe: with absolute paths.
        dataset: read, split and encoded.
        network: built for the dataset.
        backend: where to compute.
        threads: how many compute threads to use.
        notices: what the user should know: a fallback, a set that is empty.
        start: the weights to begin with; None for random ones, and for a run that goes on.
    """

    recipe: Recipe
    dataset: Dataset
    network: Network
    backend: Backend
    threads: int
    notices: tuple[str, ...]
    start: Start | None = None


def load_recipe(path: Path, changes: dict[str, Any] | None = None) -> Recipe:
    """Read a recipe and put changes by path in place.

    Raises:
        RecipeError: names every mistake at once: fields, the network's joints, changes, and what its data lack.
    """
    try:
        recipe = Recipe.load(path)
    except RecipeError as error:
        beside = data_problems(path)
        raise (RecipeError.of([*error.problems, *beside]) if beside else error) from None
    try:
        return recipe.replace(changes).located(path.resolve().parent) if changes else recipe
    except RecipeError as error:
        paths = list(changes or ())
        raise RecipeError.of([*problems_of_changes(error, recipe, paths), *data_problems(path, paths)]) from None


def prepare(
    recipe: Recipe,
    *,
    device: str = "auto",
    threads: int | None = None,
    cache: Path | None = None,
    progress: ProgressCallback | None = None,
    resume: bool = False,
) -> Prepared:
    """Read the data, build the network, read the weights to begin with and choose the device.

    Args:
        recipe: with absolute paths.
        device: ``auto``, ``cpu`` or ``cuda``; a GPU that cannot be used is replaced by the CPU, with a notice.
        threads: compute threads; all cores where None.
        cache: where read data is kept for the next time.
        progress: called with (stage, done, total).
        resume: whether a run goes on, which has its weights already.

    Raises:
        InputError: the data, the recipe or its network is wrong; names all that is.
    """
    dataset, network = _dataset_and_network(recipe, cache, progress)
    spec = None if resume else recipe.training.start_from
    start = read_start(spec, network, recipe.data) if spec else None
    backend, notices = _choose(device)
    of_recipe = (*_set_notices(recipe, dataset), *network_notices(recipe, network))
    notices = (*dataset.notices, *of_recipe, *notices, *_precision_notices(recipe, backend))
    return Prepared(recipe, dataset, network, backend, threads or cores(), notices, start)


def prepare_at_hand(recipe: Recipe, dataset: Dataset, threads: int) -> Prepared:
    """As ``prepare``, for a dataset that has been read, on the CPU.

    Raises:
        InputError: the recipe's network or the weights to begin with do not fit.
    """
    network, spec = network_for(recipe, dataset), recipe.training.start_from
    start = read_start(spec, network, recipe.data) if spec else None
    return Prepared(recipe, dataset, network, open_backend("cpu"), threads, (), start)


def network_for(recipe: Recipe, dataset: Dataset) -> Network:
    """The recipe's network for a dataset.

    Raises:
        RecipeError: names every layer that does not fit, or would not get the data's own numbers where it needs them.
    """
    outputs = outputs_for(recipe, dataset.encoder)
    network = inspect_network(recipe.network, dataset.encoder.input_shape, outputs, recipe.training.dropout)
    network = lookups_checked(recipe, network)
    problems = network.problems() or no_layers(recipe.network)
    if problems:
        raise RecipeError.of(problems)
    return network


def outputs_for(recipe: Recipe, encoder: Any) -> int:
    """How many outputs the loss needs.

    Raises:
        RecipeError: the loss does not suit the data.
    """
    try:
        return cast(Loss, recipe.training.loss).outputs(len(encoder.classes) or 1)
    except ShapeError as error:
        raise RecipeError(str(error), where="training.loss") from None


def _dataset_and_network(
    recipe: Recipe, cache: Path | None, progress: ProgressCallback | None
) -> tuple[Dataset, Network]:
    """Both, or all that is wrong with loss, data and network, as far as one can be judged without the others."""
    wrong_loss = _wrong_loss(recipe)
    try:
        dataset = load_dataset(recipe.data, cache, progress)
    except InputError as error:
        beside = [*wrong_loss, *no_layers(recipe.network)]
        raise (InputError.of([*beside, *with_heading(error)]) if beside else error) from None
    if wrong_loss:
        # How many outputs are needed depends on what is changed, loss or task: only the layers before can be judged.
        network = inspect_network(recipe.network, dataset.encoder.input_shape, len(dataset.classes) or 1)
        network = lookups_checked(recipe, network)
        raise RecipeError.of([*wrong_loss, *no_layers(recipe.network), *network.problems(but_the_end=True)])
    return dataset, network_for(recipe, dataset)


def _wrong_loss(recipe: Recipe) -> list[Problem]:
    loss = cast(Loss, recipe.training.loss)
    if loss.task == recipe.data.task:
        return []
    fitting = [kind for kind, other in type(loss).kinds().items() if cast(Any, other).task == recipe.data.task]
    what = f"{loss.kind} is for {loss.task}, and data.task is {recipe.data.task!r}"
    return [Problem(what, "training.loss", f"Use {' or '.join(fitting)}.")]


def _without_proposal(error: DeviceError) -> str:
    """What is missing; to use the CPU, which it proposes, is then what is done."""
    return str(error).replace(", or use --device cpu", "").replace(" Use --device cpu.", "")


def _choose(device: str) -> tuple[Backend, tuple[str, ...]]:
    try:
        return open_backend(device), ()
    except DeviceError as error:
        if device != "cuda":
            raise
        return open_backend("cpu"), (f"{_without_proposal(error)} Training on the CPU instead.",)


def _precision_notices(recipe: Recipe, backend: Backend) -> tuple[str, ...]:
    wanted = recipe.training.precision
    if backend.in_precision(wanted).precision == wanted:
        return ()
    lacks = "is for GPUs" if backend.on_host else f"is more than {backend.describe()} can"
    return (f"training.precision = {wanted} {lacks}: training computes in float32.",)


def _set_notices(recipe: Recipe, dataset: Dataset) -> tuple[str, ...]:
    notices = []
    if not len(dataset.sets["dev"]) and recipe.training.early_stopping:
        notices.append("Early stopping watches the dev set, and there is none: all epochs will be trained.")
    if not len(dataset.sets["dev"]) and cast(Schedule, recipe.training.schedule).watches():
        notices.append("The learning-rate schedule watches the dev set, and there is none: the rate will not fall.")
    return tuple(notices)
