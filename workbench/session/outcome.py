"""What a training came to: predictions for every example, errors with intervals, and the summary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.diagnosis.sources import levels_of_predictions
from workbench.evaluation.intervals import Estimate
from workbench.evaluation.latency import Latency, measure_latency
from workbench.evaluation.predictions import Predictions
from workbench.events import RunEnded
from workbench.session.prepare import Prepared
from workbench.store.tensors import Tensors
from workbench.training.loop import Training

_LATENCY_SECONDS = 0.3
"""The most that timing single predictions may take: a hundred calls of a usual network take less."""
SETS = ("train", "dev", "test")


@dataclass(frozen=True)
class Outcome:
    """What a training came to.

    Attributes:
        predictions: arrays by name, see ``predictions_of``.
        summary: what ``workbench train --json`` prints.
    """

    predictions: Tensors
    summary: dict[str, Any]


def outcome(training: Training, prepared: Prepared, run: str, beside: dict[str, Any] | None = None) -> Outcome:
    """Measure all sets in full with the parameters as they are.

    Args:
        training: ended.
        prepared: what it was made of.
        run: the run's name.
        beside: more for the summary.
    """
    dataset = prepared.dataset
    rows = {name: dataset.sets[name] for name in SETS}
    arrays: Tensors = {
        "rows": np.concatenate([rows[name] for name in SETS]),
        "sets": np.repeat(np.arange(len(SETS), dtype=np.int8), [len(rows[name]) for name in SETS]),
        "outputs": np.concatenate([training.measure.outputs(rows[name]) for name in SETS]).astype(np.float32),
    }
    arrays["targets"] = dataset.targets[arrays["rows"]]
    arrays["distribution"] = dataset.distribution_of[arrays["rows"]]
    predictions = predictions_of(arrays, dataset.classes, dataset.distributions)
    errors = errors_of(predictions)
    summary = _summary(training, prepared, run, errors)
    return Outcome(arrays, {**summary, "latency": latency_of(training).to_json(), **(beside or {})})


def profile_of(training: Training) -> dict[str, Any]:
    """Where the time of a step went, and in ``run`` the seconds of the run so far by what they were spent on."""
    from workbench.training.profile import profile_training

    spent = {
        "training": training.state.total_seconds,
        "evaluation": training.measuring_seconds,
        "checkpoints": training.saving_seconds,
    }
    return {**profile_training(training).to_json(), "run_seconds": spent}


def latency_of(training: Training) -> Latency:
    """How long the trained network takes for one example where it was trained, from raw values to probabilities."""
    one, row = training.measure.one_by_one(), training.rows[:1]
    return measure_latency(lambda: one.outputs(row), most_seconds=_LATENCY_SECONDS)


def predictions_of(arrays: Tensors, classes: tuple[str, ...], distributions: tuple[str, ...]) -> Predictions:
    """Stored arrays as predictions.

    Args:
        arrays: ``rows`` within the sources, from 0; ``sets`` 0 to 2; ``outputs``: probabilities ``(n, classes)``
            or values ``(n, 1)``; ``targets``; ``distribution``: numbers into ``distributions``.
        classes: names; empty for regression.
        distributions: names.
    """
    outputs, truth = arrays["outputs"], arrays["targets"]
    names = np.array([*distributions, ""], dtype=object)
    return Predictions.of(
        truth if classes else truth[:, 0],
        outputs.argmax(axis=1) if classes else outputs[:, 0],
        classes,
        probabilities=outputs if classes else None,
        split=np.array(SETS, dtype=object)[arrays["sets"]],
        distribution=names[arrays["distribution"]],
        id=[str(row + 1) for row in arrays["rows"].tolist()],
    )


def errors_of(predictions: Predictions) -> dict[str, Estimate | None]:
    """Each set's error with its interval; None for an empty set."""
    levels = levels_of_predictions(predictions)
    return {name: levels.get(name) for name in SETS}


def _summary(training: Training, prepared: Prepared, run: str, errors: dict[str, Estimate | None]) -> dict[str, Any]:
    state, dataset = training.state, prepared.dataset
    speed = state.total_examples / state.total_seconds if state.total_seconds else None
    return {
        "run": run,
        "epochs": state.epoch,
        "best_epoch": state.best_epoch,
        "stop_reason": training.reason,
        "errors": {name: error.to_json() if error else None for name, error in errors.items()},
        "examples_per_second": speed,
        "device": prepared.backend.name,
        "threads": prepared.threads,
        "precision": training.stepper.plan.backend.precision,
        "updates_left_out": training.stepper.scaling.left_out() if training.stepper.scaling else 0,
        "parameters": prepared.network.parameter_count(),
        "steps": state.step,
        "training_seconds": state.total_seconds,
        "kept": prepared.recipe.training.kept,
        "examples": {name: len(dataset.sets[name]) for name in SETS},
        "classes": list(dataset.classes),
        "distributions": list(dataset.distributions),
        "split_reason": dataset.split_reason,
        "notices": list(prepared.notices),
        "data_fingerprint": dataset.fingerprint,
        "recipe_fingerprint": prepared.recipe.fingerprint(),
        "versions": versions(),
    }


def failed_summary(prepared: Prepared, ended: RunEnded) -> dict[str, Any]:
    """What ``workbench train --json`` prints of a run that diverged or failed: null for what it lacks."""
    return {
        "run": ended.run,
        "epochs": ended.epochs,
        "best_epoch": ended.best_epoch,
        "stop_reason": ended.reason,
        "message": ended.message,
        "patch": ended.patch,
        "errors": dict.fromkeys(SETS),
        "examples_per_second": None,
        "device": prepared.backend.name,
        "threads": prepared.threads,
        "parameters": prepared.network.parameter_count(),
    }


def versions() -> dict[str, str]:
    """What computed it, for reports and for reproducing it."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version(), "platform": platform.platform()}
    for name in ("workbench", "numpy", "scipy", "pandas", "cupy", "cupy-cuda12x", "cupy-cuda13x"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
