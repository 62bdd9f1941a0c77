"""What a finished run holds, read back: predictions, curve, diagnosis."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.data.encoder import Encoder
from workbench.diagnosis.compare import Comparison, compare
from workbench.diagnosis.context import RunFacts, Tried
from workbench.diagnosis.diagnose import Diagnosis, diagnose
from workbench.diagnosis.sources import levels_of_predictions
from workbench.errors import InputError, StoreError
from workbench.evaluation.latency import Latency
from workbench.evaluation.predictions import Predictions
from workbench.events import EpochDone, Event, RunEnded, RunStarted
from workbench.recipe.training import Goals
from workbench.session.curves import RunCurves
from workbench.session.health import records_of
from workbench.session.outcome import predictions_of
from workbench.session.prepare import outputs_for
from workbench.store.run_folder import RunFolder

_GOALS = "goals.json"


def goals_of_run(folder: RunFolder) -> Goals:
    """What a run is measured by: the goals that were given after it had ended, else those of its recipe.

    Raises:
        StoreError: they are damaged.
    """
    data = folder.read(_GOALS)
    if data is None:
        return folder.recipe.goals
    try:
        return Goals.model_validate_json(data)
    except ValueError:
        raise StoreError("holds goals that cannot be read", where=str(folder.path / _GOALS)) from None


def keep_goals(folder: RunFolder, goals: Goals) -> None:
    """Measure a run by other goals from now on. Nothing is trained anew: goals are a yardstick, not a setting.

    Args:
        folder: open for writing.
        goals: the new ones.

    Raises:
        StoreError: they could not be saved.
    """
    folder.write(_GOALS, goals.model_dump_json().encode())


def predictions_of_run(folder: RunFolder) -> Predictions:
    """The predictions that the run's kept model made for all its examples.

    Raises:
        InputError: the run has not ended yet, or it diverged or failed; repeats what to do about that.
        StoreError: they are damaged.
    """
    arrays, summary = folder.read_predictions(), folder.summary()
    if arrays is None or summary is None:
        raise _no_results(folder)
    return predictions_of(arrays, tuple(summary["classes"]), tuple(summary["distributions"]))


def _no_results(folder: RunFolder) -> InputError:
    marks = [event for event in folder.events() if isinstance(event, RunStarted | RunEnded)]
    last = marks[-1] if marks else None
    if isinstance(last, RunEnded) and last.reason in ("diverged", "failed"):
        what, _, mend = last.message.partition(". ")
        return InputError(f"has no results: {what[:1].lower()}{what[1:]}", where=str(folder.path), mend=mend)
    return InputError("has no results yet", where=str(folder.path), mend="Finish it with `workbench resume`.")


def curve_of_run(folder: RunFolder) -> tuple[EpochDone, ...]:
    """The records of the epochs; of one that was trained twice, after a kill, the last."""
    return _curve(folder.events())


def _curve(events: Sequence[Event]) -> tuple[EpochDone, ...]:
    by_epoch = {event.epoch: event for event in events if isinstance(event, EpochDone)}
    return tuple(by_epoch[epoch] for epoch in sorted(by_epoch))


def diagnosis_of_run(folder: RunFolder, tried: tuple[Tried, ...] = (), goals: Goals | None = None) -> Diagnosis:
    """The diagnosis of a finished run.

    Args:
        folder: the run.
        tried: knobs that were turned in its child runs.
        goals: instead of its own, see ``goals_of_run``.

    Raises:
        InputError: the run has not ended yet.
        StoreError: the folder is damaged.
    """
    recipe = folder.recipe
    goals = goals or goals_of_run(folder)
    predictions, events = predictions_of_run(folder), folder.events()
    text = folder.read("encoder.json")
    encoder = Encoder.from_json(text.decode()) if text is not None else None
    ended = next((event for event in reversed(events) if isinstance(event, RunEnded)), None)
    facts = RunFacts(
        recipe=recipe,
        curve=_curve(events),
        input_shape=encoder.input_shape if encoder else None,
        outputs=outputs_for(recipe, encoder) if encoder else None,
        tried=tried,
        predictions=predictions,
        latency=_latency(folder),
        health=records_of(RunCurves.of(events), recipe.training.clip_norm),
        reason=ended.reason if ended else "",
        best_epoch=ended.best_epoch if ended else None,
    )
    return diagnose(levels_of_predictions(predictions, goals), goals, facts)


def _latency(folder: RunFolder) -> Latency | None:
    # Runs of earlier versions were not timed.
    told = (folder.summary() or {}).get("latency")
    return Latency(**told) if told else None


def what_moved(before: RunFolder, after: RunFolder, goals: Goals | None = None) -> Comparison:
    """What moved from one finished run to another, paired where both predicted the same examples.

    Args:
        before, after: the runs.
        goals: what both are measured by; each by its own where None.

    Raises:
        InputError: one of them has not ended yet.
    """
    both = predictions_of_run(before), predictions_of_run(after)
    gaps = [diagnosis_of_run(folder, goals=goals).gaps for folder in (before, after)]
    return compare(gaps[0], gaps[1], both)
