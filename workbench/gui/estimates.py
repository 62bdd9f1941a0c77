"""What an epoch will take, and how much memory: tried out on a few steps in the background before a run is started."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal

from workbench.engine.backend import Backend
from workbench.engine.device import one_blas_thread, open_backend
from workbench.engine.layer import Loss
from workbench.engine.network import Network, build_network
from workbench.engine.parameters import Parameters
from workbench.engine.plan import Plan
from workbench.engine.shards import ShardPool
from workbench.gui.data_facts import DataFacts
from workbench.gui.figures import duration, memory
from workbench.gui.workspace import Workspace
from workbench.recipe.recipe import Recipe
from workbench.training.loop import measuring_batch
from workbench.training.memory import device_need_before, need_before
from workbench.training.stepper import Stepper

_SETTLE_MS = 500
_SECONDS, _STEPS = 0.6, 30
"""What is spent on timing at most; compiling the plan comes before it."""
_MOST_BYTES = 500_000_000
"""A network that needs more is not tried out: the machine may not have it to spare."""
_MOST_WORK = 20_000_000_000
"""Multiply-adds of a step beyond which one step takes seconds: said without trying."""
_EVALUATION = 1 / 3
"""A forward pass is about a third of a step (forward, and backward by input and by weights)."""
_COUNTS = {"loss", "optimizer", "batch_size", "dropout", "clip_norm", "clip_value", "max_norm", "ema", "accumulate",
           "precision"}  # fmt: skip
"""Settings of training that a step's time or memory depends on."""

Going = Callable[[], bool]


@dataclass(frozen=True)
class Estimate:
    """What training would take.

    Attributes:
        seconds: of an epoch with its evaluation; None where it was not tried.
        bytes: of memory: of the host beside the data, or of a GPU with them.
        on_gpu: whether a GPU would train.
    """

    seconds: float | None
    bytes: int
    on_gpu: bool = False


class Estimates(QObject):
    """Keeps an estimate for the recipe being edited.

    Signals:
        changed: the estimate is another one: its words, empty where there is none.
    """

    changed = Signal(str)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._workspace = workspace
        self._text = ""
        self._known: dict[tuple[object, ...], Estimate] = {}
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SETTLE_MS)
        self._timer.timeout.connect(self._work)
        document = workspace.document
        document.recipeChanged.connect(self._on_change)
        document.factsChanged.connect(self._on_change)
        document.problemsChanged.connect(self._on_change)
        workspace.runs.listChanged.connect(self._on_change)
        workspace.runs.deviceChanged.connect(self._on_change)
        self._on_change()

    @property
    def text(self) -> str:
        """The words in force."""
        return self._text

    def close(self) -> None:
        """Estimate no more."""
        self._timer.stop()
        self._workspace.background.cancel("estimate")
        self._workspace.document.recipeChanged.disconnect(self._on_change)
        self._workspace.document.factsChanged.disconnect(self._on_change)
        self._workspace.document.problemsChanged.disconnect(self._on_change)
        self._workspace.runs.listChanged.disconnect(self._on_change)
        self._workspace.runs.deviceChanged.disconnect(self._on_change)

    def _on_change(self, *_: object) -> None:
        """Nothing is tried out beside a run: it would be slowed down, and what was measured would be wrong."""
        key = self._key()
        self._workspace.background.cancel("estimate")
        self._timer.stop()
        known = self._known.get(key) if key is not None else None
        self._workspace.document.set_memory(known.bytes if known else None)
        if key is None:
            self._tell("")
        elif known:
            self._tell(estimate_text(known))
        elif not self._workspace.runs.busy():
            self._timer.start()

    def _key(self) -> tuple[object, ...] | None:
        """All that the estimate depends on; None where nothing can be trained."""
        document, facts = self._workspace.document, self._workspace.document.facts
        if facts is None or document.problems or document.network is None or not facts.examples:
            return None
        recipe, threads = document.recipe, self._workspace.runs.threads
        training = recipe.training.model_dump_json(include=_COUNTS)
        sizes = tuple(sorted(facts.sizes.items()))
        data = self._data_on_gpu()
        return recipe.network.model_dump_json(), training, facts.input_shape, facts.outputs, sizes, threads, data

    def _data_on_gpu(self) -> int | None:
        """Bytes of the data that the next run would put on a GPU; None where it computes on the CPU."""
        if not self._workspace.runs.on_gpu:
            return None
        dataset = self._workspace.data.dataset
        return int(dataset.inputs.nbytes) if dataset is not None else 0

    def _work(self) -> None:
        key, workspace = self._key(), self._workspace
        facts, recipe, threads = workspace.document.facts, workspace.document.recipe, workspace.runs.threads
        data = self._data_on_gpu()
        if key is None or facts is None or workspace.runs.busy():
            return

        def work(report: Callable[[str, int, int], None]) -> Estimate | None:
            def going() -> bool:
                # Raises once nobody wants the result any more.
                report("", 0, 0)
                return not workspace.runs.busy()

            return estimate(recipe, facts, threads, going, data)

        def done(found: Estimate | None) -> None:
            if found is not None:
                self._known[key] = found
                self._on_change()

        workspace.background.start("estimate", work, done, lambda _: self._tell(""))

    def _tell(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self.changed.emit(text)


def estimate_text(found: Estimate) -> str:
    """``≈ 3 s an epoch · 40 MB``, ``under 0.1 s an epoch · 380 kB``, ``1.2 GB on the GPU, with the data``."""
    size = memory(found.bytes)
    if found.on_gpu:
        return QCoreApplication.translate("estimates", "{0} on the GPU, with the data").format(size)
    if found.seconds is None:
        return size
    if found.seconds < 0.1:
        return QCoreApplication.translate("estimates", "under 0.1 s an epoch · {0}").format(size)
    return QCoreApplication.translate("estimates", "≈ {0} an epoch · {1}").format(duration(found.seconds), size)


def estimate(
    recipe: Recipe, facts: DataFacts, threads: int, going: Going = lambda: True, data_on_gpu: int | None = None
) -> Estimate | None:
    """Time a few training steps on made-up inputs of the data's shape, on the CPU; of a GPU tell the memory alone.

    Args:
        recipe: what would be trained; fits the data.
        facts: of the data.
        threads: compute threads.
        going: asked between steps whether to go on.
        data_on_gpu: bytes of the data, where a GPU would train.

    Returns:
        The estimate; None where it was broken off.
    """
    loss = cast(Loss, recipe.training.loss)
    outputs = loss.outputs(facts.outputs)
    network = build_network(recipe.network, facts.input_shape, outputs, recipe.training.dropout)
    batch, examples = min(recipe.training.batch_size, facts.examples), sum(facts.sizes.values())
    measured = measuring_batch(batch)
    if data_on_gpu is not None:
        need = device_need_before(recipe.training, network, batch, measured, examples, data_on_gpu)
        # The window leaves the GPU to the runs.
        return Estimate(None, need.total, on_gpu=True)
    backend = open_backend("cpu")
    size = need_before(recipe.training, network, backend, threads, batch, measured, examples).total
    if size > _MOST_BYTES or network.multiply_adds() * batch * 3 > _MOST_WORK or not going():
        return Estimate(None, size)
    pool = ShardPool(threads)
    try:
        with one_blas_thread():
            step = _seconds_of_step(recipe, network, backend, batch, pool, going)
    finally:
        pool.close()
    if step is None:
        return None
    steps = -(-facts.examples // batch)
    # After an epoch the dev set is measured, and about as many training examples.
    evaluated = 2 * facts.sizes.get("dev", 0) / batch
    return Estimate(step * (steps + _EVALUATION * evaluated), size)


def _seconds_of_step(
    recipe: Recipe, network: Network, backend: Backend, batch: int, pool: ShardPool, going: Going
) -> float | None:
    """The median over some steps; the first one does not count."""
    parameters = Parameters(network, backend)
    parameters.initialize(recipe.training.seed)
    stepper = Stepper(recipe.training, parameters, batch, pool)
    for _ in backend.prepare():
        # Compiled here, in the background, they are there once training is started.
        if not going():
            return None
    _fill(stepper.plan, network, batch)
    times: list[float] = []
    began = time.perf_counter()
    while len(times) <= _STEPS and (len(times) < 2 or time.perf_counter() - began < _SECONDS):
        if not going():
            return None
        start = time.perf_counter()
        # A rate of 0: made-up data must not make the numbers grow.
        stepper.step(batch, 0.0, len(times) + 1)
        times.append(time.perf_counter() - start)
    return float(np.median(times[1:]))


def _fill(plan: Plan, network: Network, batch: int) -> None:
    random: Any = np.random.default_rng(0)
    plan.input[...] = random.standard_normal(plan.input.shape, dtype=np.float32)
    if plan.targets.ndim == 1:
        plan.targets[...] = random.integers(0, max(2, network.outputs), batch)
    else:
        plan.targets[...] = random.standard_normal(plan.targets.shape)
