"""What happened: plain records that a run sends up, read alike by panel, log, report and search.

A run's life:

    RunStarted ── StepDone* ── LayersDone ── EpochDone* ── CheckpointSaved* ── ... ── RunEnded
                  └ LearningRateChanged, Paused, Resumed, Notice, FindingRaised at any time; WeightsLoaded before it

``EpochDone`` is sent once its checkpoint is durable: what a reader has seen finished survives a kill.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

COMPILING = "compiling"
"""The stage of a run before its first step where kernels are not kept from an earlier one; takes some seconds."""

StopReason = Literal["finished", "early_stopping", "stopped", "diverged", "failed"]


@dataclass(frozen=True)
class Event:
    """Base of all records.

    Attributes:
        run: the run it belongs to; readers drop what belongs to none of theirs.
        time: seconds since 1970.
    """

    kinds: ClassVar[dict[str, type[Event]]] = {}

    run: str
    time: float

    def __init_subclass__(cls) -> None:
        Event.kinds[cls.__name__] = cls

    def to_json(self) -> str:
        """One line of JSON with the class name under ``event``; numbers that are not finite become null."""
        tree = {"event": type(self).__name__, **dataclasses.asdict(self)}
        return json.dumps(_finite(tree), ensure_ascii=False)


def event_of_json(text: str) -> Event:
    """The record that ``to_json`` wrote.

    Raises:
        ValueError: the text is no such line; a kind or field of a newer version counts as that.
    """
    tree = json.loads(text)
    if not isinstance(tree, dict) or tree.get("event") not in Event.kinds:
        raise ValueError(f"no event: {text[:80]}")
    kind = Event.kinds[tree.pop("event")]
    fields = {field.name: field.type for field in dataclasses.fields(kind)}
    try:
        return kind(**{name: _restored(value, str(fields.get(name, ""))) for name, value in tree.items()})
    except TypeError as error:
        raise ValueError(f"no event: {error}") from None


@dataclass(frozen=True)
class RunStarted(Event):
    """The run is about to take its first step, or its next one after a resume.

    Attributes:
        device: in words.
        threads: compute threads used.
        parameters: trained numbers.
        epochs: that the recipe asks for.
        steps_per_epoch: of the training set and the batch size.
        first_epoch: 0, or after a resume the number of epochs already done.
        examples: by set.
        layers: names of the layers with trained parameters, for the ``by layer`` values of ``StepDone``.
        train_sample: how many training examples the error after each epoch is measured on.
        memory: bytes that training will need, about: of the host beside the data, or of the device with them; None in
            logs of before it was told.
        memory_of: whose memory that is.
        precision: what products are computed in.
    """

    device: str
    threads: int
    parameters: int
    epochs: int
    steps_per_epoch: int
    first_epoch: int
    examples: dict[str, int]
    layers: tuple[str, ...]
    train_sample: int
    memory: int | None = None
    memory_of: Literal["host", "device"] = "host"
    precision: str = "float32"


@dataclass(frozen=True)
class StepDone(Event):
    """Figures of one step; sent for some steps only, evenly spread and the same ones on every machine.

    Attributes:
        step: steps done in the whole run.
        epoch: as a fraction, 2.5 in the middle of the third.
        loss: mean over the steps since the last such record, without L1 and L2.
        learning_rate: of this step.
        gradient_norm: of all trained parameters together, before penalties and clipping.
        update_ratio: length of the update by length of the weights.
        gradient_norms, update_ratios: the same by layer, in the order of ``RunStarted.layers``.
    """

    step: int
    epoch: float
    loss: float
    learning_rate: float
    gradient_norm: float
    update_ratio: float
    gradient_norms: tuple[float, ...]
    update_ratios: tuple[float, ...]


@dataclass(frozen=True)
class LayersDone(Event):
    """How the values in the layers are spread, over some batches of an epoch; sent once an epoch at most.

    Shares in a histogram are in thousandths, the outermost bins hold all that lies beyond. Activations and weights
    stand in the order of the network; what could not be measured is NaN or empty.

    Attributes:
        epoch: epochs done; 0 stands for the initial weights, whose activations are those of the first batch.
        step: steps done.
        examples: how many examples of the epoch were looked at; 0 where a resume came after all of them.
        layers: names of all layers that apply a function or have trained parameters.
        activations: names of the layers that apply a function to each value.
        measured: for each ``input``, what the function is applied to (the pre-activations), or ``output`` where that
            is not stored; the histogram is of these.
        flat: for each ``dead``, ``saturated`` or nothing: what units on the function's flat part are called.
        flat_units: the share of units (features, channels) that were there on every example.
        flat_values: the share of values that were there.
        value_ranges, value_shares: their histograms: from and to, and the bins' shares.
        weights: names of the layers with trained weights.
        weight_norms: the length of each layer's weights, from a sample.
        weight_ranges, weight_shares: their histograms.
    """

    epoch: int
    step: int
    examples: int
    layers: tuple[str, ...]
    activations: tuple[str, ...]
    measured: tuple[str, ...]
    flat: tuple[str, ...]
    flat_units: tuple[float, ...]
    flat_values: tuple[float, ...]
    value_ranges: tuple[tuple[float, float], ...]
    value_shares: tuple[tuple[int, ...], ...]
    weights: tuple[str, ...]
    weight_norms: tuple[float, ...]
    weight_ranges: tuple[tuple[float, float], ...]
    weight_shares: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class EpochDone(Event):
    """An epoch, evaluated and saved.

    Attributes:
        epoch: epochs done, from 1; 0 stands for the initial weights.
        step: steps done.
        train_loss, train_error: in inference mode on ``RunStarted.train_sample`` training examples.
        dev_loss, dev_error: on the whole dev set; None without one.
        running_loss: mean over the epoch's steps as trained, with dropout and augmentation; None at epoch 0.
        learning_rate: of the epoch's last step.
        seconds: of training, without evaluation.
        examples_per_second: of training, without evaluation.
        best: whether it is the best so far.
    """

    epoch: int
    step: int
    train_loss: float
    train_error: float
    dev_loss: float | None
    dev_error: float | None
    running_loss: float | None
    learning_rate: float
    seconds: float
    examples_per_second: float
    best: bool


@dataclass(frozen=True)
class CheckpointSaved(Event):
    """A checkpoint is on disk.

    Attributes:
        epoch, step: done by then.
        reason: ``epoch``, ``pause``, ``stop`` or ``change`` (of the learning rate).
        file: its name within the run folder.
    """

    epoch: int
    step: int
    reason: str
    file: str


@dataclass(frozen=True)
class LearningRateChanged(Event):
    """The base learning rate (alpha0 of the schedule) was changed while running, or a schedule reacted.

    Attributes:
        step, epoch: when.
        before, after: the rate that the schedule starts from.
        origin: ``user``: by hand, the state before it is saved; ``schedule``: because the dev set no longer improved.
            What a schedule takes away stays away when a rate is set by hand later.
    """

    step: int
    epoch: float
    before: float
    after: float
    origin: Literal["user", "schedule"] = "user"

    @property
    def by_schedule(self) -> bool:
        """Whether nobody asked for it."""
        return self.origin == "schedule"


@dataclass(frozen=True)
class Paused(Event):
    """Training waits; its state is saved."""

    step: int
    epoch: float


@dataclass(frozen=True)
class Resumed(Event):
    """Training goes on after a pause."""

    step: int
    epoch: float


@dataclass(frozen=True)
class Notice(Event):
    """Something the user should know that stops nothing: a fallback to the CPU, a set that is empty."""

    text: str


@dataclass(frozen=True)
class WeightsLoaded(Event):
    """A run begins with weights from elsewhere (``training.start_from``); what was not taken is random.

    Attributes:
        path: the file, or the run's folder.
        source: the same for people: ``run-3, epoch 12``.
        sha256: of the file, or of the run's checkpoint.
        taken: names of the network's tensors that were taken over.
        differs: tensors of another shape by name: the shape here, the shape there.
        absent: the network's tensors that the file does not have.
        unused: the file's tensors that the network does not have.
        left_out: how many of the network's tensors were not asked for.
        notes: what was done to the numbers, in sentences.
    """

    path: str
    source: str
    sha256: str
    taken: tuple[str, ...]
    differs: dict[str, list[list[int]]]
    absent: tuple[str, ...]
    unused: tuple[str, ...]
    left_out: int
    notes: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many tensors the network has."""
        return len(self.taken) + len(self.differs) + len(self.absent) + self.left_out


@dataclass(frozen=True)
class FindingRaised(Event):
    """Something in the training looks unhealthy; sent once, when it is first seen.

    Attributes:
        finding: what it is, for scripts: ``vanishing_gradient``, ``dead_units``...
        layer: where; empty for the whole network.
        epoch: since when.
        text: what was measured.
        remedy: what to do.
    """

    finding: str
    layer: str
    epoch: float
    text: str
    remedy: str


@dataclass(frozen=True)
class Progress(Event):
    """What a long stage other than training is at.

    Attributes:
        stage: what is being done: ``reading data``, ``COMPILING``, ``evaluating``.
        done, total: in any unit; total 0 where it is not known.
    """

    stage: str
    done: int
    total: int


@dataclass(frozen=True)
class RunEnded(Event):
    """The run's last record.

    Attributes:
        reason: why it ended.
        message: what happened, what is safe and what to do, where the reason alone does not say.
        epochs: done.
        best_epoch: of the kept weights' choice; None without a dev set.
        summary: what ``workbench train --json`` prints; empty where the run failed.
        patch: the change of the recipe that the message proposes, by path; empty where it proposes none.
    """

    reason: StopReason
    message: str
    epochs: int
    best_epoch: int | None
    summary: dict[str, Any]
    patch: dict[str, Any] = field(default_factory=dict)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


def _restored(value: Any, annotation: str) -> Any:
    if annotation == "float" and value is None:
        return float("nan")
    return _tupled(value) if annotation.startswith("tuple") and isinstance(value, list) else value


def _tupled(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_tupled(item) for item in value)
    return float("nan") if value is None else value
