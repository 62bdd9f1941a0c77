"""The diagnosis in the words and numbers of the window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from PySide6.QtCore import QCoreApplication

from workbench.diagnosis.compare import Comparison, Move
from workbench.diagnosis.context import Tried
from workbench.diagnosis.diagnose import Diagnosis
from workbench.diagnosis.layers import hidden_layers
from workbench.diagnosis.rule import Knob
from workbench.diagnosis.verdict import Verdict
from workbench.diagnosis.wording import figure, signed
from workbench.errors import RecipeError
from workbench.gui.figures import MINUS, grouped, points, regrouped
from workbench.gui.text import safe, visible
from workbench.gui.widgets.verdict_box import VerdictKind
from workbench.gui.wording import describe_change
from workbench.recipe.paths import Change
from workbench.recipe.recipe import Recipe
from workbench.store.project import RunEntry

_SHORT = {
    "bigger_network": ":",
    "smaller_network": ":",
    "train_longer": ":",
    "better_optimizer": ",",
    "less_l2": " (",
    "less_regularization": " (",
    "less_dropout": " (",
    "schedule": " (",
}
"""Knobs whose title goes on with what the line below says anyway, and where that begins."""


def kind_of(verdict: Verdict) -> VerdictKind:
    """The verdict's shape."""
    return {"good": "good", "undecided": "undecided"}.get(verdict, "warning")  # type: ignore[return-value]


def title_of(knob: Knob) -> str:
    """A knob's name in a few words; the exact change stands below it."""
    if knob.patch and knob.id in ("learning_rate", "more_l2", "more_dropout"):
        return {
            "learning_rate": _tr("Another learning rate"),
            "more_l2": _tr("More L2 regularization"),
            "more_dropout": _tr("More dropout"),
        }[knob.id]
    title = knob.title.partition(_SHORT[knob.id])[0] if knob.id in _SHORT else knob.title
    return visible(title)


def change_words(recipe: Recipe, patch: Mapping[str, Any]) -> str:
    """The exact change in plain words: ``filters 32, 64 → 64, 128``; empty for mere advice."""
    for path, after in patch.items():
        try:
            before = recipe.get(path)
        except RecipeError:
            before = None
        return change_of(recipe, Change(path, before, after))
    return ""


def change_of(recipe: Recipe, change: Change) -> str:
    """A change in plain words.

    Args:
        recipe: either of the two that differ by it.
        change: path and both values.
    """
    path, before, after = change.path, change.before, change.after
    if path == "network.width":
        return _widths(recipe, before, after)
    return _of_lists(path, before, after) or describe_change(recipe, change)


def _widths(recipe: Recipe, before: float, after: float) -> str:
    """The sizes of the hidden layers before and after; ``network.width`` itself says little to a reader."""
    layers = hidden_layers(recipe)
    names = {layer.width_field for layer in layers}
    counts = [value for layer in layers if isinstance(value := getattr(layer, layer.width_field), int)]
    label = names.pop() if len(names) == 1 else _tr("units and filters")
    if not counts or len(counts) > 4:
        return _tr("width × {0} → × {1}").format(f"{before:g}", f"{after:g}")
    now, then = (", ".join(str(max(1, round(n * width))) for n in counts) for width in (before, after))
    return f"{label} {now} → {then}"


def _of_lists(path: str, before: Any, after: Any) -> str:
    if path == "network.layers" and isinstance(before, list) and isinstance(after, list):
        return _tr("layers {0} → {1}").format(len(before), len(after))
    if path == "data.augment" and isinstance(before, list) and isinstance(after, list):
        return _tr("augmentation {0} → {1}").format(_kinds(before), _kinds(after))
    if path == "training.early_stopping":
        return _tr("early stopping off → on") if before is None else _tr("early stopping on → off")
    return ""


def _kinds(entries: list[Any]) -> str:
    names = [safe(entry.get("kind", "")).replace("_", " ") for entry in entries if isinstance(entry, dict)]
    return ", ".join(names) or _tr("none")


def cost_words(knob: Knob) -> str:
    """What a knob costs, short."""
    cost = knob.cost.replace("multiplications of an epoch", "work").replace(" times the ", " × the ")
    return cost.partition(";")[0]


def direction_words(knob: Knob, gaps: Sequence[str] = ()) -> str:
    """Which way a knob moves errors, never by how much; and on what it acts where that is more than one gap."""
    named = {"bias": _tr("bias"), "variance": _tr("variance"), "mismatch": _tr("the data mismatch")}
    if len(gaps) < 2:
        return knob.direction
    acts = _tr(" and ").join(named.get(gap, gap) for gap in gaps)
    return _tr("{0}; acts on {1}").format(knob.direction, acts)


_LEADS = {
    "advice_other_architecture": "network",
    "advice_other_architecture_for_variance": "network",
    "bigger_network": "network",
    "smaller_network": "network",
}


def leads_to(knob: Knob) -> str:
    """The step where advice is followed: ``network``, ``data``, or empty where none takes it."""
    if how_to(knob):
        return ""
    return _LEADS.get(knob.id, "data")


def how_to(knob: Knob) -> str:
    """How advice is followed that no step of the window takes; empty for the others."""
    if knob.id.startswith("advice_transfer_learning"):
        return _tr(
            "Under Train, Settings, Starting weights: take those of another run or of a file (safetensors, ONNX)."
        )
    if knob.id.startswith("advice_search"):
        return _tr("Try knobs one after the other; each try is a run of its own, and the table of runs compares them.")
    return ""


def knob_tip(knob: Knob) -> str:
    """Why, and the lecture's words."""
    how = "" if knob.patch else how_to(knob)
    expected, cost = _tr("Expected: {0}.").format(knob.direction), _tr("Cost: {0}.").format(knob.cost)
    parts = [knob.title, knob.why, how, expected, cost]
    if knob.reason:
        parts.append(_tr("Later, because: {0}.").format(knob.reason))
    if knob.lecture:
        parts.append(_tr("The lecture: {0}").format(knob.lecture))
    return visible_lines(parts)


def sentence(text: str) -> str:
    """A sentence of the diagnosis, which may quote names from data, begun with a capital letter."""
    return told(text[:1].upper() + text[1:])


def told(text: str) -> str:
    """A text of the diagnosis as the window writes it: what cannot be seen as escapes, thousands as everywhere here."""
    return regrouped(visible(text))


def failure_words(entry: RunEntry) -> str:
    """Why a run came to nothing, in a few words."""
    named = {
        "diverged": _tr("{0} diverged"),
        "failed": _tr("{0} failed"),
        "interrupted": _tr("{0} was cut off"),
    }
    return named.get(entry.status, "{0}").format(run_name(entry.number))


def later_words(focus: str, count: int) -> str:
    """What the fold of the later knobs is called: ``Later: bias first (4 knobs)``."""
    knobs = _tr("1 knob") if count == 1 else _tr("{0} knobs").format(count)
    first = {
        "bias": _tr("bias first"),
        "variance": _tr("variance first"),
        "mismatch": _tr("data mismatch first"),
        "data": _tr("data first"),
        "none": _tr("only if it is worth it"),
    }
    return _tr("Later: {0} ({1})").format(first.get(focus, _tr("after these")), knobs)


def visible_lines(parts: list[str]) -> str:
    """Sentences one below the other, an empty line between."""
    return "\n\n".join(told(part) for part in parts if part)


EffectTone = Literal["good", "warning", "muted"]
_TONES: Mapping[str, EffectTone] = {"better": "good", "worse": "warning"}


@dataclass(frozen=True)
class EffectPart:
    """One error or gap that a try moved, or did not.

    Attributes:
        text: ``bias 9.1 → 1.0``.
        span: the 95 % interval of the change, ``−9.0 to −7.2``; empty for an exact one.
        tone: of this part alone.
    """

    text: str
    span: str
    tone: EffectTone


def effect_parts(effect: Comparison) -> tuple[EffectPart, ...]:
    """What a try moved, a part for each of bias, variance and dev error; empty where nothing can be compared."""
    moves = {move.name: move for move in effect.moves}
    first = moves.get("bias") or moves.get("train")
    return tuple(_part(move) for move in (first, moves.get("variance"), moves.get("dev")) if move is not None)


def _part(move: Move) -> EffectPart:
    span = "" if move.change.exact else change_span(move)
    return EffectPart(f"{move.name} {before_after(move)}", span, _TONES.get(move.direction, "muted"))


def effect_words(effect: Comparison) -> str:
    """``bias 9.1 → 1.0 · variance 14.1 → 18.1 · dev 28.6 → 24.5``; or that nothing measurable moved."""
    parts = effect_parts(effect)
    if not parts:
        return told(effect.text)
    moved = any(part.tone != "muted" for part in parts)
    return " · ".join([*([] if moved else [_tr("no measurable change")]), *(part.text for part in parts)])


def before_after(move: Move) -> str:
    """``5.1 → 2.8`` in hundredths."""
    places = 1 if round(1000 * move.before) != round(1000 * move.after) or move.direction == "same" else 2
    before, after = (f"{100 * value:.{places}f}" for value in (move.before, move.after))
    return " → ".join("0" + end[2:] if float(end) == 0 and end[0] == "-" else end for end in (before, after)).replace(
        "-", MINUS
    )


def change_span(move: Move) -> str:
    """``−2.7 to −1.9``, the interval of a change in hundredths."""
    return f"{points(move.change.lower)} {_tr('to')} {points(move.change.upper)}"


def effect_tip(tried: Tried) -> str:
    """Everything that moved, with intervals and what they were measured on."""
    lines = [move_line(move) for move in tried.effect.moves]
    on = (
        _tr("Measured on the same examples before and after; 95 % intervals of the change.")
        if tried.effect.paired
        else _tr("Measured on different examples; 95 % intervals of the change.")
    )
    return "\n".join([*lines, "", on, _tr("Training again with another seed may move the errors, too.")])


def move_line(move: Move) -> str:
    """``train 3.5 → 2.1: −1.4 (−1.8 to −1.0)``."""
    change = move.change
    told = f"{move.name} {figure(move.before)} → {figure(move.after)}: {signed(change.value)}"
    return told if change.exact else f"{told} ({signed(change.lower)} {_tr('to')} {signed(change.upper)})"


def effect_tone(effect: Comparison, gap: str) -> EffectTone:
    """Whether a try did good: ``good``, ``warning`` (worse) or ``muted`` (no measurable change).

    Args:
        effect: what it moved.
        gap: what it was meant for. A bias that fell is a success whatever became of the variance, which has knobs of
            its own; a variance that fell only because the training error rose is none. Else the dev error counts.
    """
    dev = effect.direction("dev")
    own = effect.direction({"bias": "bias", "variance": "variance", "test": "test"}.get(gap, "dev"))
    if gap == "bias":
        own = effect.direction("train") if own == "unknown" else own
        return _TONES.get(own if own in ("better", "worse") else dev, "muted")
    if "worse" in (dev, own):
        return "good" if own == "worse" and dev == "better" else "warning"
    return "good" if "better" in (dev, own) else "muted"


_MORE: Mapping[str, tuple[str, str]] = {
    "training.epochs": ("bias", "variance"),
    "network.width": ("bias", "variance"),
    "training.l2": ("variance", "bias"),
    "training.l1": ("variance", "bias"),
    "training.loss.label_smoothing": ("variance", "bias"),
    "training.dropout": ("variance", "bias"),
}
"""Settings, and which gap more and less of each is meant for."""
_MORE_BY_NAME: Mapping[str, tuple[str, str]] = {
    "weight_decay": ("variance", "bias"),
    "decoupled_weight_decay": ("variance", "bias"),
    "rate": ("variance", "bias"),
}
"""The same by the last part of the path."""


def aim_of(change: Change) -> str:
    """Which gap a change is meant for, by the lecture: ``bias``, ``variance``, or empty where it may be either."""
    path, before, after = change.path, change.before, change.after
    name = path.rpartition(".")[2]
    if path in ("data.augment", "network.layers") and isinstance(before, list) and isinstance(after, list):
        more = len(after) > len(before)
        return "bias" if more == (path == "network.layers") else "variance"
    if path in ("training.early_stopping", "training.max_norm") and None in (before, after):
        return "variance" if before is None else "bias"
    if path.startswith(("training.optimizer", "training.schedule")) and not name.endswith("weight_decay"):
        return "bias"
    if name in ("initializer", "function"):
        return "bias"
    ways = _MORE.get(path) or _MORE_BY_NAME.get(name)
    numbers = all(isinstance(value, int | float) for value in (before, after))
    return ways[after < before] if ways and numbers else ""


def gap_title(gap: str) -> str:
    """The knobs of a gap, as a heading: ``Knobs for bias``."""
    named = {
        "bias": _tr("Knobs for bias"),
        "variance": _tr("Knobs for variance"),
        "mismatch": _tr("Knobs for the data mismatch"),
        "data": _tr("Knobs for the data"),
        "test": _tr("Knobs for the test set"),
        "real_world": _tr("Before the real world"),
    }
    return named.get(gap, _tr("Knobs"))


def later_gap(gap: str, focus: str) -> str:
    """A gap as a heading among the later knobs."""
    named = {
        "bias": _tr("for bias"),
        "variance": _tr("for variance"),
        "mismatch": _tr("for the data mismatch"),
        "data": _tr("for the data"),
        "test": _tr("for the test set"),
        "real_world": _tr("before the real world"),
    }
    return _tr("more {0}").format(named.get(gap, gap)) if gap == focus else named.get(gap, gap)


def run_note(number: int, diagnosis: Diagnosis | None) -> str:
    """``run 6 · dev n = 5 000``; empty for no run."""
    if not number:
        return ""
    dev = diagnosis.levels.dev if diagnosis else None
    size = f" · dev n = {grouped(dev.n)}" if dev is not None and dev.n else ""
    return run_name(number) + size


def run_name(number: int) -> str:
    """``run 6``."""
    return _tr("run {0}").format(number)


def _tr(text: str) -> str:
    return QCoreApplication.translate("diagnose", text)
