"""``predict`` and ``evaluate``."""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench.cli.console import percent, put, put_bytes, put_json, say, table
from workbench.cli.main import add_verb
from workbench.data.content import names_listed
from workbench.data.gather import sources_of
from workbench.data.reading import read_one
from workbench.errors import InputError
from workbench.evaluation.metrics import Metrics, measure
from workbench.evaluation.predictions import Predictions
from workbench.evaluation.predictions_file import write_predictions
from workbench.evaluation.predictor import Model, Predictor
from workbench.session.results import predictions_of_run
from workbench.store.files import write_file
from workbench.store.run_folder import RunFolder

_STDOUT = ("-", "/dev/stdout")


def add_predict(parsers: Any) -> None:
    """Add the verb ``predict``."""
    parser = add_verb(
        parsers,
        "predict",
        _predict,
        "workbench predict runs/first new.csv -o predictions.csv",
        "Predict new data with a run's model: a row an example, y_pred and for classes p_<class>; for several labels"
        " y_pred_<label> and p_<label> of each.",
    )
    parser.add_argument("run", type=Path, metavar="DIR", help="the run's folder")
    parser.add_argument("data", type=Path, nargs="+", metavar="DATA", help="data of the kind it was trained on")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="the CSV to write; - for stdout"
    )
    parser.add_argument("--checkpoint", default="kept", metavar="WHICH", help="kept (default), best, last or a number")
    parser.add_argument("--with-truth", action="store_true", help="add y_true, where the data hold the target")
    parser.add_argument("--json", action="store_true", help="print what was done as JSON")


def add_evaluate(parsers: Any) -> None:
    """Add the verb ``evaluate``."""
    parser = add_verb(
        parsers,
        "evaluate",
        _evaluate,
        "workbench evaluate runs/first --json",
        "Metrics of a run's model for each set and distribution, or for other data that hold the target.",
    )
    parser.add_argument("run", type=Path, metavar="DIR", help="the run's folder")
    parser.add_argument("data", type=Path, nargs="*", metavar="DATA", help="other data; the run's own when left out")
    parser.add_argument("--beta", type=float, default=1.0, metavar="B", help="how much recall matters in F_beta")
    parser.add_argument("--json", action="store_true", help="print all metrics as JSON")


def _predict(options: argparse.Namespace) -> int:
    to_stdout = str(options.output) in _STDOUT
    if to_stdout and options.json:
        raise InputError(
            "--json and the predictions cannot both go to stdout", mend="Give -o a file, or leave --json out."
        )
    if not options.output.parent.is_dir():
        raise InputError("there is no such folder", where=str(options.output.parent))
    model = Model.open(options.run, options.checkpoint)
    predictions = _predicted(model, options.data)
    text = io.StringIO()
    write_predictions(predictions, text, without={"id"} if options.with_truth else {"id", "y_true"}, short=True)
    if to_stdout:
        put_bytes(text.getvalue().encode())
        return 0
    write_file(options.output, text.getvalue().encode())
    if options.json:
        put_json({"file": str(options.output), "rows": predictions.n, "epoch": model.epoch})
    else:
        say(f"{predictions.n:,} predictions written to {options.output}")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    if options.data:
        model = Model.open(options.run)
        predictions = _predicted(model, options.data)
        if not predictions.known.any():
            raise InputError(
                f"the data do not hold the target {names_listed(model.encoder.target_columns)}",
                where=", ".join(map(str, options.data)),
                mend="Use `predict` for data without answers.",
            )
    else:
        with RunFolder.open(options.run) as folder:
            predictions = predictions_of_run(folder)
    metrics = measure(predictions, options.beta)
    if options.json:
        put_json(metrics.to_json())
    else:
        put(metrics_table(metrics))
    return 0


def _predicted(model: Model, paths: list[Path]) -> Predictions:
    sources, _ = sources_of(paths)
    content = read_one(sources, model.encoder.hints())
    with Predictor(model) as predictor, _naming(paths):
        outputs = predictor.predict_content(content)
    for note in model.encoder.notes(content):
        say(f"note: {note}")
    return Predictions.of_outputs(model.encoder.encode_targets(content), outputs, model.encoder.classes)


@contextmanager
def _naming(paths: list[Path]) -> Iterator[None]:
    """Give the files' names to what is wrong with what was read of them."""
    where = ", ".join(map(str, paths))
    try:
        yield
    except InputError as error:
        problems = [replace(each, where=where) if not each.where else each for each in error.problems]
        raise InputError.of(problems) from None


def metrics_table(metrics: Metrics) -> str:
    """The main figures of each set as a table."""
    if metrics.task == "regression":
        rows = [["set", "examples", "R²", "RMSE", "MAE"]]
        figures: dict[str, Any] = {**metrics.splits, "overall": metrics.overall}
        for name, figure in figures.items():
            tree = figure.to_json()
            rows.append([name, f"{tree['n']:,}", *(_number(tree[key]) for key in ("r2", "rmse", "mae"))])
        return table(rows, {1, 2, 3, 4})
    labels = metrics.task == "multilabel"
    by_label = f"\n\n{_labels_table(metrics)}" if labels else ""
    rows = [["set", "examples", "error", "95 % interval", *(["any wrong"] if labels else []), "macro F1", "ROC AUC"]]
    for name, figure in {**metrics.splits, "overall": metrics.overall}.items():
        tree = figure.to_json()
        error = tree["error"]
        interval = f"{percent(error['low'])} to {percent(error['high'])}" if error else "-"
        further = [percent((tree["any_wrong"] or {}).get("value"))] if labels else []
        further += [_number(tree["macro"].get("f1")), _number(tree["roc_auc"])]
        rows.append([name, f"{tree['n']:,}", percent(error["value"] if error else None), interval, *further])
    return table(rows, set(range(1, len(rows[0])))) + by_label


def _labels_table(metrics: Metrics) -> str:
    """Each label's figures on the dev set, that choices are made by; on all examples where there is none."""
    shown = "dev" if "dev" in metrics.splits else "overall"
    tree = (metrics.splits.get("dev") or metrics.overall).to_json()
    rows = [[f"label, {shown}", "known", "present", "error", "precision", "recall", "F1", "ROC AUC"]]
    for name, figure in tree["per_class"].items():
        known = sum(figure[count] for count in ("tp", "fp", "tn", "fn"))
        error = figure["error"]["value"] if figure["error"] else None
        ratios = (_number(figure[ratio]) for ratio in ("precision", "recall", "f1", "roc_auc"))
        rows.append([name, f"{known:,}", f"{figure['support']:,}", percent(error), *ratios])
    return table(rows, set(range(1, len(rows[0]))))


def _number(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("value")
    return "-" if value is None else f"{value:.4g}"
