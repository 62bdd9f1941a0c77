"""``train`` and ``resume``."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.cli.console import Bar, duration, percent, put, put_json, say, table
from workbench.cli.main import add_verb
from workbench.cli.profile import put_profile
from workbench.data.content import counted
from workbench.diagnosis.health import sentence_of
from workbench.errors import InputError, WorkbenchError
from workbench.events import (
    COMPILING,
    EpochDone,
    Event,
    FindingRaised,
    Notice,
    Progress,
    RunEnded,
    RunStarted,
    StepDone,
    WeightsLoaded,
)
from workbench.recipe.assignments import read_assignment
from workbench.session.experiment import run_experiment
from workbench.session.outcome import failed_summary
from workbench.session.prepare import load_recipe, prepare
from workbench.store.names import shown
from workbench.store.run_folder import RunFolder, require_empty
from workbench.training.control import Control
from workbench.training.memory import size_text

_MOST_ROWS = 12
"""Tensors that were not taken over and are listed."""


def add_train(parsers: Any) -> None:
    """Add the verb ``train``."""
    parser = add_verb(
        parsers,
        "train",
        _train,
        "workbench train recipe.toml --run runs/first --set training.epochs=5",
        "Train a recipe. Ctrl+C ends after the current batch, with a checkpoint; `workbench resume` goes on from it.",
    )
    parser.add_argument("recipe", type=Path, help="the recipe, a TOML file")
    parser.add_argument("--run", type=Path, required=True, metavar="DIR", help="the run's folder; new or empty")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        help="change a value of the recipe, for this run; none switches off what is optional",
    )
    _add_common(parser)


def add_resume(parsers: Any) -> None:
    """Add the verb ``resume``."""
    parser = add_verb(
        parsers, "resume", _resume, "workbench resume runs/first", "Go on with a run from its last checkpoint."
    )
    parser.add_argument("run", type=Path, metavar="DIR", help="the run's folder")
    _add_common(parser)


def add_computing(parser: argparse.ArgumentParser) -> None:
    """Options that say what computes."""
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), help="where to compute")
    parser.add_argument("--threads", type=_count, metavar="N", help="compute threads; all cores when left out")


def _add_common(parser: argparse.ArgumentParser) -> None:
    add_computing(parser)
    parser.add_argument("--profile", action="store_true", help="measure at the end where the time of a step goes")
    parser.add_argument("--events", choices=("json",), help="print each event as a line of JSON")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON; events then go to stderr")


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 1024:
        raise argparse.ArgumentTypeError(f"must be a number from 1 to 1024, not {text!r}")
    return int(text)


def _train(options: argparse.Namespace) -> int:
    recipe = load_recipe(options.recipe, changes_of(options.set))
    require_empty(options.run)
    prepared = prepare(recipe, device=options.device, threads=options.threads, progress=reading(Bar()))
    with RunFolder.create(options.run, recipe) as folder:
        return _follow(options, prepared, folder, resume=False)


def _resume(options: argparse.Namespace) -> int:
    with RunFolder.open(options.run, write=True) as folder:
        summary = folder.summary()
        if summary is not None and summary.get("stop_reason") != "stopped":
            say(f"{options.run}: has ended already ({summary.get('stop_reason')}); nothing is left to train.")
            _print_summary(options, summary)
            return 0
        prepared = prepare(
            folder.recipe, device=options.device, threads=options.threads, progress=reading(Bar()), resume=True
        )
        return _follow(options, prepared, folder, resume=True)


def changes_of(assignments: list[str]) -> dict[str, Any]:
    """What ``--set`` was given, by path.

    Raises:
        InputError: some of it is no PATH=VALUE.
    """
    read = [(text, read_assignment(text)) for text in assignments]
    wrong = [text for text, assignment in read if assignment is None]
    if wrong:
        raise InputError(f"--set takes PATH=VALUE, not {', '.join(wrong)}")
    return dict(assignment for _, assignment in read if assignment is not None)


def reading(bar: Bar) -> Any:
    """Shows the progress of what is told in stages."""

    def progress(stage: str, done: int, total: int) -> None:
        if total:
            bar.show(done / total, stage)
            if done >= total:
                bar.clear()

    return progress


def _follow(options: argparse.Namespace, prepared: Any, folder: RunFolder, *, resume: bool) -> int:
    control = Control()
    reporter = _Reporter(options)
    run = options.run.resolve().name
    try:
        with _stops_on_signal(control) as interrupted:
            for event in run_experiment(prepared, folder, run, control, resume=resume, profile=options.profile):
                reporter.take(event)
    except WorkbenchError as error:
        if options.json:
            put_json(failed_summary(prepared, RunEnded(run, time.time(), "failed", str(error), 0, None, {})))
        raise
    ended = reporter.ended
    assert ended is not None
    if ended.message:
        say(f"workbench: {ended.message}")
    if ended.patch:
        say(f"Train it anew with {' '.join(f'--set {path}={value}' for path, value in ended.patch.items())}")
    if ended.reason in ("diverged", "failed"):
        if options.json:
            put_json(failed_summary(prepared, ended))
        return 1
    _print_summary(options, ended.summary)
    if interrupted:
        say(f"Stopped; the checkpoint is kept. Go on with: workbench resume {options.run}")
        return 130
    return 0


@contextlib.contextmanager
def _stops_on_signal(control: Control) -> Iterator[list[int]]:
    """Ctrl+C asks for a stop; a second one ends at once."""
    received: list[int] = []

    def handle(number: int, _: Any) -> None:
        if received:
            os._exit(130)
        received.append(number)
        control.stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Reporter:
    """Shows a run's events as they come."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.ended: RunEnded | None = None
        self._bar = Bar()
        self._lines = (sys.stderr if options.json else sys.stdout) if options.events else None
        self._started: RunStarted | None = None
        self._clock = time.monotonic()
        self._last: EpochDone | None = None
        self._compiling = False

    def take(self, event: Event) -> None:
        if isinstance(event, RunEnded):
            self.ended = event
        if self._lines:
            self._lines.write(event.to_json() + "\n")
            self._lines.flush()
            return
        match event:
            case Notice():
                self._bar.clear()
                say(f"note: {event.text}")
            case WeightsLoaded():
                self._bar.clear()
                say(weights_text(event))
            case FindingRaised():
                self._bar.clear()
                say(f"warning: {sentence_of(event.finding, event.layer, event.epoch)}: {event.text} {event.remedy}")
            case RunStarted():
                self._started, self._clock = event, time.monotonic()
                self._bar.clear()
                say(_opening(event))
            case StepDone():
                self._show(event.epoch)
            case EpochDone():
                self._last = event
                self._show(event.epoch)
            case Progress(stage=stage) if stage == COMPILING:
                self._show_compiling(event)
            case Progress() | RunEnded():
                self._bar.clear()

    def _show_compiling(self, event: Progress) -> None:
        if not self._compiling:
            self._compiling = True
            say("Compiling for this machine (first run only)…")
        self._bar.show(event.done / event.total, event.stage)

    def _show(self, epoch: float) -> None:
        started = self._started
        if started is None or not started.epochs:
            return
        text = f"epoch {min(int(epoch) + 1, started.epochs)}/{started.epochs}"
        if self._last:
            text += f"  train {percent(self._last.train_error)}"
            text += f"  dev {percent(self._last.dev_error)}" if self._last.dev_error is not None else ""
        done = epoch - started.first_epoch
        # Before three epochs an estimate would be a guess.
        if done >= 3:
            left = (time.monotonic() - self._clock) / done * (started.epochs - epoch)
            text += f"  about {duration(left)} left"
        self._bar.show(epoch / started.epochs, text)


def weights_text(event: WeightsLoaded) -> str:
    """What a run begins with: how much was taken over, and a table of what was not."""
    lines = [f"Begins with {event.source}: {len(event.taken)} of {counted(event.count, 'tensor')} taken."]
    rows = [[name, _sizes(here), _sizes(there), "shape differs"] for name, (here, there) in event.differs.items()]
    rows += [[name, "yes", "-", "random"] for name in event.absent]
    rows += [["others", str(event.left_out), "-", "left out"]] if event.left_out else []
    rows += [[shown(name), "-", "yes", "not used"] for name in event.unused]
    if rows:
        lines.append(table([["tensor", "here", "there", ""], *rows[:_MOST_ROWS]], set()))
    if len(rows) > _MOST_ROWS:
        lines.append(f"and {len(rows) - _MOST_ROWS} more")
    return "\n".join([*lines, *event.notes])


def _sizes(shape: list[int]) -> str:
    return "×".join(map(str, shape))


def _opening(event: RunStarted) -> str:
    counts = " / ".join(f"{event.examples.get(name, 0):,} {name}" for name in ("train", "dev", "test"))
    threads = "" if event.threads == 1 else f", {event.threads} threads"
    computed = "" if event.precision == "float32" else f" in {event.precision}"
    beside = "beside the data" if event.memory_of == "host" else "of its memory"
    need = "" if event.memory is None else f"; needs about {size_text(event.memory)} {beside}"
    return f"{event.parameters:,} parameters; {counts}; {event.device}{threads}{computed}{need}"


def _print_summary(options: argparse.Namespace, summary: dict[str, Any]) -> None:
    if options.json:
        put_json(summary)
        return
    if options.events:
        return
    rows = [["set", "error", "95 % interval", "examples"]]
    for name in ("train", "dev", "test"):
        error = summary["errors"].get(name)
        if error:
            interval = "-" if error["low"] is None else f"{percent(error['low'])} to {percent(error['high'])}"
            rows.append([name, percent(error["value"]), interval, f"{error['n']:,}"])
    put(table(rows, {1, 2, 3}))
    best = "" if summary["best_epoch"] is None else f", best on dev at epoch {summary['best_epoch']}"
    if "profile" in summary:
        put_profile(summary["profile"])
    speed = f", {summary['examples_per_second']:,.0f} examples/s" if summary["examples_per_second"] else ""
    put(f"{counted(summary['epochs'], 'epoch')} ({summary['stop_reason'].replace('_', ' ')}){best}{speed}")
