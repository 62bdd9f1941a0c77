"""Where levels come from: options of the command line, or predictions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import isfinite
from typing import Any, TypeVar

import numpy as np

from workbench.diagnosis.levels import LADDER, Levels
from workbench.errors import InputError, Problem
from workbench.evaluation.intervals import Estimate, rate_of, weighted_rate
from workbench.evaluation.labels import label_error
from workbench.evaluation.predictions import SPLITS, Predictions
from workbench.evaluation.regression import relative_error, training_mean
from workbench.recipe.training import Goals

_OTHER_NAMES = {"validation": "dev", "val": "dev", "training": "train", "testing": "test"}
_Value = TypeVar("_Value", float, int)


def levels_of_text(errors: str, sizes: str = "") -> Levels:
    """Levels of ``bayes=0.005,human=0.007,train=3.5%,dev=0.078`` and sizes ``train=60000,dev=5000``.

    ``dev.phone=0.1`` is the dev error on the distribution ``phone``.

    Raises:
        InputError: names all mistakes of both texts.
    """
    problems: list[Problem] = []
    rates = _pairs(errors, "--errors", _rate, problems)
    counts = _pairs(sizes, "--sizes", _count, problems)
    if not errors.strip():
        problems.append(Problem("no errors are given", "--errors", "Write train=0.035,dev=0.078."))
    for name in counts:
        if name not in rates and name.partition(".")[0] in (*LADDER, *_OTHER_NAMES):
            problems.append(Problem(f"a size is given for {name}, but no error", "--sizes"))
        elif name == "bayes":
            problems.append(Problem("the Bayes error has no size: it is not measured on examples", "--sizes"))
    if problems:
        raise InputError.of(problems)
    ladder = {name: rate_of(rate, counts.get(name)) for name, rate in rates.items() if "." not in name}
    levels = Levels(**ladder, by_distribution=_by_distribution(rates, counts))  # type: ignore[arg-type]
    levels.check("--errors")
    return levels


def _by_distribution(rates: dict[str, float], counts: dict[str, int]) -> dict[str, dict[str, Estimate]]:
    parts: dict[str, dict[str, Estimate]] = {}
    for key, rate in rates.items():
        split, dot, name = key.partition(".")
        if dot:
            parts.setdefault(name, {})[split] = rate_of(rate, counts.get(key))
    return parts


def _pairs(text: str, where: str, read: Callable[[str], _Value], problems: list[Problem]) -> dict[str, _Value]:
    found: dict[str, _Value] = {}
    for part in text.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not part.strip():
            continue
        split, dot, distribution = name.partition(".")
        split = _OTHER_NAMES.get(split.lower(), split.lower())
        name = f"{split}{dot}{distribution}"
        if not equals:
            problems.append(Problem(f"{part.strip()!r} is no NAME=VALUE", where))
        elif split not in (SPLITS if dot else LADDER) or (dot and not distribution):
            known = "train, dev, test" if dot else ", ".join(LADDER)
            problems.append(Problem(f"{name!r} is no level (known: {known})", where))
        elif name in found:
            problems.append(Problem(f"{name} is given twice", where))
        else:
            try:
                found[name] = read(value)
            except ValueError as error:
                problems.append(Problem(f"{name}={value}: {error}", where))
    return found


def _rate(text: str) -> float:
    try:
        value = float(text.removesuffix("%")) / (100.0 if text.endswith("%") else 1.0)
    except ValueError:
        raise ValueError("is no number; write 0.035 or 3.5%") from None
    if isfinite(value) and 1 < value <= 100 and not text.endswith("%"):
        raise ValueError(f"is no error between 0 and 1; for per cent write {text}%")
    if not 0 <= value <= 1:
        raise ValueError("is no error between 0 and 1")
    return value


def _count(text: str) -> int:
    try:
        value = float(text.replace("_", ""))
    except ValueError:
        raise ValueError("is no number of examples") from None
    if not (isfinite(value) and value == int(value) and 1 <= value <= 1e15):
        raise ValueError("is no whole number of examples above 0")
    return int(value)


def levels_of_predictions(predictions: Predictions, goals: Goals | None = None) -> Levels:
    """The errors of each set, and of each distribution's part of it.

    Args:
        predictions: examples whose truth is not known are left out; those of no set are taken for the dev set, the
            usual case of a table that only holds what a model said of new examples. Weights count.
        goals: human level and Bayes error.
    """
    known = predictions.labeled()
    notes = {}
    if known.n < predictions.n:
        notes["unknown_truth"] = f"{predictions.n - known.n:,} examples have no true value and are left out."
    unnamed = int((known.split == "").sum())
    if unnamed:
        known = _taken_for_dev(known)
        notes["taken_for_dev"] = f"{unnamed:,} examples name no set and are taken for the dev set."
    error = _error_of(known)
    parts: dict[str, dict[str, Estimate]] = {}
    for name in known.distributions():
        part = known.of_distribution(name)
        parts[name] = {str(split): found for split in part.splits() if (found := error(part.of_split(split)))}
    ladder: dict[str, Any] = {str(split): error(known.of_split(split)) for split in known.splits()}
    levels = Levels(**ladder, by_distribution=parts, task=known.task, notes=notes)
    return levels.with_goals(goals) if goals else levels


def _taken_for_dev(known: Predictions) -> Predictions:
    return replace(known, split=np.where(known.split == "", "dev", known.split))


def _error_of(known: Predictions) -> Callable[[Predictions], Estimate | None]:
    if known.task == "multilabel":
        return label_error
    if known.task == "classification":
        return lambda part: weighted_rate(part.wrong, part.weight)
    baseline = training_mean(known)
    return lambda part: relative_error(part, baseline)
