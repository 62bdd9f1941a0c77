"""What exporters read: an open run, each part of it when it is first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from workbench.data.encoder import Encoder
from workbench.diagnosis.context import Tried
from workbench.diagnosis.diagnose import Diagnosis
from workbench.engine.network import Network, build_network
from workbench.errors import InputError, StoreError
from workbench.evaluation.metrics import Metrics, measure
from workbench.evaluation.predictions import Predictions
from workbench.evaluation.predictor import Model
from workbench.events import EpochDone, Event
from workbench.recipe.recipe import Recipe
from workbench.session.history import tried_at
from workbench.session.prepare import outputs_for
from workbench.session.results import curve_of_run, diagnosis_of_run, predictions_of_run
from workbench.store.run_folder import CheckpointRow, RunFolder

KEPT = "kept"


class ExportSource:
    """A run to be exported.

    Args:
        folder: the open run.
        which: the checkpoint that a model is taken from: ``kept``, ``best``, ``last``, or a number.
        date: the day that a report bears, ``2026-11-22``; none where empty.

    Raises:
        InputError: the run has no such checkpoint.
    """

    def __init__(self, folder: RunFolder, which: str = KEPT, date: str = "") -> None:
        self.folder, self.which, self.date = folder, which, date
        if which not in (KEPT, "best", "last"):
            folder.checkpoint(which)

    @property
    def recipe(self) -> Recipe:
        """What ran."""
        return self.folder.recipe

    @cached_property
    def encoder(self) -> Encoder:
        """How data become the network's input.

        Raises:
            StoreError: the run holds none yet.
        """
        text = self.folder.read("encoder.json")
        if text is None:
            raise StoreError("holds no model yet", where=str(self.folder.path), mend="Train it first.")
        return Encoder.from_json(text.decode())

    @cached_property
    def network(self) -> Network:
        """The layers with their shapes."""
        recipe = self.recipe
        outputs = outputs_for(recipe, self.encoder)
        return build_network(recipe.network, self.encoder.input_shape, outputs, recipe.training.dropout)

    @property
    def checkpoint(self) -> CheckpointRow:
        """The checkpoint that a model is taken from.

        Raises:
            StoreError: the run has none yet.
        """
        return self.folder.checkpoint(self.which)

    @cached_property
    def model(self) -> Model:
        """The trained model.

        Raises:
            StoreError: there is no checkpoint, or it is damaged. No other one takes its place: what is exported is
                what was asked for.
        """
        return Model.of_folder(self.folder, str(self.checkpoint.number))

    @property
    def metadata(self) -> dict[str, str]:
        """What an exported model says of where it comes from."""
        recipe = self.recipe
        return {"name": recipe.name, "recipe": recipe.fingerprint(), "epoch": str(self.checkpoint.epoch)}

    @cached_property
    def events(self) -> list[Event]:
        """What happened."""
        return self.folder.events()

    @cached_property
    def curve(self) -> tuple[EpochDone, ...]:
        """The epochs."""
        return curve_of_run(self.folder)

    @cached_property
    def summary(self) -> dict[str, Any]:
        """What the run came to.

        Raises:
            InputError: it has not ended yet.
        """
        summary = self.folder.summary()
        if summary is None:
            raise InputError(
                "has no results yet", where=str(self.folder.path), mend="Finish it with `workbench resume`."
            )
        return summary

    @cached_property
    def predictions(self) -> Predictions:
        """What the kept model said of all examples."""
        return predictions_of_run(self.folder)

    @cached_property
    def metrics(self) -> Metrics:
        """All figures of these predictions."""
        return measure(self.predictions)

    @cached_property
    def tried(self) -> tuple[Tried, ...]:
        """Knobs that were turned in child runs of this run and of its ancestors, where it stands in a project."""
        return tried_at(self.folder.path)

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """The diagnosis, by the goals of the run's recipe."""
        return diagnosis_of_run(self.folder, self.tried)
