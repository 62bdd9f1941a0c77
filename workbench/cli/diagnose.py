"""``diagnose`` and ``metrics``: of a run, of predictions from anywhere, or of bare error rates."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from workbench.cli.console import put, put_json, table
from workbench.cli.main import add_verb
from workbench.cli.predict import metrics_table
from workbench.diagnosis.diagnose import Diagnosis, diagnose
from workbench.diagnosis.levels import LADDER
from workbench.diagnosis.sources import levels_of_predictions, levels_of_text
from workbench.errors import InputError
from workbench.evaluation.intervals import Estimate
from workbench.evaluation.metrics import measure
from workbench.evaluation.predictions import Predictions
from workbench.evaluation.predictions_file import read_predictions, read_predictions_of
from workbench.recipe.assignments import option
from workbench.recipe.recipe import Recipe
from workbench.session.results import diagnosis_of_run, goals_of_run
from workbench.store.run_folder import RunFolder


def add_diagnose(parsers: Any) -> None:
    """Add the verb ``diagnose``."""
    parser = add_verb(
        parsers,
        "diagnose",
        _diagnose,
        "workbench diagnose runs/first\n  workbench diagnose predictions.csv --human 0.01\n"
        "  workbench diagnose --errors bayes=0.005,human=0.007,train=0.035,dev=0.078 --sizes train=60000,dev=5000",
        "Say what holds a model back and which single knob to turn next: of a run, of any model's predictions "
        "(a CSV with y_true, y_pred, split), or of bare error rates.",
    )
    parser.add_argument(
        "of", type=Path, nargs="?", metavar="DIR|PREDICTIONS.csv", help="a run's folder, or predictions; - for stdin"
    )
    parser.add_argument(
        "--errors", metavar="NAME=RATE,...", help="bayes, human, train, dev, test as fractions or per cent"
    )
    parser.add_argument("--sizes", metavar="NAME=N,...", default="", help="on how many examples each was measured")
    parser.add_argument("--human", type=float, metavar="RATE", help="human-level error, for predictions")
    parser.add_argument("--bayes", type=float, metavar="RATE", help="Bayes error, for predictions")
    parser.add_argument("--tolerance", type=float, metavar="RATE", help="a gap above this counts as high (0.015)")
    parser.add_argument("--json", action="store_true", help="print the whole diagnosis as JSON")


def add_metrics(parsers: Any) -> None:
    """Add the verb ``metrics``."""
    parser = add_verb(
        parsers,
        "metrics",
        _metrics,
        "workbench metrics predictions.csv --beta 2 --json",
        "Every figure of a confusion matrix and of probabilities, by set and by class, for any model's predictions.",
    )
    parser.add_argument(
        "predictions", type=Path, metavar="PREDICTIONS.csv", help="y_true, y_pred and more columns; - for stdin"
    )
    parser.add_argument("--beta", type=float, default=1.0, metavar="B", help="how much recall matters in F_beta")
    parser.add_argument("--json", action="store_true", help="print all metrics as JSON")


def _metrics(options: argparse.Namespace) -> int:
    metrics = measure(_predictions(options.predictions), options.beta)
    if options.json:
        put_json(metrics.to_json())
    else:
        put(metrics_table(metrics))
    return 0


def _predictions(path: Path) -> Predictions:
    """Those of a file, or for ``-`` of stdin."""
    return read_predictions_of(sys.stdin.buffer, "stdin") if str(path) == "-" else read_predictions(path)


def _diagnose(options: argparse.Namespace) -> int:
    if (options.of is None) == (options.errors is None):
        raise InputError("give a run's folder, a file of predictions, or --errors", where="diagnose")
    diagnosis = _diagnosis(options)
    if options.json:
        put_json(diagnosis.to_json())
    else:
        put(as_text(diagnosis))
    return 0


def _diagnosis(options: argparse.Namespace) -> Diagnosis:
    goals = {"human_error": options.human, "bayes_error": options.bayes, "tolerance": options.tolerance}
    given = {name: value for name, value in goals.items() if value is not None}
    if options.of is not None and options.of.is_dir():
        with RunFolder.open(options.of) as folder:
            changes = {f"goals.{name}": value for name, value in given.items()}
            own = {"goals": goals_of_run(folder).model_dump(mode="json")}
            return diagnosis_of_run(folder, goals=folder.recipe.replace(own).replace(changes).goals)
    settled = Recipe.parse({"goals": given}, "options").goals
    if options.of is not None:
        return diagnose(levels_of_predictions(_predictions(options.of), settled), settled)
    return diagnose(levels_of_text(options.errors, options.sizes), settled)


def as_text(diagnosis: Diagnosis) -> str:
    """The diagnosis for a terminal."""
    lines = [diagnosis.headline, diagnosis.summary, "", table(_ladder(diagnosis), {1, 2, 3}), ""]
    lines += [f"  {settle.text}" for settle in diagnosis.settle]
    lines += [f"  {finding.text}" for finding in diagnosis.findings]
    if diagnosis.first_knobs:
        lines += ["", "Turn one knob at a time:"]
    for knob in diagnosis.first_knobs:
        lines.append(f"  • {knob.title} ({knob.cost})")
        lines.append(f"    {knob.why}")
        lines += [f"    {option(path, value)}" for path, value in knob.patch.items()]
    later = len(diagnosis.knobs) - len(diagnosis.first_knobs)
    if later:
        lines += ["", f"Later: {later} more knobs (--json lists them)."]
    return "\n".join(lines)


def _ladder(diagnosis: Diagnosis) -> list[list[str]]:
    rows = [["", "error", "95 % interval", "examples"]]
    for name in LADDER:
        level = diagnosis.levels.get(name)
        if level is not None:
            rows.append([name, _points(level.value), _interval(level), f"{level.n:,}" if level.n else "-"])
    return rows + [
        [gap.name.replace("_", " "), _points(gap.estimate.value, sign=True), _interval(gap.estimate), gap.state]
        for gap in diagnosis.gaps.all()
        if gap.estimate is not None
    ]


def _points(value: float, *, sign: bool = False) -> str:
    return f"{100 * value:+.2f}" if sign else f"{100 * value:.2f} %"


def _interval(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return "-"
    return f"{100 * estimate.low:.2f} to {100 * estimate.high:.2f}"
