"""A run from start to end: train, keep, evaluate, diagnose. The same function for command line, window and search."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from workbench.engine.backend import Backend
from workbench.engine.device import one_blas_thread
from workbench.engine.resident import MemoryMeter
from workbench.engine.shards import ShardPool
from workbench.errors import DeviceError, WorkbenchError
from workbench.events import COMPILING, Event, Notice, Progress, RunEnded, WeightsLoaded
from workbench.session.failures import failure_of
from workbench.session.health import HealthWatch
from workbench.session.outcome import outcome, profile_of
from workbench.session.prepare import Prepared
from workbench.store.run_folder import RunFolder
from workbench.training.control import Control
from workbench.training.loop import Diverged, Job, Training
from workbench.training.memory import used_json


def run_experiment(
    prepared: Prepared, folder: RunFolder, run: str, control: Control, *, resume: bool = False, profile: bool = False
) -> Iterator[Event]:
    """Run what was prepared, in a run folder of its own.

    Args:
        prepared: what to run.
        folder: open for writing; holds the recipe already.
        run: the run's name in events.
        control: what may be asked of it meanwhile.
        resume: go on from the last checkpoint.
        profile: measure at the end where the time of a step goes; the summary then has ``profile``.

    Yields:
        What happens. The last event is ``RunEnded``, also where training diverged or memory ran out.

    Raises:
        StoreError: the run folder cannot be written.
    """
    if not resume:
        folder.write("encoder.json", prepared.dataset.encoder.to_json().encode())
    # Where a run goes on, another machine or device may have something to say.
    told = _told(folder) if resume else set[str]()
    for text in prepared.notices:
        if text not in told:
            yield _logged(folder, Notice(run, time.time(), text))
    if prepared.start and not resume:
        yield _logged(folder, prepared.start.event(run))
    try:
        with one_blas_thread():
            yield from _trained(prepared, folder, run, control, resume, profile)
    except Diverged as error:
        yield _failed(folder, run, "diverged", _diverged_text(error, prepared))
    except WorkbenchError:
        raise
    except Exception as error:
        failure = failure_of(error, prepared)
        if failure is None:
            raise
        # What was bound to the device is still held by the error's frames.
        error.__traceback__ = None
        with contextlib.suppress(Exception):
            prepared.backend.release()
        yield _failed(folder, run, "failed", failure.text, failure.patch)


def _trained(
    prepared: Prepared, folder: RunFolder, run: str, control: Control, resume: bool, profile: bool
) -> Iterator[Event]:
    pool = ShardPool(prepared.threads)
    try:
        # What runs before this one held does not count.
        prepared.backend.release()
        meter = MemoryMeter()
        meter.start()
        try:
            training = Training(job_of(prepared, run), folder, control, pool)
            # What the compiler takes is the program's, not the training's.
            meter.pause_kept()
            yield from _compiled(prepared.backend, run)
        except DeviceError as error:
            yield _logged(folder, Notice(run, time.time(), f"{error} Training with plain NumPy instead, more slowly."))
            prepared = replace(prepared, backend=Backend())
            training = Training(job_of(prepared, run), folder, control, pool)
        meter.start()
        told = _told(folder)
        watch = HealthWatch(prepared.recipe.training.clip_norm, folder.events() if resume else ())
        for event in training.events(folder.load("last") if resume and folder.checkpoints() else None):
            yield event
            for finding in watch.take(event):
                yield _logged(folder, finding)
            yield from _refused(prepared.backend, folder, run, told)
        meter.stop()
        beside: dict[str, Any] = {"memory": used_json(training.need(), _used(meter, prepared.backend))}
        if profile:
            yield Progress(run, time.time(), "profiling", 0, 0)
            beside["profile"] = profile_of(training)
        yield Progress(run, time.time(), "evaluating", 0, 0)
        # The model alone: with averaged weights, training itself would go on with others.
        training.parameters.load(folder.load(prepared.recipe.training.kept).tensors)
        result = outcome(training, prepared, run, beside)
        summary = {**result.summary, "start_from": start_of_run(folder)}
        folder.write_predictions(result.predictions)
        folder.write("summary.json", json.dumps(summary, indent=1).encode())
        reason: Any = training.reason
        ended = RunEnded(run, time.time(), reason, "", training.state.epoch, training.state.best_epoch, summary)
        yield _logged(folder, ended)
    finally:
        pool.close()


def job_of(prepared: Prepared, run: str) -> Job:
    """What a training of it is made of."""
    initial = prepared.start.transfer.tensors if prepared.start else None
    return Job(run, prepared.recipe, prepared.dataset, prepared.network, prepared.backend, prepared.threads, initial)


def start_of_run(folder: RunFolder) -> dict[str, Any] | None:
    """What a run began with, for its summary; None for random weights. Told by its log, also after a resume."""
    if folder.recipe.training.start_from is None:
        return None
    told = next((event for event in folder.events() if isinstance(event, WeightsLoaded)), None)
    if told is None:
        return None
    return {"path": told.path, "source": told.source, "sha256": told.sha256, "taken": len(told.taken), "of": told.count}


def _used(meter: MemoryMeter, backend: Backend) -> int | None:
    return meter.grown() if backend.on_host else backend.peak_bytes()


def _compiled(backend: Backend, run: str) -> Iterator[Event]:
    """Get the kernels ready; tells of it where they are not kept from an earlier run."""
    for done, total in backend.prepare():
        yield Progress(run, time.time(), COMPILING, done, total)


def _told(folder: RunFolder) -> set[str]:
    return {event.text for event in folder.events() if isinstance(event, Notice)}


def _refused(backend: Backend, folder: RunFolder, run: str, told: set[str]) -> Iterator[Event]:
    """Tell what a device refuses, once in the life of a run; some of it shows in a later step only."""
    text = backend.refusal()
    if text and text not in told:
        told.add(text)
        yield _logged(folder, Notice(run, time.time(), text))


def _logged(folder: RunFolder, event: Event) -> Event:
    folder.commit([event])
    return event


def _failed(folder: RunFolder, run: str, reason: Any, text: str, patch: dict[str, Any] | None = None) -> Event:
    rows = folder.checkpoints()
    done = rows[-1].epoch if rows else 0
    return _logged(folder, RunEnded(run, time.time(), reason, text, done, None, {}, patch or {}))


def _diverged_text(error: Diverged, prepared: Prepared) -> str:
    rate = prepared.recipe.training.optimizer.learning_rate
    return (
        f"Diverged at step {error.step} (epoch {error.epoch:.2f}): {error.what}. The last finite checkpoint is kept. "
        f"Try a smaller learning rate than {rate:g}, or training.clip_norm."
    )
