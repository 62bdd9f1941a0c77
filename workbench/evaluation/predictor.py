"""A run's model, ready to predict: the recipe's network, the kept weights, and the encoder that goes with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, cast

import numpy as np

from workbench.data.content import Content
from workbench.data.dataset import Dataset
from workbench.data.encoder import Encoder
from workbench.data.targets import unknown_targets
from workbench.engine.backend import Backend
from workbench.engine.device import open_backend
from workbench.engine.layer import Loss
from workbench.engine.network import Network, build_network
from workbench.engine.parameters import Parameters
from workbench.engine.shards import ShardPool
from workbench.errors import StoreError
from workbench.recipe.recipe import Recipe
from workbench.store.run_folder import RunFolder
from workbench.store.tensors import Tensors
from workbench.training.measure import Measure

_BATCH = 256


@dataclass(frozen=True)
class Model:
    """A trained model as a run folder holds it.

    Attributes:
        recipe: what ran.
        encoder: how data become its input.
        network: its layers.
        tensors: its numbers in the ecosystem's layout, ``<layer>.<parameter>``.
        epoch: after how many epochs.
    """

    recipe: Recipe
    encoder: Encoder
    network: Network
    tensors: Tensors
    epoch: int

    @property
    def loss(self) -> Loss:
        """What it was trained with, which also says how outputs become predictions."""
        return cast(Loss, self.recipe.training.loss)

    @classmethod
    def of_folder(cls, folder: RunFolder, which: str = "kept") -> Self:
        """The model of a run.

        Args:
            folder: the run.
            which: ``kept``, ``best``, ``last`` or a checkpoint's number.

        Raises:
            StoreError: the run has no checkpoint yet, or it is damaged.
        """
        recipe = folder.recipe
        text = folder.read("encoder.json")
        if text is None:
            raise StoreError("holds no model yet", where=str(folder.path), mend="Train it first.")
        encoder = Encoder.from_json(text.decode())
        loss = cast(Loss, recipe.training.loss)
        outputs = loss.outputs(len(encoder.classes) or 1)
        network = build_network(recipe.network, encoder.input_shape, outputs, recipe.training.dropout)
        checkpoint = folder.load(recipe.training.kept if which == "kept" else which)
        tensors = {name: array for name, array in checkpoint.tensors.items() if not name.startswith("optimizer.")}
        return cls(recipe, encoder, network, tensors, int(checkpoint.facts["epoch"]))

    @classmethod
    def open(cls, path: Path, which: str = "kept") -> Self:
        """The model of the run in a folder; see ``of_folder``."""
        with RunFolder.open(path) as folder:
            return cls.of_folder(folder, which)


class Predictor:
    """Predicts with a model. Close it, or use it in a ``with``: it may hold threads."""

    def __init__(self, model: Model, backend: Backend | None = None, threads: int = 1) -> None:
        self.model = model
        self._backend = backend or open_backend("cpu")
        self._pool = ShardPool(threads)
        self._parameters = Parameters(model.network, self._backend)
        self._parameters.load(model.tensors)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.close()

    def predict(self, inputs: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Predict from what ``Encoder.encode`` gave.

        Returns:
            Probabilities ``(n, classes)``, or for regression values ``(n, 1)`` in the target's unit.
        """
        dataset = _unlabeled(inputs, self.model.encoder)
        batch = max(1, min(_BATCH, len(inputs)))
        measure = Measure(dataset, self._parameters, self.model.loss, self._pool, batch)
        return measure.outputs(np.arange(len(inputs)))

    def predict_content(self, content: Content) -> np.ndarray[Any, Any]:
        """As ``predict``, from what a reader gave.

        Raises:
            InputError: it lacks columns, or its pictures have another size.
        """
        return self.predict(self.model.encoder.encode(content))


def _unlabeled(inputs: np.ndarray[Any, Any], encoder: Encoder) -> Dataset:
    """Inputs as a dataset without answers."""
    count = len(inputs)
    none: Sequence[int] = ()
    return Dataset(
        inputs=inputs,
        targets=unknown_targets(encoder.task, count, len(encoder.classes)),
        strengths=np.ones(count, np.float32),
        sets={name: np.array(none, np.int64) for name in ("train", "dev", "test")},
        encoder=encoder,
        distributions=("",),
        distribution_of=np.zeros(count, np.int32),
        content=Content(()),
        notices=(),
        split_reason="",
        fingerprint="",
    )
