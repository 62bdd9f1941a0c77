"""PREDICTIONS.csv: a row an example, with ``y_true``, ``y_pred`` and optionally ``p_<class>``, ``split``,
``distribution``, ``weight`` and ``id``. Of several labels each has ``y_true_<label>`` (1, 0, or empty where unknown),
``y_pred_<label>`` and optionally ``p_<label>``.

It may come from anywhere, so every cell is doubted; what is wrong is said all at once, with its lines.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite
from pathlib import Path
from typing import Any, BinaryIO, Literal, TextIO

import numpy as np
from numpy.typing import NDArray

from workbench.data.capped import read_whole
from workbench.data.tables.encoding import to_utf8
from workbench.errors import InputError, Problem
from workbench.evaluation.predictions import SPLITS, Floats, Predictions
from workbench.recipe.tasks import Task

MOST_CLASSES = 2_000
MOST_DISTRIBUTIONS = 200
_MOST_BYTES = 2 * 2**30
_LINES_SHOWN = 5
_OF_LABELS = ("y_true_", "y_pred_")
_NAMES = {"y_true", "y_pred", "split", "distribution", "weight", "id"}
_SUM_TOLERANCE = 0.02
_SPLIT_NAMES = {
    **{name: name for name in ("", *SPLITS)},
    "training": "train",
    "val": "dev",
    "valid": "dev",
    "validation": "dev",
    "development": "dev",
    "testing": "test",
}
_DECIMAL = re.compile(r"[+-]?\d+\.\d*")
_FORMULA = re.compile(r"'*[=+\-@\t\r]")


@dataclass
class _Found:
    """What is wrong so far: by what and how to mend it, the lines."""

    where: str
    kinds: dict[tuple[str, str], list[int]] = field(default_factory=dict)

    def add(self, what: str, mend: str = "", line: int | None = None) -> None:
        lines = self.kinds.setdefault((what, mend), [])
        if line is not None:
            lines.append(line)

    def check(self) -> None:
        """Raise what was found, if anything."""
        if self.kinds:
            problems = [Problem(what + _at(lines), self.where, mend) for (what, mend), lines in self.kinds.items()]
            raise InputError.of(problems)


def _at(lines: Sequence[int]) -> str:
    if not lines:
        return ""
    shown = ", ".join(f"{line:,}" for line in lines[:_LINES_SHOWN])
    more = f" and {len(lines) - _LINES_SHOWN:,} more" if len(lines) > _LINES_SHOWN else ""
    return f" (line {shown})" if len(lines) == 1 else f" (lines {shown}{more})"


def read_predictions(path: Path, task: Task | Literal["auto"] = "auto") -> Predictions:
    """Read predictions from a CSV file (comma, semicolon or tab; packed with gzip or not).

    Args:
        path: the file.
        task: what is predicted; ``auto`` finds out, see ``looks_like_regression``.

    Raises:
        InputError: names everything that is wrong with it.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(path)) from None
    if size > _MOST_BYTES:
        raise InputError(f"is larger than {_MOST_BYTES // 2**30} GiB", where=str(path), mend="Use a part of it.")
    data, _ = to_utf8(read_whole(path, lambda stage, done, total: None), None, str(path))
    return parse_predictions(data.decode("utf-8", errors="replace"), str(path), task)


def read_predictions_of(stream: BinaryIO, where: str, task: Task | Literal["auto"] = "auto") -> Predictions:
    """As ``read_predictions``, from an open stream that is not packed; ``where`` names it in messages.

    Raises:
        InputError: names everything that is wrong with it.
    """
    data = stream.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise InputError(f"is larger than {_MOST_BYTES // 2**30} GiB", where=where, mend="Use a part of it.")
    text, _ = to_utf8(data, None, where)
    return parse_predictions(text.decode("utf-8", errors="replace"), where, task)


def parse_predictions(text: str, where: str, task: Task | Literal["auto"] = "auto") -> Predictions:
    """As ``read_predictions``, for a file's text; ``where`` names the file in messages.

    Raises:
        InputError: names everything that is wrong with it.
    """
    found = _Found(where)
    columns, lines = _columns_of(text, found)
    rest = _rest_of(columns, lines, found)
    scores = {name: _numbers(columns, name, lines, found, 0.0, 1.0) for name in columns if _is_score(name)}
    labels = _label_names(columns)
    if not lines or (not labels and {"y_true", "y_pred"} - set(columns)):
        found.check()
    if labels and task in ("auto", "multilabel"):
        return _multilabel(columns, labels, scores, rest, lines, found)
    if task == "auto":
        if not scores and _are_scores(columns["y_true"], columns["y_pred"]):
            mend = "Put the predicted class there, and its probability in a column p_1."
            found.add("y_pred holds fractions where y_true holds only 0 and 1", mend)
            found.check()
        regression = not scores and looks_like_regression(columns["y_true"], columns["y_pred"])
        task = "regression" if regression else "classification"
    if task == "regression":
        y_true, y_pred = (_numbers(columns, name, lines, found) for name in ("y_true", "y_pred"))
        found.check()
        return Predictions.of(y_true, y_pred, **rest)
    return _classification(columns, scores, rest, lines, found)


def looks_like_regression(y_true: Sequence[str], y_pred: Sequence[str]) -> bool:
    """Whether these labels are values of a number rather than names of classes.

    They are where all are numbers and either some are not whole, or there are more than 50 different ones of which
    predictions hit fewer than a fifth exactly.
    """
    numbers = [_number(cell) for cell in (*y_true, *y_pred) if cell]
    if not numbers or any(number is None for number in numbers):
        return False
    if any(number != int(number) for number in numbers if number is not None):
        return True
    hits = sum(_number(true) == _number(said) for true, said in zip(y_true, y_pred, strict=True))
    return len(set(numbers)) > 50 and hits < 0.2 * len(y_true)


def _are_scores(y_true: Sequence[str], y_pred: Sequence[str]) -> bool:
    """Whether predictions are probabilities of the class 1: taken for numbers, they would get a verdict on R²."""
    said = [_number(cell) for cell in set(y_pred)]
    return (
        {_number(cell) for cell in set(y_true)} <= {0.0, 1.0}
        and all(number is not None and 0 <= number <= 1 for number in said)
        and any(number not in (0.0, 1.0) for number in said)
    )


def _columns_of(text: str, found: _Found) -> tuple[dict[str, list[str]], list[int]]:
    """The cells by column, and each row's line; rows that do not fit the header are left out."""
    first = text.partition("\n")[0]
    if not text.strip():
        raise InputError("is empty", where=found.where, mend="It needs the columns y_true and y_pred.")
    separator = max(",;\t", key=first.count)
    rows = _rows(text, separator, found)
    _, names = next(rows, (1, []))
    names = [name.strip(" ") for name in names]
    _check_names(names, found)
    cells: list[list[str]] = [[] for _ in names]
    read = [index for index, name in enumerate(names) if name in _NAMES or _is_score(name) or _is_label(name)]
    lines = []
    for line, row in rows:
        if len(row) != len(names):
            found.add(f"rows differ in their number of cells; the header has {len(names)}", "", line)
            continue
        lines.append(line)
        for index in read:
            cells[index].append(_plain(row[index].strip(" ")))
    if not lines and not found.kinds:
        found.add("has a header, but no rows")
    return {names[index]: cells[index] for index in read}, lines


def _rows(text: str, separator: str, found: _Found) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, row
    except csv.Error:
        found.add("has a cell that is too long, perhaps a quote that is never closed", "", reader.line_num)


def _check_names(names: Sequence[str], found: _Found) -> None:
    missing = [name for name in ("y_true", "y_pred") if name not in names]
    if _label_names(names):
        missing = [f"{start}{label}" for label in _label_names(names) for start in _OF_LABELS]
        missing = [name for name in missing if name not in names]
    if missing:
        shown = ", ".join(name or "(no name)" for name in names[:8]) + (", ..." if len(names) > 8 else "")
        mend = f"The first row names the columns; it has {shown}."
        if all(name.startswith("y_true") for name in missing):
            mend += " `predict --with-truth` writes what is true too."
        found.add(f"has no column {' and no column '.join(missing)}", mend)
    for name, count in Counter(names).items():
        if count > 1 and name:
            found.add(f"has {count} columns called {name!r}")


def _is_score(name: str) -> bool:
    return name.startswith("p_")


def _is_label(name: str) -> bool:
    return name.startswith(_OF_LABELS)


def _label_names(names: Iterable[str]) -> tuple[str, ...]:
    """The labels that columns are about, in order; none where ``y_true`` or ``y_pred`` says that it is one answer."""
    listed = list(names)
    if {"y_true", "y_pred"} & set(listed):
        return ()
    found = [name.removeprefix(start) for name in listed for start in _OF_LABELS if name.startswith(start)]
    return tuple(dict.fromkeys(found))


def _multilabel(
    columns: Mapping[str, list[str]],
    labels: tuple[str, ...],
    scores: Mapping[str, Floats],
    rest: dict[str, Any],
    lines: list[int],
    found: _Found,
) -> Predictions:
    if len(labels) > MOST_CLASSES:
        found.add(f"has {len(labels):,} labels; up to {MOST_CLASSES:,} are read")
    found.check()
    truth = np.column_stack([_yes_or_no(columns, f"y_true_{name}", lines, found, unknown=True) for name in labels])
    said = np.column_stack([_yes_or_no(columns, f"y_pred_{name}", lines, found, unknown=False) for name in labels])
    lacking = [name for name in labels if f"p_{name}" not in scores]
    if scores and lacking:
        found.add(f"has no column p_{lacking[0]}", "Give all labels' p_ columns, or none.")
    found.check()
    chances = np.column_stack([scores[f"p_{name}"] for name in labels]) if scores else None
    return Predictions.of(truth, said, labels, probabilities=chances, **rest)


def _yes_or_no(
    columns: Mapping[str, list[str]], name: str, lines: list[int], found: _Found, *, unknown: bool
) -> NDArray[np.int64]:
    known = {"0": 0, "1": 1, **({"": -1} if unknown else {})}
    values = np.zeros(len(lines), np.int64)
    for row, (line, cell) in enumerate(zip(lines, columns[name], strict=True)):
        number = known.get(class_name(cell))
        if number is None:
            found.add(f"{name} is neither 0 nor 1" if cell else f"{name} is empty", "", line)
        else:
            values[row] = number
    return values


def _classification(
    columns: Mapping[str, list[str]],
    scores: Mapping[str, Floats],
    rest: dict[str, Any],
    lines: list[int],
    found: _Found,
) -> Predictions:
    for name in ("y_true", "y_pred"):
        for line, cell in zip(lines, columns[name], strict=True):
            if not cell:
                found.add(f"{name} is empty", "", line)
    y_true, y_pred = ([class_name(cell) for cell in columns[name]] for name in ("y_true", "y_pred"))
    by_class = {class_name(name.removeprefix("p_")): values for name, values in scores.items()}
    if len(by_class) < len(scores):
        found.add("has two columns of probabilities for one class")
    classes = _classes(by_class, {*y_true, *y_pred} - {""})
    if len(classes) > MOST_CLASSES:
        found.add(f"has {len(classes):,} classes; up to {MOST_CLASSES:,} are read", "If it predicts a number, say so.")
    probabilities = None if found.kinds or not by_class else _probabilities(by_class, classes, lines, found)
    found.check()
    number = {name: index for index, name in enumerate(classes)}
    true_codes, said_codes = ([number[name] for name in names] for names in (y_true, y_pred))
    return Predictions.of(true_codes, said_codes, classes, probabilities=probabilities, **rest)


def class_name(cell: str) -> str:
    """A class's name, the same for 1 and 1.0; other names stay as they are, 007 too."""
    if not _DECIMAL.fullmatch(cell):
        return cell
    number = float(cell)
    return str(int(number)) if number == int(number) and abs(number) < 1e15 else repr(number)


def _classes(known: Iterable[str], others: set[str]) -> tuple[str, ...]:
    """Those with probabilities in the model's own order, then the rest; numbers by size."""
    listed = tuple(dict.fromkeys(known))
    rest = others - set(listed)
    if all(_number(name) is not None for name in rest):
        return listed + tuple(sorted(rest, key=lambda name: (float(name), name)))
    return listed + tuple(sorted(rest))


def _probabilities(by_class: Mapping[str, Floats], classes: Sequence[str], lines: list[int], found: _Found) -> Floats:
    values = np.full((len(lines), len(classes)), np.nan)
    for name, column in by_class.items():
        values[:, classes.index(name)] = column
    if len(by_class) == 1 and len(classes) == 2:
        # The usual short form of two classes: the probability of one of them.
        only = classes.index(next(iter(by_class)))
        values[:, 1 - only] = 1.0 - values[:, only]
    sums = np.nansum(values, axis=1, keepdims=True)
    for row in np.flatnonzero(abs(sums[:, 0] - 1.0) > _SUM_TOLERANCE).tolist():
        found.add("the probabilities of a row do not add up to 1", "Give all classes' p_ columns, or none.", lines[row])
    return values / np.where(sums > 0, sums, 1.0)


def _rest_of(columns: Mapping[str, list[str]], lines: list[int], found: _Found) -> dict[str, Any]:
    """What both tasks have beside truth and prediction, as ``Predictions.of`` takes it."""
    splits = [cell.lower() for cell in columns.get("split", [""] * len(lines))]
    for line, name in zip(lines, splits, strict=True):
        if name not in _SPLIT_NAMES:
            found.add(f"split {name[:40]!r} is not known", "Use train, dev or test.", line)
    distributions = len(set(columns.get("distribution", ())))
    if distributions > MOST_DISTRIBUTIONS:
        found.add(f"names {distributions:,} distributions; up to {MOST_DISTRIBUTIONS} are read")
    weight = _numbers(columns, "weight", lines, found, 0.0) if "weight" in columns else None
    if weight is not None and lines and not found.kinds and not weight.sum() > 0:
        found.add("all weights are 0")
    return {
        "split": [_SPLIT_NAMES.get(name, "") for name in splits],
        "distribution": columns.get("distribution", ""),
        "weight": weight,
        "id": columns.get("id"),
    }


def _numbers(
    columns: Mapping[str, list[str]], name: str, lines: list[int], found: _Found, low: float = -inf, high: float = inf
) -> Floats:
    """A column's numbers, 0 where a cell holds none or one out of range, which is noted."""
    try:
        # Nearly every file is sound: one conversion, and the cells one by one only where it fails.
        values = np.array(list(map(float, columns[name])), dtype=np.float64)
        if np.isfinite(values).all() and (values >= low).all() and (values <= high).all():
            return values
    except ValueError:
        pass
    values = np.zeros(len(lines))
    for row, (line, cell) in enumerate(zip(lines, columns[name], strict=True)):
        number = _number(cell)
        if number is None:
            found.add(f"{name} is no finite number" if cell else f"{name} is empty", "", line)
        elif not low <= number <= high:
            span = f"is outside {low:g} to {high:g}" if isfinite(high) else f"is below {low:g}"
            found.add(f"{name} {span}", "", line)
        else:
            values[row] = number
    return values


def _number(cell: str) -> float | None:
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if isfinite(number) else None


def write_predictions(
    predictions: Predictions, file: TextIO, without: Collection[str] = (), short: bool = False
) -> None:
    """Write predictions as CSV; ``read_predictions`` gives the same back.

    Text that a spreadsheet would take for a formula gets an apostrophe in front.

    Args:
        predictions: what to write. An unknown truth is an empty cell.
        file: open for writing, with ``newline=""``.
        without: columns to leave out; ``y_true`` stands for those of all labels too.
        short: write numbers that a network computed in float32 with its few digits, not with those of float64.
    """
    starts = tuple(f"{name}_" for name in without if predictions.task == "multilabel")
    columns = {
        name: cells
        for name, cells in _written_columns(predictions, short).items()
        if name not in without and not (starts and name.startswith(starts))
    }
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))


def _written_columns(predictions: Predictions, short: bool) -> dict[str, list[str]]:
    columns = _answers(predictions, short)
    if predictions.probabilities is not None:
        for index, name in enumerate(predictions.classes):
            if not np.isnan(predictions.probabilities[:, index]).any():
                columns[f"p_{name}"] = _cells(predictions.probabilities[:, index], short)
    for name, texts in (("split", predictions.split), ("distribution", predictions.distribution)):
        if any(texts.tolist()):
            columns[name] = [_safe(text) for text in texts.tolist()]
    if predictions.weight is not None:
        columns["weight"] = _cells(predictions.weight, short)
    columns["id"] = [_safe(text) for text in predictions.id.tolist()]
    return columns


def _answers(predictions: Predictions, short: bool) -> dict[str, list[str]]:
    if predictions.task == "multilabel":
        words = np.array(["0", "1", ""])
        sides = zip(_OF_LABELS, (predictions.y_true, predictions.y_pred), strict=True)
        return {
            f"{start}{name}": words[values[:, number]].tolist()
            for start, values in sides
            for number, name in enumerate(predictions.classes)
        }
    if predictions.classes:
        names = [_safe(name) for name in predictions.classes]
        y_true = [names[code] if code >= 0 else "" for code in predictions.y_true.tolist()]
        return {"y_true": y_true, "y_pred": [names[code] for code in predictions.y_pred.tolist()]}
    known = zip(_cells(predictions.y_true, short), predictions.known.tolist(), strict=True)
    return {"y_true": [cell if there else "" for cell, there in known], "y_pred": _cells(predictions.y_pred, short)}


def _cells(values: Floats, short: bool) -> list[str]:
    """Numbers that read back to the last bit; ``short`` ones that are float32, as networks compute, to that of it."""
    with np.errstate(over="ignore"):
        single = values.astype(np.float32)
    if short and np.array_equal(single, values, equal_nan=True):
        return [str(value) for value in single]
    return [repr(value) for value in values.tolist()]


def _safe(text: str) -> str:
    """The text as a cell that no spreadsheet computes; numbers below 0 stay numbers."""
    return f"'{text}" if _FORMULA.match(text) and _number(text) is None else text


def _plain(cell: str) -> str:
    """The text that ``_safe`` made a cell of."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
