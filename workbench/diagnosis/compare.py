"""What moved between two runs: parent and child, before and after a knob was turned.

Both runs are mostly measured on the same examples. With their predictions at hand the changes are paired, which sees
much smaller ones; without, the intervals are those of independent sets and too wide rather than too narrow. Either way
they speak of other examples, not of another seed: training again may move the errors too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from workbench.diagnosis.gaps import Gaps
from workbench.diagnosis.wording import figure, signed
from workbench.evaluation.intervals import Estimate, difference, paired_difference
from workbench.evaluation.labels import paired_label_difference
from workbench.evaluation.predictions import Predictions
from workbench.evaluation.regression import paired_relative_difference, training_mean

Direction = Literal["better", "worse", "same", "unknown"]
_MEASURED = ("train", "dev", "test")


@dataclass(frozen=True)
class Move:
    """How a level or a gap changed.

    Attributes:
        name: ``train``, ``dev``, ``test``, ``bias`` or ``variance``.
        before, after: the values.
        change: ``after - before`` with its interval.
        direction: ``better`` or ``worse`` if the interval excludes 0, else ``same``: no measurable change.
    """

    name: str
    before: float
    after: float
    change: Estimate
    direction: Direction

    def __str__(self) -> str:
        arrow = f"{self.name} {figure(self.before)} → {figure(self.after)}"
        return f"{arrow} (no measurable change)" if self.direction == "same" else arrow

    def to_json(self) -> dict[str, Any]:
        """The same fields."""
        return {**self.__dict__, "change": self.change.to_json()}


@dataclass(frozen=True)
class Comparison:
    """What moved.

    Attributes:
        moves: levels and gaps that are known on both sides.
        paired: whether the changes were measured on the same examples.
        text: ``bias 2.8 → 1.1, variance +0.3``.
    """

    moves: tuple[Move, ...]
    paired: bool
    text: str

    def direction(self, name: str) -> Direction:
        """Where a level or a gap went; ``unknown`` if it is not known on both sides."""
        return next((move.direction for move in self.moves if move.name == name), "unknown")

    def to_json(self) -> dict[str, Any]:
        """The same fields."""
        return {"moves": [move.to_json() for move in self.moves], "paired": self.paired, "text": self.text}


def compare(before: Gaps, after: Gaps, predictions: tuple[Predictions, Predictions] | None = None) -> Comparison:
    """What moved from one run to another.

    Args:
        before, after: the gaps of both.
        predictions: of both, before first; used where they are of the same examples.
    """
    changes = _paired_changes(predictions) if predictions else {}
    paired = bool(changes)
    for name in _MEASURED:
        first, second = before.levels.get(name), after.levels.get(name)
        if first is None or second is None:
            changes.pop(name, None)
        elif name not in changes:
            changes[name] = difference(second, first)
    moves = [_move(name, before.levels.get(name), after.levels.get(name), change) for name, change in changes.items()]
    moves += _gap_moves(before, after, changes)
    return Comparison(tuple(moves), paired, _text({move.name: move for move in moves}))


def _gap_moves(before: Gaps, after: Gaps, changes: dict[str, Estimate]) -> list[Move]:
    moves = []
    first, second = _bias(before), _bias(after)
    if first and second and "train" in changes and _same_reference(before, after):
        # The reference is the same on both sides, so the bias moves with the training error.
        moves.append(_move("bias", first, second, changes["train"]))
    if before.variance.estimate and after.variance.estimate and {"train", "dev"} <= changes.keys():
        change = difference(changes["dev"], changes["train"])
        moves.append(_move("variance", before.variance.estimate, after.variance.estimate, change))
    return moves


def _bias(gaps: Gaps) -> Estimate | None:
    return gaps.human_margin if gaps.levels.human else gaps.bias.estimate


def _same_reference(before: Gaps, after: Gaps) -> bool:
    return (before.levels.human or before.levels.bayes) == (after.levels.human or after.levels.bayes)


def _move(name: str, before: Estimate | None, after: Estimate | None, change: Estimate) -> Move:
    assert before is not None
    assert after is not None
    direction: Direction = "better" if change.upper < 0 else "worse" if change.lower > 0 else "same"
    return Move(name, before.value, after.value, change, direction)


def _text(moves: dict[str, Move]) -> str:
    first = moves.get("bias") or moves.get("train") or moves.get("dev")
    if first is None:
        return "nothing to compare"
    second = moves.get("variance") or moves.get("dev")
    shown = [first] if second is None or second is first else [first, second]
    if all(move.direction == "same" for move in shown):
        numbers = ", ".join(f"{m.name} {figure(m.before)} → {figure(m.after)}" for m in shown)
        return f"no measurable change ({numbers})"
    changed = [str(first)]
    for move in shown[1:]:
        if move.direction == "same":
            changed.append(f"{move.name}: no measurable change")
        else:
            changed.append(f"{move.name} {signed(move.after - move.before)}")
    return ", ".join(changed)


def _paired_changes(predictions: tuple[Predictions, Predictions]) -> dict[str, Estimate]:
    before, after = (side.labeled() for side in predictions)
    if (before.task, before.classes) != (after.task, after.classes):
        return {}
    changes = {}
    baseline = None if before.classes else training_mean(before)
    for name in _MEASURED:
        matched = _matched(before.of_split(name), after.of_split(name))
        change = _paired(*matched, baseline) if matched else None
        if change is not None:
            changes[name] = change
    return changes


def _paired(before: Predictions, after: Predictions, baseline: float | None) -> Estimate | None:
    if before.task == "multilabel":
        return paired_label_difference(before, after)
    if before.classes:
        return paired_difference(before.wrong, after.wrong, before.weight)
    return paired_relative_difference(before, after, baseline)


def _matched(before: Predictions, after: Predictions) -> tuple[Predictions, Predictions] | None:
    """Both sides in one order of examples; None unless they are the same ones, by id and truth."""
    if not before.n or before.n != after.n:
        return None
    before, after = (side.select(np.argsort(side.id.astype(str), kind="stable")) for side in (before, after))
    ids = before.id.tolist()
    same = ids == after.id.tolist() and np.array_equal(before.y_true, after.y_true)
    return (before, after) if same and len(set(ids)) == len(ids) else None
