"""The training section: loss, optimizer, schedule, regularization and stopping; and the goals of the experiment."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import SerializeAsAny, field_validator, model_validator
from pydantic_core import PydanticCustomError

from workbench.recipe.fields import Frozen, knob
from workbench.recipe.kinds import LossSpec, OptimizerSpec, ScheduleSpec


class EarlyStopping(Frozen):
    """Stop when the dev set no longer improves, and go back to the best epoch.

    It acts on bias and variance at once, so it is no orthogonal knob (the lecture's own term); listed under variance.
    """

    patience: int = knob(5, help="Epochs without a new best before it stops.", ge=1, le=100_000, unit="epochs")
    metric: Literal["dev_error", "dev_loss"] = knob("dev_error", help="What is watched on the dev set.")
    min_delta: float = knob(0.0, help="How much better counts as better.", ge=0, lt=1e9, advanced=True)


class StartFrom(Frozen):
    """Whose weights a training begins with (transfer learning): a tensor is taken where name and shape are the same.

    The epochs start at 0 with them, and ``frozen`` says of each layer whether it goes on learning.
    """

    path: str = knob(
        "", label="weights from", help="A run's folder, or a .safetensors, .npz or .onnx file; relative to the recipe.",
        placeholder="no file",
    )  # fmt: skip
    checkpoint: str = knob("kept", help="Of a run: kept, best, last, or a checkpoint's number.")
    layers: tuple[str, ...] = knob(
        (), help="The layers to take over, by name or by its start: `conv_*`; all that match when empty.",
        placeholder="all that match",
    )  # fmt: skip
    rename: dict[str, str] = knob(
        factory=dict, help="What a layer is called in the file, where it is not its name here."
    )

    @field_validator("checkpoint")
    @classmethod
    def _a_checkpoint_is_named(cls, value: str) -> str:
        if not re.fullmatch(r"kept|best|last|\d{1,9}", value):
            raise PydanticCustomError("checkpoint", "must be kept, best, last or a checkpoint's number")
        return value

    @field_validator("layers")
    @classmethod
    def _layers_are_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [name for name in value if not re.fullmatch(r"\w+\*?|\*", name)]
        if wrong:
            raise PydanticCustomError(
                "layers", "must be layers' names, or the start of one and *: {names}", {"names": ", ".join(wrong)}
            )
        return value


class WeightAverage(Frozen):
    """Use an exponential moving average of the weights as the model, while training goes on with the weights."""

    decay: float = knob(
        0.999,
        help="How much of the average is kept an update: averages over about 1 / (1 - decay) updates. It starts lower:"
        " min(decay, (1 + t) / (10 + t)) at update t.",
        ge=0,
        lt=1,
    )


def _default_loss() -> Any:
    return LossSpec.kinds()["cross_entropy"]()


def _default_optimizer() -> Any:
    return OptimizerSpec.kinds()["adam"]()


def _default_schedule() -> Any:
    return ScheduleSpec.kinds()["constant"]()


class TrainingRecipe(Frozen):
    """How the network learns."""

    start_from: StartFrom | None = knob(
        None, help="The weights to begin with, of another run or a file; random ones when off.", placeholder="random"
    )
    loss: SerializeAsAny[LossSpec] = knob(factory=_default_loss, help="What the training minimizes.")
    optimizer: SerializeAsAny[OptimizerSpec] = knob(factory=_default_optimizer, help="How gradients become steps.")
    schedule: SerializeAsAny[ScheduleSpec] = knob(
        factory=_default_schedule, help="How the learning rate changes over the epochs."
    )
    epochs: int = knob(20, help="Passes over the training set; 0 keeps the initial weights.", ge=0, le=1_000_000)
    batch_size: int = knob(
        64, help="Examples a step; powers of two from 32 to 2048 suit the hardware.", ge=1, le=2**24, log=True
    )
    accumulate: int = knob(
        1,
        help="Batches whose gradients make one step, as one batch of all their examples would; batch norm sees each"
        " by itself. For large batches that do not fit in memory.",
        ge=1,
        le=2**20,
        unit="batches",
        advanced=True,
    )
    l2: float = knob(
        0.0,
        label="L2",
        help="Pulls weights towards 0: adds 0.5 * l2 * sum of squared weights (l2 is the lecture's lambda / m).",
        ge=0,
        le=1e6,
        log=True,
    )
    l1: float = knob(
        0.0,
        label="L1",
        help="Pulls weights to exactly 0: adds l1 * sum of absolute weights. With L2 together: the elastic net.",
        ge=0,
        le=1e6,
        log=True,
        advanced=True,
    )
    max_norm: float | None = knob(
        None,
        label="max weight norm",
        help="Scale the weights of a unit or filter that are longer than this down to it, after each step.",
        gt=0,
        le=1e9,
        placeholder="off",
        log=True,
        advanced=True,
    )
    dropout: float = knob(
        0.0,
        help="The share of what enters each dense layer but the first that is dropped at random.",
        ge=0,
        lt=1,
        unit="fraction",
    )
    clip_norm: float | None = knob(
        None, label="clip gradient norm", help="Scale a gradient longer than this down to it.", gt=0, le=1e9,
        placeholder="off", log=True,
    )  # fmt: skip
    clip_value: float | None = knob(
        None, label="clip gradient values", help="Cut each number of a gradient off at this, either way.", gt=0, le=1e9,
        placeholder="off", log=True, advanced=True,
    )  # fmt: skip
    ema: WeightAverage | None = knob(
        None,
        label="average weights",
        help="Measure, keep, predict with and export the moving average of the weights (EMA). Batch norm's statistics"
        " stay those of the weights in training.",
        placeholder="off",
        advanced=True,
    )
    early_stopping: EarlyStopping | None = knob(
        None, help="Stop when the dev set no longer improves.", placeholder="off"
    )
    precision: Literal["float32", "tf32", "bfloat16", "float16"] = knob(
        "float32",
        help="What a GPU rounds the factors of products to in training; it sums up in float32, and weights stay"
        " float32. tf32 and bfloat16 are faster and hardly change a training, float16 needs the loss to be scaled,"
        " which is done. A CPU computes in float32 whatever it says; so is everything measured and exported.",
        advanced=True,
    )
    shuffle: bool = knob(True, help="A new order of the examples each epoch.")
    seed: int = knob(0, help="Fixes initial weights, order, dropout and augmentation.", ge=0, le=2**32 - 1)

    @property
    def kept(self) -> str:
        """Which checkpoint is the run's model: the best with early stopping, which goes back to it, else the last."""
        return "best" if self.early_stopping else "last"


class Goals(Frozen):
    """What to compare with. Errors are fractions: 0.007 is 0.7 %.

    For regression the error is the unexplained share of variance, 1 - R².
    """

    human_error: float | None = knob(
        None, help="The error of the best team of people.", ge=0, le=1, unit="fraction", placeholder="unknown"
    )
    human_examples: int | None = knob(
        None, help="On how many examples it was measured; exact when empty.", ge=1, placeholder="exact", advanced=True
    )
    bayes_error: float | None = knob(
        None, label="Bayes error", help="The error that nobody and nothing can get below.", ge=0, le=1, unit="fraction",
        placeholder="unknown",
    )  # fmt: skip
    tolerance: float = knob(
        0.015,
        help="A gap above this counts as high. The lecture's examples draw the line between 1 and 2.8 points.",
        gt=0,
        lt=1,
        unit="fraction",
    )
    max_latency_ms: float | None = knob(
        None,
        label="max latency",
        help="The longest acceptable time for one example.",
        gt=0,
        unit="ms",
        placeholder="any",
        log=True,
    )

    @model_validator(mode="after")
    def _bayes_is_lowest(self) -> Goals:
        if self.human_error is not None and self.bayes_error is not None and self.bayes_error > self.human_error:
            raise PydanticCustomError(
                "bayes",
                "bayes_error {bayes} is above human_error {human}: nobody can do better than the Bayes error",
                {"bayes": f"{self.bayes_error:g}", "human": f"{self.human_error:g}"},
            )
        return self
