"""Inputs that an exported model is tried with: like the training data, and far beyond them; and what it should say."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.data.encoder import Encoder
from workbench.engine.backend import Backend
from workbench.engine.network import Network
from workbench.engine.parameters import Parameters
from workbench.engine.plan import Plan
from workbench.engine.shards import ShardPool
from workbench.evaluation.predictor import Model, Predictor
from workbench.recipe.tasks import TASKS
from workbench.store.names import LOGITS, PREDICTION, PROBABILITIES

Array = np.ndarray[Any, Any]

ROWS = 256
_PIXELS = 2**23
"""The most values of one set of probes: pictures may be large."""
_BATCH = 32
_ROUNDING = 2.0**-24
"""The largest share of a number that float32 leaves out."""
_FAR = 8.0
"""How many deviations from the mean extreme values lie."""


def typical(encoder: Encoder, seed: int = 0) -> Array:
    """Inputs like the training data, before normalization: float32 ``(N, F)``, ``(N, T, F)`` or ``(N, H, W, C)``.

    Numbers are drawn about their training mean with their deviation (so far as the normalization knows them), each
    category column has one category, pixels are drawn from their whole range.
    """
    numbers = np.random.default_rng(seed)
    if not encoder.features:
        return _pictures(encoder, numbers)
    return _table(encoder, numbers.normal(size=(ROWS, encoder.input_shape[0])), numbers)


def extreme(encoder: Encoder, seed: int = 1) -> Array:
    """Inputs far from the training data: all values at zero, at the mean, at both ends, and mixtures of these."""
    numbers = np.random.default_rng(seed)
    if encoder.features:
        ends = numbers.choice(np.array([-_FAR, 0.0, _FAR]), size=(32, encoder.input_shape[0]))
        ends[0], ends[1], ends[2] = 0.0, _FAR, -_FAR
        table = _table(encoder, ends, numbers)
        table[3] = 0.0
        return table
    low, high = _pixel_range(encoder)
    count = min(8, max(4, _PIXELS // int(np.prod(encoder.input_shape))))
    pictures = np.where(numbers.random((count, *encoder.input_shape)) < 0.5, low, high)
    pictures[0], pictures[1], pictures[2] = low, high, 0.0
    return np.asarray(pictures, encoder.pixels or np.float32)


def _table(encoder: Encoder, deviations: Array, numbers: np.random.Generator) -> Array:
    width = np.where(encoder.scale == 0, 1.0, 1.0 / np.where(encoder.scale == 0, 1.0, encoder.scale))
    table: Array = (encoder.shift + deviations * width).astype(np.float32)
    place = 0
    for feature in encoder.features:
        if feature.type == "category":
            # A missing or unknown category is all 0: one more choice than there are categories.
            chosen = numbers.integers(0, feature.width + 1, len(table))
            table[:, place : place + feature.width] = chosen[:, None] == np.arange(feature.width)
        place += feature.width
    return table


def _pictures(encoder: Encoder, numbers: np.random.Generator) -> Array:
    count = min(ROWS, max(4, _PIXELS // int(np.prod(encoder.input_shape))))
    low, high = _pixel_range(encoder)
    drawn = numbers.uniform(low, high, (count, *encoder.input_shape))
    return np.rint(drawn).astype(np.uint8) if encoder.pixels == "uint8" else drawn.astype(np.float32)


def _pixel_range(encoder: Encoder) -> tuple[Array, Array]:
    """By channel: 0 to 255, or for pictures of other numbers two deviations about the mean."""
    if encoder.pixels == "uint8":
        return np.zeros_like(encoder.shift), np.full_like(encoder.shift, 255.0)
    width = 2.0 / np.where(encoder.scale == 0, 1.0, encoder.scale)
    return encoder.shift - width, encoder.shift + width


def looked_up(network: Network, seed: int = 2) -> Array | None:
    """Whole numbers for a network that looks up what it reads, float32 ``(N, F)``; None for other networks.

    They are drawn from all that its smallest table has and a few beyond both its ends.
    """
    tables = [getattr(node.layer, "vocabulary", 1) for node in network.nodes if node.layer.looks_up]
    if not tables:
        return None
    drawn = np.random.default_rng(seed).integers(-2, min(tables) + 2, (ROWS, *network.input_shape))
    return drawn.astype(np.float32)


def channels_first(inputs: Array) -> Array:
    """Inputs as ONNX and PyTorch read them, float32."""
    moved = np.moveaxis(inputs, -1, 1) if inputs.ndim > 2 else inputs
    return np.ascontiguousarray(moved, np.float32)


def expected(model: Model, inputs: Array) -> tuple[dict[str, Array], dict[str, float]]:
    """What the workbench computes for inputs, and how far rounding alone takes it.

    Returns:
        The outputs by their names in the ONNX model: the predictions as a user gets them, and the logits. And for
        each the largest difference from the same computed in 64 bits, by the output's largest value; or the
        difference that rounding the inputs makes there, where that is larger: a norm over values that are all alike
        magnifies it.
    """
    with Predictor(model) as predictor:
        predictions = predictor.predict(inputs)
    found = {LOGITS: _logits(model, inputs, np.float32), PROBABILITIES: predictions}
    if not TASKS[model.encoder.task].named:
        found = {PREDICTION: predictions}
    # Of whole numbers to look up nothing is rounded off: a little less is another number.
    looks_up = any(node.layer.looks_up for node in model.network.nodes)
    exact, rounded = (_exact(model, inputs, rounding) for rounding in (0.0, 0.0 if looks_up else _ROUNDING))
    return found, {
        name: max(_apart(values, exact[name]), _apart(rounded[name], exact[name])) for name, values in found.items()
    }


def _exact(model: Model, inputs: Array, rounding: float) -> dict[str, Array]:
    """All outputs computed in 64 bits."""
    logits, encoder = _logits(model, inputs, np.float64, rounding), model.encoder
    if not TASKS[encoder.task].named:
        return {PREDICTION: logits * encoder.target_scale + encoder.target_shift}
    return {LOGITS: logits, PROBABILITIES: model.loss.predict(np, logits)}


def _logits(model: Model, inputs: Array, dtype: Any, rounding: float = 0.0) -> Array:
    """The outputs before the loss's function, with normalized inputs moved up or down by that share of each."""
    parameters = Parameters(model.network, Backend(), dtype)
    parameters.load(model.tensors)
    shift, scale = model.encoder.shift.astype(dtype), model.encoder.scale.astype(dtype)
    pool, numbers = ShardPool(1), np.random.default_rng(0)
    try:
        plan = Plan(parameters, model.loss, min(_BATCH, len(inputs)), training=False, pool=pool)
        pieces = []
        for start in range(0, len(inputs), plan.batch):
            piece = inputs[start : start + plan.batch]
            moved = 1 + rounding * (numbers.integers(0, 2, piece.shape) * 2 - 1)
            plan.input[: len(piece)] = (piece.astype(dtype) - shift) * scale * moved
            plan.run(len(piece))
            pieces.append(plan.output[: len(piece)].copy())
        return np.concatenate(pieces)
    finally:
        pool.close()


def _apart(values: Array, exact: Array) -> float:
    largest = float(np.abs(exact).max(initial=0.0))
    worst = float(np.abs(values - exact).max(initial=0.0))
    return worst / largest if largest > 0 and np.isfinite(worst) else 0.0
